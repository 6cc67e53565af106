"""Which registered artwork each coming one is: the one with its bytes, else the one of its path, else the one of its name.

Equal bytes under two names are one artwork, whose key stays that of whoever was registered first: seeds are made from it. Different
bytes under one name are two artworks; the second's key ends in `~` and the beginning of its hash, whichever comes first in a catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from db.catalogue.absorb import absorb, is_referenced
from db.catalogue.tables import artwork_paths, artworks
from db.catalogue.types import RecognisedArtworks, gaps
from db.engine.bulk import runs
from db.enums import ImageState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from sqlalchemy import ColumnElement, Connection

    from db.catalogue.types import CatalogueArtwork

#: Hexadecimal digits of the hash that a key ends in: a chance of one in 10^12 that two pictures of one name share them.
_DIGITS = 12


def distinct_key(name: str, content_hash: str) -> str:
    """The key of a picture whose name another one has already."""
    return f"{name}~{content_hash[:_DIGITS]}"


def recognise(
    connection: Connection, coming: Sequence[CatalogueArtwork], *, earlier: AbstractSet[int] = frozenset(), may_replace: bool = True
) -> tuple[list[CatalogueArtwork], RecognisedArtworks]:
    """The coming artworks under the keys of those that they are, each once, and what was recognised.

    Args:
        connection: in the transaction that will write them.
        coming: the artworks as a catalogue names them.
        earlier: ids of artworks that this ingest has described already: a further row of theirs only fills gaps.
        may_replace: whether a file with other bytes at a known path is that file changed; in a folder that was never ingested it is
            another file of the same name, as each of a camera's folders has an `IMG_0001.JPG`.
    """
    register = _Register.load(connection, coming, may_replace=may_replace)
    told = RecognisedArtworks()
    found: dict[str, CatalogueArtwork] = {}
    for one in coming:
        artwork = register.resolve(one, told)
        if artwork.joined and artwork.key in register.by_key and register.by_key[artwork.key].id in earlier:
            artwork = replace(artwork, listed=False)
        known = found.get(artwork.key)
        found[artwork.key] = artwork if known is None else _combined(known, artwork)
    return list(found.values()), told


def recognise_unregistered(coming: Iterable[CatalogueArtwork]) -> RecognisedArtworks:
    """What would be recognised if nothing were registered yet."""
    told = RecognisedArtworks()
    ids: dict[str, int] = {}
    by_hash: dict[str, str] = {}
    for one in coming:
        digest = _bytes(one)
        key = one.key
        if digest is not None:
            fresh = distinct_key(one.key, digest) if one.key in ids else one.key
            key = by_hash.setdefault(digest, fresh)
        _tell(one.key, key, told)
        the_id = ids.setdefault(key, len(ids) + 1)
        if one.incomplete is None:
            told.incomplete.pop(the_id, None)
        elif the_id not in told.ids:
            told.incomplete[the_id] = key, one.incomplete
        told.ids.add(the_id)
    return told


@dataclass(kw_only=True, slots=True)
class _Held:
    """One registered artwork, or one of this transaction."""

    id: int
    key: str
    content_hash: str | None
    present: bool
    link: str | None = None
    #: The path whose file is its original.
    chosen: str | None = None


@dataclass(kw_only=True)
class _Register:
    """What is registered of the names, bytes and paths that come, kept up to date while they are resolved."""

    connection: Connection
    may_replace: bool
    by_key: dict[str, _Held] = field(default_factory=dict)
    #: Keys of the artworks with these bytes, first registered first.
    by_hash: dict[str, list[str]] = field(default_factory=dict)
    #: The key of the artwork that a path belongs to.
    by_path: dict[str, str] = field(default_factory=dict)
    #: Artworks that have got their bytes in this transaction, or keep them.
    resolved: set[str] = field(default_factory=set)

    @classmethod
    def load(cls, connection: Connection, coming: Sequence[CatalogueArtwork], *, may_replace: bool) -> _Register:
        """Read what is registered of the coming artworks."""
        register = cls(connection=connection, may_replace=may_replace)
        hashes = [digest for one in coming if (digest := _bytes(one))]
        paths = [path for one in coming for path in _paths(one)]
        names = dict.fromkeys(name for one in coming for name in (one.key, one.owner) if name is not None)
        for some in runs(paths):
            register._read_paths(artwork_paths.c.path.in_(some))
        register._read(artworks.c.key, [*names, *register.by_path.values()])
        register._read(artworks.c.content_hash, hashes)
        for ids in runs([held.id for held in register.by_key.values()]):
            register._read_chosen(artwork_paths.c.artwork_id.in_(ids))
        for held in sorted(register.by_key.values(), key=lambda one: one.id):
            if held.content_hash is not None:
                register.by_hash.setdefault(held.content_hash, []).append(held.key)
        register._reserve(coming)
        return register

    def resolve(self, one: CatalogueArtwork, told: RecognisedArtworks) -> CatalogueArtwork:
        """The artwork under the key that it is registered under, or will be."""
        digest = _bytes(one)
        if one.owner is not None and one.owner in self.by_key:
            _tell(one.key, one.owner, told)
            return replace(one, key=one.owner, joined=one.owner != one.key)
        if digest is None:
            owner = None if one.key in self.by_key else self._of_path(one)
            return one if owner is None else replace(one, key=owner.key, joined=True)
        return self._resolve_opened(one, digest, told)

    def _resolve_opened(self, one: CatalogueArtwork, digest: str, told: RecognisedArtworks) -> CatalogueArtwork:
        same = self.by_hash.get(digest, [])
        own = next((key for key in (one.key, distinct_key(one.key, digest)) if key in same), None)
        if same:
            key = own or same[0]
            natural = self.by_key.get(one.key)
            if own is None and natural is not None and natural.content_hash is None:
                key, one = self._united(natural, self.by_key[key], one)
            _tell(one.key, key, told)
            artwork = self._joined(one, key, digest)
        else:
            key = self._unseen(one, digest, told)
            if key == distinct_key(one.key, digest):
                _tell(one.key, key, told)
            artwork = replace(one, key=key, joined=key != one.key)
        self._note(key, digest)
        return artwork

    def _unseen(self, one: CatalogueArtwork, digest: str, told: RecognisedArtworks) -> str:
        """The key of a picture whose bytes are not registered."""
        natural = self.by_key.get(one.key)
        owner = next((held for held in self._owners(one) if held.chosen in _paths(one)), None)
        if owner is not None and self.may_replace and owner.key not in self.resolved:
            told.replaced.append(owner.key)
            return owner.key
        if natural is None:
            planned = next((held for held in self._owners(one) if held.content_hash is None and held.key not in self.resolved), None)
            return one.key if planned is None else planned.key
        free = natural.key not in self.resolved and not natural.present
        return one.key if free else distinct_key(one.key, digest)

    def _joined(self, one: CatalogueArtwork, key: str, digest: str) -> CatalogueArtwork:
        """The artwork that has the coming one's bytes; its original stays where it is."""
        held = self.by_key[key]
        if key == one.key or one.picture is None or not held.present or held.content_hash != digest or held.chosen is None:
            return replace(one, key=key, joined=key != one.key)
        link = None if one.picture.link is None else held.link
        return replace(one, key=key, joined=True, picture=replace(one.picture, path=held.chosen, link=link))

    def _united(self, natural: _Held, other: _Held, one: CatalogueArtwork) -> tuple[str, CatalogueArtwork]:
        """One of two registered artworks that turn out to be one: the first, unless only the second is planned somewhere.

        Where both are planned both stay, as copies of one group.
        """
        first, second = sorted((natural, other), key=lambda held: held.id)
        if first.id <= 0 or second.id <= 0:  # of this transaction
            return natural.key, one
        if not is_referenced(self.connection, second.id):
            keep, gone = first, second
        elif not is_referenced(self.connection, first.id):
            keep, gone = second, first
        else:
            return natural.key, one
        one = _combined(one, absorb(self.connection, keep=keep.id, gone=gone.id))
        del self.by_key[gone.key]
        self.by_path = {path: keep.key if key == gone.key else key for path, key in self.by_path.items()}
        self.by_hash = {digest: [key for key in keys if key != gone.key] for digest, keys in self.by_hash.items()}
        return keep.key, one

    def _note(self, key: str, digest: str) -> None:
        held = self.by_key.get(key)
        if held is None:
            held = self.by_key[key] = _Held(id=-len(self.by_key), key=key, content_hash=None, present=False)
        if held.content_hash is not None and held.content_hash != digest:
            self._take_away(key, held.content_hash)
        if key not in self.by_hash.setdefault(digest, []):
            self.by_hash[digest].append(key)
        held.content_hash, held.present = digest, True
        self.resolved.add(key)

    def _reserve(self, coming: Iterable[CatalogueArtwork]) -> None:
        """Who keeps its bytes must not lose its name to another picture of that name; who gets others lends its old ones to nobody."""
        for one in coming:
            held = self.by_key.get(one.key)
            if held is not None and held.content_hash is not None and held.content_hash == _bytes(one):
                self.resolved.add(held.key)
        for one in coming if self.may_replace else ():
            digest = _bytes(one)
            for held in self._owners(one) if digest is not None else ():
                changes = held.chosen in _paths(one) and held.content_hash not in {None, digest} and held.key not in self.resolved
                if changes and held.content_hash is not None and digest not in self.by_hash:
                    self._take_away(held.key, held.content_hash)

    def _take_away(self, key: str, digest: str) -> None:
        self.by_hash[digest] = [one for one in self.by_hash.get(digest, []) if one != key]

    def _owners(self, one: CatalogueArtwork) -> list[_Held]:
        keys = dict.fromkeys(self.by_path[path] for path in _paths(one) if path in self.by_path)
        return [self.by_key[key] for key in keys if key in self.by_key]

    def _of_path(self, one: CatalogueArtwork) -> _Held | None:
        return next(iter(self._owners(one)), None)

    def _read(self, column: ColumnElement[str], values: Sequence[str]) -> None:
        columns = (artworks.c.id, artworks.c.key, artworks.c.content_hash, artworks.c.picture, artworks.c.link)
        for some in runs(list(dict.fromkeys(values))):
            for row in self.connection.execute(select(*columns).where(column.in_(some))):
                present = row.picture == ImageState.PRESENT
                self.by_key.setdefault(
                    row.key, _Held(id=row.id, key=row.key, content_hash=row.content_hash, present=present, link=row.link)
                )

    def _read_paths(self, wanted: ColumnElement[bool]) -> None:
        query = select(artwork_paths.c.path, artworks.c.key).join(artworks, artworks.c.id == artwork_paths.c.artwork_id).where(wanted)
        self.by_path |= {row.path: row.key for row in self.connection.execute(query)}

    def _read_chosen(self, wanted: ColumnElement[bool]) -> None:
        by_id = {held.id: held for held in self.by_key.values()}
        query = select(artwork_paths.c.artwork_id, artwork_paths.c.path).where(wanted, artwork_paths.c.chosen)
        for row in self.connection.execute(query):
            by_id[row.artwork_id].chosen = row.path


