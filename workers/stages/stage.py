"""What a stage is: the work before the device and the work after it, for one job at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from workers.batches.batch_recorder import BatchRecorder

if TYPE_CHECKING:
    from db.jobs.batch_keys import Parameters
    from db.jobs.inputs import JobInput
    from db.results.stage_results import Result
    from db.store import Store
    from workers.backends.settings.base import BackendSettings

JobT = TypeVar("JobT", bound="JobInput", covariant=True)
RequestT = TypeVar("RequestT", covariant=True)


@dataclass(frozen=True, kw_only=True)
class PreparedJob(Generic[JobT, RequestT]):
    """One job, ready for its backend."""

    job: JobT
    request: RequestT


InputT = TypeVar("InputT", bound="JobInput")
PreparedT = TypeVar("PreparedT", bound="PreparedJob[JobInput, object]")
SettingsT = TypeVar("SettingsT", bound="BackendSettings")
AnswerT = TypeVar("AnswerT")
ResultT = TypeVar("ResultT", bound="Result", covariant=True)
ContextSettingsT = TypeVar("ContextSettingsT", bound="BackendSettings", covariant=True)
AnswerT_contra = TypeVar("AnswerT_contra", contravariant=True)


@dataclass(frozen=True, kw_only=True)
class StageContext(Generic[ContextSettingsT]):
    """What is equal for all jobs of a batch."""

    parameters: Parameters
    #: `parameters.settings`, checked and completed by the backend's defaults.
    settings: ContextSettingsT
    store: Store
    #: Times what reads images and what stores them apart from the rest.
    recorder: BatchRecorder = field(default_factory=BatchRecorder)


class StageHandler(Protocol[InputT, PreparedT, SettingsT, AnswerT_contra, ResultT]):
    """The two halves of a stage around its backend.

    Both raise `JobFault` for what is this job's own fault, and `StoreUnavailable` for what is nobody's: then they are called again later.

    Its types: what a job works on, that job when it is ready, the settings that every backend of the stage takes, what the backend answers,
    and what is recorded.
    """

    @property
    def needs_store(self) -> bool:
        """Whether it reads or writes the image store: nothing of it is claimed while the store is away."""
        ...

    @property
    def input_type(self) -> type[InputT]:
        """The type of what its jobs work on."""
        ...

    @property
    def settings_type(self) -> type[SettingsT]:
        """What the settings of every backend of this stage are at least."""
        ...

    def prepare(self, job: InputT, context: StageContext[SettingsT]) -> PreparedT:
        """Read, decode and lay out what the backend needs; runs beside the device."""
        ...

    def finish(self, prepared: PreparedT, answer: AnswerT_contra, context: StageContext[SettingsT], *, revision: str) -> ResultT:
        """Check, encode and store what the backend made; runs beside the device.

        `revision` is that of the model which made it: a commit, a directory's hash, or "" for a backend without a model.
        """
        ...
