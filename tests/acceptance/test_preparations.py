"""Canvases of several shapes, from files through the shipped models to pairs that show the same content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageStat

from db.images import bucket, decode_image, prepared_original, read_metadata
from db.results.pairs import originals, read_image_bytes
from tests.acceptance.queries import assert_complete
from tests.acceptance.sample_images import sample_image

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.installation import Installation

pytestmark = pytest.mark.timeout(600)

SHAPES = [(96, 96), (150, 100), (90, 160), (400, 60)]


def test_a_campaign_of_buckets_goes_through_the_pocket_models(installation: Installation, tmp_path: Path) -> None:
    # Given originals of several shapes
    for number, shape in enumerate(SHAPES):
        path = tmp_path / "originals" / "Cubism" / f"painter-{number}_study-{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        sample_image(number).resize(shape, Image.Resampling.BICUBIC).save(path)
    campaign = tmp_path / "buckets.toml"
    campaign.write_text('name = "buckets"\nrecaption = false\n[picture]\npreparation = "buckets"\n[level.moderate]\n')

    # When they are repainted
    installation.output_of("ingest", tmp_path / "originals")
    assert installation.json_of("enqueue", "--config", campaign, "--models", "pocket")["jobs"] > 0
    with installation.working("--until-idle") as fleet:
        assert fleet.wait() == 0, fleet.output

    # Then each was laid onto the canvas of its shape, and each pair shows the same content
    assert installation.json_of("failures") == []
    assert_complete(installation, repaints=len(SHAPES))
    by_artwork = {original.artwork_id: original for original in originals(installation.runtime.database)}
    canvases = set()
    for repaint in installation.repaints():
        original = by_artwork[repaint.artwork_id]
        before = decode_image(read_image_bytes(installation.runtime.store, original.content_hash, original.link)).image
        data = installation.runtime.store.get(repaint.content_hash)
        after = decode_image(data).image
        assert read_metadata(data) == repaint.provenance
        assert repaint.provenance["preparation"] == "buckets"
        assert tuple(repaint.provenance["canvas"]) == bucket(*before.size, 128)
        canvases.add(tuple(repaint.provenance["canvas"]))
        shown = prepared_original(before, repaint.provenance)
        assert abs(after.width / after.height / (shown.width / shown.height) - 1) < 0.03
        if max(before.size) <= 2 * min(before.size):  # the small models know no frieze, but here large forms stay where they are
            assert _likeness(shown, after) > _likeness(shown, after.rotate(180))
    assert len(canvases) == len(SHAPES)


def _likeness(one: Image.Image, other: Image.Image) -> float:
    """The correlation of two images' luma on a grid of 8 x 8."""
    first, second = (list(image.convert("L").resize((8, 8), Image.Resampling.BOX).tobytes()) for image in (one, other))
    a, b = (ImageStat.Stat(Image.frombytes("L", (8, 8), bytes(values))) for values in (first, second))
    product = sum(x * y for x, y in zip(first, second, strict=True)) / 64 - a.mean[0] * b.mean[0]
    return product / max(1e-9, a.stddev[0] * b.stddev[0])
