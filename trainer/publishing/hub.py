"""A model folder from the Hugging Face hub, into another folder, and to the hub by the token of the environment."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from trainer.errors import BadModelFolder, ModelNotPublished, PretrainedModelUnavailable
from trainer.model_folder import CARD, CONFIG, GROUPS, WEIGHTS, save_model, seen_groups
from trainer.publishing.sentence_transformers_files import MODULES
from workers.backends.errors import ModelUnavailable
from workers.backends.protocol import ModelSource
from workers.backends.sources import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainer.model_folder import TrainedModel

#: Environment variable of the token.
TOKEN = "HF_TOKEN"  # noqa: S105  # a name

#: Files that others may have put beside a model: a probability for each cosine, and what was found of leakage.
ADDED = ("calibration.json", "audit.json")

#: What a published folder holds, and all that is fetched of one. No checkpoint, no curves, no paths of a machine.
PUBLISHED = (WEIGHTS, CONFIG, CARD, GROUPS, MODULES, *ADDED)

_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")


def fetch_model(source: str | Path, revision: str | None = None) -> Path:
    """The model folder itself, or its copy in the hub's cache.

    Raises:
        BadModelFolder: neither a directory nor an id of the hub, or a directory with a revision.
        PretrainedModelUnavailable: the hub has no such model or revision, or is out of reach.
    """
    directory = Path(source).expanduser()
    if directory.is_dir():
        if revision is not None:
            raise BadModelFolder(f"{directory} is a directory and has no revisions: leave out revision={revision!r}")
        return directory
    if not _HUB_ID.fullmatch(str(source)):
        raise BadModelFolder(f"{source} is neither the folder of a trained model nor an id of the hub, OWNER/NAME: check the name")
    try:
        return resolve(ModelSource(location=str(source), revision=revision), PUBLISHED).directory
    except ModelUnavailable as error:
        raise PretrainedModelUnavailable(str(error)) from error


def write_pretrained(model: TrainedModel, directory: Path) -> None:
    """Write what is published of a model, in the newest format; a card that somebody has edited stays as it is.

    Raises:
        ModelNotPublished: the directory is the model's own.
    """
    if directory.resolve() == model.directory.resolve():
        raise ModelNotPublished(f"{directory} is the model's own folder: name another one")
    newest = model.config.model_copy(update={"format": 2})
    save_model(directory, model.head, newest, sorted(seen_groups(model.directory)), remember_paths=False)
    kept = (CARD, *ADDED) if model.config.format == newest.format else ADDED  # the card of format 1 names paths
    for name in kept:
        if (model.directory / name).is_file():
            shutil.copyfile(model.directory / name, directory / name)


def push_model(model: TrainedModel, repo: str, *, private: bool, environment: Mapping[str, str] = os.environ) -> str:
    """Send it to the hub at HF_ENDPOINT, huggingface.co by default; the address of the commit.

    A repository that is there stays as public as it is; files of an earlier version that are not replaced stay too.

    Raises:
        ModelNotPublished: no token, or the hub's reason, in which the token is never shown.
    """
    if not _HUB_ID.fullmatch(repo):
        raise ModelNotPublished(f"{repo!r} is no id of a model: write OWNER/NAME")
    token = environment.get(TOKEN, "").strip()
    if not token:
        raise ModelNotPublished(f"the hub needs a token with the right to write: set {TOKEN}")
    from huggingface_hub import HfApi

    hub = HfApi(token=token, endpoint=environment.get("HF_ENDPOINT") or None)
    with TemporaryDirectory(prefix="paragone-model-") as scratch:
        write_pretrained(model, Path(scratch))
        try:
            hub.create_repo(repo, repo_type="model", private=private, exist_ok=True)
            commit = hub.upload_folder(repo_id=repo, folder_path=scratch, repo_type="model", commit_message="Paragone model")
        except Exception as error:  # noqa: BLE001  # whatever the client or its transport raises: nothing here is lost
            cause = " ".join(str(error).replace(token, "***").split()) or type(error).__name__
            raise ModelNotPublished(f"{repo} was not pushed: {cause}") from None
    return str(commit.commit_url)
