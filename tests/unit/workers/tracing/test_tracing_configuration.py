from __future__ import annotations

import sys

import pytest

from db.settings import Settings
from workers.errors import TracingUnavailable
from workers.tracing import check_tracing
from workers.tracing.configuration import traces_url


@pytest.mark.parametrize(
    ("setting", "environment", "expected"),
    [
        ("", {}, None),
        ("http://collector:4318/", {}, "http://collector:4318/v1/traces"),
        ("", {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://c.example:4318"}, "https://c.example:4318/v1/traces"),
        ("", {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/own/path"}, "http://c/own/path"),
        ("http://mine:4318", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://other:4318"}, "http://mine:4318/v1/traces"),
        ("off", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://other:4318"}, None),
        ("http://mine:4318", {"OTEL_SDK_DISABLED": "true"}, None),
    ],
)
def test_traces_go_where_the_environment_says(setting: str, environment: dict[str, str], expected: str | None) -> None:
    assert traces_url(Settings(traces=setting), environment) == expected


@pytest.mark.parametrize("setting", ["1", "collector:4318", "grpc://collector:4317", "http://"])
def test_what_is_no_url_is_one_line_that_names_the_variable(setting: str) -> None:
    with pytest.raises(TracingUnavailable, match="PARAGONE_TRACES must be a collector's URL"):
        traces_url(Settings(traces=setting), {})


def test_a_password_in_the_url_is_refused_and_not_shown() -> None:
    with pytest.raises(TracingUnavailable, match="OTEL_EXPORTER_OTLP_HEADERS") as refused:
        traces_url(Settings(traces="http://me:geheim@collector:4318"), {})
    assert "geheim" not in str(refused.value)


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("opentelemetry")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("workers.tracing.configuration.find_spec", _finds_nothing)
    with pytest.raises(TracingUnavailable, match=r"pip install 'paragone\[tracing\]', or set PARAGONE_TRACES=off"):
        check_tracing(Settings(traces="http://collector:4318"), {})
    assert check_tracing(Settings(), {}) is None, "nobody asked for traces"


def _finds_nothing(module: str) -> None:
    raise ModuleNotFoundError(module)
