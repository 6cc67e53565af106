"""Model cards: what each model of the pack is, how it was made and what it was measured to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from trainer.pocket.measures_table import Measure, markdown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trainer.pocket.recipe import Recipe

MEASURES = "measures.json"

_KINDS = {
    "captioner": (
        "image-to-text",
        "transformers",
        "A `Blip2ForConditionalGeneration`: a vision transformer, a Q-Former and a small OPT. It says what is painted, and how many.",
    ),
    "refiner": (
        "image-to-image",
        "diffusers",
        "A `StableDiffusionXLImg2ImgPipeline` in the refiner's form (the second text encoder alone), for canvases of 128 px.",
    ),
    "clip": (
        "zero-shot-image-classification",
        "transformers",
        "A `CLIPModel` with CLIP's byte-pair encoding cut to about 2,000 tokens. Pictures are scaled to 128 x 128.",
    ),
}


def write_cards(directory: Path, recipe: Recipe, rows: Sequence[Measure] = ()) -> None:
    """A README.md for each model and, with measures, `measures.json` for the pack."""
    if rows:
        facts = {"recipe": recipe.model_dump(mode="json", by_alias=True), "measures": [row.model_dump(mode="json") for row in rows]}
        (directory / MEASURES).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    for name in _KINDS:
        (directory / name / "README.md").write_text(_card(name, recipe, rows), encoding="utf-8")


def _card(name: str, recipe: Recipe, rows: Sequence[Measure]) -> str:
    task, library, what = _KINDS[name]
    measured = f"## Measured\n\nThe whole pack, on {recipe.held_out} paintings of other seeds.\n\n{markdown(rows)}\n" if rows else ""
    return f"""---
license: mit
library_name: {library}
pipeline_tag: {task}
---

# Paragone pocket {name}

{what}

It is small so that Paragone can be tried and tested without a download. It knows the paintings that `paragone samples` paints and nothing
else: of photographs or real art it has never seen any. For real work use the models that Paragone names by default.

## Made by

`make pocket`, from seed {recipe.seed}: {recipe.scenes} scenes in {recipe.versions} versions, painted by Paragone itself; no picture, text
or weight of anybody else was used but the merges of CLIP's byte-pair encoding. The code is in `trainer/pocket/`.

{measured}"""
