"""From a `ModelSource` to a directory on this machine and the revision that was found there. No torch.

Everything is resolved to a directory before a model class sees it: what comes from the hub is fetched as one snapshot of one commit, so the
network can fail in this place only, and the commit that is recorded is the one that was loaded.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from workers.backends.errors import BackendError, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workers.backends.protocol import ModelSource

#: Files of a transformers model in one folder. No pickles, no other frameworks.
TRANSFORMERS_FILES = ("*.json", "*.txt", "*.model", "model.safetensors", "model-*-of-*.safetensors")

#: Files of a diffusers pipeline: its folders in full precision, without the single-file copies that some repositories keep beside them.
DIFFUSERS_FILES = (
    "model_index.json",
    "scheduler/*.json",
    "*/config.json",
    "tokenizer*/*",
    "*/model.safetensors",
    "*/model-*-of-*.safetensors",
    "*/model.safetensors.index.json",
    "*/diffusion_pytorch_model.safetensors",
    "*/diffusion_pytorch_model-*-of-*.safetensors",
    "*/diffusion_pytorch_model.safetensors.index.json",
)

#: The one part of a generator that a prompt writer needs.
TOKENIZER_2_FILES = ("tokenizer_2/*",)

#: Who opens the pull requests that hold a repository's weights as safetensors where its main branch has pickles alone.
_CONVERTER = "SFconvertbot"

_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """Where a model's files lie, and which they are."""

    directory: Path
    #: The hub's commit, or "sha256:" and 16 hex digits over the files of a local directory.
    revision: str


def resolve(source: ModelSource, files: Sequence[str]) -> Resolved:
    """The directory that holds the source's `files` (glob patterns); fetched from the hub unless it is a local directory.

    Raises:
        ModelUnavailable: there is no such directory, id or revision, the hub is out of reach, or access is not granted.
    """
    if not source.location:
        raise ModelUnavailable("no model is named: give a Hugging Face id or a local directory")
    local = Path(source.location).expanduser()
    if local.is_dir():
        return Resolved(directory=local, revision=directory_revision(local, files))
    if source.location.startswith((".", "/", "~")) or source.location.count("/") > 1:
        raise ModelUnavailable(f"no model directory {source.location}: check the path")
    directory = _snapshot(source.location, source.revision, files)
    return Resolved(directory=directory, revision=directory.name)


def directory_revision(directory: Path, files: Sequence[str]) -> str:
    """A hash over names and bytes of the matching files, as "sha256:" and 16 hex digits. Raises `ModelUnavailable` if there are none."""
    paths = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*") if path.is_file()}
    chosen = sorted(name for name in paths if any(_matches(name, pattern) for pattern in files))
    if not chosen:
        raise ModelUnavailable(f"{directory} holds no model of this kind: expected {', '.join(files)}")
    digest = hashlib.sha256()
    for name in chosen:
        digest.update(f"{name}\0{paths[name].stat().st_size}\0".encode())
        with paths[name].open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    return f"sha256:{digest.hexdigest()[:16]}"


@contextmanager
def loading(source: ModelSource) -> Iterator[None]:
    """Whatever a model class raises over files that are missing, broken or of another kind becomes `ModelUnavailable`, in one line."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # a worker's log is no terminal
    try:
        yield
    except (BackendError, MemoryError):
        raise
    except Exception as error:
        cause = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelUnavailable(f"{source.location} cannot be loaded: {cause[:300]}: check that it holds a model of this kind") from error


def _matches(name: str, pattern: str) -> bool:
    """Like a shell, and unlike `fnmatch` alone, a star stays within one folder."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch, parts, wanted))


def _snapshot(location: str, revision: str | None, files: Sequence[str]) -> Path:
    from huggingface_hub import errors

    try:
        directory = _download(location, revision, files)
        if any("safetensors" in pattern for pattern in files) and not any(directory.rglob("*.safetensors")):
            directory = _download(location, _converted(location), files)
    except errors.GatedRepoError as error:
        raise ModelUnavailable(f"{location} is gated: accept its licence on huggingface.co and set HF_TOKEN") from error
    except errors.RepositoryNotFoundError as error:
        raise ModelUnavailable(f"{location} is not on the hub: check the id, or set HF_TOKEN if it is private") from error
    except errors.RevisionNotFoundError as error:
        raise ModelUnavailable(f"{location} has no revision {revision}: check the name of the commit, tag or branch") from error
    except errors.HFValidationError as error:
        raise ModelUnavailable(f"{location!r} is neither a directory nor a hub id: check the name") from error
    except ModelUnavailable:
        raise
    except Exception as error:
        raise ModelUnavailable(
            f"{location} cannot be fetched ({type(error).__name__}): connect to huggingface.co once, or give a local directory"
        ) from error
    return directory


def _download(location: str, revision: str | None, files: Sequence[str]) -> Path:
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(location, revision=revision, allow_patterns=list(files), ignore_patterns=["*fp16*", "*non_ema*"]))


def _converted(location: str) -> str:
    """The reference of the hub's own conversion to safetensors: some old repositories, CLIP among them, may have no other."""
    from huggingface_hub import get_repo_discussions

    for discussion in get_repo_discussions(location, author=_CONVERTER, discussion_type="pull_request"):
        if discussion.git_reference:
            return discussion.git_reference
    raise ModelUnavailable(f"{location} has no safetensors: convert it, or choose another model")
