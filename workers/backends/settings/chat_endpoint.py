"""Settings of the prompt writer that asks an OpenAI-compatible endpoint."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from workers.backends.settings.chat import WriterSettings


class ChatEndpointSettings(WriterSettings):
    """Where the endpoint is, and how it is asked. The key stands in PARAGONE_PROMPT_API_KEY, never in a campaign."""

    #: Base URL such as https://llm.example.org/v1; empty takes PARAGONE_PROMPT_ENDPOINT. A variable that is set stands over the campaign.
    url: str = ""
    #: Requests at one time, of each batch.
    concurrency: int = Field(default=8, ge=1, le=256)
    #: Seconds until a connection must stand.
    connect_seconds: float = Field(default=10.0, gt=0, le=600)
    #: Seconds until an answer must be there as a whole.
    answer_seconds: float = Field(default=120.0, gt=0, le=1500)
    #: Seconds for which a batch waits for an endpoint that is overloaded, or that asks to wait, before it goes back to the queue.
    patience_seconds: float = Field(default=20.0, ge=0, le=600)
    #: "json" asks for answers by a JSON schema, "text" for plain ones; "auto" takes the schema where the server accepts it.
    answers: Literal["auto", "json", "text"] = "auto"
    #: Tokens, read and written, that one worker process may spend; 0 for no cap. PARAGONE_PROMPT_MOST_TOKENS stands over it.
    most_tokens: int = Field(default=0, ge=0)

    @field_validator("url")
    @classmethod
    def _url_can_be_asked(cls, value: str) -> str:
        if value and (fault := url_fault(value)):
            raise ValueError(f"it {fault}")
        return value


def url_fault(url: str) -> str:
    """What keeps it from being the base URL of an endpoint, without repeating it: it may hold a key; empty if nothing does."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no URL: write it like https://llm.example.org/v1"
    if parts.scheme not in {"http", "https"} or not host:
        return "is no URL of a server: write it like https://llm.example.org/v1"
    if parts.username or parts.password:
        return "holds a name or password: give the key in PARAGONE_PROMPT_API_KEY"
    if parts.query or parts.fragment:
        return "ends in ? or #: give the base URL alone, and a key in PARAGONE_PROMPT_API_KEY"
    return ""
