"""What each command prints with `--json`: which class it is, and the keys that the command adds."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Output:
    """The document that one command prints."""

    #: One sentence.
    shape: str
    #: Keys that come before those of the classes: name to (type, meaning).
    before: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: `module:Class` whose fields are keys.
    classes: tuple[str, ...] = ()
    #: Fields of those classes that are not printed.
    without: tuple[str, ...] = ()
    after: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: Title to the `module:Class` of a value inside.
    parts: dict[str, str] = field(default_factory=dict)


_DRY_RUN = {"dry_run": ("bool", "Whether nothing was written.")}
_STEERED = {"campaign": ("str", "The campaign's name."), "stage": ("str | None", "None means all stages.")}

OUTPUTS = {
    "samples": Output(
        shape="An object.",
        before={
            "folder": ("str", "Where the artworks lie."),
            "artworks": ("int", "Files painted."),
            "gaps": ("dict[str, str]", "What is wrong on purpose, and the path of its file."),
        },
    ),
    "ingest": Output(
        shape="An object: the cleaning report, which is also kept in the table `ingests`.",
        classes=("producer.cleaning.report:CleaningReport",),
    ),
    "enqueue": Output(
        shape="An object: what is new, or would be.",
        before={"campaign": ("str", "The campaign's name.")},
        classes=("db.jobs.plan:PlannedWork",),
        after={"forecast": ("object", "What the jobs will take, see below."), **_DRY_RUN},
        parts={"forecast": "producer.forecast:Forecast"},
    ),
    "status": Output(
        shape="An object.",
        classes=("db.monitoring.progress:Progress",),
        parts={"each of workers": "db.monitoring.worker_registry:RegisteredWorker"},
    ),
    "failures": Output(
        shape="An array with one object for each failed job, oldest first.",
        before={"campaign": ("str", "The campaign's name.")},
        classes=("db.monitoring.progress:FailedJob",),
        without=("campaign_id",),
    ),
    "requeue": Output(shape="An object.", before={"jobs": ("int", "How many jobs were requeued, or would be."), **_DRY_RUN}),
    "pause, resume": Output(shape="An object.", before={**_STEERED, "paused": ("bool", "Whether its jobs are left unclaimed now.")}),
    "cancel": Output(shape="An object.", before={**_STEERED, "jobs": ("int", "How many jobs were cancelled.")}),
    "gc": Output(shape="An object.", classes=("db.store.garbage:Garbage",), after=_DRY_RUN),
    "train": Output(
        shape="An object with one entry of `runs` for each split.",
        before={
            "campaign": ("str", "The campaign's name."),
            "runs": ("array", "Each with `split`, `directory`, `epochs`, `best_epoch`, `stopped_early`, `triplet_set` and `metrics`."),
            "plot": ("str", "Path of the curves."),
            "unreadable": ("dict[str, str]", "Hashes of images that could not be read, with the reason."),
            "untrained_models": ("bool", "Whether the campaign's models are random, so that figures mean nothing."),
        },
        parts={"metrics": "trainer.evaluation:Evaluation", "each of scores": "trainer.scoring:Score"},
    ),
    "evaluate": Output(
        shape="An object.",
        before={"model": ("str", "The model's folder."), "campaign": ("str | None", "None means the test part of its own triplets.")},
        classes=("trainer.evaluation:Evaluation",),
    ),
    "compare": Output(shape="An object.", classes=("trainer.comparison:Comparison",)),
    "report": Output(
        shape="An object.",
        before={
            "campaign": ("str", "The campaign's name."),
            "page": ("str", "Path of the page."),
            "sheet": ("str", "Path of the contact sheet."),
            "curves": ("str | None", "Path of the training curves; None if nothing was trained."),
        },
    ),
}
