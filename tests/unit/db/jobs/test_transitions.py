from __future__ import annotations

import ast
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

import db
from db.enums import JobState
from db.jobs.transitions import INITIAL_STATES, TRANSITIONS, move, origins

PACKAGE = Path(db.__path__[0])
MODULES = [path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts and path.name != "transitions.py"]


def test_the_table_names_every_state_and_each_can_be_reached_from_a_plan() -> None:
    reached = set(INITIAL_STATES)
    while more := {following for state in reached for following in TRANSITIONS[state]} - reached:
        reached |= more

    assert set(TRANSITIONS) == reached == set(JobState)


@pytest.mark.parametrize(
    ("state", "target"),
    [
        (JobState.WAITING, JobState.RUNNING),
        (JobState.WAITING, JobState.DONE),
        (JobState.DONE, JobState.FAILED),
        (JobState.DONE, JobState.CANCELLED),
        (JobState.FAILED, JobState.DONE),
        (JobState.CANCELLED, JobState.READY),
    ],
)
def test_a_move_that_the_table_does_not_name_is_refused(state: JobState, target: JobState) -> None:
    assert state not in origins(target)
    with pytest.raises(ValueError, match=f"a job cannot go from {state} to {target}"):
        move(target, leaving={state})


def test_a_move_looks_at_the_state_that_it_leaves() -> None:
    statement = str(
        move(JobState.READY, leaving={JobState.WAITING}).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    )

    assert "SET state='ready'" in statement
    assert "WHERE jobs.state = 'waiting'" in statement


def chained_values(path: Path) -> list[set[str | None]]:
    """The names that each `update(jobs)....values(...)` of a module sets; None stands for names that cannot be read there."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "values":
            root: ast.expr = node
            while isinstance(root, ast.Call) and isinstance(root.func, ast.Attribute):
                root = root.func.value
            if ast.unparse(root) == "update(jobs)":
                found.append({keyword.arg for keyword in node.keywords} | ({None} if node.args else set()))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_other_module_writes_the_state_of_a_job(path: Path) -> None:
    source = path.read_text()
    set_here = chained_values(path)

    assert "UPDATE jobs" not in source
    assert "jobs.update(" not in source
    assert source.count("update(jobs)") == len(set_here), "an UPDATE whose values stand elsewhere cannot be checked: write them beside it"
    assert all({"state", None}.isdisjoint(names) for names in set_here)
