"""Prompts composed from caption, style and a drawn brief: the writer that needs no model, only the generator's own tokenizer.

A prompt is the caption bound into a brief, the style where the brief keeps it, and details until about `target_tokens` are reached.
Details are
about the parts of the picture, those first of which nothing was said yet. Everything is drawn from the request's seed: equal requests give
equal prompts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workers.backends.brief_sets import choose_families
from workers.backends.clauses import join, shorten
from workers.backends.drafting import Draft
from workers.backends.protocol import ModelSource, PromptRequest, PromptResult
from workers.backends.settings.compose import ComposeSettings
from workers.backends.sources import TOKENIZER_2_FILES, loading, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workers.backends.settings.base import BackendSettings

#: How far a prompt's own target lies from `target_tokens`, as a share of it: lengths vary as written prompts do, and with the caption's.
_SPREAD = 0.1
_LEAST_SHARE, _MOST_SHARE = 0.88, 1.15
#: By how much of its own share of the target a caption lengthens its prompt, from this share on.
_GROWTH, _BRIEF_CAPTION = 0.5, 0.1

#: What is left where neither caption nor brief may be said.
_LAST_RESORTS = ("a painting", "an image", "colour on canvas")


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
    draft = Draft(request)
    family = draft.bind(choose_families(settings.brief_set))
    draft.extend(family, count, _wanted(draft, count, settings))

    def fits(text: str) -> bool:
        return count(text) <= settings.max_tokens and draft.harmless(text)

    whole = join(draft.clauses)
    text = join(shorten(draft.clauses, fits)) or next(filter(fits, (*draft.last_resorts(), *_LAST_RESORTS)), "")
    # Names and titles are kept out of the draft as well: it is shown and searched like the prompt.
    written = whole if draft.harmless(whole) else text
    return PromptResult(draft=written, text=text, draft_tokens=count(written), tokens=count(text), brief=family.name)


def _wanted(draft: Draft, count: Callable[[str], int], settings: ComposeSettings) -> int:
    """About how many tokens this prompt is to have: more for a picture of which the caption says more."""
    told = count(draft.mentions.scene.text) / settings.target_tokens
    share = min(_MOST_SHARE, _LEAST_SHARE + _GROWTH * max(0.0, told - _BRIEF_CAPTION))
    return max(1, round(settings.target_tokens * (share + draft.rng.uniform(-_SPREAD, _SPREAD))))
