"""The draft of a composed prompt: which clauses it has, of what parts of the picture they speak, and what they have settled."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from workers.backends.caption_cleaning import clean_caption
from workers.backends.caption_parsing import parse_caption
from workers.backends.clauses import Clause, caption_clauses, join
from workers.backends.contradictions import contradicts, stances
from workers.backends.phrases import Filled, Mentions
from workers.backends.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from workers.backends.brief_sets import Family
    from workers.backends.contradictions import Stances
    from workers.backends.phrases import Phrase
    from workers.backends.protocol import PromptRequest

#: Ranks: the caption's first part (0) outlives the brief, that the style, that the rest of the caption, that the details.
_BRIEF, _STYLE, _CAPTION, _DETAIL = 1, 2, 3, 1000

#: After so many details comes a word on how it is painted, and after so many another.
_FINISH_AFTER = (4, 7)
_MOST_FINISHES = len(_FINISH_AFTER)

#: So many details, and briefs of a family, are weighed against each other.
_BRIEFS_CONSIDERED = 2
_CONSIDERED = 6
#: One of so many is taken: equal captions are not to get equal prompts.
_BEST = 2

#: Slots that repeat a part of the caption word by word: each once in a prompt.
_ONCE = frozenset({"action", "where"})

_SCENE = "{scene}"


class Draft:
    """A prompt in the making, drawn from a request's seed."""

    def __init__(self, request: PromptRequest) -> None:
        self.rng = random.Random(request.seed)
        self.redactor = Redactor(artist=request.artist, title=request.title)
        # A caption of an earlier campaign may have the captioner's faults; what is taken out of it may leave another half sentence.
        scene = parse_caption(clean_caption(self.redactor.clean(clean_caption(request.caption))))
        self.mentions = Mentions(scene=scene)
        self.clauses: list[Clause] = []
        self._caption_words = frozenset(scene.text.casefold().replace(",", " ").split())
        self._own_style = style_clause(request.style)
        self._settled: set[str] = set()
        self._said: Stances = stances(f"{scene.text}, {request.style}")

    def harmless(self, text: str) -> bool:
        """Whether a text names neither artist nor title."""
        return not self.redactor.mentions(text)

    def bind(self, families: Sequence[Family]) -> Family:
        """Draw a family and one of its briefs, and put the caption into it; the family is returned."""
        for family in self.rng.sample(families, len(families)):
            drawn = [family.draw_phrase(self.rng, self._allows(family), self.mentions) for _ in range(_BRIEFS_CONSIDERED)]
            found = [pair for pair in drawn if pair is not None]
            if found:
                self._open(family, *max(found, key=lambda pair: self._share_of_caption(pair[1].text)))
                return family
        # No brief suits this picture: caption, style and details have to do.
        family = self.rng.choice(families)
        self._open(family, None, Filled(text=""))
        return family

    def extend(self, family: Family, count: Callable[[str], int], wanted: int) -> None:
        """Add details and finishes while that brings the length nearer to what is wanted."""
        length = count(join(self.clauses))
        for phrase, filled in self._further(family):
            longer = [*self.clauses, Clause(text=filled.text, rank=_DETAIL + len(self.clauses))]
            grown = count(join(longer))
            if abs(grown - wanted) >= abs(length - wanted):
                break
            self.clauses, length = longer, grown
            self._take(phrase, filled)

    def last_resorts(self) -> Iterator[str]:
        """What can stand alone where not even the caption's first part fits, the most telling first."""
        subject = self.mentions.scene.subject
        yield from (subject.phrase, subject.noun) if subject else ()
        yield from (clause.text for clause in self.clauses if clause.rank in {_STYLE, _BRIEF})

    def _further(self, family: Family) -> Iterator[tuple[Phrase, Filled]]:
        """Details by what they say about the picture, and now and then a finish."""
        details = self.rng.sample(family.details, len(family.details))
        finishes = self.rng.sample(family.finish, len(family.finish))
        added = finished = 0
        # Where the style is named less need be said about how it is painted.
        styled = any(clause.rank == _STYLE for clause in self.clauses)
        while details or finishes:
            due = finished < _MOST_FINISHES and added >= _FINISH_AFTER[finished] + styled
            pool = finishes if due else details
            found = self._pick(pool, family)
            if found is not None:
                added, finished = added + (pool is details), finished + (pool is finishes)
                yield found
            elif due:
                finished = _MOST_FINISHES
            elif finished >= _MOST_FINISHES:
                return
            else:
                added = _FINISH_AFTER[finished] + styled

    def _pick(self, pool: list[Phrase], family: Family) -> tuple[Phrase, Filled] | None:
        """Of a pool one of the phrases that say most about the picture, among the first few that name most of what was not named yet.

        It leaves the pool, and so does what can not be said any more.
        """
        allows = self._allows(family)
        found: list[tuple[Phrase, Filled]] = []
        for phrase in sorted(filter(self.mentions.suit, pool), key=lambda phrase: -self.mentions.news(phrase)):
            filled = self.mentions.fill(phrase, family.words, self.rng)
            if filled is None or not allows(phrase, filled):
                pool.remove(phrase)
                continue
            found.append((phrase, filled))
            if len(found) == _CONSIDERED:
                break
        if not found:
            return None
        found.sort(key=lambda pair: -self._share_of_caption(pair[1].text))
        best = self.rng.choice(found[:_BEST])
        pool.remove(best[0])
        return best

    def _share_of_caption(self, text: str) -> float:
        """How many of a text's words are the caption's."""
        words = text.casefold().split()
        return sum(word in self._caption_words for word in words) / len(words)

    def _open(self, family: Family, brief: Phrase | None, filled: Filled) -> None:
        """Begin with the brief around the caption, and the style where it is kept."""
        text = filled.text if _SCENE in filled.text or not filled.text else f"{_SCENE}, {filled.text}"
        before, _, after = text.partition(_SCENE)
        caption = caption_clauses(self.mentions.scene.text, rank=_CAPTION)
        if caption and before.strip():
            first = caption[0]
            caption[0] = Clause(text=first.text, rank=first.rank, glue=", " if before.rstrip().endswith(",") else " ")
        pieces = [Clause(text=before.strip(" ,"), rank=_BRIEF), *caption, Clause(text=after.strip(" ,"), rank=_BRIEF)]
        keeps = family.keeps_style if brief is None or brief.keeps_style is None else brief.keeps_style
        if keeps and not family.restyles:
            pieces.append(Clause(text=self.redactor.clean(self._own_style), rank=_STYLE))
        self.clauses = [piece for piece in pieces if piece.text]
        if brief is not None:
            self._take(brief, filled)

    def _allows(self, family: Family) -> Callable[[Phrase, Filled], bool]:
        def allows(phrase: Phrase, filled: Filled) -> bool:
            axes = filled.axes | _repeated(phrase)
            if axes & self._settled or not self.harmless(filled.text):
                return False
            if family.restyles:  # its styles and colours are what it is for, whatever the original says
                return not (self._own_style and self._own_style in filled.text)
            return not contradicts(self._said, stances(filled.text))

        return allows

    def _take(self, phrase: Phrase, filled: Filled) -> None:
        self._settled |= filled.axes | _repeated(phrase)
        self._said |= stances(filled.text)
        self.mentions.note(filled)


def style_clause(style: str) -> str:
    """A catalogue's style as words: "Post_Impressionism" to "in the manner of Post Impressionism"; empty for none."""
    words = " ".join(style.replace("_", " ").split())
    return f"in the manner of {words}" if words else ""


def _repeated(phrase: Phrase) -> set[str]:
    return {name for name, _ in phrase.slots} & _ONCE
