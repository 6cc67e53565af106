from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from db.images import degenerate_reason, pixel_hash
from workers.backends import (
    BadRequest,
    CaptionRequest,
    ModelSource,
    OutOfMemory,
    PromptRequest,
    RepaintRequest,
    TransientFailure,
)
from workers.backends.fakes import FakeCaptioner, FakePrompts, FakeRepainter
from workers.backends.settings import FakeCaptionSettings, FakePromptSettings, FakeRepaintSettings, check_settings

if TYPE_CHECKING:
    from PIL.Image import Image

NOWHERE = ModelSource(location="")
CAPTION = FakeCaptionSettings()
PROMPT = FakePromptSettings(max_tokens=75, target_tokens=55, brief_set=("radical",))


def settings(**own: Any) -> FakeRepaintSettings:
    return check_settings(FakeRepaintSettings, {"steps": 4, "strength": 0.5, "guidance": 7.5, **own})


def repaints(images: list[Image], prompt: str = "glass") -> list[RepaintRequest]:
    return [RepaintRequest(image=image, prompt=f"{prompt} {index}", seed=index) for index, image in enumerate(images)]


def test_captions_follow_the_image(scenes: list[Image]) -> None:
    captioner = FakeCaptioner(model=NOWHERE, device="cpu")

    first, second = (captioner.run([CaptionRequest(image=image) for image in scenes], CAPTION) for _ in range(2))

    assert first == second
    assert len({result.text for result in first}) > 1


def test_repaints_are_sound_repeatable_and_differ_by_seed(scenes: list[Image]) -> None:
    repainter = FakeRepainter(model=NOWHERE, device="cpu")

    first, second = (repainter.run(repaints(scenes), settings()) for _ in range(2))

    for before, one, other in zip(scenes, first, second, strict=True):
        assert one.image is not None
        assert other.image is not None
        assert degenerate_reason(original=before, repaint=one.image) is None
        assert pixel_hash(one.image) == pixel_hash(other.image)
    same = repainter.run([RepaintRequest(image=scenes[0], prompt="p", seed=seed) for seed in range(5)], settings())
    assert len({pixel_hash(result.image) for result in same if result.image}) == 5


def test_prompts_name_neither_artist_nor_title() -> None:
    asked = PromptRequest(caption="a boat", style="Realism", artist="nobody", title="the red boat", level="radical", seed=1)

    written = FakePrompts(model=NOWHERE, device="cpu").run([asked], PROMPT)[0]

    assert written.text == "a boat, radical change 1, Realism"
    assert written.tokens == 6
    assert not FakePrompts.needs_device


@pytest.mark.parametrize(("kind", "error"), [("oom", OutOfMemory), ("transient", TransientFailure), ("bad", BadRequest)])
def test_failures_strike_whom_they_are_meant_for(kind: str, error: type[Exception], scenes: list[Image]) -> None:
    repainter = FakeRepainter(model=NOWHERE, device="cpu")
    fail = settings(fail={"kind": kind, "when": "glass 2"})

    with pytest.raises(error, match="injected"):
        repainter.run(repaints(scenes), fail)
    assert len(repainter.run(repaints(scenes)[:2], fail)) == 2


@pytest.mark.parametrize(
    ("kind", "error"), [("memory", MemoryError), ("os-error", OSError), ("exit", SystemExit), ("interrupt", KeyboardInterrupt)]
)
def test_failures_of_the_host_come_as_python_raises_them(kind: str, error: type[BaseException], scenes: list[Image]) -> None:
    with pytest.raises(error, match="injected"):
        FakeRepainter(model=NOWHERE, device="cpu").run(repaints(scenes), settings(fail={"kind": kind}))


def test_several_failures_can_be_planted_each_for_its_own(scenes: list[Image]) -> None:
    repainter = FakeRepainter(model=NOWHERE, device="cpu")
    fail = settings(fail=[{"kind": "oom", "when": "glass 0"}, {"kind": "bad", "when": "glass 1"}, {"kind": "nan", "when": "glass 2"}])
    batch = repaints(scenes)

    with pytest.raises(OutOfMemory):
        repainter.run(batch[:1], fail)
    with pytest.raises(BadRequest):
        repainter.run(batch[1:], fail)
    assert repainter.run(batch[2:], fail)[0].image is None


def test_failures_can_depend_on_the_size_of_the_batch(scenes: list[Image]) -> None:
    repainter = FakeRepainter(model=NOWHERE, device="cpu")
    fail = settings(fail={"kind": "oom", "above_batch": 2})

    with pytest.raises(OutOfMemory):
        repainter.run(repaints(scenes)[:3], fail)
    assert len(repainter.run(repaints(scenes)[:2], fail)) == 2


@pytest.mark.parametrize(("kind", "reason"), [("black", "black"), ("nan", "nan")])
def test_spoiled_outputs_are_degenerate_and_the_others_sound(kind: str, reason: str, scenes: list[Image]) -> None:
    fail = settings(fail={"kind": kind, "when": "glass 1"})

    results = FakeRepainter(model=NOWHERE, device="cpu").run(repaints(scenes), fail)

    reasons = [degenerate_reason(original=image, repaint=result.image) for image, result in zip(scenes, results, strict=True)]
    assert [index for index, found in enumerate(reasons) if found] == [1]
    assert str(reasons[1]).startswith(reason)


def test_a_batch_takes_its_seconds(scenes: list[Image]) -> None:
    start = time.monotonic()

    FakeRepainter(model=NOWHERE, device="cpu").run(repaints(scenes), settings(seconds_per_batch=0.2))

    assert time.monotonic() - start >= 0.2


@pytest.mark.parametrize(("kind", "status"), [("crash", 1), ("segfault", -signal.SIGSEGV)])
def test_a_crash_ends_the_process(kind: str, status: int) -> None:
    code = (
        "from PIL import Image; from workers.backends import *; from workers.backends.fakes import FakeRepainter;"
        "from workers.backends.settings import FakeRepaintSettings, InjectedFault;"
        "settings = FakeRepaintSettings(steps=4, strength=0.5, guidance=7.5, fail=[InjectedFault(kind='KIND')]);"
        "request = RepaintRequest(image=Image.new('RGB', (8, 8)), prompt='p', seed=1);"
        "FakeRepainter(model=ModelSource(location=''), device='cpu').run([request], settings);"
        "print('still there')"
    ).replace("KIND", kind)

    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)

    assert (ended.returncode, ended.stdout, ended.stderr) == (status, "", "")
