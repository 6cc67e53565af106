"""What the documentation names exists: commands, options, variables, modules, files, and the calls of its snippets."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import tomllib
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click
import pytest

import paragone
from db.enums import Stage
from producer.cli import paragone as cli
from tests.unit.docs.pages import ROOT, Span, commands, known_variables, pages, spans
from workers.wake_ups.app import queue_name

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("db", "workers", "producer", "trainer", "paragone")
#: Options of other programs.
FOREIGN = {
    "--build",
    "--build-arg",
    "--detach",
    "--force-recreate",
    "--gpus",
    "--no-deps",
    "--profile",
    "--rm",
    "--signal",
    "--target",
    "--username",
}
#: Files that are the reader's, or that appear only when something runs.
READERS_FILES = re.compile(r"^(DIR|OUT|Style|images|samples|store|blobs|wikiart|my_package|deploy/secrets)(/|$)|^\.venv|^\.\./")


def _options(command: click.Command) -> set[str]:
    named = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}
    return named | {"--help", "-h"}


def _commands() -> dict[str, click.Command]:
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


COMMANDS = _commands()


@pytest.mark.parametrize(("span", "words"), [pytest.param(*found, id=str(found[0])) for found in commands()])
def test_a_command_line_in_the_docs_is_one_that_paragone_takes(span: Span, words: list[str]) -> None:
    words = [word for word in words if word != "--debug"]
    if not words or words[0] in {"--help", "--version", "COMMAND"}:
        return
    assert words[0] in COMMANDS, f"{span.page}: there is no command {words[0]}"
    unknown = {word.split("=")[0] for word in words if word.startswith("--")} - _options(COMMANDS[words[0]])
    assert not unknown, f"{span.page}: paragone {words[0]} has no {unknown}"


def test_an_option_between_backticks_belongs_to_a_command() -> None:
    everything = set().union(*(_options(command) for command in COMMANDS.values())) | _options(cli) | FOREIGN
    for span in spans():
        if span.language == "":
            words = span.text.split()
            known = _options(COMMANDS[words[0]]) if words[0] in COMMANDS else everything
            unknown = {word for word in words if re.fullmatch(r"--[a-z][a-z-]*", word)} - known
            assert not unknown, f"{span}: {unknown}"


def test_every_variable_in_the_docs_is_a_setting() -> None:
    known = known_variables()
    others = [ROOT / name for name in ("compose.yaml", "Dockerfile", ".env.example")]
    others += [path for path in (ROOT / "deploy").rglob("*") if path.is_file() and path.parent.name != "secrets"]
    for page in [*pages(), *others]:
        named = set(re.findall(r"PARAGONE_[A-Z_]*[A-Z]", page.read_text(encoding="utf-8")))
        assert named <= known, f"{page.name} names {named - known}"


def _module_names() -> Iterator[Span]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    no_modules = {*project["entry-points"], *(queue_name(stage) for stage in Stage)}
    for span in spans():
        if span.language == "" and re.fullmatch(rf"({'|'.join(PACKAGES)})(\.\w+)+(\(\.*\))?", span.text) and span.text not in no_modules:
            yield span


@pytest.mark.parametrize("span", [pytest.param(span, id=str(span)) for span in _module_names()])
def test_a_dotted_name_in_the_docs_can_be_imported(span: Span) -> None:
    parts = span.text.split("(")[0].split(".")
    module = parts[0]
    while (
        len(parts) > 1 and find_spec(f"{module}.{parts[1]}" if hasattr(importlib.import_module(module), "__path__") else module) is not None
    ):
        if not hasattr(importlib.import_module(module), "__path__"):
            break
        module = f"{module}.{parts.pop(1)}"
    found = importlib.import_module(module)
    for name in parts[1:]:
        found = getattr(found, name)


def test_a_file_that_the_docs_name_is_there() -> None:
    for span in spans():
        if span.language == "" and re.fullmatch(r"[\w./-]+/[\w.-]*|[\w./-]+/[\w.-]+\.(py|toml|txt|yml|ipynb)", span.text):
            if READERS_FILES.match(span.text) or span.text.startswith("/") or "paragone-" in span.text:
                continue
            assert list(ROOT.glob(span.text.rstrip("/"))) or _from_a_folder(span.text), f"{span.page} names {span.text}"


def test_the_python_reference_has_every_public_name() -> None:
    text = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    assert {name for name in paragone.__all__ if not name.startswith("_") and not re.search(rf"\b{name}\b", text)} == set()


def _from_a_folder(name: str) -> bool:
    """Whether it is a path within a folder that the page speaks of, such as a part of the pocket models."""
    return any(ROOT.glob(f"workers/pocket/{name.rstrip('/')}"))


@pytest.mark.parametrize("span", [pytest.param(span, id=str(span)) for span in spans() if span.language == "python"])
def test_a_python_snippet_calls_what_there_is(span: Span) -> None:
    for node in ast.walk(ast.parse(span.text)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES:
            module = importlib.import_module(node.module)
            missing = [alias.name for alias in node.names if not hasattr(module, alias.name)]
            assert not missing, f"{span.page}: {node.module} has no {missing}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            owner = {"project": paragone.Project, "paragone": paragone}.get(node.func.value.id)
            if owner is not None:
                inspect.signature(getattr(owner, node.func.attr)).bind_partial(**{word.arg: None for word in node.keywords if word.arg})
