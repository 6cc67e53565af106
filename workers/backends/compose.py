"""Prompts composed from caption, style and a drawn brief: the writer that needs no model, only the generator's own tokenizer.

A prompt is a caption, the brief, the style, and details of the brief's family until about `target_tokens` are reached. Everything is drawn
from the request's seed: equal requests give equal prompts.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, ClassVar

from workers.backends.brief_sets import choose_families
from workers.backends.clauses import Clause, caption_clauses, join, shorten
from workers.backends.errors import BadRequest
from workers.backends.protocol import ModelSource, PromptRequest, PromptResult
from workers.backends.redaction import Redactor
from workers.backends.settings import integer
from workers.backends.sources import TOKENIZER_2_FILES, loading, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workers.backends.protocol import Settings

#: Tokens that SDXL's text encoder reads between begin and end.
MAX_TOKENS = 75

#: About how long a prompt is made.
TARGET_TOKENS = 55

#: How far a prompt's own target lies from `target_tokens` at most, so that lengths vary as written prompts do.
_SPREAD = 8

#: Ranks: the caption's first part (0) outlives the brief, that the style, that the rest of the caption, that the details.
_BRIEF, _STYLE, _CAPTION, _DETAIL = 1, 2, 3, 1000

_LAST_RESORT = "a painting"


class ComposedPrompts:
    """Writes prompts without a language model. Its `ModelSource` is the generator's, of which `tokenizer_2` alone is loaded.

    Settings: `brief_set` (the request's level): a set of briefs, a family, or a list of these; `max_tokens` (75), above which whole clauses
    are dropped, least telling first; `target_tokens` (55).
    """

    needs_device: ClassVar[bool] = False

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

    def run(self, batch: Sequence[PromptRequest], settings: Settings) -> Sequence[PromptResult]:
        """One prompt for each request. Raises `BadRequest` for settings that name no briefs."""
        most = integer(settings, "max_tokens", MAX_TOKENS, least=4)
        target = integer(settings, "target_tokens", TARGET_TOKENS)
        return [compose(request, settings.get("brief_set"), self.count, most=most, target=target) for request in batch]

    def unload(self) -> None:
        """Forget the tokenizer."""
        self._tokenizer = None

    def count(self, text: str) -> int:
        """Tokens of a text without begin and end."""
        return len(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def compose(request: PromptRequest, brief_set: Any, count: Callable[[str], int], *, most: int, target: int) -> PromptResult:
    """Draft a prompt and shorten it to `most` tokens as `count` counts them."""
    rng = random.Random(request.seed)
    secret = Redactor(artist=request.artist, title=request.title)
    family = rng.choice(choose_families(_brief_names(brief_set, request.level)))

    def harmless(text: str) -> bool:
        return not secret.mentions(text)

    caption = caption_clauses(secret.clean(request.caption), rank=_CAPTION)
    own = style_clause(request.style)

    def another_style(text: str) -> bool:
        return harmless(text) and not (own and own in text)

    brief = Clause(text=secret.clean(family.draw(rng, another_style if family.restyles else harmless)), rank=_BRIEF)
    style = Clause(text="" if family.restyles else secret.clean(own), rank=_STYLE)
    draft = [clause for clause in (*caption, brief, style) if clause.text]
    wanted = max(1, target + rng.randint(-_SPREAD, _SPREAD))
    for detail in family.draw_details(rng, harmless):
        longer = [*draft, Clause(text=detail, rank=_DETAIL + len(draft))]
        if abs(count(join(longer)) - wanted) >= abs(count(join(draft)) - wanted):
            break
        draft = longer

    def fits(text: str) -> bool:
        return count(text) <= most and harmless(text)

    text = join(shorten(draft, fits)) or next(filter(fits, (style.text, brief.text, _LAST_RESORT)), "")
    # Names and titles are kept out of the draft as well: it is shown and searched like the prompt.
    written = join(draft) if harmless(join(draft)) else text
    return PromptResult(draft=written, text=text, draft_tokens=count(written), tokens=count(text), brief=family.name)


def style_clause(style: str) -> str:
    """A catalogue's style as words: "Post_Impressionism" to "in the manner of Post Impressionism"; empty for none."""
    words = " ".join(style.replace("_", " ").split())
    return f"in the manner of {words}" if words else ""


def _brief_names(brief_set: Any, level: str) -> str | list[str]:
    if brief_set is None:
        return level
    if isinstance(brief_set, str):
        return brief_set
    if isinstance(brief_set, (list, tuple)) and all(isinstance(name, str) for name in brief_set):
        return list(brief_set)
    raise BadRequest(f"brief_set = {brief_set!r}: give a name or a list of names")
