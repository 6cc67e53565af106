"""What the operator says of a results file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from db.enums import Stage
from producer.errors import WrongUse
from producer.results_import.canvas import CanvasChoice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What the operator says of a results file."""

    file: Path
    #: Folder of the repaints; None for the file's own.
    repaints: Path | None = None
    #: Name of the campaign that takes them; None for "imported", or that of the campaign file.
    campaign: str | None = None
    #: A campaign file, or the name of one that ships: what is missing can be made by its models then.
    config: str | None = None
    #: The level of rows that tell none.
    level: str = ""
    #: Our names of facts to the file's columns, where they have no usual name.
    columns: Mapping[str, str] = field(default_factory=dict)
    #: Where the results are from; empty for the file's name.
    source: str = ""
    #: Stage to the model that made its results, where that is known.
    models: Mapping[Stage, str] = field(default_factory=dict)
    canvas: CanvasChoice = CanvasChoice.AUTO

    @property
    def told_source(self) -> str:
        """Where the results are from."""
        return self.source.strip() or self.file.name


def parse_model_options(options: Sequence[str]) -> dict[Stage, str]:
    """`STAGE=MODEL` as a mapping; raises `WrongUse`."""
    found: dict[Stage, str] = {}
    for option in options:
        stage, separator, model = option.partition("=")
        if not separator or not model.strip() or stage.strip() not in set(Stage):
            raise WrongUse(f"--model {option}: write it as STAGE=MODEL, with a stage of {', '.join(Stage)}")
        found[Stage(stage.strip())] = model.strip()
    return found
