"""Share of time that a simulated device is busy with real decode, letterbox, check, JPEG encode and store around it.

    python benchmarks/device_busy.py [--seconds 1.0 0.25] [--threads 2 3] [--batches 60] [--pixels 1024] [--database-url URL]

One worker process, the real generate stage on a canvas of 1024 px and the real store; the device is a sleep that returns finished
canvases, for on a GPU their making would cost this host nothing. Share: the slept seconds over the time from the first to the last use of
the device, so whatever the device waits for (a batch that is not decoded yet, the interpreter, the database) counts against us. Peer: a
plain sequential loop in one thread that decodes, computes and encodes by turns, as the project that Paragone replaces did.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fixtures import Facts, environment, jpeg, paintings, register
from pydantic import SecretStr
from sqlalchemy import func, select

from db.campaigns import open_campaign, parse_config
from db.enums import Stage
from db.images import decode_image, encode, letterbox
from db.jobs.plan import Selection, plan_campaign
from db.runtime import Runtime
from db.settings import Settings
from db.tables import images
from workers.backends import fakes
from workers.backends.protocol import RepaintRequest, RepaintResult
from workers.process import run_worker
from workers.stages.fakes import FAKE_STAGE_RUNNERS
from workers.stages.runners import STAGE_RUNNERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.backends.settings import FakeRepaintSettings

BATCH = 8
CANVAS = 1024
DISTINCT = 48
NEEDED = {1.0: 0.98, 0.25: 0.95}


def main() -> None:
    parser = argparse.ArgumentParser(description="Share of time that a simulated device is busy.")
    parser.add_argument("--seconds", type=float, nargs="+", default=[1.0, 0.25], help="how long a batch of 8 holds the device")
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 3], help="threads of the worker process")
    parser.add_argument("--batches", type=int, default=60, help="batches of 8 in each run")
    parser.add_argument("--pixels", type=int, default=CANVAS, help="longer side of the originals")
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL database; SQLite if not given")
    parser.add_argument("--work", choices=["before", "device"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        sys.exit(_work(given.work))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), database_url=SecretStr(given.database_url))
        runtime = Runtime(settings)
        runtime.initialise()
        originals = [_stored(runtime, image) for image in paintings(DISTINCT, given.pixels)]
        register(runtime.database, "busy", given.batches * BATCH, originals)
        for seconds in given.seconds:
            peer = _loop(runtime, originals, seconds, batches=max(4, given.batches // 4))
            shares = {threads: _share(runtime, seconds, threads, given.batches) for threads in given.threads}
            threads, best = max(shares.items(), key=lambda item: item[1])
            print(
                f"{seconds} s per batch of {BATCH}: device busy {best:.3f} with {threads} threads (needed {NEEDED.get(seconds, 0.95)}), "
                f"plain sequential loop {peer:.3f}, ratio {best / peer:.2f}",
                flush=True,
            )


def _stored(runtime: Runtime, image: Any) -> Facts:
    return runtime.store.put(jpeg(image)), image.width, image.height


def _share(runtime: Runtime, seconds: float, threads: int, batches: int) -> float:
    """Busy share of one worker process over a campaign of its own."""
    name = f"busy-{seconds}-{threads}"
    fake = {"backend": "fake-none", "batch": 256}
    level = {"backend": "fake-repaint", "batch": BATCH, "strength": 0.3, "settings": {"seconds_per_batch": seconds}}
    config = {"caption": fake, "prompt": fake, "recaption": False, "level": {"moderate": level}, "picture": {"size": CANVAS}}
    campaign = open_campaign(runtime.database, name, parse_config(config))
    plan_campaign(runtime.database, campaign, Selection())
    log = runtime.settings.data_dir / f"{name}.json"
    for part in ("before", "device"):
        variables = environment(runtime.settings, PARAGONE_THREADS=str(threads), BUSY_LOG=str(log))
        subprocess.run([sys.executable, __file__, "--work", part], env=variables, check=True, stdout=subprocess.DEVNULL)
    with runtime.database.engine.connect() as connection:
        made = connection.scalar(select(func.count()).where(images.c.campaign_id == campaign.id))
    assert made == batches * BATCH, f"{made} repaints of {batches * BATCH}"
    facts = json.loads(log.read_text())
    uses = sorted(facts["uses"])
    wall = max(end for _, end in uses) - uses[0][0]
    share = float(len(uses) * seconds / wall)
    print(f"  {threads} threads: busy {share:.3f}, {facts['cpu'] * 1000:.0f} ms of CPU per repaint", flush=True)
    return share


def _loop(runtime: Runtime, originals: Sequence[Facts], seconds: float, *, batches: int) -> float:
    """Busy share of one thread that does everything by turns; no check, no database, files instead of the store."""
    canvases = [letterbox(image, CANVAS)[0] for image in paintings(BATCH, CANVAS)]
    folder = runtime.settings.data_dir / "loop"
    folder.mkdir(exist_ok=True)
    began = ended = time.perf_counter()
    for number in range(batches):
        boxes = [
            letterbox(decode_image(runtime.store.get(originals[(number * BATCH + one) % len(originals)][0])).image, CANVAS)[1]
            for one in range(BATCH)
        ]
        began = time.perf_counter() if number == 0 else began
        time.sleep(seconds)
        ended = time.perf_counter()
        for one, (canvas, box) in enumerate(zip(canvases, boxes, strict=True)):
            repaint = canvas.crop((box.left, box.top, box.right, box.bottom))
            (folder / f"{number}-{one}.jpg").write_bytes(encode(repaint, format="jpeg", quality=95, metadata={}))
    return batches * seconds / (ended - began)


class HeldDevice(fakes.FakeRepainter):
    """A device that takes its time and costs the host nothing: it returns canvases made beforehand."""

    def load(self) -> None:
        """Make them."""
        super().load()
        self.canvases = [letterbox(image, CANVAS)[0] for image in reversed(list(paintings(DISTINCT, CANVAS)))]
        self.uses: list[tuple[float, float]] = []
        self.cpu: list[float] = []

    def run(self, batch: Sequence[RepaintRequest], settings: FakeRepaintSettings) -> Sequence[RepaintResult]:
        """Hold the device, note when."""
        began = time.perf_counter()
        time.sleep(settings.seconds_per_batch)
        self.uses.append((began, time.perf_counter()))
        self.cpu.append(time.process_time())
        return [RepaintResult(image=self.canvases[(len(self.uses) * BATCH + one) % DISTINCT]) for one in range(len(batch))]

    def unload(self) -> None:
        """Write the notes down."""
        each = (self.cpu[-1] - self.cpu[0]) / (len(self.cpu) - 1) / BATCH
        Path(os.environ["BUSY_LOG"]).write_text(json.dumps({"uses": self.uses, "cpu": each}))


def _work(part: str) -> int:
    """In the worker process: captions and prompts that cost nothing, then the stage under measurement."""
    stages = [Stage.CAPTION, Stage.PROMPT] if part == "before" else [Stage.GENERATE]
    runners = {**FAKE_STAGE_RUNNERS, Stage.GENERATE: STAGE_RUNNERS[Stage.GENERATE]}
    fakes.FakeRepainter = HeldDevice  # type: ignore[misc]  # what the entry point loads
    return run_worker(Runtime(Settings()), name="cpu", device="cpu", stages=stages, until_idle=True, runners=runners)


if __name__ == "__main__":
    main()
