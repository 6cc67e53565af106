"""What all torch backends share: number format, memory, and the errors of a device in our words."""

from __future__ import annotations

import gc
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from workers.backends.errors import DeviceLost, ModelUnavailable, OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workers.backends.protocol import ModelSource

_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}

#: Full memory that torch reports as a plain RuntimeError: the CPU's allocator and the CUDA libraries' own.
_FULL = ("can't allocate memory", "out of memory", "ALLOC_FAILED")

#: A device or driver that failed under a sound program.
_BROKEN = ("CUDA error", "cuDNN error", "CUBLAS_STATUS", "CUDNN_STATUS", "NCCL error", "HIP error")


def choose_dtype(source: ModelSource, device: str) -> torch.dtype:
    """The source's dtype; "auto" is bfloat16 on CUDA (float16 where that is only emulated) and float32 on the CPU."""
    if source.dtype == "auto":
        if not device.startswith("cuda"):
            return torch.float32
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if source.dtype not in _DTYPES:
        raise ModelUnavailable(f"no dtype {source.dtype!r}: choose auto, {', '.join(_DTYPES)}")
    return _DTYPES[source.dtype]


@contextmanager
def device_errors() -> Iterator[None]:
    """Torch's errors as ours: a full device is `OutOfMemory`, a CUDA fault `DeviceLost`; everything else passes.

    The tensors of the failed call live in the frames of its traceback, so these are cleared: what is raised may be handled by trying again
    with fewer, on a device that is empty.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        _forget(error)
        raise OutOfMemory(_first_line(error)) from None
    except RuntimeError as error:
        text = str(error)
        if any(mark in text for mark in _FULL):
            _forget(error)
            raise OutOfMemory(_first_line(error)) from None
        if any(mark in text for mark in _BROKEN):
            raise DeviceLost(_first_line(error)) from error
        raise


def release() -> None:
    """Release what the allocator holds; call after the last reference to a model is gone."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _forget(error: BaseException) -> None:
    traceback.clear_frames(error.__traceback__)
    release()


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0][:300] or type(error).__name__
