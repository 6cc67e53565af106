"""The diagrams agree with the code."""

from __future__ import annotations

import importlib
import pkgutil
import re

import db.jobs
from db.enums import JobState
from db.jobs.transitions import INITIAL_STATES, TRANSITIONS
from db.tables import metadata
from tests.unit.docs.pages import ROOT, spans

STATES = "docs/concepts/job-states.md"
MODEL = "docs/concepts/data-model.md"


def _diagrams(page: str) -> list[str]:
    return [span.text for span in spans() if span.page == page and span.language == "mermaid"]


def test_the_job_state_diagram_draws_the_transitions_that_the_code_allows() -> None:
    drawn = set(re.findall(r"^\s*(\S+) --> (\w+)", _diagrams(STATES)[0], re.MULTILINE))
    allowed = {(str(state), str(following)) for state, several in TRANSITIONS.items() for following in several}
    assert drawn == allowed | {("[*]", str(state)) for state in INITIAL_STATES}


def test_the_job_states_are_explained_in_their_table() -> None:
    text = (ROOT / STATES).read_text(encoding="utf-8")
    assert all(f"| `{state}` |" in text for state in JobState)


def test_the_functions_that_change_a_job_state_are_those_of_db_jobs() -> None:
    modules = [importlib.import_module(f"db.jobs.{module.name}") for module in pkgutil.iter_modules(db.jobs.__path__)]
    text = (ROOT / STATES).read_text(encoding="utf-8").split("## From state to state")[1].split("##")[0]
    named = {name for row in re.findall(r"^\|[^|]+\|[^|]+\|([^|]+)\|$", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert len(named) > 8
    assert {name for name in named if not any(callable(getattr(module, name, None)) for module in modules)} == set()


def test_the_data_model_draws_every_table_and_no_column_that_is_not_there() -> None:
    drawn: dict[str, set[str]] = {}
    for diagram in _diagrams(MODEL):
        for table, body in re.findall(r"^\s*(\w+) \{\n(.*?)^\s*\}", diagram, re.MULTILINE | re.DOTALL):
            drawn[table] = {line.split()[1] for line in body.splitlines()}
    assert drawn.keys() == metadata.tables.keys()
    for table, columns in drawn.items():
        assert columns <= set(metadata.tables[table].columns.keys()), table


def test_a_solid_line_of_the_data_model_is_a_foreign_key_and_a_dashed_one_is_none() -> None:
    keys = {(key.column.table.name, table.name) for table in metadata.tables.values() for key in table.foreign_keys}
    for diagram in _diagrams(MODEL):
        for one, line, many in re.findall(r"^\s*(\w+) \S\S(--|\.\.)\S\S (\w+) :", diagram, re.MULTILINE):
            assert ((one, many) in keys) == (line == "--"), (one, many)


def test_the_data_model_counts_its_tables_right() -> None:
    words = {17: "Seventeen", 18: "Eighteen", 19: "Nineteen", 20: "Twenty", 21: "Twenty-one"}
    assert f"{words[len(metadata.tables)]} tables" in (ROOT / MODEL).read_text(encoding="utf-8")


def test_every_decision_is_listed_in_the_index_and_in_the_tree() -> None:
    files = {path.name for path in (ROOT / "docs" / "decisions").glob("0*.md")}
    index = (ROOT / "docs" / "decisions" / "index.md").read_text(encoding="utf-8")
    tree = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert {name for name in files if f"({name})" not in index or f"decisions/{name}" not in tree} == set()
