"""Arrays that may be larger than memory should have to hold: in a file of the temporary folder that is gone with them."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

#: Larger arrays lie in a file.
MOST_BYTES_IN_MEMORY = 128 * 2**20


def scratch_array(shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """A float32 array to be filled, in memory or memory-mapped on a file without a name."""
    if 4 * shape[0] * shape[1] <= MOST_BYTES_IN_MEMORY:
        return np.empty(shape, dtype=np.float32)
    with TemporaryFile(prefix="paragone-vectors-") as file:
        return np.memmap(file, dtype=np.float32, mode="w+", shape=shape)
