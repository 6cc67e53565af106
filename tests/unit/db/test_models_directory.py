from __future__ import annotations

from pathlib import Path

import pytest

from db.errors import BadConfiguration
from db.models_directory import pocket_directory, resolve_models_directory
from db.settings import Settings


def test_a_models_directory_is_a_path_or_the_pocket_models_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.models_directory.files", lambda _package: tmp_path)
    (tmp_path / "pocket").mkdir()
    (tmp_path / "pocket/models.json").touch()
    monkeypatch.chdir(tmp_path)

    assert resolve_models_directory("pocket") == pocket_directory() == tmp_path / "pocket"
    assert resolve_models_directory("other") == tmp_path / "other"
    monkeypatch.chdir("/")
    assert resolve_models_directory("./pocket") == Path("/pocket"), "a path stays a path"


def test_an_installation_without_the_pocket_models_names_the_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.models_directory.files", lambda _package: tmp_path)
    with pytest.raises(BadConfiguration, match="tiny-models"):
        resolve_models_directory("pocket")


def test_paragone_models_may_name_the_pocket_models_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAGONE_MODELS", "pocket")
    assert Settings().models == pocket_directory()
    monkeypatch.setenv("PARAGONE_MODELS", "/srv/models")
    assert Settings().models == Path("/srv/models")
