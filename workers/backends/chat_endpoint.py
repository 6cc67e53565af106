"""Prompts by a language model behind an OpenAI-compatible endpoint: vLLM, llama.cpp, or a hosted service."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, ClassVar

from workers.backends.answers import ChatAnswer, Conversation, write_prompts
from workers.backends.chat_service import ChatService
from workers.backends.errors import ModelUnavailable
from workers.backends.settings.chat_endpoint import ChatEndpointSettings, url_fault
from workers.backends.token_counter import TokenCounters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.backends.protocol import ModelSource, PromptRequest, PromptResult
    from workers.backends.settings.base import BackendSettings, PromptSettings

URL, KEY, MOST_TOKENS = "PARAGONE_PROMPT_ENDPOINT", "PARAGONE_PROMPT_API_KEY", "PARAGONE_PROMPT_MOST_TOKENS"


class ChatEndpointPrompts:
    """Writes prompts by asking an endpoint. Its `ModelSource` names the model there; `counted_by` in its settings names the generator."""

    needs_device: ClassVar[bool] = False
    settings_type: ClassVar[type[BackendSettings]] = ChatEndpointSettings

    def __init__(self, *, model: ModelSource, device: str) -> None:
        self.source = model
        self.device = device
        #: An endpoint does not tell which commit it serves.
        self.revision = ""
        self._url = self._key = ""
        self._most_tokens: int | None = None
        self._counters = TokenCounters()
        self._services: dict[str, ChatService] = {}
        self._lock = threading.Lock()

    def load(self) -> None:
        """Read what the environment says of the endpoint; nothing is asked yet. Raises `ModelUnavailable`."""
        self._url = os.environ.get(URL, "").strip()
        if self._url and (fault := url_fault(self._url)):
            raise ModelUnavailable(f"{URL} {fault}")
        self._key = os.environ.get(KEY, "").strip()
        if not self._key.isascii() or not self._key.isprintable():
            raise ModelUnavailable(f"{KEY} holds characters that no key has: write the key alone")
        most = os.environ.get(MOST_TOKENS, "").strip()
        if most and not most.isdecimal():
            raise ModelUnavailable(f"{MOST_TOKENS} is no whole number of tokens: correct it, or unset it")
        self._most_tokens = int(most) if most else None

    def count_with(self, settings: PromptSettings) -> str:
        """Load the generator's tokenizer; returns its revision. Raises `ModelUnavailable`."""
        return self._counters.of(settings).revision

    def run(self, batch: Sequence[PromptRequest], settings: ChatEndpointSettings) -> Sequence[PromptResult]:
        """One prompt for each request. Raises `EndpointUnavailable`; `ModelUnavailable` where the endpoint refuses whoever asks."""
        count = self._counters.of(settings)
        service = self._service(settings)
        asked: list[Conversation] = []
        most_tokens = settings.most_tokens if self._most_tokens is None else self._most_tokens

        def ask(conversations: Sequence[Conversation], /) -> list[ChatAnswer]:
            asked.extend(conversations)
            return service.ask(conversations, settings, most_tokens=most_tokens)

        prompts = write_prompts(batch, ask, count, settings, writer="chat-endpoint")
        service.forget(asked)
        return prompts

    def unload(self) -> None:
        """Forget the tokenizers."""
        self._counters = TokenCounters()

    def _service(self, settings: ChatEndpointSettings) -> ChatService:
        url = self._url or settings.url
        if not url:
            raise ModelUnavailable(f"no endpoint is named: set prompt.settings.url in the campaign, or {URL}")
        with self._lock:
            if url not in self._services:
                self._services[url] = ChatService(url, model=self.source.location, key=self._key)
            return self._services[url]
