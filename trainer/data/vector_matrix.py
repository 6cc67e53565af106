"""The matrix of a data set's vectors: in memory while it is small, beyond that a mapped file of which only what is read is resident."""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
from typing import TYPE_CHECKING

import numpy as np

from trainer.errors import NoRoomForVectors

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Matrix = npt.NDArray[np.float32]

#: Bytes up to which a matrix lies in memory: 244,000 CLIP vectors.
IN_MEMORY = 512 << 20

#: Bytes of rows that are moved at once.
_MOVED = 64 << 20


def new_matrix(rows: int, dimension: int, *, directory: Path | None = None, in_memory: int | None = None) -> Matrix:
    """A matrix (rows, dimension) of zeros, float32; beyond `in_memory` bytes (`IN_MEMORY` if not given) a mapped file without a name.

    The file lies in `directory`, the system's temporary one if it is not given, and is gone with the matrix, also when the process is
    killed. Raises `NoRoomForVectors` if the disk is too full.
    """
    size = rows * dimension * np.dtype(np.float32).itemsize
    if size <= (IN_MEMORY if in_memory is None else in_memory):
        return np.zeros((rows, dimension), np.float32)
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory, prefix="vectors-") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)  # a full disk must be met here: at a mapped page it kills the process
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            place = directory or tempfile.gettempdir()
            raise NoRoomForVectors(f"{place} has no room for {size / 1e9:.1f} GB of vectors: free some, or choose another --out") from None
        mapped = mmap.mmap(file.fileno(), size)
    return np.frombuffer(mapped, np.float32).reshape(rows, dimension)


def release_pages(matrix: Matrix) -> None:
    """Let go of the pages of a mapped matrix that are resident; their content stays. Nothing happens to one in memory."""
    base: object = matrix
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview):
        base = base.obj
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)


def keep_rows(matrix: Matrix, kept: npt.NDArray[np.bool_]) -> Matrix:
    """The matrix of these rows alone, in their order, moved up in place: `matrix` itself is used up."""
    rows = np.flatnonzero(kept)
    if len(rows) == len(matrix):
        return matrix
    step = max(1, _MOVED // max(1, matrix.strides[0]))
    for start in range(0, len(rows), step):
        matrix[start : start + step][: len(rows) - start] = matrix[rows[start : start + step]]
        release_pages(matrix)
    return matrix[: len(rows)]
