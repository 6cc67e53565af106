"""What a backend is: plain data in, plain data out, one model loaded on one device.

A backend class is registered as an entry point in the group `paragone.backends` and is built as
`Class(model=ModelSource(...), device="cuda" | "cpu")`. It knows nothing of jobs, queues or SQL. What is fixed at load (weights, revision,
dtype) stands in `ModelSource`; what may differ between batches of one loaded model (strength, steps, briefs) comes with `run`, so that one
refiner in memory serves every level. What that may be the class declares as `settings_type`, a frozen model that is also registered under
`paragone.backend_settings`, from a module that loads no model library.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL.Image import Image

    from workers.backends.settings.base import BackendSettings, PromptSettings

RequestT = TypeVar("RequestT", contravariant=True)
ResultT = TypeVar("ResultT", covariant=True)
SettingsT = TypeVar("SettingsT", bound="BackendSettings", contravariant=True)


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """Where a model comes from: a Hugging Face id with a revision, or a local directory."""

    #: Hugging Face repository id, or the path of a local directory; "" for backends without a model.
    location: str
    #: Commit, tag or branch on the hub; None takes the default branch. Ignored for a directory.
    revision: str | None = None
    #: "auto", "float32", "float16" or "bfloat16"; "auto" is bfloat16 on CUDA and float32 on the CPU.
    dtype: str = "auto"


@dataclass(frozen=True, kw_only=True)
class CaptionRequest:
    """One image to describe, RGB and upright."""

    image: Image


@dataclass(frozen=True, kw_only=True)
class CaptionResult:
    """The caption, stripped."""

    text: str


@dataclass(frozen=True, kw_only=True)
class PromptRequest:
    """The facts from which a prompt is written. `artist` and `title` are given so that they can be kept out."""

    caption: str
    style: str
    artist: str
    title: str
    level: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class PromptResult:
    """A written prompt: the first draft, the text within the token limit, and both lengths without begin and end tokens."""

    draft: str
    text: str
    draft_tokens: int
    tokens: int
    #: Name of the brief (family) that was drawn, such as "mythological".
    brief: str
    #: How a language model came to it (`workers.backends.answers.Writing`); None where no model was asked.
    writing: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class RepaintRequest:
    """One RGB canvas to repaint under a prompt, with a seed of its own."""

    image: Image
    prompt: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class RepaintResult:
    """The repainted canvas, RGB, as large as the request's; `image` is None if the model gave NaN."""

    image: Image | None


class Backend(Protocol[RequestT, ResultT, SettingsT]):
    """One model that does one stage's work."""

    #: False for backends that compute on no device (a template, an HTTP endpoint): they take no GPU lock.
    needs_device: ClassVar[bool]

    #: The model of `run`'s settings, with their only defaults.
    settings_type: ClassVar[type[BackendSettings]]

    #: The commit that was loaded, or "sha256:..." of a local directory; "" before `load`, or where there is no model.
    revision: str

    def __init__(self, *, model: ModelSource, device: str) -> None: ...

    def load(self) -> None:
        """Bring the weights onto the device. Raises `ModelUnavailable` if they cannot be loaded."""
        ...

    def run(self, batch: Sequence[RequestT], settings: SettingsT) -> Sequence[ResultT]:
        """One result for each request, in order. Raises `OutOfMemory`, `TransientFailure` or `BadRequest` for the whole batch."""
        ...

    def unload(self) -> None:
        """Free the device."""
        ...


@runtime_checkable
class CountingBackend(Protocol):
    """A prompt writer with a model of its own, which counts tokens as another model, the generator, does."""

    def count_with(self, settings: PromptSettings) -> str:
        """Load the tokenizer of `settings.counted_by`, whose location is a hub id or a directory; returns the revision that was found.

        Called before each batch. Raises `ModelUnavailable`, also if that generator reads fewer tokens than a prompt may have.
        """
        ...


#: A backend that came out of an entry point: which requests it takes and what it returns, the stage that it serves knows.
AnyBackend = Backend[Any, Any, Any]
