"""The models on one device: loaded when first needed, the least recently used leaves.

How many fit is what the settings say, or less: models that proved not to fit together are not brought together again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from db.campaigns import freeze_revision, frozen_revision
from db.errors import BadConfiguration
from db.models_directory import is_local
from workers.backends.errors import BackendError, DeviceLost, OutOfMemory, UnknownBackend
from workers.backends.protocol import CountingBackend
from workers.backends.registry import backend_class
from workers.backends.settings.base import CountedBy, PromptSettings
from workers.backends.settings.reading import read_stored_settings
from workers.batches.containment import contained
from workers.errors import ModelTrouble
from workers.model_sources import model_source, tokenizer_view
from workers.observers import Observers
from workers.scheduling.capacity import Capacity
from workers.scheduling.model_turns import ModelNeed

if TYPE_CHECKING:
    from collections.abc import Collection

    from db.engine import Database
    from db.jobs.batch_keys import Parameters
    from db.jobs.claim import BatchCandidate
    from db.settings import Settings
    from workers.backends.protocol import AnyBackend, ModelSource
    from workers.backends.settings.base import BackendSettings
    from workers.observers import WorkObserver

logger = logging.getLogger(__name__)

#: A backend by its name, and the weights in it.
LoadedName = tuple[str, "ModelSource"]


@dataclass(frozen=True, kw_only=True)
class _Crowd:
    """Models that did not fit the device together: at all, or while one of them ran batches of some size."""

    models: frozenset[LoadedName]
    capacity: Capacity | None = None
    limit: int = 0

    def still_holds(self) -> bool:
        """False once the batches are smaller: what was too much was the batch, not the models beside it."""
        return self.capacity is None or self.capacity.limit >= self.limit


class ModelCache:
    """Loaded backends. Those on the device may be taken by the holder of the device lock alone, the others by any thread."""

    def __init__(self, database: Database, settings: Settings, *, device: str, observer: WorkObserver | None = None) -> None:
        """`observer` is told what is loaded and what has to leave."""
        self._database = database
        self._settings = settings
        self._device = device
        self._observer: WorkObserver = observer or Observers()
        self._loaded: OrderedDict[LoadedName, AnyBackend] = OrderedDict()
        #: Held while `_loaded` is changed or read as a whole, not while a model is loading.
        self._loaded_lock = threading.Lock()
        self._crowds: list[_Crowd] = []
        self._deviceless: dict[LoadedName, AnyBackend] = {}
        self._deviceless_lock = threading.Lock()
        self._classes: dict[str, type[AnyBackend]] = {}
        self._revisions: dict[tuple[int, str, str], str] = {}
        self._capacities: dict[str, Capacity] = {}

    def needs_device(self, parameters: Parameters) -> bool:
        """Whether batches of these parameters compute on the device."""
        return self._class(parameters.backend).needs_device

    def settings(self, campaign_id: int, parameters: Parameters) -> BackendSettings:
        """The backend's settings for a batch of these parameters; raises `BadSettings`, `ModelTrouble` without the backend.

        The generator whose tokenizer counts prompts is named as it lies here, at its frozen revision.
        """
        settings = read_stored_settings(self._class(parameters.backend).settings_type, parameters.settings)
        if not isinstance(settings, PromptSettings) or settings.counted_by is None:
            return settings
        source = self._source(campaign_id, tokenizer_view(parameters, settings.counted_by))
        return settings.model_copy(update={"counted_by": CountedBy(model=source.location, revision=source.revision)})

    def revision(self, campaign_id: int, parameters: Parameters) -> str | None:
        """The commit or hash that this campaign uses of its model; None before the first load, and for what has no model."""
        return self._frozen(campaign_id, parameters) if parameters.model else None

    def holds(self, campaign_id: int, parameters: Parameters) -> bool:
        """Whether the model is loaded already."""
        name = self._name(campaign_id, parameters)
        return name in self._loaded or name in self._deviceless

    def need(self, candidate: BatchCandidate, under_way: Collection[BatchCandidate] = ()) -> ModelNeed:
        """What a batch of this key needs of the device, whose models those of the batches under way belong to already.

        A key that cannot be served here at all needs nothing: running it tells why.
        """
        try:
            name = self._device_name(candidate)
            coming = {self._device_name(other) for other in under_way}
        except ModelTrouble:
            return ModelNeed(model=None, evicts=False)
        if name is None:
            return ModelNeed(model=None, evicts=False)
        with self._loaded_lock:
            latest_first = list(reversed(self._loaded))
        there = {other for other in coming if other is not None}
        for loaded in latest_first:  # those under way push out the oldest
            if self._fit(there | {loaded}):
                there.add(loaded)
        return ModelNeed(model=name, evicts=name not in there and not self._fit(there | {name}))

    def capacity(self, batch_key: str, parameters: Parameters) -> Capacity:
        """How many jobs of this key fit the device at once."""
        return self._capacities.setdefault(batch_key, Capacity(limit=parameters.batch))

    def take(self, campaign_id: int, parameters: Parameters) -> AnyBackend:
        """The loaded backend; raises `ModelTrouble` if it cannot be loaded or is not at the frozen revision, `DeviceLost`."""
        if not self.needs_device(parameters):
            return self._take_deviceless(campaign_id, parameters)
        backend = self._take_on_device(campaign_id, parameters)
        self._take_counter(campaign_id, parameters, backend)
        return backend

    def _take_on_device(self, campaign_id: int, parameters: Parameters) -> AnyBackend:
        name = self._name(campaign_id, parameters)
        if name not in self._loaded:
            backend = self._load(campaign_id, parameters, name[1])
            name = self._name(campaign_id, parameters)  # by now a branch is the commit that was found
            with self._loaded_lock:
                self._loaded[name] = backend
        with self._loaded_lock:
            self._loaded.move_to_end(name)
            return self._loaded[name]

    def evict_idle(self, keep: AnyBackend, capacity: Capacity) -> bool:
        """A batch of this capacity ran out of memory on `keep`: unload all others; False if there were none.

        Only for the holder of the device lock. Models that had to leave come back one at a time, not together with this one.
        """
        with self._loaded_lock:
            mine = next((name for name, backend in self._loaded.items() if backend is keep), None)
            if mine is None or len(self._loaded) == 1:
                return False
            together = frozenset(self._loaded)
            idle = {name: self._loaded.pop(name) for name in together if name != mine}
        for name, backend in idle.items():
            backend.unload()
            self._observer.model_evicted(_shown(name))
        self._crowds.append(_Crowd(models=together, capacity=capacity, limit=capacity.limit))
        logger.warning("out of memory: unloaded %d idle models beside %s", len(idle), mine[1].location or mine[0])
        return True

    def clear(self) -> None:
        """Unload everything."""
        while self._loaded:
            self._unload_oldest()

    def _take_deviceless(self, campaign_id: int, parameters: Parameters) -> AnyBackend:
        with self._deviceless_lock:
            name = self._name(campaign_id, parameters)
            if name not in self._deviceless:
                backend = self._class(parameters.backend)(model=name[1], device=self._device)
                began = time.monotonic()
                try:
                    with contained():
                        backend.load()
                except Exception as error:
                    raise _trouble(parameters, error) from error
                seconds = time.monotonic() - began
                self._freeze(campaign_id, parameters, backend)
                name = self._name(campaign_id, parameters)
                self._deviceless[name] = backend
                self._tell_loaded(parameters, backend, name, seconds)
            backend = self._deviceless[name]
            self._take_counter(campaign_id, parameters, backend)
            return backend

    def _take_counter(self, campaign_id: int, parameters: Parameters, backend: AnyBackend) -> None:
        """Have a prompt writer with a model of its own load the generator's tokenizer, and freeze that revision too."""
        if not isinstance(backend, CountingBackend):
            return
        settings = self.settings(campaign_id, parameters)
        if not isinstance(settings, PromptSettings) or settings.counted_by is None:
            return
        generator = tokenizer_view(parameters, CountedBy.model_validate(parameters.settings["counted_by"]))
        try:
            with contained():
                revision = backend.count_with(settings)
        except Exception as error:
            raise _trouble(generator, error) from error
        if (campaign_id, generator.backend, generator.model) not in self._revisions:
            self._freeze_revision(campaign_id, generator, revision)

    def _load(self, campaign_id: int, parameters: Parameters, source: ModelSource) -> AnyBackend:
        asked = (parameters.backend, source)
        while self._loaded and not self._fit({*self._loaded, asked}):
            self._evict()
        backend = self._class(parameters.backend)(model=source, device=self._device)
        too_many: list[frozenset[LoadedName]] = []
        began = time.monotonic()
        while True:
            try:
                with contained():
                    backend.load()
                break
            except OutOfMemory as error:
                if not self._loaded:
                    raise ModelTrouble(
                        f"{parameters.model} does not fit the device: use a smaller dtype or a larger device ({error})"
                    ) from None
                too_many.append(frozenset(self._loaded))
                self._evict()
            except DeviceLost:
                raise
            except Exception as error:
                raise _trouble(parameters, error) from error
        seconds = time.monotonic() - began
        self._freeze(campaign_id, parameters, backend)
        found = self._name(campaign_id, parameters)
        self._tell_loaded(parameters, backend, found, seconds)
        self._crowds += [_Crowd(models=others | {found}) for others in too_many]
        return backend

    def _fit(self, models: Collection[LoadedName]) -> bool:
        """Whether these may be on the device together, as far as is known."""
        if len(models) > self._settings.models_kept:
            return False
        return not any(crowd.still_holds() and crowd.models <= set(models) for crowd in self._crowds)

    def _freeze(self, campaign_id: int, parameters: Parameters, backend: AnyBackend) -> None:
        if not backend.revision:
            return
        try:
            self._freeze_revision(campaign_id, parameters, backend.revision)
        except ModelTrouble:
            backend.unload()
            raise

    def _freeze_revision(self, campaign_id: int, parameters: Parameters, revision: str) -> None:
        view = {"backend": parameters.backend, "model": parameters.model}
        frozen = freeze_revision(self._database, campaign_id, **view, revision=revision)
        if frozen != revision:
            raise ModelTrouble(
                f"{parameters.model} is at {revision} here, but the campaign began with {frozen}: "
                "bring those weights, or open another campaign"
            )
        self._revisions[campaign_id, parameters.backend, parameters.model] = frozen

    def _evict(self) -> None:
        self._observer.model_evicted(_shown(self._unload_oldest()))

    def _unload_oldest(self) -> LoadedName:
        with self._loaded_lock:
            name, backend = self._loaded.popitem(last=False)
        backend.unload()
        return name

    def _tell_loaded(self, parameters: Parameters, backend: AnyBackend, name: LoadedName, seconds: float) -> None:
        shown = parameters.model or parameters.backend
        where = f" on {self._device}" if backend.needs_device else ""
        facts = {"model": shown, "revision": backend.revision, "device": self._device, "seconds": round(seconds, 3)}
        logger.info("loaded %s%s in %.1f s", shown, where, seconds, extra=facts)
        self._observer.model_loaded(_shown(name), seconds)

    def _device_name(self, candidate: BatchCandidate) -> LoadedName | None:
        """What a batch of this key has on the device; None if it computes elsewhere."""
        if not self.needs_device(candidate.parameters):
            return None
        return self._name(candidate.campaign_id, candidate.parameters)

    def _name(self, campaign_id: int, parameters: Parameters) -> LoadedName:
        return parameters.backend, self._source(campaign_id, parameters)

    def _source(self, campaign_id: int, parameters: Parameters) -> ModelSource:
        try:
            return model_source(parameters, models=self._settings.models, frozen=lambda: self._frozen(campaign_id, parameters))
        except BadConfiguration as error:
            raise ModelTrouble(str(error)) from None

    def _frozen(self, campaign_id: int, parameters: Parameters) -> str | None:
        name = (campaign_id, parameters.backend, parameters.model)
        revision = self._revisions.get(name)
        if revision is None:
            # Asked only until the first load here: a commit, once frozen, does not change.
            revision = frozen_revision(self._database, campaign_id, backend=parameters.backend, model=parameters.model)
            if revision is not None:
                self._revisions[name] = revision
        return revision

    def _class(self, name: str) -> type[AnyBackend]:
        if name not in self._classes:
            try:
                self._classes[name] = backend_class(name)
            except UnknownBackend as error:
                raise ModelTrouble(str(error)) from None
        return self._classes[name]


def _shown(name: LoadedName) -> str:
    """A model's name for people: a repository's, a folder's without the way there, or the backend's if it has no weights."""
    backend, source = name
    path = PurePath(source.location)
    return path.name if path.is_absolute() else source.location or backend


def _trouble(parameters: Parameters, error: Exception) -> ModelTrouble:
    if isinstance(error, BackendError):
        elsewhere = ", or name this host's models directory in PARAGONE_MODELS" if is_local(parameters.model) else ""
        return ModelTrouble(f"{error}{elsewhere}")
    return ModelTrouble(f"{parameters.model or parameters.backend} cannot be loaded: {type(error).__name__}: {error}")
