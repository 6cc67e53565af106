"""What a stage is: the work before the device and the work after it, for one job at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from db.enums import FailureKind
from db.errors import BlobMissing
from db.images import UnreadableImage, content_hash, decode_image
from db.results.pairs import read_image_bytes
from workers.errors import JobFault

if TYPE_CHECKING:
    from PIL.Image import Image

    from db.images import ContentBox
    from db.jobs.batch_keys import Parameters
    from db.jobs.inputs import JobInput
    from db.results.stage_results import Result
    from db.store import Store


@dataclass(frozen=True, kw_only=True)
class Context:
    """What is equal for all jobs of a batch."""

    parameters: Parameters
    #: Commit or directory hash of the loaded model; "" before the load and for backends without a model.
    revision: str
    store: Store


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """One job, ready for its backend."""

    work: JobInput
    #: The backend's own request type.
    request: Any
    #: Where the original lies on the canvas, for stages that letterbox.
    box: ContentBox | None = None


class StageWork(Protocol):
    """The two halves of a stage around its backend. Both raise `JobFault` for what is this job's own fault."""

    def prepare(self, work: JobInput, context: Context) -> Prepared:
        """Read, decode and lay out what the backend needs; runs beside the device."""
        ...

    def finish(self, prepared: Prepared, answer: Any, context: Context) -> Result:
        """Check, encode and store what the backend made; runs beside the device."""
        ...


def load_image(work: JobInput, store: Store) -> Image:
    """The job's picture, RGB and upright; a missing or broken one is a fault of kind `input`."""
    if work.content_hash is None:
        raise JobFault(FailureKind.INPUT, "the picture is not there: run `paragone ingest` on the images")
    try:
        data = read_image_bytes(store, work.content_hash, work.link)
        image = decode_image(data).image
    except (BlobMissing, UnreadableImage) as error:
        raise JobFault(FailureKind.INPUT, str(error)) from error
    except (IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise JobFault(FailureKind.INPUT, f"the picture at {error.filename} cannot be read: {error.strerror}") from error
    if work.link is not None and content_hash(data) != work.content_hash:
        raise JobFault(FailureKind.INPUT, f"{work.link} is another picture than the one that was ingested: run `paragone ingest` again")
    return image
