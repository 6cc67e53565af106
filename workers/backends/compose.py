"""Prompts composed from caption, style and a drawn brief: the writer that needs no model, only the generator's own tokenizer.

A prompt is the caption bound into a brief, the style where the brief keeps it, and details until about `target_tokens` are reached. Details are
about the parts of the picture, those first of which nothing was said yet. Everything is drawn from the request's seed: equal requests give
equal prompts.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, ClassVar

from workers.backends.brief_sets import choose_families
from workers.backends.caption_cleaning import clean_caption
from workers.backends.caption_parsing import parse_caption
from workers.backends.clauses import Clause, caption_clauses, join, shorten
from workers.backends.contradictions import contradicts, stances
from workers.backends.phrases import Filled, Mentions
from workers.backends.protocol import ModelSource, PromptRequest, PromptResult
from workers.backends.redaction import Redactor
from workers.backends.settings.compose import ComposeSettings
from workers.backends.sources import TOKENIZER_2_FILES, loading, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workers.backends.brief_sets import Family
    from workers.backends.contradictions import Stances
    from workers.backends.phrases import Phrase
    from workers.backends.settings.base import BackendSettings

#: How far a prompt's own target lies from `target_tokens`, as a share of it: lengths vary as written prompts do, and with the caption's.
_SPREAD = 0.1
_CAPTION_SHARE = 0.5
_LEAST_SHARE, _MOST_SHARE = 0.84, 1.12

#: Ranks: the caption's first part (0) outlives the brief, that the style, that the rest of the caption, that the details.
_BRIEF, _STYLE, _CAPTION, _DETAIL = 1, 2, 3, 1000

#: After so many details comes a word on how it is painted; so many of these at most.
_DETAILS_A_FINISH, _MOST_FINISHES = 2, 2

_LAST_RESORT = "a painting"


class ComposedPrompts:
    """Writes prompts without a language model. Its `ModelSource` is the generator's, of which `tokenizer_2` alone is loaded.

    Above `max_tokens` whole clauses are dropped, the least informative first.
    """

    needs_device: ClassVar[bool] = False
    settings_type: ClassVar[type[BackendSettings]] = ComposeSettings

    def __init__(self, *, model: ModelSource, device: str) -> None:
        self.source = model
        self.device = device
        self.revision = ""
        self._tokenizer: Any = None

    def load(self) -> None:
        """Load the generator's tokenizer. Raises `ModelUnavailable`."""
        from transformers import CLIPTokenizer

        found = resolve(self.source, TOKENIZER_2_FILES)
        with loading(self.source):
            self._tokenizer = CLIPTokenizer.from_pretrained(found.directory / "tokenizer_2", local_files_only=True)
        self.revision = found.revision

    def run(self, batch: Sequence[PromptRequest], settings: ComposeSettings) -> Sequence[PromptResult]:
        """One prompt for each request."""
        return [compose(request, self.count, settings) for request in batch]

    def unload(self) -> None:
        """Forget the tokenizer."""
        self._tokenizer = None

    def count(self, text: str) -> int:
        """Tokens of a text without begin and end."""
        return len(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def compose(request: PromptRequest, count: Callable[[str], int], settings: ComposeSettings) -> PromptResult:
    """Draft a prompt and shorten it to `max_tokens` as `count` counts them."""
    draft = _Draft(request)
    family = draft.bind(choose_families(settings.brief_set))
    draft.extend(family, count, _wanted(draft, count, settings))

    def fits(text: str) -> bool:
        return count(text) <= settings.max_tokens and draft.harmless(text)

    clauses = draft.clauses
    text = join(shorten(clauses, fits))
    if not text:
        subject = draft.mentions.scene.subject
        names = (subject.phrase, subject.noun) if subject else ()
        text = next(filter(fits, (*names, *(clause.text for clause in clauses if clause.rank in {_STYLE, _BRIEF}), _LAST_RESORT)), "")
    # Names and titles are kept out of the draft as well: it is shown and searched like the prompt.
    written = join(clauses) if draft.harmless(join(clauses)) else text
    return PromptResult(draft=written, text=text, draft_tokens=count(written), tokens=count(text), brief=family.name)


def style_clause(style: str) -> str:
    """A catalogue's style as words: "Post_Impressionism" to "in the manner of Post Impressionism"; empty for none."""
    words = " ".join(style.replace("_", " ").split())
    return f"in the manner of {words}" if words else ""


def _wanted(draft: _Draft, count: Callable[[str], int], settings: ComposeSettings) -> int:
    """About how many tokens this prompt is to have: more for a picture of which the caption says more."""
    target = settings.target_tokens
    told = count(draft.mentions.scene.text) / target
    share = min(_MOST_SHARE, _LEAST_SHARE + _CAPTION_SHARE * max(0.0, told - 0.1))
    return max(1, round(target * (share + draft.rng.uniform(-_SPREAD, _SPREAD))))


class _Draft:
    """A prompt in the making: its clauses, what they speak of, and what they have settled."""

    def __init__(self, request: PromptRequest) -> None:
        self.rng = random.Random(request.seed)
        self.redactor = Redactor(artist=request.artist, title=request.title)
        # The captioner's own faults first: a caption of an earlier campaign may have them.
        scene = parse_caption(self.redactor.clean(clean_caption(request.caption)))
        self.mentions = Mentions(scene=scene)
        self.own_style = style_clause(request.style)
        self.caption = caption_clauses(scene.text, rank=_CAPTION)
        self.clauses: list[Clause] = []
        self._settled: set[str] = set()
        self._said: Stances = stances(f"{scene.text}, {request.style}")

    def harmless(self, text: str) -> bool:
        """Whether a text names neither artist nor title."""
        return not self.redactor.mentions(text)

    def bind(self, families: Sequence[Family]) -> Family:
        """Draw a family and one of its briefs, and put the caption into it."""
        for family in self.rng.sample(families, len(families)):
            drawn = family.draw_phrase(self.rng, lambda phrase, text, of=family: self._allowed(phrase, text, of), self.mentions)
            if drawn is not None:
                self._open(family, *drawn)
                return family
        # Nothing suits: the caption and the style have to do.
        self._open(families[0], None, Filled(text="", named=()))
        return families[0]

    def extend(self, family: Family, count: Callable[[str], int], wanted: int) -> None:
        """Add details and finishes while that brings the length nearer to what is wanted."""
        details, finishes = list(family.details), self.rng.sample(family.finish, len(family.finish))
        self.rng.shuffle(details)
        added = finished = 0
        while details or finishes:
            finishing = finished < _MOST_FINISHES and added >= _DETAILS_A_FINISH * (finished + 1)
            pool = finishes if finishing or not details else details
            found = self._next(pool, family)
            if found is None:
                pool.clear()
                if finishing or finished >= _MOST_FINISHES:
                    finished = _MOST_FINISHES
                continue
            phrase, filled = found
            longer = [*self.clauses, Clause(text=filled.text, rank=_DETAIL + len(self.clauses))]
            if abs(count(join(longer)) - wanted) >= abs(count(join(self.clauses)) - wanted):
                break
            self._take(phrase, filled)
            self.clauses = longer
            added, finished = added + (pool is details), finished + (pool is finishes)
            if pool is finishes and finished > _MOST_FINISHES and not details:
                break

    def _next(self, pool: list[Phrase], family: Family) -> tuple[Phrase, Filled] | None:
        """The phrase of a pool that names most of what was not named yet; it leaves the pool."""
        suited = sorted((phrase for phrase in pool if self.mentions.suit(phrase)), key=lambda phrase: -self.mentions.news(phrase))
        for phrase in suited:
            pool.remove(phrase)
            filled = self.mentions.fill(phrase, family.words, self.rng)
            if filled and self._allowed(phrase, filled.text, family):
                return phrase, filled
        return None

    def _open(self, family: Family, phrase: Phrase | None, filled: Filled) -> None:
        brief = filled.text
        before, _, after = brief.partition("{scene}") if "{scene}" in brief else ("", "", f", {brief}" if brief else "")
        front = [Clause(text=before.rstrip(" ,"), rank=_BRIEF)] if before.strip(" ,") else []
        glue = ", " if before.rstrip().endswith(",") else " "
        caption = [Clause(text=clause.text, rank=clause.rank, glue=clause.glue or glue) for clause in self.caption]
        lead = "" if not after else ", " if after.startswith(",") else " "
        back = [Clause(text=after.lstrip(" ,"), rank=_BRIEF, glue=lead)] if after.strip(" ,") else []
        keeps = phrase.keeps_style if phrase is not None and phrase.keeps_style is not None else family.keeps_style
        style = self.redactor.clean(self.own_style) if keeps or phrase is None else ""
        self.clauses = [*front, *caption, *back, *([Clause(text=style, rank=_STYLE)] if style else [])]
        if phrase is not None:
            self._take(phrase, filled)

    def _allowed(self, phrase: Phrase, text: str, family: Family) -> bool:
        if phrase.axes & self._settled or not self.harmless(text) or contradicts(self._said, stances(text)):
            return False
        return not (family.restyles and self.own_style and self.own_style in text)

    def _take(self, phrase: Phrase, filled: Filled) -> None:
        self._settled |= phrase.axes
        self._said |= stances(filled.text)
        self.mentions.note(filled)
