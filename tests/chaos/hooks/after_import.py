"""Changing a module right after its import, whoever imports it."""

from __future__ import annotations

import importlib.util
import sys
from collections import defaultdict
from importlib.abc import Loader, MetaPathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_CHANGES: defaultdict[str, list[Callable[[Any], None]]] = defaultdict(list)


def call(module: str, change: Callable[[Any], None]) -> None:
    """Call `change` with the module once it is imported."""
    if not _CHANGES:
        sys.meta_path.insert(0, _Finder())
    _CHANGES[module].append(change)


class _Finder(MetaPathFinder):
    def __init__(self) -> None:
        self._asking: set[str] = set()

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in _CHANGES or name in self._asking:
            return None
        self._asking.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._asking.discard(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        for change in _CHANGES[module.__name__]:
            change(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)
