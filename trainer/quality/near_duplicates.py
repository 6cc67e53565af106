"""Groups of repaints that look the same, and which of each group to keep.

Originals of the campaign take part: a repaint that came out as somebody else's original is a duplicate of that. A repaint beside its own
original is not looked at, `similarity` tells of it.

Written for every repaint: `near_duplicates`, the number of its group (the smallest image id in it, 0 if it is alone), and `duplicate`, 1
unless it is alone or the best of its group. The best is an original, if one is in the group, else the repaint with the highest
`prompt_agreement`, else the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from db.errors import BlobMissing
from db.images import UnreadableImage, decode_image
from db.quality import RepaintScore, scores_of
from db.quality.names import DUPLICATE
from db.results.pairs import originals, read_image_bytes
from trainer.data.embeddings import ImageReference
from trainer.quality.clip_scorer import ClipScorer, repaint_reference
from trainer.quality.near_pairs import PictureSet, near_duplicate_groups
from trainer.quality.perceptual_hash import difference_hash
from trainer.quality.prompt_agreement import PromptAgreement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from db.quality import ScorableRepaint

#: Images whose vectors are read at once, and scores that are given at once.
_AT_ONCE = 4096


class NearDuplicates(ClipScorer):
    """Near in CLIP's cosine and in the difference hash, directly or through others."""

    whole_campaign: ClassVar[bool] = True
    name = "near_duplicates"

    def measure(self, repaints: Iterator[Sequence[ScorableRepaint]]) -> Iterator[list[RepaintScore]]:
        """Two scores of each repaint that can be read, when all are known."""
        pictures = _Pictures(self)
        for some in repaints:
            pictures.add([repaint_reference(one) for one in some], [one.group_key for one in some], [one.image_id for one in some])
        found = originals(self.context.database, self.context.campaign.id)
        for start in range(0, len(found), _AT_ONCE):
            part = found[start : start + _AT_ONCE]
            pictures.add([ImageReference(content_hash=one.content_hash, link=one.link) for one in part], [one.group_key for one in part])
        yield from self._scores(pictures)

    def _scores(self, pictures: _Pictures) -> Iterator[list[RepaintScore]]:
        """Of every repaint; `pictures.image_ids` is 0 for an original."""
        groups = near_duplicate_groups(pictures.as_set())
        ids = pictures.image_ids
        agreement = scores_of(self.context.database, self.context.campaign.id, PromptAgreement.name) if groups else {}
        group_of: dict[int, int] = {}
        duplicates: set[int] = set()
        for rows in groups:
            members = [ids[row] for row in rows if ids[row]]
            with_original = len(members) < len(rows)
            best = None if with_original else max(members, key=lambda image: (agreement.get(image, -np.inf), -image))
            group_of.update(dict.fromkeys(members, min(members, default=0)))
            duplicates.update(image for image in members if image != best)
        repaints = [image for image in ids if image]
        for start in range(0, len(repaints), _AT_ONCE):
            some = repaints[start : start + _AT_ONCE]
            yield [RepaintScore(image_id=image, name=self.name, value=float(group_of.get(image, 0))) for image in some] + [
                RepaintScore(image_id=image, name=DUPLICATE, value=float(image in duplicates)) for image in some
            ]
        self.notes += _notes(len(set(group_of.values())), len(duplicates), groups, ids)


def _notes(count: int, duplicates: int, groups: list[list[int]], ids: Sequence[int]) -> list[str]:
    lines = []
    if count:
        lines.append(f"near_duplicates: {count} groups, {duplicates} repaints have a better one in theirs")
    alike = sum(1 for rows in groups if sum(ids[row] == 0 for row in rows) > 1)
    if alike:
        lines.append(f"near_duplicates: {alike} groups hold several originals that look the same")
    return lines


class _Pictures:
    """The pictures of a campaign as they are gathered: float16 vectors, families, image ids, and where the files lie."""

    def __init__(self, scorer: ClipScorer) -> None:
        self._scorer = scorer
        self._vectors: list[npt.NDArray[np.float16]] = []
        self._families: list[int] = []
        self._numbers: dict[str, int] = {}
        self._references: list[ImageReference] = []
        self._hashes: dict[int, int] = {}
        #: Of each row; 0 for an original.
        self.image_ids: list[int] = []

    def add(self, references: Sequence[ImageReference], families: Sequence[str], image_ids: Sequence[int] | None = None) -> None:
        """Take the pictures that can be read; without image ids they are originals."""
        vectors, rows = self._scorer.image_rows(references)
        seen = [place for place, reference in enumerate(references) if reference.content_hash in rows]
        if not seen:
            return
        self._vectors.append(vectors[[rows[references[place].content_hash] for place in seen]].astype(np.float16))
        self._families += [self._numbers.setdefault(families[place], len(self._numbers)) for place in seen]
        self._references += [references[place] for place in seen]
        self.image_ids += [image_ids[place] if image_ids is not None else 0 for place in seen]

    def as_set(self) -> PictureSet:
        """All of them."""
        vectors = np.concatenate(self._vectors) if self._vectors else np.zeros((0, 1), np.float16)
        self._vectors = []
        return PictureSet(
            vectors=vectors,
            families=np.array(self._families, dtype=np.int64),
            originals=np.array([image == 0 for image in self.image_ids], dtype=np.bool_),
            hashes=self._hashes_of,
        )

    def _hashes_of(self, rows: Sequence[int]) -> npt.NDArray[np.uint64]:
        return np.array([self._hash(row) for row in rows], dtype=np.uint64)

    def _hash(self, row: int) -> int:
        if row not in self._hashes:
            reference = self._references[row]
            try:
                data = read_image_bytes(self._scorer.context.store, reference.content_hash, reference.link)
                self._hashes[row] = difference_hash(decode_image(data).image)
            except (BlobMissing, UnreadableImage, OSError) as error:
                # It has a vector from before, and went away since: it is near nothing that anybody can still see.
                self._scorer.context.unreadable[reference.content_hash] = str(error)
                self._hashes[row] = int.from_bytes(bytes.fromhex(reference.content_hash)[:8], "big")
        return self._hashes[row]
