"""Counting a prompt's tokens as the generator that will read it does: by the tokenizer with most room, a T5's where there is one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from workers.backends.errors import ModelUnavailable
from workers.backends.protocol import ModelSource
from workers.backends.sources import loading, resolve

if TYPE_CHECKING:
    from workers.backends.settings.base import PromptSettings

#: Of a generator its tokenizers alone: `tokenizer`, `tokenizer_2`, `tokenizer_3`.
TOKENIZER_FILES = ("tokenizer*/*",)

#: What transformers writes where a tokenizer knows no limit, and everything beyond.
_NO_LIMIT = 1_000_000


class TokenCounter:
    """The tokenizer of one generator."""

    def __init__(self, source: ModelSource) -> None:
        """Load it. Raises `ModelUnavailable`."""
        from transformers import AutoTokenizer

        found = resolve(source, TOKENIZER_FILES)
        folders = sorted(folder for folder in found.directory.glob("tokenizer*") if folder.is_dir())
        with loading(source):
            tokenizers: list[Any] = [AutoTokenizer.from_pretrained(folder, local_files_only=True) for folder in folders]
        if not tokenizers:
            raise ModelUnavailable(f"{source.location} has no folder tokenizer or tokenizer_2: name a generator in the form of diffusers")
        self._tokenizer = max(tokenizers, key=_room)  # of equals the first
        #: The generator, for people.
        self.name = source.location
        #: The commit or the hash of the tokenizers.
        self.revision = found.revision

    @property
    def longest(self) -> int:
        """Tokens that the generator reads of a prompt, without begin and end."""
        return _room(self._tokenizer)

    def __call__(self, text: str) -> int:
        """Tokens of a text without begin and end."""
        return len(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def check(self, settings: PromptSettings) -> None:
        """Raise `ModelUnavailable` if prompts of these settings would be cut off."""
        if settings.max_tokens > self.longest:
            raise ModelUnavailable(
                f"prompt.max_tokens is {settings.max_tokens}, but {self.name} reads {self.longest} tokens: open a campaign with no more"
            )


class TokenCounters:
    """The tokenizers of the generators that a writer writes for, each loaded once. Any thread may call it."""

    def __init__(self) -> None:
        self._counters: dict[ModelSource, TokenCounter] = {}
        self._lock = threading.Lock()

    def of(self, settings: PromptSettings) -> TokenCounter:
        """The one of these settings, whose prompts it has room for. Raises `ModelUnavailable`."""
        if settings.counted_by is None:
            raise ModelUnavailable("no generator is named whose tokenizer counts: give prompt.model the language model")
        source = ModelSource(location=settings.counted_by.model, revision=settings.counted_by.revision)
        with self._lock:
            if source not in self._counters:
                self._counters[source] = TokenCounter(source)
            counter = self._counters[source]
        counter.check(settings)
        return counter


def _room(tokenizer: Any) -> int:
    return min(int(tokenizer.model_max_length), _NO_LIMIT) - int(tokenizer.num_special_tokens_to_add(pair=False))
