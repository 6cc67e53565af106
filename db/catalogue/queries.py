"""What others ask of the catalogue: known files, one artwork by name, styles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from db.catalogue.tables import artwork_paths, artworks, ingests
from db.catalogue.types import KnownFacts, KnownPath
from db.engine.bulk import runs
from db.engine.limits import BULK_SECONDS
from db.enums import ImageState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.engine import Database

#: The largest id that either database can hold: a longer number is no id.
LARGEST_ID = 2**63 - 1


def known_paths(database: Database) -> dict[str, KnownPath]:
    """Every path whose file was read before, by its spelling."""
    of_artwork = (artworks.c.key, artworks.c.content_hash, artworks.c.link, artworks.c.width, artworks.c.height)
    columns = (*of_artwork, artwork_paths.c.byte_size, artwork_paths.c.modified_ns)
    query = (
        select(artwork_paths.c.path, artworks.c.picture, *columns)
        .join(artworks, artworks.c.id == artwork_paths.c.artwork_id)
        .where(artwork_paths.c.modified_ns.is_not(None))
    )
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        return {
            row["path"]: KnownPath(picture=ImageState(row["picture"]), **{column.name: row[column.name] for column in columns})
            for row in connection.execute(query).mappings()
        }


def facts_of_paths(database: Database, paths: Sequence[str]) -> list[KnownFacts]:
    """What is known of the artworks whose files lie at these paths, in their order, each artwork once."""
    columns = (artworks.c.id, artworks.c.artist, artworks.c.title, artworks.c.style, artworks.c.subset)
    query = select(artwork_paths.c.path, *columns).join(artworks, artworks.c.id == artwork_paths.c.artwork_id)
    found: dict[str, Any] = {}
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        for some in runs(paths):
            found |= {row.path: row for row in connection.execute(query.where(artwork_paths.c.path.in_(some)))}
    once = {found[path].id: found[path] for path in reversed(paths) if path in found}
    return [
        KnownFacts(path=path, artist=row.artist, title=row.title, style=row.style, subset=row.subset)
        for path in paths
        if path in found and once[found[path].id].path == path
        for row in (found[path],)
    ]


def find_artwork_id(database: Database, named: str) -> int | None:
    """The id of the artwork that is named by its key or its id; None if there is none."""
    with database.read() as connection:
        found = connection.scalar(select(artworks.c.id).where(artworks.c.key == named))
        if found is None and named.isdecimal() and int(named) <= LARGEST_ID:
            found = connection.scalar(select(artworks.c.id).where(artworks.c.id == int(named)))
    return None if found is None else int(found)


def known_styles(database: Database) -> list[str]:
    """The styles that artworks have, sorted."""
    with database.read() as connection:
        return sorted(style for style in connection.scalars(select(artworks.c.style).distinct()) if style)


def known_image_roots(database: Database) -> set[str | None]:
    """The image roots that were ingested; None stands for ingests by versions that did not keep theirs."""
    with database.read() as connection:
        return set(connection.scalars(select(ingests.c.report["details"]["image_root"].as_string()).distinct()))


def known_artists(database: Database) -> set[tuple[str | None, bool]]:
    """The artists that artworks have, None for those without one, each with whether the artwork has a style."""
    has_style = artworks.c.style.is_not(None)
    with database.read() as connection:
        return {(artist, bool(style)) for artist, style in connection.execute(select(artworks.c.artist, has_style).distinct())}


def has_artworks(database: Database) -> bool:
    """Whether any artwork is known."""
    with database.read() as connection:
        return connection.scalar(select(artworks.c.id).limit(1)) is not None
