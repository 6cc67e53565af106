"""Pixels as tensors, and the augmentation by which models become robust to repaints."""

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
#: By how many pixels an image is moved at most.
_REACH = 8


def as_tensor(pixels: NDArray[np.uint8], device: str) -> Tensor:
    """(N, height, width, 3) bytes to (N, 3, height, width) in -1..1."""
    tensor = torch.from_numpy(np.array(pixels)).to(device).permute(0, 3, 1, 2)
    scaled: Tensor = tensor.float().div_(127.5).sub_(1)
    return scaled


def augment(images: Tensor, torch_rng: torch.Generator) -> Tensor:
    """Images in -1..1, moved, half of them mirrored, some blurred, some noisy, some paler or darker. Only what is chosen is computed."""
    device = images.device
    images = _moved(images, torch_rng)

    def some(share: float) -> Tensor:
        return torch.nonzero(torch.rand(len(images), generator=torch_rng, device=device) < share).flatten()

    mirrored = some(_MIRRORED)
    images[mirrored] = images[mirrored].flip(-1)
    for width in (3, 7):
        blurred = some(_BLURRED / 2)
        edge = width // 2
        images[blurred] = functional.avg_pool2d(functional.pad(images[blurred], (edge,) * 4, mode="replicate"), width, 1)
    noisy = some(_NOISY)
    strength = 0.25 * torch.rand((len(noisy), 1, 1, 1), generator=torch_rng, device=device)
    images[noisy] += strength * torch.randn(images[noisy].shape, generator=torch_rng, device=device)
    gain, shift = torch.rand((2, len(images), 1, 1, 1), generator=torch_rng, device=device)
    shown: Tensor = images * (0.85 + 0.3 * gain) + 0.16 * (shift - 0.5)
    return shown.clamp(-1, 1)


def _moved(images: Tensor, torch_rng: torch.Generator) -> Tensor:
    """Each image moved by a few pixels, its edge carried on."""
    wide = functional.pad(images, (_REACH,) * 4, mode="replicate")
    height, width = images.shape[2:]
    places = torch.randint(0, 2 * _REACH + 1, (len(images), 2), generator=torch_rng, device=images.device).tolist()
    return torch.stack([wide[row, :, top : top + height, left : left + width] for row, (top, left) in enumerate(places)])
