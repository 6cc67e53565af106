"""The models on one device: loaded when first needed, the least recently used leaves."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from db.campaigns import freeze_revision, frozen_revision
from db.errors import BadConfiguration
from db.models_directory import resolve_models_directory
from workers.backends.errors import BackendError, DeviceLost, OutOfMemory
from workers.backends.protocol import ModelSource
from workers.bisection import Capacity
from workers.errors import ModelTrouble, UnknownBackend

if TYPE_CHECKING:
    from db.engine import Database
    from db.jobs.batch_keys import Parameters
    from db.settings import Settings
    from workers.backends.protocol import Backend

logger = logging.getLogger(__name__)

_LOCAL = "local:"


class ModelCache:
    """Backends by what they loaded. Those on the device may be taken by the holder of the device lock alone, the others by any thread."""

    def __init__(self, database: Database, settings: Settings, *, device: str) -> None:
        self._database = database
        self._settings = settings
        self._device = device
        self._loaded: OrderedDict[tuple[str, ModelSource], Backend[Any, Any]] = OrderedDict()
        self._light: dict[tuple[str, ModelSource], Backend[Any, Any]] = {}
        self._light_lock = threading.Lock()
        self._classes: dict[str, type[Backend[Any, Any]]] = {}
        self._revisions: dict[tuple[int, str, str], str] = {}
        self._capacities: dict[str, Capacity] = {}

    def needs_device(self, parameters: Parameters) -> bool:
        """Whether batches of these parameters compute on the device."""
        return self._class(parameters.backend).needs_device

    def holds(self, campaign_id: int, parameters: Parameters) -> bool:
        """Whether the model is loaded already."""
        name = self._name(campaign_id, parameters)
        return name in self._loaded or name in self._light

    def capacity(self, batch_key: str, parameters: Parameters) -> Capacity:
        """How many jobs of this key fit the device at once."""
        return self._capacities.setdefault(batch_key, Capacity(limit=parameters.batch))

    def take(self, campaign_id: int, parameters: Parameters) -> Backend[Any, Any]:
        """The loaded backend; raises `ModelTrouble` if its weights cannot be had or are not the frozen ones, `DeviceLost`."""
        if not self.needs_device(parameters):
            return self._take_light(campaign_id, parameters)
        name = self._name(campaign_id, parameters)
        if name not in self._loaded:
            backend = self._load(campaign_id, parameters, name[1])
            name = self._name(campaign_id, parameters)  # by now a branch is the commit that was found
            self._loaded[name] = backend
        self._loaded.move_to_end(name)
        return self._loaded[name]

    def clear(self) -> None:
        """Unload everything."""
        while self._loaded:
            self._evict()

    def _take_light(self, campaign_id: int, parameters: Parameters) -> Backend[Any, Any]:
        with self._light_lock:
            name = self._name(campaign_id, parameters)
            if name not in self._light:
                backend = self._class(parameters.backend)(model=name[1], device=self._device)
                try:
                    backend.load()
                except Exception as error:
                    raise _trouble(parameters, error) from error
                self._freeze(campaign_id, parameters, backend)
                name = self._name(campaign_id, parameters)
                self._light[name] = backend
            return self._light[name]

    def _load(self, campaign_id: int, parameters: Parameters, source: ModelSource) -> Backend[Any, Any]:
        while len(self._loaded) >= self._settings.models_kept:
            self._evict()
        backend = self._class(parameters.backend)(model=source, device=self._device)
        while True:
            try:
                backend.load()
                break
            except OutOfMemory as error:
                if not self._loaded:
                    raise ModelTrouble(
                        f"{parameters.model} does not fit the device: use a smaller dtype or a larger device ({error})"
                    ) from None
                self._evict()
            except DeviceLost:
                raise
            except Exception as error:
                raise _trouble(parameters, error) from error
        logger.info("loaded %s", parameters.model or parameters.backend, extra={"model": parameters.model, "revision": backend.revision})
        self._freeze(campaign_id, parameters, backend)
        return backend

    def _freeze(self, campaign_id: int, parameters: Parameters, backend: Backend[Any, Any]) -> None:
        if not backend.revision:
            return
        view = {"backend": parameters.backend, "model": parameters.model}
        frozen = freeze_revision(self._database, campaign_id, **view, revision=backend.revision)
        if frozen != backend.revision:
            backend.unload()
            raise ModelTrouble(
                f"{parameters.model} is at {backend.revision} here, but the campaign began with {frozen}: "
                "bring those weights, or open another campaign"
            )
        self._revisions[campaign_id, parameters.backend, parameters.model] = frozen

    def _evict(self) -> None:
        _, backend = self._loaded.popitem(last=False)
        backend.unload()

    def _name(self, campaign_id: int, parameters: Parameters) -> tuple[str, ModelSource]:
        return parameters.backend, self._source(campaign_id, parameters)

    def _source(self, campaign_id: int, parameters: Parameters) -> ModelSource:
        if parameters.model.startswith(_LOCAL):
            try:
                directory = self._settings.models or resolve_models_directory(parameters.models_directory)
            except BadConfiguration as error:
                raise ModelTrouble(str(error)) from None
            return ModelSource(location=str(directory / parameters.model.removeprefix(_LOCAL)), dtype=parameters.dtype)
        if not parameters.model:
            return ModelSource(location="", dtype=parameters.dtype)
        name = (campaign_id, parameters.backend, parameters.model)
        revision = self._revisions.get(name)
        if revision is None:
            # Asked only until the first load here: a commit, once frozen, does not change.
            revision = frozen_revision(self._database, campaign_id, backend=parameters.backend, model=parameters.model)
            if revision is not None:
                self._revisions[name] = revision
        return ModelSource(location=parameters.model, revision=revision or parameters.revision, dtype=parameters.dtype)

    def _class(self, name: str) -> type[Backend[Any, Any]]:
        if name not in self._classes:
            found = entry_points(group="paragone.backends", name=name)
            if not found:
                raise UnknownBackend(f"no installed package offers the backend {name!r}: check the campaign's `backend` settings")
            try:
                self._classes[name] = next(iter(found)).load()
            except ImportError as error:
                raise UnknownBackend(f"the backend {name!r} needs {error.name}: pip install 'paragone[gpu]'") from None
        return self._classes[name]


def _trouble(parameters: Parameters, error: Exception) -> ModelTrouble:
    if isinstance(error, BackendError):
        elsewhere = ", or name this host's models directory in PARAGONE_MODELS" if parameters.model.startswith(_LOCAL) else ""
        return ModelTrouble(f"{error}{elsewhere}")
    return ModelTrouble(f"{parameters.model or parameters.backend} cannot be loaded: {type(error).__name__}: {error}")
