"""The columns of an exported row, equal in every format: names, kinds, meanings, and where the values come from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from db.results.export_rows import ExportRow

#: Images of a pair, in the order in which formats hold them.
IMAGES = {"original": "The artwork.", "repaint": "What was made of it."}


class ColumnKind(StrEnum):
    """What values a column holds; all but integers may be missing."""

    #: One text.
    TEXT = "text"
    #: A whole number of 64 bits.
    INTEGER = "integer"
    #: A list of texts; JSON as text where a format has no schema.
    TEXTS = "texts"
    #: JSON as text: its keys differ from row to row, which no table could hold.
    JSON = "json"


@dataclass(frozen=True, kw_only=True)
class ExportColumn:
    """One column."""

    name: str
    kind: ColumnKind
    meaning: str


def _column(name: str, kind: ColumnKind, meaning: str) -> ExportColumn:
    return ExportColumn(name=name, kind=kind, meaning=meaning)


COLUMNS: tuple[ExportColumn, ...] = (
    _column("artwork", ColumnKind.TEXT, "Key of the artwork: `artist_title`."),
    _column("group", ColumnKind.TEXT, "Artworks that are copies of one another share it: never split a group."),
    _column("campaign", ColumnKind.TEXT, "The run that made the repaint."),
    _column("split", ColumnKind.TEXT, "Side of the export's split."),
    _column("subset", ColumnKind.TEXT, "Side of the catalogue's own split, if it has one."),
    _column("artist", ColumnKind.TEXT, "Artist of the original."),
    _column("title", ColumnKind.TEXT, "Title of the original."),
    _column("style", ColumnKind.TEXT, "First style of the original."),
    _column("styles", ColumnKind.TEXTS, "All styles under which a copy was found."),
    _column("level", ColumnKind.TEXT, "How far the repaint may go."),
    _column("ordinal", ColumnKind.INTEGER, "Which repaint of this level it is, from 0."),
    _column("seed", ColumnKind.INTEGER, "Seed of the repaint."),
    _column("caption", ColumnKind.TEXT, "Sentence about the original."),
    _column("draft", ColumnKind.TEXT, "The prompt before it was cut to the generator's limit."),
    _column("draft_tokens", ColumnKind.INTEGER, "Tokens of the draft."),
    _column("prompt", ColumnKind.TEXT, "The prompt as the generator got it."),
    _column("prompt_tokens", ColumnKind.INTEGER, "Tokens of the prompt."),
    _column("brief", ColumnKind.TEXT, "The brief that the prompt was written to."),
    _column("recaption", ColumnKind.TEXT, "Sentence about the repaint."),
    _column("original_width", ColumnKind.INTEGER, "Pixels of the registered original, upright."),
    _column("original_height", ColumnKind.INTEGER, "Pixels of the registered original, upright."),
    _column("original_hash", ColumnKind.TEXT, "SHA-256 of the registered original's file."),
    _column("original_file_hash", ColumnKind.TEXT, "SHA-256 of the original's file in this export."),
    _column("repaint_width", ColumnKind.INTEGER, "Pixels of the repaint."),
    _column("repaint_height", ColumnKind.INTEGER, "Pixels of the repaint."),
    _column("repaint_hash", ColumnKind.TEXT, "SHA-256 of the repaint's file."),
    _column("repaint_pixel_hash", ColumnKind.TEXT, "SHA-256 of the repaint's pixels, whatever the file format."),
    _column("models", ColumnKind.JSON, "Stage to the model and revision that did it."),
    _column("provenance", ColumnKind.JSON, "The plan's facts, as they stand in the repaint's file."),
    _column("scores", ColumnKind.JSON, "Measures of the repaint."),
)


def record_of(row: ExportRow, *, campaign: str, split: str, original_file_hash: str) -> dict[str, Any]:
    """The values of `COLUMNS`, in their order."""
    given = {
        "artwork": row.artwork_key,
        "group": row.group_key,
        "campaign": campaign,
        "split": split,
        "styles": list(row.styles),
        "original_file_hash": original_file_hash,
        "repaint_pixel_hash": row.pixel_hash,
        "models": _json(models_of(row)),
        "provenance": _json(row.provenance),
        "scores": _json(row.scores),
    }
    return {column.name: given[column.name] if column.name in given else getattr(row, column.name) for column in COLUMNS}


def flat_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """The same for formats without a schema: a text that is missing is empty, a list is JSON as text.

    Whoever reads such a format guesses types from the first rows, and would find later ones of another type where these have no value.
    """
    kinds = {column.name: column.kind for column in COLUMNS}
    flat = {name: "" if value is None and kinds[name] is not ColumnKind.INTEGER else value for name, value in record.items()}
    return {name: json.dumps(value, ensure_ascii=False) if kinds[name] is ColumnKind.TEXTS else value for name, value in flat.items()}


def models_of(row: ExportRow) -> dict[str, dict[str, str]]:
    """Stage to model and revision."""
    made_by: dict[str, dict[str, str]] = {}
    for stage, made in row.text_models.items():
        made_by[stage] = {"model": made.model, "revision": made.revision}
    generator: dict[str, str] = {name: str(row.provenance[name]) for name in ("model", "revision") if name in row.provenance}
    return {**made_by, "generate": generator} if generator else made_by


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
