"""From the settings that a campaign holds to a backend's model of them, with each fault in one line that says how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from workers.backends.errors import BadSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from workers.backends.settings.base import BackendSettings

SettingsT = TypeVar("SettingsT", bound="BackendSettings")

#: What to give instead, by pydantic's name for the fault; the places in braces are filled from its context.
_WANTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a text",
    "tuple_type": "a name or a list of names",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "greater_than": "more than {gt}",
}


@dataclass(frozen=True, kw_only=True)
class SettingFault:
    """What is wrong with one setting; `name` is empty where several together are at fault."""

    name: str
    message: str

    def at(self, place: str) -> str:
        """One line under the name by which the person who wrote the setting knows it."""
        if not place:
            return self.message
        return f"{place} {self.message}" if self.message.startswith("=") else f"{place}: {self.message}"


def check_settings(settings_type: type[SettingsT], values: Mapping[str, Any]) -> SettingsT:
    """The typed settings; raises `BadSettings` with every fault."""
    try:
        return settings_type.model_validate(dict(values))
    except ValidationError as error:
        faults = tuple(_fault(settings_type, details) for details in error.errors(include_url=False))
        raise BadSettings("; ".join(fault.at(fault.name) for fault in faults), faults=faults) from None


def read_stored_settings(settings_type: type[SettingsT], values: Mapping[str, Any]) -> SettingsT:
    """The typed settings of a campaign that was opened before; raises `BadSettings`.

    Earlier versions let settings pass that their backend did not know, and ignored them: so they are here.
    """
    return check_settings(settings_type, {name: value for name, value in values.items() if name in settings_type.model_fields})


def _fault(settings_type: type[BackendSettings], details: ErrorDetails) -> SettingFault:
    name = ".".join(str(part) for part in details["loc"])
    if details["type"] == "extra_forbidden":
        known = ", ".join(settings_type.model_fields) or "none"
        return SettingFault(name=name, message=f"there is no such setting: choose from {known}")
    if details["type"] == "missing":
        return SettingFault(name=name, message="it must be given")
    if details["type"] == "value_error":
        return SettingFault(name=name, message=details["msg"].removeprefix("Value error, "))
    wanted = _WANTED.get(details["type"], details["msg"].removeprefix("Input should be ")).format(**details.get("ctx", {}))
    return SettingFault(name=name, message=f"= {details['input']!r}: give {wanted}")
