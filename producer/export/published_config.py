"""A campaign's configuration as it may be published: what made the pictures, without where that was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from db.campaigns import CampaignConfig

#: A value that begins so is the address of a service: it says nothing about the pictures, and may be of a private network.
_ADDRESSES = ("http://", "https://")


def published_config(config: CampaignConfig) -> dict[str, Any]:
    """The configuration as JSON values, without directories of a machine and without addresses of services."""
    published: dict[str, Any] = _without_addresses(config.model_dump(mode="json", exclude={"models_directory"}))
    return published


def _without_addresses(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_addresses(inner) for name, inner in value.items() if not _is_address(inner)}
    if isinstance(value, list):
        return [_without_addresses(inner) for inner in value if not _is_address(inner)]
    return value


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and value.casefold().startswith(_ADDRESSES)
