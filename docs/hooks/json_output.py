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
    #: Of fields whose names say enough beside the code, but not here.
    meanings: dict[str, str] = field(default_factory=dict)
    after: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: Title to the `module:Class` of a value inside.
    parts: dict[str, str] = field(default_factory=dict)


OUTPUTS = {
    "samples": Output(
        shape="An object.",
        before={
            "folder": ("str", "Where the artworks lie."),
            "artworks": ("int", "Artworks in it."),
            "gaps": ("dict[str, str]", "What is wrong on purpose, and the path of its file."),
        },
    ),
    "ingest": Output(
        shape="An object: the cleaning report, which is also kept in the table `ingests`.",
        classes=("producer.cleaning.report:CleaningReport",),
        meanings={
            "catalogue": "The path that was read.",
            "reader": "The format that it was read as.",
            "rows": "Data rows of the catalogue.",
            "files": "Image files of the tree, or lines of the file list.",
            "artworks": "Artworks that came of them.",
            "second_copies": "Files that hold an artwork a second time.",
            "works_with_repaired_names": "Artworks to which such files belong.",
            "uncertain_artists": "Artworks whose artist was read from a name that may mean another.",
            "complete": "Artworks that campaigns take.",
            "incomplete": "Artworks that campaigns leave out unless asked: no style, no artist.",
            "refused": "Rows and files that were not read; `details.refused_reasons` counts them by reason.",
            "unexplained": "Rows and files without an outcome: 0 unless something is wrong.",
            "details": "Lists of cases, at most 1,000 of each kind.",
        },
    ),
    "import-results": Output(
        shape="An object: what became of every row.",
        classes=("producer.results_import.outcomes:ImportReport",),
        parts={"each of skipped": "producer.results_import.outcomes:ToldRow"},
    ),
    "enqueue": Output(
        shape="An object: what is new, or would be.",
        classes=("producer.enqueue:EnqueueResult",),
        parts={"forecast": "producer.forecast:Forecast"},
    ),
    "status": Output(
        shape="An object.",
        classes=("db.monitoring.progress:Progress",),
        parts={
            "each of workers": "db.monitoring.worker_registry:RegisteredWorker",
            "each of under_way": "db.monitoring.worker_registry:BatchUnderWay",
            "each of hosts": "db.monitoring.hosts:HostStatus",
            "costs": "db.monitoring.costs:CostOutlook",
            "costs: spent and left": "db.monitoring.costs:Cost",
        },
    ),
    "failures": Output(shape="An array with one object for each failed job, oldest first.", classes=("producer.failures:ReportedFailure",)),
    "requeue": Output(
        shape="An object.",
        classes=("producer.requeue:RequeueResult",),
        parts={"with --where also": "producer.requeue:RepaintRequeueResult"},
    ),
    "prompts": Output(
        shape="An object: the current prompts of a campaign, or with `--try` drafts of some.",
        before={
            "campaign": ("str | None", "Its name; null where none is there yet, or another configuration is tried."),
            "counts": ("WritingCounts | None", "How all prompts of the campaign were written; null with `--try`."),
            "prompts": ("list[WrittenPrompt]", "Empty with `--try`."),
            "drafts": ("list[PromptDraft]", "Empty without `--try`."),
            "page": ("str | None", "The page that was written."),
        },
        parts={
            "counts": "db.monitoring.written_prompts:WritingCounts",
            "each of prompts": "db.monitoring.written_prompts:WrittenPrompt",
            "each of drafts": "producer.drafts:PromptDraft",
        },
    ),
    "pause, resume": Output(shape="An object.", classes=("producer.steering:PauseResult",)),
    "cancel": Output(shape="An object.", classes=("producer.steering:CancelResult",)),
    "drain": Output(shape="An object.", classes=("producer.draining:DrainResult",)),
    "export": Output(
        shape="An object.",
        classes=("producer.export.run:ExportResult",),
        meanings={"campaign": "The campaign's name.", "format": "What was written.", "folder": "Where it lies."},
        parts={"each of first_left_out": "db.results.export_manifest:LeftOutPair"},
    ),
    "gc": Output(
        shape="An object.",
        classes=("db.store.garbage:Garbage",),
        after={
            "attempts": ("int | None", "Attempts that were pruned, or in a dry run would be; null without `--attempts`."),
            "dry_run": ("bool", "Whether nothing was removed."),
        },
    ),
    "health, doctor": Output(
        shape="An object.",
        classes=("producer.health.check:HealthReport",),
        parts={"each of checks": "producer.health.check:HealthCheck"},
    ),
    "verify": Output(
        shape="An object.",
        before={"sound": ("bool", "Whether nothing is wrong that matters; the exit code is 1 otherwise.")},
        classes=("db.verification.findings:Verification",),
        parts={"each of first": "db.verification.findings:Finding"},
    ),
    "train": Output(
        shape="An object with one entry of `runs` for each split.",
        before={
            "campaign": ("str", "The campaign's name."),
            "runs": (
                "array",
                "Each with `split`, `directory`, `epochs`, `best_epoch`, `stopped_early`, `triplet_set`, `metrics` and `notes`.",
            ),
            "plot": ("str", "Path of the curves."),
            "unreadable": ("dict[str, str]", "Hashes of images that could not be read, with the reason."),
            "untrained_models": ("bool", "Whether the campaign's models are random, so that figures mean nothing."),
        },
        parts={"metrics": "trainer.evaluate.evaluation:Evaluation", "each of scores": "trainer.evaluate.metrics:Score"},
    ),
    "score": Output(
        shape="An object.",
        before={"campaign": ("str", "The campaign's name.")},
        classes=("trainer.quality.scoring_run:ScoringResult",),
        meanings={"notes": "What a person should know of what was measured, a line each."},
        after={
            "scores": ("array", "Every score of the current repaints, by name and level."),
            "filters": ("array", "What each filter would take out, by level."),
        },
        parts={"each of scores": "db.quality.summaries:ScoreSummary", "each of filters": "db.quality.summaries:FilterCount"},
    ),
    "evaluate": Output(
        shape="An object.",
        before={"model": ("str", "The model's folder."), "campaign": ("str | None", "None means the test part of its own triplets.")},
        classes=("trainer.evaluate.evaluation:Evaluation",),
    ),
    "compare": Output(shape="An object.", classes=("trainer.evaluate.compare:Comparison",)),
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
