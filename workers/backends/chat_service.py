"""Asking an OpenAI-compatible endpoint: what its answers mean, which are worth waiting for, and which are nobody's fault.

- An outage (refused, timed out, 429, 5xx) is waited for a little, then it is `EndpointUnavailable`: the batch goes back without an attempt.
- What refuses whoever asks (a wrong key, an unknown model, a cap that is spent) is `ModelUnavailable`.
- What concerns one request alone (its content is refused, the server breaks over it) is a fault of that answer: others go on.

Answers that were paid for are kept until their batch is through, so a batch that comes back asks only for what it lacks.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from workers.backends.answers import AnswerFault, ChatAnswer, Conversation, Message
from workers.backends.chat_http import NoReply, post
from workers.backends.chat_replies import FORMS, Busy, Refusal, Verdict, payload, read_reply
from workers.backends.errors import EndpointUnavailable, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workers.backends.settings.chat_endpoint import ChatEndpointSettings

#: Seconds before the second try; each further pause is twice as long, up to the longest.
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
#: Tries of a request that the server breaks over, while it answers others.
BROKEN_TRIES = 3
#: Seconds for which an answer proves that the endpoint works.
PROOF_SECONDS = 10.0
#: Seconds after which a batch goes back to the queue, with what it has kept: long before a worker's time limit.
BATCH_SECONDS = 900.0
#: Answers that are kept for batches which came back.
KEPT = 20_000
#: Times that one request may time out while others are answered.
TIMEOUTS = 3

#: Asked to see whether the endpoint answers at all.
_PROBE = Conversation(messages=(Message(role="user", content="Say yes."),), seed=0)


@dataclass(kw_only=True)
class _Timeouts:
    """How often one request was not answered in time, and since when."""

    since: float
    times: int = 0


class ChatService:
    """One model at one endpoint. Any thread may call it."""

    def __init__(self, url: str, *, model: str, key: str = "", sleep: Callable[[float], object] = time.sleep) -> None:
        """`url` is the base URL; `key` is sent to it, and never shown."""
        self.url = url.rstrip("/").removesuffix("/chat/completions")
        self._model = model
        self._key = key
        self._sleep = sleep
        self._lock = threading.Lock()
        #: Tokens that this process has spent.
        self.spent = 0
        self._form = 0
        self._form_is_known = False
        self._not_before = 0.0
        self._last_answer = -PROOF_SECONDS
        self._kept: OrderedDict[Conversation, ChatAnswer] = OrderedDict()
        self._timeouts: dict[Conversation, _Timeouts] = {}

    def ask(self, conversations: Sequence[Conversation], settings: ChatEndpointSettings, *, most_tokens: int = 0) -> list[ChatAnswer]:
        """One answer for each conversation. Raises `EndpointUnavailable`, `ModelUnavailable`."""
        stop = threading.Event()
        ends = time.monotonic() + BATCH_SECONDS
        faults: list[EndpointUnavailable | ModelUnavailable] = []

        def answer(conversation: Conversation) -> ChatAnswer:
            try:
                return self._kept_or_asked(conversation, settings, most_tokens, stop, ends)
            except (EndpointUnavailable, ModelUnavailable) as error:
                faults.append(error)
                stop.set()
                return ChatAnswer()

        with ThreadPoolExecutor(max_workers=max(1, min(settings.concurrency, len(conversations))), thread_name_prefix="chat") as pool:
            answers = list(pool.map(answer, conversations))
        if faults:
            raise next((fault for fault in faults if isinstance(fault, ModelUnavailable)), faults[0])
        return answers

    def forget(self, conversations: Sequence[Conversation]) -> None:
        """These are through: what was kept of them is not needed any more."""
        with self._lock:
            for conversation in conversations:
                self._kept.pop(conversation, None)
                self._timeouts.pop(conversation, None)

    def _kept_or_asked(
        self, conversation: Conversation, settings: ChatEndpointSettings, most_tokens: int, stop: threading.Event, ends: float
    ) -> ChatAnswer:
        with self._lock:
            kept = self._kept.get(conversation)
        if kept is not None:
            return kept
        answer = self._asked(conversation, settings, most_tokens, stop, ends)
        with self._lock:
            self._kept[conversation] = answer
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return answer

    def _asked(
        self, conversation: Conversation, settings: ChatEndpointSettings, most_tokens: int, stop: threading.Event, ends: float
    ) -> ChatAnswer:
        until = min(ends, time.monotonic() + settings.patience_seconds)
        pause, broken = FIRST_PAUSE_SECONDS, 0
        while True:
            if stop.is_set():
                self._fail("another request of the batch met an outage")
            if time.monotonic() > ends:
                self._fail(f"the batch is not through after {BATCH_SECONDS:g} s: smaller batches or more concurrency")
            self._check_cap(most_tokens)
            self._wait_as_asked(until)
            form = self._form if settings.answers == "auto" else FORMS.index(settings.answers)
            verdict = self._once(conversation, settings, form)
            if isinstance(verdict, ChatAnswer):
                return verdict
            if isinstance(verdict, Refusal):
                if verdict.next_form and self._try_next_form(settings, form):
                    continue
                return self._refused(verdict, settings)
            broken += verdict.is_broken
            wait = pause if verdict.wait is None else max(pause, verdict.wait)
            if broken >= BROKEN_TRIES or time.monotonic() + wait > until:
                return self._given_up(conversation, verdict, settings)
            self._sleep(wait)
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)

    def _once(self, conversation: Conversation, settings: ChatEndpointSettings, form: int) -> Verdict:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "paragone"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        try:
            reply = post(
                f"{self.url}/chat/completions",
                payload(conversation, settings, model=self._model, form=FORMS[form]),
                headers,
                connect_seconds=settings.connect_seconds,
                answer_seconds=settings.answer_seconds,
            )
        except NoReply as error:
            return Busy(text=str(error), timed_out=error.timed_out)
        verdict, spent = read_reply(reply, conversation, endpoint=self.url, secret=self._key)
        with self._lock:
            self.spent += spent
            if isinstance(verdict, ChatAnswer):
                self._last_answer = time.monotonic()
                self._form_is_known = self._form_is_known or form == self._form
            elif isinstance(verdict, Busy) and verdict.wait is not None:
                self._not_before = max(self._not_before, time.monotonic() + verdict.wait)
        return verdict

    def _check_cap(self, most_tokens: int) -> None:
        if most_tokens and self.spent >= most_tokens:
            raise ModelUnavailable(
                f"the cap of {most_tokens:,} tokens at {self.url} is spent by this worker process ({self.spent:,}): "
                "raise PARAGONE_PROMPT_MOST_TOKENS and start it again"
            )

    def _wait_as_asked(self, until: float) -> None:
        """Wait as long as the server asked whoever asks it, if that is worth it."""
        wait = self._not_before - time.monotonic()
        if wait <= 0:
            return
        if time.monotonic() + wait > until:
            self._fail(f"it asks to wait {wait:.0f} s")
        self._sleep(wait)

    def _try_next_form(self, settings: ChatEndpointSettings, tried: int) -> bool:
        """Whether there is a plainer form of requests than the one that was tried, which this server may accept."""
        with self._lock:
            if settings.answers != "auto" or self._form_is_known:
                return False
            if self._form == tried:
                self._form += 1
            if self._form < len(FORMS):
                return True
            self._form = 0  # it is not the form
            return False

    def _refused(self, verdict: Refusal, settings: ChatEndpointSettings) -> ChatAnswer:
        if verdict.of_everybody or not self._answers_others(settings):
            raise ModelUnavailable(verdict.text)
        return ChatAnswer(fault=AnswerFault.REFUSED)

    def _given_up(self, conversation: Conversation, verdict: Busy, settings: ChatEndpointSettings) -> ChatAnswer:
        """The answer's own fault if others are answered; else an outage."""
        its_own = self._times_out_alone(conversation) if verdict.timed_out else verdict.is_broken and self._answers_others(settings)
        if not its_own:
            self._fail(verdict.text)
        return ChatAnswer(fault=AnswerFault.BROKEN)

    def _times_out_alone(self, conversation: Conversation) -> bool:
        """Whether this one was not answered in time again and again, and others were meanwhile."""
        with self._lock:
            timeouts = self._timeouts.setdefault(conversation, _Timeouts(since=time.monotonic()))
            timeouts.times += 1
            return timeouts.times >= TIMEOUTS and self._last_answer > timeouts.since

    def _answers_others(self, settings: ChatEndpointSettings) -> bool:
        """Whether it has answered just now, or answers a harmless question."""
        if time.monotonic() - self._last_answer < PROOF_SECONDS:
            return True
        if settings.answers != "auto":
            return isinstance(self._once(_PROBE, settings, FORMS.index(settings.answers)), ChatAnswer)
        for form in [self._form] if self._form_is_known else range(len(FORMS)):
            verdict = self._once(_PROBE, settings, form)
            if isinstance(verdict, ChatAnswer):
                self._form, self._form_is_known = form, True
                return True
            if not isinstance(verdict, Refusal):
                break
        return False

    def _fail(self, cause: str) -> NoReturn:
        raise EndpointUnavailable(self.url, cause)
