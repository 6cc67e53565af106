"""Which column of a results file holds what: by the names that published data sets use, or as the operator says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.errors import WrongUse
from producer.results_import.errors import ResultsUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Our name for each fact to the names of its column; the first that is present is used.
COLUMNS: Mapping[str, Sequence[str]] = {
    "original": (
        *("original_image", "original", "original_path", "source_image", "image_original", "input_image", "artwork"),
        *("file_name", "filename", "file", "path", "image", "image_path", "key"),
    ),
    "caption": ("caption", "original_caption", "caption_original", "description_original", "blip_caption", "blip2_caption"),
    "draft": ("prompt_complete", "draft", "prompt_draft", "full_prompt", "prompt_long", "long_prompt"),
    "prompt": ("prompt_compressed", "prompt", "prompt_text", "processed_prompt", "compressed_prompt", "prompt_short", "prompt_summary"),
    "repaint": (
        *("generated_image", "repaint", "repaint_image", "generated", "generated_path", "image_generated"),
        *("output_image", "output", "result_image", "edited_image"),
    ),
    "level": ("level", "category", "repaint_level", "transformation_level"),
    "ordinal": ("ordinal", "variation"),
    "seed": ("seed", "generation_seed"),
    "recaption": ("recaption", "generated_caption", "caption_generated", "description_generated", "repaint_caption"),
}

#: Facts without which a row brings nothing.
_RESULTS = ("caption", "draft", "prompt", "repaint", "recaption")


def find_columns(header: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Our names of facts to the file's columns; what the operator gives rules.

    Raises:
        WrongUse: the operator names a fact or a column that there is not.
        ResultsUnreadable: no column names originals or repaints, or none holds a result.
    """
    for ours, theirs in given.items():
        if ours not in COLUMNS:
            raise WrongUse(f"--column {ours}={theirs}: there is no fact {ours!r}, only {', '.join(COLUMNS)}")
        if theirs not in header:
            raise WrongUse(f"--column {ours}={theirs}: the file has no column {theirs!r}, only {', '.join(header)}")
    taken = set(given.values())
    found = dict(given)
    for ours, names in COLUMNS.items():
        if ours not in found and (theirs := next((name for name in names if name in header and name not in taken), "")):
            found[ours] = theirs
    if "original" not in found and "repaint" not in found:
        raise ResultsUnreadable(f"no column names the originals: say which with --column original=NAME (there are {', '.join(header)})")
    if not any(name in found for name in _RESULTS):
        raise ResultsUnreadable(
            f"no column holds a caption, a prompt or a repaint: say which with --column (there are {', '.join(header)})"
        )
    return {ours: found[ours] for ours in COLUMNS if ours in found}


def parse_column_options(options: Iterable[str]) -> dict[str, str]:
    """`OURS=THEIRS` as a mapping, column names in lower case as the readers have them; raises `WrongUse`."""
    found: dict[str, str] = {}
    for option in options:
        ours, separator, theirs = option.partition("=")
        if not separator or not ours.strip() or not theirs.strip():
            raise WrongUse(f"--column {option}: write it as OURS=THEIRS, such as caption=description")
        found[ours.strip().casefold()] = theirs.strip().casefold()
    return found
