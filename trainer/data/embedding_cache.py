"""Embeddings kept in the store as safetensors shards, so that an image is computed once for all hosts.

A shard belongs to one embedding space: model, revision and dtype stand in its folder's name and again in its header, and a shard whose
header says otherwise is not read.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    import numpy.typing as npt

    from db.store import Store

    Kept = npt.NDArray[np.float16 | np.float32]

_log = logging.getLogger(__name__)

#: Incremented when the preparation of images changes, so that vectors of the old preparation are not read any more.
_PREPARATION = "1"


@dataclass(frozen=True, kw_only=True)
class EmbeddingSpace:
    """What two vectors must share to be comparable."""

    #: Hugging Face id or local directory.
    model: str
    #: The commit or content hash that was loaded.
    revision: str
    #: In which numbers the model computes.
    dtype: str = "float32"
    #: What is taken of the model, such as "latents-32"; "" for CLIP's image vectors.
    form: str = ""
    #: In which numbers vectors are kept in shards.
    kept_as: Literal["float32", "float16"] = "float32"

    @property
    def folder(self) -> str:
        """The shards' folder in the store. A directory goes by its last name: hosts keep it in different places."""
        name = self.model.rstrip("/").rsplit("/", 1)[-1] if self.revision.startswith("sha256:") else self.model
        parts = [name, self.revision, self.dtype, *([f"{self.form}.{self.kept_as}"] if self.form else [])]
        return "embeddings/" + re.sub(r"[^A-Za-z0-9._@-]+", "-", "@".join(parts))

    @property
    def header(self) -> dict[str, str]:
        """The metadata of every shard of this space."""
        facts = {"revision": self.revision, "dtype": self.dtype, "preparation": _PREPARATION}
        return facts | ({"form": self.form, "kept_as": self.kept_as} if self.form else {})


class EmbeddingCache:
    """The shards of one embedding space in the store."""

    def __init__(self, store: Store, space: EmbeddingSpace) -> None:
        self._store = store
        self.space = space
        #: Shard to the first 8 bytes of each of its hashes: a shard never changes, so one without anything wanted is not fetched again.
        self._contents: dict[str, npt.NDArray[np.uint64]] = {}

    def read(self, wanted: AbstractSet[str]) -> dict[str, npt.NDArray[np.float32]]:
        """The vectors that are kept for these content hashes."""
        found: dict[str, npt.NDArray[np.float32]] = {}
        for hashes, vectors in self.shards(wanted):
            found.update(zip(hashes, vectors.astype(np.float32), strict=True))
        return found

    def shards(self, wanted: AbstractSet[str]) -> Iterator[tuple[list[str], Kept]]:
        """Shard by shard, which of the wanted content hashes it holds, and their vectors, (n, dimension), in the space's numbers."""
        for hashes, vectors in self._shards(wanted):
            rows = [row for row, content_hash in enumerate(hashes) if content_hash in wanted]
            yield [hashes[row] for row in rows], vectors[rows]  # a copy: the rest of the shard need not stay in memory

    def write(self, hashes: Sequence[str], vectors: Kept) -> None:
        """Keep one shard in the numbers of its space; hosts that computed the same images write the same name."""
        tensors: dict[str, npt.NDArray[Any]] = {
            "hashes": np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint8).reshape(len(hashes), 32),
            "vectors": np.ascontiguousarray(vectors, dtype=self.space.kept_as),
        }
        name = hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()[:24]
        self._store.put_named(f"{self.space.folder}/{name}.safetensors", save_tensors(tensors, metadata=self.space.header))

    def _shards(self, wanted: AbstractSet[str]) -> Iterator[tuple[list[str], Kept]]:
        beginnings = np.array([int(content_hash[:16], 16) for content_hash in wanted], dtype=np.uint64)
        for name in self._store.names(self.space.folder):
            if name in self._contents and not np.isin(self._contents[name], beginnings).any():
                continue
            data = self._store.get_named(name)
            try:
                header, tensors = _header(data), load_tensors(data)
            except (SafetensorError, ValueError):
                _log.warning("embedding shard cannot be read and is computed anew", extra={"shard": name})
                continue
            if header != self.space.header:
                _log.warning("embedding shard of another model is ignored", extra={"shard": name, "header": header})
                continue
            self._contents[name] = tensors["hashes"][:, :8].copy().view(">u8").ravel().astype(np.uint64)
            yield [row.tobytes().hex() for row in tensors["hashes"]], tensors["vectors"]


def _header(data: bytes) -> dict[str, str]:
    """The `__metadata__` of a safetensors file: eight bytes of length, then JSON."""
    length = int.from_bytes(data[:8], "little")
    return dict(json.loads(data[8 : 8 + length]).get("__metadata__", {}))
