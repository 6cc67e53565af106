"""One public name means one thing, and names that were replaced do not come back."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGES = ("db", "workers", "producer", "trainer", "paragone")
CODE = (*PACKAGES, "tests", "benchmarks", "examples")
#: Beside the code; CHANGELOG.md and docs/decisions tell of the past and may use its names.
PROSE = ("docs", "README.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml")
PAST = ROOT / "docs/decisions"
PYTHON = frozenset({".py"})
TEXTS = frozenset({".py", ".md", ".toml", ".yaml", ".yml", ".ipynb"})

#: Names that mean nothing else: found nowhere, neither in code nor in prose.
REPLACED = {
    "House": "Runtime",
    "pass_house": "pass_runtime",
    "Surroundings": "WorkerContext",
    "hand_in": "complete_batch",
    "give_back": "release_batch",
    "top_up": "wake",
    "declare_ring": "a method of Notifier",
    "answer_ring": "on_wake_up",
    "Announcer": "TaskEventSender",
    "Shelf": "ModelCache",
    "Pulse": "PeriodicThread",
    "Opener": "ImageImporter",
    "RowFate": "RowOutcome",
    "FileFate": "FileOutcome",
    "Tally": "ReportBuilder",
    "StrangeRooms": "ShadowedPackage",
    "carry_out": "Experiment",
    "judge_again": "evaluate_saved",
    "gather_corpus": "EmbeddingDataset",
    "gather_works": "originals",
    "TripletRows": "TripletIndices",
    "triplet_rows": "triplet_indices",
    "Workshop": "TrainContext",
    "secrecy": "redaction",
    "Crew": "RunningFleet",
}

#: English words: no class, function, parameter or variable has them as its name.
REPLACED_WORDS = {
    "Bell": "Notifier",
    "Budget": "TimeLimit",
    "Choice": "BatchCandidate",
    "Claimed": "ClaimedJob",
    "Door": "Endpoint",
    "Opened": "ImportedArtwork",
    "Order": "Experiment",
    "Part": "Split",
    "Place": "Installation",
    "Post": "ChildProcess",
    "Secret": "Redactor",
    "Shares": "SplitRatio",
    "Bench": "TrainContext",
    "Trial": "CampaignHarness",
    "Work": "one input type for each stage, Original",
    "choices": "ready_batches",
    "dice": "rng",
    "doorbell": "notifier",
    "lapse": "expire_leases",
    "rehearse": "dry_run_ingest",
    "settle": "skip_retry_delays",
    "spoken": "format_duration",
    "succession": "dependents",
}

#: Words that variables may well have as their name, but no module or package.
REPLACED_MODULES = {
    "account": "reconciliation",
    "age": "durations",
    "announcer": "task_events",
    "bell": "notifier",
    "board": "status_view",
    "book": "queries",
    "budget": "time_limit",
    "choosing": "scheduling",
    "corpus": "dataset",
    "door": "endpoint",
    "house": "runtime",
    "judge": "classifier",
    "judgement": "evaluate_saved",
    "life": "jobs",
    "opening": "image_import",
    "orders": "experiment",
    "post": "supervisor",
    "pulse": "periodic",
    "registration": "upsert",
    "ringing": "notify",
    "rows": "triplet_indices",
    "shelf": "model_cache",
    "standing": "campaign_checks",
    "vocabulary": "enums",
    "workforce": "worker_registry",
    "works": "originals",
}


def test_every_public_class_has_a_name_of_its_own() -> None:
    modules = defaultdict(list)
    for path in _files(PACKAGES, PYTHON):
        for node in _tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules[node.name].append(_from_root(path))
    assert len(modules) > 200, "the packages were not found"
    assert {name: paths for name, paths in modules.items() if len(paths) > 1} == {}


@pytest.mark.parametrize(("old", "new"), REPLACED.items(), ids=REPLACED.keys())
def test_a_replaced_name_is_found_nowhere(old: str, new: str) -> None:
    whole = re.compile(rf"(?<!\w){old}(?!\w)")
    found = [_from_root(path) for path in _files((*CODE, *PROSE), TEXTS) if whole.search(_text(path))]
    assert found == [], f"{old} is now {new}"


@pytest.mark.parametrize(("old", "new"), REPLACED_WORDS.items(), ids=REPLACED_WORDS.keys())
def test_a_replaced_word_names_nothing(old: str, new: str) -> None:
    found = [_from_root(path) for path in _files(CODE, PYTHON) if old in _names(path)]
    assert found == [], f"{old} is now {new}"


@pytest.mark.parametrize(("old", "new"), REPLACED_MODULES.items(), ids=REPLACED_MODULES.keys())
def test_a_replaced_module_does_not_come_back(old: str, new: str) -> None:
    found = [_from_root(path) for path in _files(CODE, PYTHON) if old in {path.stem, path.parent.name}]
    assert found == [], f"{old} is now {new}"


@cache
def _files(folders: tuple[str, ...], suffixes: frozenset[str]) -> list[Path]:
    found = []
    for start in (ROOT / folder for folder in folders):
        found += [start] if start.is_file() else [path for path in start.rglob("*") if path.suffix in suffixes]
    this = Path(__file__).resolve()
    return [path for path in sorted(found) if path.resolve() != this and PAST not in path.parents]


def _from_root(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(_text(path))


@cache
def _names(path: Path) -> set[str]:
    """The names that a module gives to classes, functions, parameters, variables and attributes."""
    return set(_given(_tree(path)))


def _given(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.alias(asname=str(name)):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
