"""An export to the Hugging Face hub, by the token of the environment."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from db.results.export_manifest import MANIFEST, read_manifest
from producer.errors import WrongUse
from producer.export.errors import PushFailed
from producer.export.shard_files import UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Environment variable of the token; its file is named by HF_TOKEN_FILE.
TOKEN = "HF_TOKEN"  # noqa: S105  # a name
_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")


class HubUploader(Protocol):
    """Makes a data set on a hub and fills it."""

    def create(self, hub_id: str, *, private: bool) -> None:
        """Make the data set unless it is there."""
        ...

    def upload(self, hub_id: str, folder: Path) -> None:
        """Put all files of a folder there, and remove pieces of an earlier export."""
        ...


class HuggingFaceUploader:
    """The hub at HF_ENDPOINT, huggingface.co by default."""

    def __init__(self, token: str) -> None:
        try:
            from huggingface_hub import HfApi
        except ImportError:
            raise PushFailed("--push-to needs huggingface_hub: pip install 'paragone[data]'") from None
        self._hub = HfApi(token=token, endpoint=os.environ.get("HF_ENDPOINT") or None)

    def create(self, hub_id: str, *, private: bool) -> None:
        """Make the data set unless it is there; one that is there stays as public as it is."""
        self._hub.create_repo(hub_id, repo_type="dataset", private=private, exist_ok=True)

    def upload(self, hub_id: str, folder: Path) -> None:
        """Put all files of a folder there; the client sends nothing twice, and resumes what was interrupted."""
        self._hub.upload_folder(
            repo_id=hub_id,
            folder_path=folder,
            repo_type="dataset",
            commit_message="Paragone export",
            ignore_patterns=[f"**/{UNFINISHED}*", f"{UNFINISHED}*"],
            delete_patterns=self._earlier_pieces(hub_id),
        )

    def _earlier_pieces(self, hub_id: str) -> list[str]:
        """The pieces of an export that is there, by its manifest: a loader would read them beside the new ones. Nothing else is removed."""
        from huggingface_hub.errors import EntryNotFoundError

        try:
            path = self._hub.hf_hub_download(hub_id, MANIFEST, repo_type="dataset")
        except EntryNotFoundError:
            return []
        manifest = read_manifest(Path(path).parent)
        return [f"{shard.name}*" if shard.name.endswith("/") else shard.name for shard in manifest.shards] if manifest else []


def check_hub_id(hub_id: str) -> None:
    """Raise `WrongUse` unless it looks like an id of the hub."""
    if not _HUB_ID.fullmatch(hub_id):
        raise WrongUse(f"--push-to: {hub_id!r} is no id of a data set: write OWNER/NAME")


def hub_token(environment: Mapping[str, str]) -> str:
    """The token; raises `PushFailed` if there is none."""
    token = environment.get(TOKEN, "").strip()
    if not token:
        raise PushFailed(f"--push-to needs a token with the right to write: set {TOKEN}, or {TOKEN}_FILE to a file that holds it")
    return token


def push_export(folder: Path, hub_id: str, *, private: bool, uploader: HubUploader, token: str) -> None:
    """Send a finished export; raises `PushFailed` with the hub's reason, in which the token is never shown."""
    try:
        uploader.create(hub_id, private=private)
        uploader.upload(hub_id, folder)
    except PushFailed:
        raise
    except Exception as error:  # noqa: BLE001  # whatever the client or its transport raises: nothing here is lost
        cause = " ".join(str(error).replace(token, "***").split()) or type(error).__name__
        raise PushFailed(f"{hub_id} was not pushed ({cause}): the export in {folder} is whole, run the same command again") from None
