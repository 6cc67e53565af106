"""What lies in `examples/` works as it says."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient

import paragone
from db.campaigns import parse_config

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[3] / "examples"
BACKEND = EXAMPLES / "third_party_backend"


def test_the_campaign_file_is_valid_and_what_it_shows_as_defaults_are_defaults() -> None:
    text = (EXAMPLES / "campaign.toml").read_text()
    settings = tomllib.loads(text)
    assert settings.pop("name") == "three-levels"
    config = parse_config(settings)
    assert {name: level.strength for name, level in config.level.items()} == {"light": 0.25, "radical": 0.45, "restyle": 0.65}
    spelled_out, count = re.subn(r"(?m)^# (\w+ = )", r"\1", text)
    assert count == 6
    shown = tomllib.loads(spelled_out)
    shown.pop("name")
    assert parse_config(shown) == config


@contextlib.contextmanager
def _installed(site: Path) -> Iterator[None]:
    """The example backend as pip would leave it in a folder of packages, for this process and those that it starts."""
    shutil.copy(BACKEND / "paragone_posterise.py", site)
    project = tomllib.loads((BACKEND / "pyproject.toml").read_text())["project"]
    facts = site / f"paragone_posterise-{project['version']}.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = {group: "".join(f"{name} = {place}\n" for name, place in points.items()) for group, points in project["entry-points"].items()}
    (facts / "entry_points.txt").write_text("".join(f"[{group}]\n{points}\n" for group, points in groups.items()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(site))
        patch.syspath_prepend(str(site))
        for name in [name for name in os.environ if name.startswith("PARAGONE_")]:
            patch.delenv(name)
        yield


@pytest.mark.slow(reason="installs a distribution and starts workers")
def test_the_third_party_backend_serves_a_campaign_once_it_is_installed(tmp_path: Path) -> None:
    paragone.paint_samples(tmp_path / "samples", count=3, size=96)
    (tmp_path / "site").mkdir()
    with _installed(tmp_path / "site"), paragone.open(tmp_path / "data") as project:
        project.ingest(tmp_path / "samples")
        assert project.enqueue(config=BACKEND / "campaign.toml").variations == 3
        project.work(gpus="none")
        assert project.failures() == []
        pairs = list(project.pairs("posters"))
        assert len(pairs) == 3
        for pair in pairs:
            colours = pair.repaint.image().getcolors(1 << 24)
            assert colours is not None
            assert 2 <= len(colours) <= 6, "as the campaign's settings say"


def test_enqueue_refuses_what_the_third_party_backend_does_not_take(tmp_path: Path) -> None:
    paragone.paint_samples(tmp_path / "samples", count=3, size=96)
    (tmp_path / "site").mkdir()
    settings = tomllib.loads((BACKEND / "campaign.toml").read_text())
    with _installed(tmp_path / "site"), paragone.open(tmp_path / "data") as project:
        project.ingest(tmp_path / "samples")
        for wrong, names in (({"colours": 1}, "colours"), ({"colors": 6}, "colors")):
            settings["level"]["poster"]["settings"] = wrong
            with pytest.raises(paragone.ParagoneError, match=names):
                project.enqueue(config=settings)


@pytest.mark.slow(reason="the notebook walks the whole path and trains a model")
@pytest.mark.timeout(600)
def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PARAGONE_")]:
        monkeypatch.delenv(name)
    notebook = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells), "git holds it without its outputs"
    client = NotebookClient(notebook, timeout=500, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    last = [output["data"]["text/plain"] for output in outputs if "data" in output][-2:]
    assert "with its repaint" in last[0]
    assert last[1] == "(8, 512)"
    assert (tmp_path / "paragone-notebook/training/60-40/model.safetensors").is_file()
