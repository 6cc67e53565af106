"""Prompts composed from caption, style and a drawn brief: the writer that needs no model, only the generator's own tokenizer.

A prompt is a caption, the brief, the style, and details of the brief's family until about `target_tokens` are reached. Everything is drawn
from the request's seed: equal requests give equal prompts.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, ClassVar

from workers.backends.brief_sets import choose_families
from workers.backends.clauses import Clause, caption_clauses, join, shorten
from workers.backends.protocol import ModelSource, PromptRequest, PromptResult
from workers.backends.redaction import Redactor
from workers.backends.settings.compose import ComposeSettings
from workers.backends.sources import TOKENIZER_2_FILES, loading, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workers.backends.settings.base import BackendSettings

#: How far a prompt's own target lies from `target_tokens` at most, so that lengths vary as written prompts do.
_SPREAD = 8

#: Ranks: the caption's first part (0) outlives the brief, that the style, that the rest of the caption, that the details.
_BRIEF, _STYLE, _CAPTION, _DETAIL = 1, 2, 3, 1000

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
    rng = random.Random(request.seed)
    redactor = Redactor(artist=request.artist, title=request.title)
    family = rng.choice(choose_families(settings.brief_set))

    def harmless(text: str) -> bool:
        return not redactor.mentions(text)

    caption = caption_clauses(redactor.clean(request.caption), rank=_CAPTION)
    own = style_clause(request.style)

    def another_style(text: str) -> bool:
        return harmless(text) and not (own and own in text)

    brief = Clause(text=redactor.clean(family.draw(rng, another_style if family.restyles else harmless)), rank=_BRIEF)
    style = Clause(text="" if family.restyles else redactor.clean(own), rank=_STYLE)
    draft = [clause for clause in (*caption, brief, style) if clause.text]
    wanted = max(1, settings.target_tokens + rng.randint(-_SPREAD, _SPREAD))
    for detail in family.draw_details(rng, harmless):
        longer = [*draft, Clause(text=detail, rank=_DETAIL + len(draft))]
        if abs(count(join(longer)) - wanted) >= abs(count(join(draft)) - wanted):
            break
        draft = longer

    def fits(text: str) -> bool:
        return count(text) <= settings.max_tokens and harmless(text)

    text = join(shorten(draft, fits)) or next(filter(fits, (style.text, brief.text, _LAST_RESORT)), "")
    # Names and titles are kept out of the draft as well: it is shown and searched like the prompt.
    written = join(draft) if harmless(join(draft)) else text
    return PromptResult(draft=written, text=text, draft_tokens=count(written), tokens=count(text), brief=family.name)


def style_clause(style: str) -> str:
    """A catalogue's style as words: "Post_Impressionism" to "in the manner of Post Impressionism"; empty for none."""
    words = " ".join(style.replace("_", " ").split())
    return f"in the manner of {words}" if words else ""
