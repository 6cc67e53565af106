"""Backends by name: what installed packages offer under two groups of entry points.

`paragone.backends` holds the classes, which may need a model library; `paragone.backend_settings` their settings models, which need none,
so that a host without torch can check a campaign.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from workers.backends.errors import UnknownBackend
from workers.backends.settings.base import BackendSettings

if TYPE_CHECKING:
    from workers.backends.protocol import AnyBackend

BACKENDS = "paragone.backends"
BACKEND_SETTINGS = "paragone.backend_settings"


def backend_class(name: str) -> type[AnyBackend]:
    """The backend's class; raises `UnknownBackend`."""
    found = _load(BACKENDS, name)
    if found is None:
        raise UnknownBackend(f"no installed package offers the backend {name!r}: check the campaign's `backend` settings")
    declared = getattr(found, "settings_type", None)
    if not (isinstance(declared, type) and issubclass(declared, BackendSettings)):
        raise UnknownBackend(f"the backend {name!r} declares no settings: give its class a settings_type, a BackendSettings")
    backend: type[AnyBackend] = found
    return backend


def settings_type(name: str) -> type[BackendSettings]:
    """The model of the backend's settings, without loading the backend where its package offers the model by itself.

    Raises:
        UnknownBackend: no package offers the backend, or it cannot be loaded on this host.
    """
    found = _load(BACKEND_SETTINGS, name)
    if isinstance(found, type) and issubclass(found, BackendSettings):
        return found
    return backend_class(name).settings_type


def _load(group: str, name: str) -> Any:
    found = entry_points(group=group, name=name)
    if not found:
        return None
    try:
        return next(iter(found)).load()
    except ImportError as error:
        raise UnknownBackend(f"the backend {name!r} needs {error.name}: pip install 'paragone[gpu]'") from None
