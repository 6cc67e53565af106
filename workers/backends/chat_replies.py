"""The requests of the chat completions API as OpenAI, vLLM, llama.cpp and others speak it, and what their replies mean."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workers.backends.answers import AnswerFault, ChatAnswer

if TYPE_CHECKING:
    from workers.backends.answers import Conversation
    from workers.backends.chat_http import Reply
    from workers.backends.settings.chat_endpoint import ChatEndpointSettings

#: The forms of a request, the richest first: with a JSON schema, without, and with nothing but what every server knows.
FORMS = ("json", "text", "bare")

#: HTTP statuses: nobody is served now; whoever asks is refused; the content may be at fault.
_BUSY = frozenset({408, 409, 425, 429, 502, 503, 504, 522, 524, 529})
_OF_EVERYBODY = frozenset({401, 402, 404, 405, 407, 410, 421, 426})
#: A request that a server cannot read may have a field that it does not know.
_UNREADABLE = frozenset({400, 415, 422, 501})
_FIXES = {
    401: "check PARAGONE_PROMPT_API_KEY",
    402: "pay, or name another endpoint",
    403: "check PARAGONE_PROMPT_API_KEY and what it may use",
    404: "check the URL, which mostly ends in /v1, and prompt.model",
    405: "check the URL, which mostly ends in /v1",
}
_OK, _REDIRECTS, _BROKEN = 200, range(300, 400), range(500, 600)

_SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "prompt",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"prompt": {"type": "string"}},
            "required": ["prompt"],
            "additionalProperties": False,
        },
    },
}
#: Characters of a server's own words that are shown.
_LONGEST_TEXT = 200
#: Characters for each token, where a server does not say how many it has spent.
_TOKEN_CHARACTERS = 3


@dataclass(frozen=True, kw_only=True)
class Busy:
    """No answer now; worth trying again."""

    text: str
    #: Seconds that the server asks to wait.
    wait: float | None = None
    timed_out: bool = False
    #: Whether the server broke, perhaps over this very request.
    is_broken: bool = False


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The request is refused."""

    text: str
    #: Whether another request would be too: a wrong key, an unknown model.
    of_everybody: bool = False
    #: Whether a plainer form of it may pass.
    next_form: bool = False


Verdict = ChatAnswer | Busy | Refusal


def payload(conversation: Conversation, settings: ChatEndpointSettings, *, model: str, form: str) -> bytes:
    """The body of a request."""
    body: dict[str, Any] = {"model": model, "messages": [vars(message) for message in conversation.messages]}
    if form != "bare":
        body |= {"max_tokens": settings.max_new_tokens, "temperature": settings.temperature, "top_p": settings.top_p}
        body |= {"seed": conversation.seed % 2**31, "stream": False}
    if form == "json":
        body["response_format"] = _SCHEMA
    return json.dumps(body, ensure_ascii=False).encode()


def read_reply(reply: Reply, conversation: Conversation, *, endpoint: str, secret: str) -> tuple[Verdict, int]:
    """What a reply means, and the tokens that it cost; `secret` is kept out of what is shown."""
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):  # a body that is no UTF-8 too
        document = None
    said = _said(reply, document, secret)
    if reply.status != _OK:
        return _of_status(reply, said, endpoint), 0
    answer = _answer(document)
    if answer is not None:
        return answer, _spent(document, conversation, answer)
    if document is None and "json" not in reply.content_type:
        text = f"the endpoint {endpoint} answers with {reply.content_type or 'no content type'} instead of JSON: {_FIXES[405]}"
        return Refusal(text=text), 0
    return Busy(text=f"an answer that cannot be read: {said}", is_broken=True), 0


def _of_status(reply: Reply, said: str, endpoint: str) -> Verdict:
    text = f"{reply.status} {said}".strip()
    fix = _FIXES.get(reply.status, "check prompt.model and prompt.settings")
    told = f"the endpoint {endpoint} refuses: {text}: {fix}"
    if reply.status in _REDIRECTS:
        return Refusal(text=f"the endpoint {endpoint} redirects ({reply.status}), which is not followed: {_FIXES[405]}", of_everybody=True)
    if reply.status in _OF_EVERYBODY or "insufficient_quota" in said:
        return Refusal(text=told, of_everybody=True)
    if reply.status in _BUSY:
        return Busy(text=text, wait=reply.retry_after)
    if reply.status in _UNREADABLE:
        return Refusal(text=told, next_form=True)
    if reply.status in _BROKEN:
        return Busy(text=text, wait=reply.retry_after, is_broken=True)
    return Refusal(text=told)


def _answer(document: Any) -> ChatAnswer | None:
    """The first choice of an answer; None if it is none."""
    try:
        choice = document["choices"][0]
        message = choice["message"]
        content = message.get("content")
    except (KeyError, IndexError, TypeError, AttributeError):
        return None
    ended = choice.get("finish_reason")
    if message.get("refusal") or ended == "content_filter":
        return ChatAnswer(text=str(message.get("refusal") or ""), fault=AnswerFault.REFUSAL)
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if content is not None and not isinstance(content, str):
        return None
    return ChatAnswer(text=content or "", finished=ended != "length")


def _spent(document: Any, conversation: Conversation, answer: ChatAnswer) -> int:
    usage = document.get("usage")
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    if isinstance(total, int) and total >= 0:
        return total
    return (sum(len(message.content) for message in conversation.messages) + len(answer.text)) // _TOKEN_CHARACTERS + 1


def _said(reply: Reply, document: Any, secret: str) -> str:
    """A server's own words about an error, on one line, without the key that some repeat."""
    error = document.get("error", document) if isinstance(document, dict) else None
    text = error if isinstance(error, str) else ""
    if isinstance(error, dict):
        text = " ".join(str(error[name]) for name in ("code", "message", "detail") if error.get(name))
    text = " ".join(f"{reply.reason} {text}".split())
    if secret:
        text = text.replace(secret, "***")
    return text[:_LONGEST_TEXT]
