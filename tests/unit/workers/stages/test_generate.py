from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat

from db.enums import FailureKind
from db.images import content_hash, crop, decode_image, letterbox, pixel_hash, prepared_original, read_metadata
from db.jobs.inputs import RepaintInput
from workers.backends.protocol import RepaintResult
from workers.errors import JobFault
from workers.stages.generate import GenerateStage

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.store import Store
    from workers.backends.settings.base import RepaintSettings
    from workers.stages import StageContext
    from workers.stages.generate import PreparedRepaint

    Put = Callable[[Image.Image], str]
    MakeContext = Callable[..., StageContext[RepaintSettings]]

STAGE = GenerateStage()
REVISION = "abc123"


def work_on(blob: str, **facts: Any) -> RepaintInput:
    return RepaintInput(
        **{
            "job_id": 5,
            "artwork_id": 3,
            "content_hash": blob,
            "link": None,
            "key": "monet_lilies",
            "level": "radical",
            "seed": 42,
            "prompt": "a pond of glass",
            "prompt_id": 8,
            **facts,
        }
    )


def inverted(prepared: PreparedRepaint) -> RepaintResult:
    """A repaint that is easy to recognise."""
    return RepaintResult(image=ImageOps.invert(prepared.request.image))


@pytest.mark.parametrize("size", [(96, 48), (30, 90), (50, 50), (100, 33), (7, 64)])
def test_the_repaint_is_cropped_back_to_exactly_where_the_original_lay(
    size: tuple[int, int], put: Put, context: MakeContext, store: Store, scene: Image.Image
) -> None:
    original = scene.resize(size)
    around = context()

    prepared = STAGE.prepare(work_on(put(original)), around)
    image = STAGE.finish(prepared, inverted(prepared), around, revision=REVISION)

    canvas, box = letterbox(original, 64)
    assert prepared.request.image.size == (64, 64)
    assert (prepared.request.prompt, prepared.request.seed) == ("a pond of glass", 42)
    assert image.content_box == (box.left, box.top, box.right, box.bottom)
    assert max(box.width, box.height) == 64
    assert (image.width, image.height) == (box.width, box.height)
    # The aspect is that of the original within half a pixel of rounding.
    assert abs(box.width * size[1] - box.height * size[0]) <= max(size) / 2 + 1
    stored = decode_image(store.get(image.content_hash)).image
    wanted = ImageOps.invert(crop(canvas, box))
    assert stored.size == wanted.size
    assert ImageChops.difference(stored, wanted).getbbox() is None  # PNG: no bar, no shift, no loss


def test_what_is_recorded_of_the_image_is_true_of_the_blob(put: Put, context: MakeContext, store: Store, scene: Image.Image) -> None:
    around = context(picture={"format": "jpeg", "quality": 90}, steps=4)
    prepared = STAGE.prepare(work_on(put(scene)), around)

    image = STAGE.finish(prepared, inverted(prepared), around, revision=REVISION)

    data = store.get(image.content_hash)
    assert content_hash(data) == image.content_hash
    assert (image.format, image.byte_size) == ("jpeg", len(data))
    assert decode_image(data).format == "JPEG"
    assert (image.job_id, image.prompt_id, image.seed) == (5, 8, 42)
    canvas, box = letterbox(scene, 64)
    assert image.pixel_hash == pixel_hash(ImageOps.invert(crop(canvas, box)))  # of the pixels before they are compressed
    assert read_metadata(data) == image.provenance


def test_provenance_holds_the_facts_of_the_plan_and_nothing_else(put: Put, context: MakeContext, scene: Image.Image) -> None:
    around = context(strength=0.45, steps=25, guidance=7.5)
    blob = put(scene)
    prepared = STAGE.prepare(work_on(blob), around)

    image = STAGE.finish(prepared, inverted(prepared), around, revision=REVISION)

    assert image.provenance == {
        "artwork": "monet_lilies",
        "level": "radical",
        "model": "some/model",
        "revision": "abc123",
        "prompt": "a pond of glass",
        "seed": 42,
        "canvas": 64,
        "content_box": [0, 16, 64, 48],
        "original": blob,
        "strength": 0.45,
        "steps": 25,
        "guidance": 7.5,
    }


def test_a_backend_without_a_model_is_named_itself(put: Put, context: MakeContext, scene: Image.Image) -> None:
    around = context(model="")
    prepared = STAGE.prepare(work_on(put(scene)), around)

    assert STAGE.finish(prepared, inverted(prepared), around, revision=REVISION).provenance["model"] == "some-backend"


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_two_runs_of_one_plan_write_equal_files_whatever_their_row_ids(
    format: str,  # noqa: A002
    put: Put,
    context: MakeContext,
    scene: Image.Image,
) -> None:
    made = []
    for ids in ({"job_id": 1, "artwork_id": 1, "prompt_id": 1}, {"job_id": 900, "artwork_id": 77, "prompt_id": 31}):
        around = context(picture={"format": format}, steps=4)
        prepared = STAGE.prepare(work_on(put(scene), **ids), around)
        made.append(STAGE.finish(prepared, inverted(prepared), around, revision=REVISION))

    one, other = made
    assert one.content_hash == other.content_hash
    assert one.provenance == other.provenance


