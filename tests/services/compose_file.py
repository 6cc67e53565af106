"""compose.yaml as Compose would run it, on this machine: variables filled in, hosts, ports, volumes and secrets mapped to what is here."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]

#: The installed command, beside the interpreter that runs the tests.
PARAGONE = str(Path(sys.executable).with_name("paragone"))

_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?:(?P<sign>:-|:\?)(?P<word>[^}]*))?\})")
_ENV = re.compile(r"^ENV (?P<pairs>(?:.*\\\n)*.*)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class ComposeService:
    """One service, ready to be run here."""

    command: list[str]
    #: What the image and the service set; nothing of this process.
    environment: dict[str, str]
    healthcheck: list[str]
    depends_on: dict[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ComposeFile:
    """The file with the values of its variables, and a folder that stands for the containers' file system."""

    variables: dict[str, str]
    folder: Path
    #: Text of the file to text that is true here, such as the address of a server; the longer go first.
    here: dict[str, str] = field(default_factory=dict)

    def active(self, *profiles: str) -> list[str]:
        """The services that these profiles start, in the file's order."""
        services = self._raw()["services"]
        return [name for name, service in services.items() if not service.get("profiles") or set(service["profiles"]) & set(profiles)]

    def raw(self, name: str) -> dict[str, Any]:
        """One service with its variables filled in, and otherwise as it is written."""
        service: dict[str, Any] = self._raw()["services"][name]
        return service

    def service(self, name: str) -> ComposeService:
        """One service as it runs here; its secrets are copied to where it finds them."""
        service = self.raw(name)
        for secret in service.get("secrets", []):
            self._copy_secret(secret)
        written = service.get("environment", {})
        environment = {key: str(value) for key, value in written.items() if value is not None}
        # A variable without a value is passed on, where there is one.
        environment |= {key: self.variables[key] for key, value in written.items() if value is None and key in self.variables}
        if "build" in service:
            environment = image_environment() | environment
        words = [*service.get("entrypoint", _entrypoint() if "build" in service else []), *service.get("command", [])]
        healthcheck = service.get("healthcheck", {}).get("test", [])
        return ComposeService(
            command=self._program([self.local(word) for word in words]),
            environment={key: self.local(value) for key, value in environment.items()},
            healthcheck=self._program([self.local(word) for word in healthcheck[1:]]),
            depends_on=service.get("depends_on", {}),
        )

    def local(self, text: str) -> str:
        """A text of the file with what is true here in it."""
        places = {
            "/run/secrets": str(self.folder / "run-secrets"),
            "/data": str(self.folder / "data"),
            "/models": str(self.folder / "models"),
        } | self.here
        pattern = "|".join(re.escape(one) for one in sorted(places, key=len, reverse=True))
        return re.sub(rf"(?:{pattern})(?!\w)", lambda found: places[found[0]], text)

    def _raw(self) -> dict[str, Any]:
        text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
        filled: dict[str, Any] = self._filled(yaml.safe_load(text))
        return filled

    def _filled(self, value: Any) -> Any:
        match value:
            case str():
                return _VARIABLE.sub(self._value, value)
            case list():
                return [self._filled(one) for one in value]
            case dict():
                return {key: self._filled(one) for key, one in value.items()}
            case _:
                return value

    def _value(self, found: re.Match[str]) -> str:
        if found["name"] is None:
            return "$"
        value = self.variables.get(found["name"], "")
        if not value and found["sign"] == ":?":
            raise LookupError(f"{found['name']}: {found['word']}")
        return value or found["word"] or ""

    def _copy_secret(self, name: str) -> None:
        # Docker mounts each under its own name, wherever the file lies.
        source = Path(self._raw()["secrets"][name]["file"])
        (self.folder / "run-secrets").mkdir(exist_ok=True)
        shutil.copy(source, self.folder / "run-secrets" / name)

    def _program(self, words: list[str]) -> list[str]:
        words = words[2:] if words[:2] == ["tini", "--"] else words
        programs = {"paragone": PARAGONE, "python": sys.executable}
        return [programs.get(word, word) if place == 0 else word for place, word in enumerate(words)]


def image_environment() -> dict[str, str]:
    """What the Dockerfile sets for Paragone's images, but PATH."""
    last = (ROOT / "Dockerfile").read_text(encoding="utf-8").rpartition(" AS base\n")[2]
    pairs = [pair.split("=", 1) for found in _ENV.finditer(last) for pair in found["pairs"].replace("\\\n", " ").split()]
    return {name: value for name, value in pairs if name != "PATH"}


def example_environment(*, uncommented: str = "(?!)") -> dict[str, str]:
    """The variables of .env.example, with those in comments whose names match `uncommented`; the first of a name counts."""
    found: dict[str, str] = {}
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines():
        parts = re.fullmatch(r"(?P<comment>#?)(?P<name>[A-Z0-9_]+)=(?P<value>.*)", line)
        if parts and (not parts["comment"] or re.fullmatch(uncommented, parts["name"])):
            found.setdefault(parts["name"], parts["value"])
    return found


def _entrypoint() -> list[str]:
    found = re.search(r"^ENTRYPOINT (\[.*\])$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    words: list[str] = yaml.safe_load(found[1])
    return words
