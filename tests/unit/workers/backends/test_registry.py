from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import pytest

from workers.backends import registry
from workers.backends.errors import UnknownBackend
from workers.backends.fakes import FakeCaptioner
from workers.backends.registry import BACKEND_SETTINGS, BACKENDS, backend_class, settings_type
from workers.backends.settings import Blip2Settings, FakeCaptionSettings, NoBackendSettings


class EntryPoint:
    """What a package offers: a thing, or an error when it is loaded."""

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    def load(self) -> Any:
        if isinstance(self._thing, Exception):
            raise self._thing
        return self._thing


class Plugin:
    """A backend of another package, which registers no settings of their own."""

    settings_type = NoBackendSettings


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], Any]:
    """What packages offer by group and name, for the test to fill."""
    offers: dict[tuple[str, str], Any] = {}

    def find(*, group: str, name: str) -> list[EntryPoint]:
        return [EntryPoint(offers[group, name])] if (group, name) in offers else []

    monkeypatch.setattr(registry, "entry_points", find)
    return offers


def test_a_backend_and_its_settings_are_found_by_name() -> None:
    assert backend_class("fake-caption") is FakeCaptioner
    assert settings_type("fake-caption") is FakeCaptionSettings
    assert settings_type("blip2") is Blip2Settings


def test_every_backend_registers_the_settings_that_its_class_declares() -> None:
    names = {entry.name for entry in entry_points(group=BACKENDS) if entry.value.startswith("workers.")}

    assert names == {entry.name for entry in entry_points(group=BACKEND_SETTINGS) if entry.value.startswith("workers.")}
    assert {name: settings_type(name) for name in names} == {name: backend_class(name).settings_type for name in names}


def test_a_backend_that_registers_no_settings_is_asked_itself(offered: dict[tuple[str, str], Any]) -> None:
    offered[BACKENDS, "plugin"] = Plugin

    assert settings_type("plugin") is NoBackendSettings


@pytest.mark.parametrize("ask", [backend_class, settings_type])
def test_a_backend_that_no_package_offers_is_named(ask: Any, offered: dict[tuple[str, str], Any]) -> None:
    with pytest.raises(UnknownBackend, match="no installed package offers the backend 'blip9': check the campaign's `backend` settings"):
        ask("blip9")


def test_a_backend_whose_library_is_missing_says_what_to_install(offered: dict[tuple[str, str], Any]) -> None:
    offered[BACKENDS, "sdxl"] = ModuleNotFoundError("No module named 'torch'", name="torch")

    with pytest.raises(UnknownBackend, match=r"the backend 'sdxl' needs torch: pip install 'paragone\[gpu\]'"):
        backend_class("sdxl")


def test_a_backend_without_settings_says_what_its_author_must_do(offered: dict[tuple[str, str], Any]) -> None:
    offered[BACKENDS, "old"] = object

    with pytest.raises(UnknownBackend, match="the backend 'old' declares no settings: give its class a settings_type"):
        backend_class("old")
