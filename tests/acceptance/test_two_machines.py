"""Two machines that share three URLs and no directory but the store."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from PIL import ImageChops, ImageStat

from db.campaigns import find_campaign
from db.images import decode_image
from db.tables import attempts, images, workers
from tests.acceptance.installation import Installation, until
from tests.acceptance.queries import assert_complete, rows, states
from tests.acceptance.sample_images import write_images

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services.postgresql import PostgresServer

pytestmark = pytest.mark.timeout(600)

ARTWORKS = 5

#: In batches of one, what runs together does not depend on who is faster.
CAMPAIGN = """
name = "{name}"
[caption]
batch = {batch}
[prompt]
batch = {batch}
[level.moderate]
batch = {batch}
"""


def test_two_machines_that_share_only_the_urls_repaint_everything_once_and_always_the_same(
    tmp_path: Path, postgres_server: PostgresServer, broker_url: str, tiny_models: Path
) -> None:
    # Given a database, a broker and a store by their URLs, and three campaigns of one plan
    name = postgres_server.create()
    shared = {
        "PARAGONE_DATABASE_URL": postgres_server.url(name),
        "PARAGONE_BROKER_URL": broker_url,
        "PARAGONE_STORE_URL": f"file://{tmp_path / 'store'}",
    }
    one, other = (Installation(directory=tmp_path / which, settings=shared) for which in ("one", "other"))
    one.output_of("init")
    write_images(tmp_path / "originals", ARTWORKS)
    one.output_of("ingest", tmp_path / "originals")
    shutil.rmtree(tmp_path / "originals")

    # When both are running, and work comes in
    with one.working() as here, other.working() as there:
        until(lambda: len(rows(one, workers)) == 2, what="both have registered")
        for campaign, batch in (("first", 1), ("second", 1), ("together", 8)):
            (tmp_path / "campaign.toml").write_text(CAMPAIGN.format(name=campaign, batch=batch))
            assert one.json_of("enqueue", "--config", tmp_path / "campaign.toml", "--models", tiny_models)["jobs"] == 4 * ARTWORKS
        until(lambda: states(one).keys() == {"done"}, what="everything is done")
        assert (here.stop(), there.stop()) == (0, 0), here.output + there.output

    # Then each repaint exists once, whoever made it
    assert_complete(one, repaints=3 * ARTWORKS)
    assert states(one) == Counter(done=3 * 4 * ARTWORKS)
    assert one.json_of("status")["images"] == 3 * ARTWORKS
    assert len({row["worker_id"] for row in rows(one, attempts)}) == 2, "one machine did nothing"
    assert not (tmp_path / "one/store").exists()
    assert not (tmp_path / "one/paragone.sqlite").exists()
    assert not (tmp_path / "other/store").exists()

    # And one plan gives equal pixels and files, in batches of one size; nearly equal ones in others
    repaints = {name: _repaints(one, name) for name in ("first", "second", "together")}
    assert repaints["first"] == repaints["second"]
    for (_, mine), (_, theirs) in zip(repaints["first"], repaints["together"], strict=True):
        pair = [decode_image(one.runtime.store.get(content_hash)).image for content_hash in (mine, theirs)]
        assert max(ImageStat.Stat(ImageChops.difference(*pair)).mean) < 2
    one.close()
    other.close()
    postgres_server.drop(name)


def _repaints(installation: Installation, campaign: str) -> list[tuple[str, str]]:
    found = rows(installation, images, images.c.current, images.c.campaign_id == find_campaign(installation.runtime.database, campaign).id)
    return [(row["pixel_hash"], row["content_hash"]) for row in sorted(found, key=lambda row: row["artwork_id"])]