def _tell(name: str, key: str, told: RecognisedArtworks) -> None:
    if key.startswith(f"{name}~"):
        told.same_name[key] = name
    elif key != name:
        told.joined[name] = key


def _bytes(one: CatalogueArtwork) -> str | None:
    """The hash of the coming original; None if it was not opened or cannot be read."""
    return one.picture.content_hash if one.picture is not None and one.picture.reason is None else None


def _paths(one: CatalogueArtwork) -> tuple[str, ...]:
    return (*(path.path for path in one.paths), *one.named)


def _combined(first: CatalogueArtwork, second: CatalogueArtwork) -> CatalogueArtwork:
    """Two descriptions of one artwork: rows win over file names, the first over the second, and gaps are filled."""
    main, other = (second, first) if second.listed and not first.listed else (first, second)
    held = {path.path for path in first.paths}
    artist = (other.artist if "artist" in main.filled else None) or main.artist or other.artist
    style = (other.style if "style" in main.filled else None) or main.style or other.style
    return replace(
        main,
        key=first.key,
        artist=artist,
        title=main.title or other.title,
        style=style,
        styles=tuple(dict.fromkeys([*other.styles] if "style" in main.filled and other.style else [*main.styles, *other.styles])),
        subset=main.subset or other.subset,
        incomplete=gaps(style=style, artist=artist),
        filled=frozenset(name for name, fact in (("artist", other.artist), ("style", other.style)) if name in main.filled and not fact)
        | (main.filled & other.filled),
        extra={**other.extra, **main.extra},
        paths=(*first.paths, *(path for path in second.paths if path.path not in held)),
        picture=first.picture or second.picture,
        named=(*first.named, *second.named),
        joined=first.joined or second.joined,
    )
