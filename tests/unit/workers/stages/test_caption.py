from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageChops

from db.enums import FailureKind
from db.errors import StoreUnavailable
from db.images import content_hash
from db.jobs.inputs import CaptionInput, RecaptionInput
from db.results.stage_results import CaptionRecord
from db.store.object_files import ObjectFiles
from workers.backends.protocol import CaptionResult
from workers.errors import JobFault
from workers.stages.caption import CaptionStage
from workers.stages.recaption import RecaptionStage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from db.store import Store
    from workers.backends.settings.base import BackendSettings
    from workers.stages import StageContext

    Put = Callable[[Image.Image], str]
    MakeContext = Callable[..., StageContext[BackendSettings]]

MISSING = "f" * 64


def original(blob: str, *, link: str | None = None) -> CaptionInput:
    return CaptionInput(job_id=4, artwork_id=2, key="monet_lilies", content_hash=blob, link=link)


def test_the_original_goes_to_the_captioner_whole_and_the_sentence_to_the_database(
    put: Put, context: MakeContext, scene: Image.Image
) -> None:
    stage = CaptionStage()

    blob = put(scene)
    prepared = stage.prepare(original(blob), context())
    caption = stage.finish(prepared, CaptionResult(text="  a pond at dusk\n"), context(), revision="abc123")

    assert prepared.request.image.size == scene.size
    assert ImageChops.difference(prepared.request.image, scene).getbbox() is None
    assert caption == CaptionRecord(
        job_id=4, text="a pond at dusk", image_id=None, content_hash=blob, model="some/model", revision="abc123"
    )


def test_the_caption_of_a_repaint_names_the_repaint(put: Put, context: MakeContext, scene: Image.Image) -> None:
    stage = RecaptionStage()
    job = RecaptionInput(job_id=4, artwork_id=2, key="monet_lilies", level="radical", image_id=17, content_hash=put(scene))

    prepared = stage.prepare(job, context())
    caption = stage.finish(prepared, CaptionResult(text="  a pond at dusk\n"), context(), revision="abc123")

    assert ImageChops.difference(prepared.request.image, scene).getbbox() is None
    assert caption == CaptionRecord(
        job_id=4, text="a pond at dusk", image_id=17, content_hash=job.content_hash, model="some/model", revision="abc123"
    )


def test_the_image_is_upright(store: Store, context: MakeContext, scene: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    data = BytesIO()
    scene.save(data, "JPEG", exif=exif)

    prepared = CaptionStage().prepare(original(store.put(data.getvalue())), context())

    assert prepared.request.image.size == (48, 96)


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_an_empty_caption_is_degenerate(text: str, put: Put, context: MakeContext, scene: Image.Image) -> None:
    stage = CaptionStage()
    prepared = stage.prepare(original(put(scene)), context())

    with pytest.raises(JobFault, match="degenerate output: the caption is empty") as caught:
        stage.finish(prepared, CaptionResult(text=text), context(), revision="abc123")

    assert caught.value.kind is FailureKind.DEGENERATE


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "does not hold"),
        (b"", "empty file"),
        (b"<html>not found</html>", "image"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "."),
    ],
    ids=["missing", "empty", "no image", "broken"],
)
def test_an_image_that_cannot_be_read_is_the_inputs_fault(data: bytes | None, message: str, store: Store, context: MakeContext) -> None:
    blob = MISSING if data is None else store.put(data)

    with pytest.raises(JobFault, match=message) as caught:
        CaptionStage().prepare(original(blob), context())

    assert caught.value.kind is FailureKind.INPUT


def test_a_truncated_image_is_the_inputs_fault(store: Store, context: MakeContext, scene: Image.Image) -> None:
    data = BytesIO()
    scene.resize((400, 400)).save(data, "JPEG")

    with pytest.raises(JobFault) as caught:
        CaptionStage().prepare(original(store.put(data.getvalue()[:-2000])), context())

    assert caught.value.kind is FailureKind.INPUT


def test_a_linked_original_is_read_where_it_lies(tmp_path: Path, context: MakeContext, scene: Image.Image) -> None:
    file = tmp_path / "scene.png"
    scene.save(file)

    work = original(content_hash(file.read_bytes()), link=str(file))
    prepared = CaptionStage().prepare(work, context())

    assert ImageChops.difference(prepared.request.image, scene).getbbox() is None


def test_a_linked_original_that_is_another_one_by_now_is_the_inputs_fault(tmp_path: Path, context: MakeContext, scene: Image.Image) -> None:
    file = tmp_path / "scene.png"
    scene.save(file)
    ingested = content_hash(file.read_bytes())
    scene.rotate(90).save(file)

    with pytest.raises(JobFault, match="another image") as caught:
        CaptionStage().prepare(original(ingested, link=str(file)), context())

    assert caught.value.kind is FailureKind.INPUT


def test_a_linked_original_that_is_gone_is_the_inputs_fault(tmp_path: Path, context: MakeContext) -> None:
    (tmp_path / "another.png").touch()

    with pytest.raises(JobFault) as caught:
        CaptionStage().prepare(original(MISSING, link=str(tmp_path / "gone.png")), context())

    assert caught.value.kind is FailureKind.INPUT


def test_a_linked_original_in_a_folder_that_is_empty_is_a_disk_that_is_not_mounted(tmp_path: Path, context: MakeContext) -> None:
    with pytest.raises(StoreUnavailable, match=f"{tmp_path} is empty: is the disk mounted"):
        CaptionStage().prepare(original(MISSING, link=str(tmp_path / "Style" / "gone.png")), context())


def test_a_store_that_is_away_is_not_the_jobs_fault(store: Store, context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(path: str) -> bytes:
        raise OSError("connection reset")

    assert isinstance(store.files, ObjectFiles)
    monkeypatch.setattr(store.files._fs, "cat_file", away)

    with pytest.raises(StoreUnavailable, match="cannot be reached: connection reset"):
        CaptionStage().prepare(original(MISSING), context())
