"""A process that exports 2,000 and then 100,000 pairs: prints the rows, and its largest size in MiB after each."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from db.campaigns import open_campaign
from db.enums import ImageState, JobState, Stage
from db.runtime import Runtime
from db.settings import Settings
from db.tables import artworks, batch_keys, captions, images, jobs, prompts, variations
from producer.export.options import ExportOptions, ExportSplit
from producer.export.run import export_campaign
from tests.builders import fake_config
from tests.builders.exportable import image_bytes

ORDINALS = 100
TEXT = "a boat on a lake under a heavy sky, in warm light, with broken strokes " * 4


def fill(runtime: Runtime, works: int) -> None:
    """So many artworks with a hundred repaints each; all images are one of two blobs."""
    original, repaint = (runtime.store.put(image_bytes(name, (16, 12), "JPEG")) for name in ("original", "repaint"))
    campaign = open_campaign(runtime.database, "large", fake_config(variations=ORDINALS)).id
    made: dict[str, Any] = {"campaign_id": campaign, "current": True, "created_at": 0.0}
    by: dict[str, Any] = {"model": "m", "revision": "r"}
    numbers = range(1, works * ORDINALS + 1)
    with runtime.database.engine.begin() as connection:
        for key in (Stage.CAPTION, Stage.GENERATE):
            connection.execute(insert(batch_keys).values(batch_key=key, campaign_id=campaign, stage=key, parameters={}))
        connection.execute(insert(artworks), [_artwork(number, original) for number in range(1, works + 1)])
        connection.execute(insert(variations), [_variation(number, campaign) for number in numbers])
        connection.execute(insert(jobs), [_job(number, campaign) for number in numbers])
        about = [{"job_id": n, "artwork_id": n, "text": TEXT, **by, **made} for n in range(1, works + 1)]
        connection.execute(insert(captions), about)
        texts = {"draft": TEXT * 2, "text": TEXT, "draft_tokens": 120, "tokens": 60, "brief": "fake", **by, **made}
        connection.execute(insert(prompts), [{"id": n, "job_id": n, "variation_id": n, **texts} for n in numbers])
        facts = {"format": "jpeg", "byte_size": 400, "width": 16, "height": 12, "content_box": [0, 0, 16, 12], "worker_id": "w", **made}
        facts |= {"content_hash": repaint, "pixel_hash": repaint, "provenance": {"prompt": TEXT, "model": "m", "revision": "r"}}
        rows = [{"id": n, "job_id": n, "artwork_id": _of(n), "variation_id": n, "prompt_id": n, "seed": n, **facts} for n in numbers]
        connection.execute(insert(images), rows)


def _of(number: int) -> int:
    return (number - 1) // ORDINALS + 1


def _artwork(number: int, content_hash: str) -> dict[str, Any]:
    key = f"painter_work-{number:04}"
    known = {"style": f"Style {number % 9}", "styles": [], "picture": ImageState.PRESENT, "registered_at": 0.0}
    return {"id": number, "key": key, "group_key": key, "content_hash": content_hash, "width": 16, "height": 12, **known}


def _variation(number: int, campaign: int) -> dict[str, Any]:
    return {
        "id": number,
        "campaign_id": campaign,
        "artwork_id": _of(number),
        "level": "radical",
        "ordinal": number % ORDINALS,
        "seed": number,
    }


def _job(number: int, campaign: int) -> dict[str, Any]:
    done = {"state": JobState.DONE, "created_at": 0.0, "changed_at": 0.0, "batch_key": Stage.GENERATE, "stage": Stage.GENERATE}
    return {"id": number, "job_key": str(number), "campaign_id": campaign, "artwork_id": _of(number), "variation_id": number, **done}


def main(folder: Path, name: str) -> None:
    """Fill in a child process, so that its memory does not count, and export."""
    runtime = Runtime(Settings(data_dir=folder / "data"))
    sizes = []
    for target, limit in (("small", 2_000), ("large", None)):
        options = ExportOptions(format=name, split=ExportSplit.parse("80/10/10"), limit=limit, rows_per_shard=5_000)
        rows = export_campaign(runtime, folder / target, options).rows
        sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    print(rows, *sizes)  # noqa: T201  # what the test reads
    runtime.close()


if __name__ == "__main__":
    place, works = Path(sys.argv[1]), int(sys.argv[2])
    if len(sys.argv) == 3:
        made = Runtime(Settings(data_dir=place / "data"))
        made.initialise()
        fill(made, works)
        made.close()
    else:
        subprocess.run([sys.executable, "-m", "tests.acceptance.large_export", str(place), str(works)], check=True)
        main(place, sys.argv[3])
