"""Captions that are there already: one sentence by the same model of the same picture serves all campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from db.engine.bulk import runs
from db.jobs.batch_keys import Parameters
from db.jobs.tables import batch_keys, jobs
from db.results.tables import captions, holds_now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import ColumnElement

    from db.engine import Database


@dataclass(frozen=True, kw_only=True)
class KnownCaption:
    """A current caption of a picture."""

    id: int
    text: str
    #: Commit or hash of the model that made it.
    revision: str


def known_captions(
    database: Database, pictures: Mapping[int, str], *, model: str, revision: str | None, is_alike: Callable[[Parameters], bool]
) -> dict[int, KnownCaption]:
    """Job to a caption that another job has of the same picture; jobs that have a caption of their own are to get a new one, and none here.

    Args:
        database: the database.
        pictures: job to the hash of the picture that it is to describe.
        model: the model that must have made it, as campaigns name it.
        revision: the commit or hash of that model; None for whatever there is.
        is_alike: whether a batch of these parameters makes the same captions.
    """
    wanted: list[ColumnElement[bool]] = [captions.c.model == model, captions.c.current, captions.c.revision != ""]
    if revision is not None:
        wanted.append(captions.c.revision == revision)
    columns = (captions.c.id, captions.c.text, captions.c.revision, captions.c.content_hash, jobs.c.batch_key)
    query = select(*columns).join(jobs, jobs.c.id == captions.c.job_id).where(*wanted).order_by(captions.c.id)
    with database.read() as connection:
        rows = [
            row
            for some in runs(sorted(set(pictures.values())))
            for row in connection.execute(query.where(captions.c.content_hash.in_(some)))
        ]
        if not rows:
            return {}
        keys = select(batch_keys.c.batch_key, batch_keys.c.parameters)
        found = connection.execute(keys.where(batch_keys.c.batch_key.in_({row.batch_key for row in rows})))
        alike = {name for name, parameters in found if is_alike(Parameters(**parameters))}
        own = {
            job_id
            for some in runs(list(pictures))
            for job_id in connection.scalars(select(captions.c.job_id).where(captions.c.job_id.in_(some), holds_now(captions)))
        }
    # The oldest: whoever asks, and whenever, gets the same.
    of_picture: dict[str, KnownCaption] = {}
    for row in rows:
        if row.batch_key in alike:
            of_picture.setdefault(row.content_hash, KnownCaption(id=row.id, text=row.text, revision=row.revision))
    return {job_id: of_picture[picture] for job_id, picture in pictures.items() if picture in of_picture and job_id not in own}
