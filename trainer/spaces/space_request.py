"""A space as somebody names it: `clip`, `latents`, `vision:facebook/dinov2-small`, `vision:facebook/dinov2-small@COMMIT#mean`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DEFAULT_SPACES = ("clip",)

_FORM = re.compile(r"(?P<kind>[a-z][a-z0-9_-]*)(:(?P<model>[^#]+))?(#(?P<option>[A-Za-z0-9_-]+))?")


@dataclass(frozen=True, kw_only=True)
class SpaceRequest:
    """A kind of space, the model if it is named, and the kind's own option."""

    #: A name in the entry point group `paragone.spaces`.
    kind: str
    #: Hugging Face id or directory; None for the one that the kind knows of itself.
    model: str | None = None
    #: Commit, tag or branch on the hub; None takes the default branch.
    revision: str | None = None
    #: What the kind takes after `#`, such as `mean` or `16`; "" for its default.
    option: str = ""

    @classmethod
    def parse(cls, text: str) -> SpaceRequest:
        """Read `KIND[:MODEL[@REVISION]][#OPTION]`; raises `ValueError`."""
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no space: write KIND[:MODEL[@REVISION]][#OPTION], such as vision:facebook/dinov2-small#mean")
        model, revision = found["model"], None
        if model is not None and "@" in model and not Path(model).expanduser().is_dir():
            model, _, revision = model.rpartition("@")
        return cls(kind=found["kind"], model=model, revision=revision or None, option=found["option"] or "")

    @property
    def name(self) -> str:
        """What the space is called in tables and model folders: without a revision, a directory by its last name alone."""
        model = self.model
        if model is not None and Path(model).expanduser().is_dir():
            model = Path(model).expanduser().resolve().name
        return self.kind + (f":{model}" if model else "") + (f"#{self.option}" if self.option else "")
