"""Pixels as tensors, and the harm that is done to pictures so that models bear repaints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

#: Mean and deviation that CLIP's processor takes off, as the pack's processors do: (0..1 - 0.5) / 0.5.
MEAN, STD = 0.5, 0.5

_BLURRED, _NOISY, _MIRRORED = 0.3, 0.3, 0.5


def as_tensor(pixels: NDArray[np.uint8], device: str) -> Tensor:
    """(N, height, width, 3) bytes to (N, 3, height, width) in -1..1."""
    tensor = torch.from_numpy(np.array(pixels)).to(device).permute(0, 3, 1, 2)
    return (tensor.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def worn(pictures: Tensor, dice: torch.Generator) -> Tensor:
    """Pictures in -1..1, some blurred, some noisy, some paler or darker, some shifted, half of them mirrored."""
    count, device = len(pictures), pictures.device

    def drawn() -> Tensor:
        return torch.rand((count, 1, 1, 1), generator=dice, device=device)

    pictures = torch.where(drawn() < _MIRRORED, pictures.flip(-1), pictures)
    pictures = _shifted(pictures, drawn(), drawn(), drawn())
    soft = functional.avg_pool2d(functional.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, 1)
    softer = functional.avg_pool2d(functional.pad(soft, (2, 2, 2, 2), mode="replicate"), 5, 1)
    chosen = drawn()
    pictures = torch.where(chosen < _BLURRED / 2, softer, torch.where(chosen < _BLURRED, soft, pictures))
    strength = torch.where(drawn() < _NOISY, 0.25 * drawn(), torch.zeros((), device=device))
    pictures = pictures + strength * torch.randn(pictures.shape, generator=dice, device=device)
    return (pictures * (0.85 + 0.3 * drawn()) + 0.16 * (drawn() - 0.5)).clamp(-1, 1)


def _shifted(pictures: Tensor, across: Tensor, down: Tensor, scale: Tensor) -> Tensor:
    """Each picture moved by up to a twentieth and scaled by up to a twelfth."""
    size = 1 + (scale - 0.5) / 6
    matrix = torch.zeros((len(pictures), 2, 3), device=pictures.device)
    matrix[:, 0, 0] = matrix[:, 1, 1] = size.flatten()
    matrix[:, 0, 2], matrix[:, 1, 2] = (across.flatten() - 0.5) / 5, (down.flatten() - 0.5) / 5
    grid = functional.affine_grid(matrix, list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)
