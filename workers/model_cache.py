"""The models on one device: loaded when first needed, the least recently used leaves."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from db.campaigns import freeze_revision, frozen_revision
from db.errors import BadConfiguration
from db.models_directory import is_local, local_model_path, resolve_models_directory
from workers.backends.errors import BackendError, DeviceLost, OutOfMemory, UnknownBackend
from workers.backends.protocol import ModelSource
from workers.backends.registry import backend_class
from workers.backends.settings.reading import read_stored_settings
from workers.bisection import Capacity
from workers.errors import ModelTrouble

if TYPE_CHECKING:
    from db.engine import Database
    from db.jobs.batch_keys import Parameters
    from db.settings import Settings
    from workers.backends.protocol import AnyBackend
    from workers.backends.settings.base import BackendSettings

logger = logging.getLogger(__name__)


class ModelCache:
    """Loaded backends. Those on the device may be taken by the holder of the device lock alone, the others by any thread."""

    def __init__(self, database: Database, settings: Settings, *, device: str) -> None:
        self._database = database
        self._settings = settings
        self._device = device
        self._loaded: OrderedDict[tuple[str, ModelSource], AnyBackend] = OrderedDict()
        self._deviceless: dict[tuple[str, ModelSource], AnyBackend] = {}
        self._deviceless_lock = threading.Lock()
        self._classes: dict[str, type[AnyBackend]] = {}
        self._revisions: dict[tuple[int, str, str], str] = {}
        self._capacities: dict[str, Capacity] = {}

    def needs_device(self, parameters: Parameters) -> bool:
        """Whether batches of these parameters compute on the device."""
        return self._class(parameters.backend).needs_device

    def settings(self, parameters: Parameters) -> BackendSettings:
        """The backend's settings for a batch of these parameters; raises `BadSettings`, `ModelTrouble` without the backend."""
        return read_stored_settings(self._class(parameters.backend).settings_type, parameters.settings)

    def holds(self, campaign_id: int, parameters: Parameters) -> bool:
        """Whether the model is loaded already."""
        name = self._name(campaign_id, parameters)
        return name in self._loaded or name in self._deviceless

    def capacity(self, batch_key: str, parameters: Parameters) -> Capacity:
        """How many jobs of this key fit the device at once."""
        return self._capacities.setdefault(batch_key, Capacity(limit=parameters.batch))

    def take(self, campaign_id: int, parameters: Parameters) -> AnyBackend:
        """The loaded backend; raises `ModelTrouble` if it cannot be loaded or is not at the frozen revision, `DeviceLost`."""
        if not self.needs_device(parameters):
            return self._take_deviceless(campaign_id, parameters)
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

    def _take_deviceless(self, campaign_id: int, parameters: Parameters) -> AnyBackend:
        with self._deviceless_lock:
            name = self._name(campaign_id, parameters)
            if name not in self._deviceless:
                backend = self._class(parameters.backend)(model=name[1], device=self._device)
                try:
                    backend.load()
                except Exception as error:
                    raise _trouble(parameters, error) from error
                self._freeze(campaign_id, parameters, backend)
                name = self._name(campaign_id, parameters)
                self._deviceless[name] = backend
            return self._deviceless[name]

    def _load(self, campaign_id: int, parameters: Parameters, source: ModelSource) -> AnyBackend:
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

    def _freeze(self, campaign_id: int, parameters: Parameters, backend: AnyBackend) -> None:
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
        if is_local(parameters.model):
            try:
                directory = self._settings.models or resolve_models_directory(parameters.models_directory)
            except BadConfiguration as error:
                raise ModelTrouble(str(error)) from None
            return ModelSource(location=str(local_model_path(parameters.model, directory)), dtype=parameters.dtype)
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

    def _class(self, name: str) -> type[AnyBackend]:
        if name not in self._classes:
            try:
                self._classes[name] = backend_class(name)
            except UnknownBackend as error:
                raise ModelTrouble(str(error)) from None
        return self._classes[name]


def _trouble(parameters: Parameters, error: Exception) -> ModelTrouble:
    if isinstance(error, BackendError):
        elsewhere = ", or name this host's models directory in PARAGONE_MODELS" if is_local(parameters.model) else ""
        return ModelTrouble(f"{error}{elsewhere}")
    return ModelTrouble(f"{parameters.model or parameters.backend} cannot be loaded: {type(error).__name__}: {error}")