def test_another_seed_alone_makes_another_file(put: Put, context: MakeContext, scene: Image.Image) -> None:
    around = context()
    hashes = set()
    for seed in (1, 2):
        prepared = STAGE.prepare(work_on(put(scene), seed=seed), around)
        hashes.add(STAGE.finish(prepared, inverted(prepared), around, revision=REVISION).content_hash)

    assert len(hashes) == 2


@pytest.mark.parametrize(("spoil", "reason"), [("nan", "nan"), ("black", "black"), ("flat", "flat"), ("same", "equal")])
def test_a_degenerate_repaint_is_not_stored(spoil: str, reason: str, put: Put, context: MakeContext, scene: Image.Image) -> None:
    around = context()
    prepared = STAGE.prepare(work_on(put(scene)), around)
    canvas = prepared.request.image
    answers = {"nan": None, "black": Image.new("RGB", canvas.size), "flat": Image.new("RGB", canvas.size, (120, 90, 200)), "same": canvas}

    with pytest.raises(JobFault, match=f"degenerate output: {reason}") as caught:
        STAGE.finish(prepared, RepaintResult(image=answers[spoil]), around, revision=REVISION)

    assert caught.value.kind is FailureKind.DEGENERATE
    assert len(list(around.store.blobs())) == 1


def test_a_repaint_that_differs_in_the_bars_alone_is_equal_to_the_original(put: Put, context: MakeContext, scene: Image.Image) -> None:
    around = context()
    prepared = STAGE.prepare(work_on(put(scene)), around)
    answer = Image.new("RGB", (64, 64), (255, 0, 255))
    answer.paste(crop(prepared.request.image, prepared.box), (prepared.box.left, prepared.box.top))

    with pytest.raises(JobFault, match="equal"):
        STAGE.finish(prepared, RepaintResult(image=answer), around, revision=REVISION)


def test_a_monochrome_may_stay_a_monochrome(put: Put, context: MakeContext) -> None:
    around = context()
    prepared = STAGE.prepare(work_on(put(Image.new("RGB", (60, 60), (20, 30, 200)))), around)

    image = STAGE.finish(prepared, RepaintResult(image=Image.new("RGB", (64, 64), (200, 40, 20))), around, revision=REVISION)

    assert (image.width, image.height) == (64, 64)


def test_an_original_of_any_kind_reaches_the_canvas_in_rgb(put: Put, context: MakeContext, scene: Image.Image) -> None:
    grey = STAGE.prepare(work_on(put(scene.convert("L"))), context())

    assert grey.request.image.mode == "RGB"
    means = ImageStat.Stat(grey.request.image).mean
    assert max(means) - min(means) < 1


@pytest.mark.parametrize(
    ("preparation", "kept", "facts"),
    [
        ("buckets", (168, 88), {"canvas": [168, 88], "content_box": [0, 0, 168, 88], "source_box": [0, 0, 95, 50]}),
        ("crop", (128, 128), {"canvas": [128, 128], "content_box": [0, 0, 128, 128], "source_box": [23, 0, 73, 50]}),
        ("stretch", (128, 67), {"canvas": [128, 128], "content_box": [0, 0, 128, 128]}),
    ],
)
def test_another_preparation_gives_another_canvas_and_says_so(  # noqa: PLR0917  # cases and fixtures
    preparation: str,
    kept: tuple[int, int],
    facts: dict[str, Any],
    put: Put,
    context: MakeContext,
    store: Store,
    scene: Image.Image,
) -> None:
    around, scene = context(picture={"preparation": preparation, "size": 128}), scene.resize((96, 50))

    prepared = STAGE.prepare(work_on(put(scene)), around)
    image = STAGE.finish(prepared, inverted(prepared), around, revision=REVISION)

    assert list(prepared.request.image.size) == facts["canvas"]
    assert (image.width, image.height) == kept
    stored = decode_image(store.get(image.content_hash)).image
    assert stored.size == kept
    found = {name: image.provenance[name] for name in ("canvas", "content_box", "source_box") if name in image.provenance}
    assert (found, image.provenance["preparation"]) == (facts, preparation)
    assert list(image.content_box) == facts["content_box"]
    shown = prepared_original(scene, image.provenance).resize(kept, Image.Resampling.LANCZOS)
    assert max(ImageStat.Stat(ImageChops.difference(ImageOps.invert(stored), shown)).mean) < 3


@pytest.mark.parametrize("preparation", ["buckets", "crop", "stretch"])
def test_a_repaint_is_judged_by_what_it_shows_of_the_original(preparation: str, put: Put, context: MakeContext, scene: Image.Image) -> None:
    around = context(picture={"preparation": preparation})
    prepared = STAGE.prepare(work_on(put(scene)), around)

    with pytest.raises(JobFault, match="equal"):
        STAGE.finish(prepared, RepaintResult(image=prepared.request.image), around, revision=REVISION)
