"""Classes by name, offered by installed packages as entry points: what ships is registered like what others write."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from trainer.errors import UnknownComponent

ComponentT = TypeVar("ComponentT")


class ComponentRegistry(Generic[ComponentT]):
    """The classes of one kind; names are read from package metadata, a class is imported when it is loaded."""

    def __init__(self, *, group: str, kind: str) -> None:
        #: Entry point group, such as `paragone.losses`.
        self.group = group
        #: What error texts call such a class, such as "loss".
        self.kind = kind

    @property
    def names(self) -> tuple[str, ...]:
        """All registered names, sorted."""
        return tuple(sorted({point.name for point in entry_points(group=self.group)}))

    def check(self, name: str) -> str:
        """The name itself, without importing anything; raises `UnknownComponent` if no installed package offers it."""
        if name not in self.names:
            known = ", ".join(self.names) or "none, so reinstall Paragone"
            raise UnknownComponent(f"no installed package offers the {self.kind} {name!r}; known: {known}")
        return name

    def load(self, name: str) -> type[ComponentT]:
        """The class of that name.

        Raises:
            UnknownComponent: nobody offers it, two packages offer different ones, or its module cannot be imported.
        """
        self.check(name)
        found = {point.value: point for point in entry_points(group=self.group, name=name)}
        if len(found) > 1:
            raise UnknownComponent(f"the {self.kind} {name!r} is offered twice, by {' and '.join(sorted(found))}: uninstall one")
        (point,) = found.values()
        try:
            loaded: Any = point.load()
        except (ImportError, AttributeError) as error:
            raise UnknownComponent(f"the {self.kind} {name!r} ({point.value}) cannot be imported: {error}") from None
        component: type[ComponentT] = loaded
        return component
