"""Prompts by a language model that runs here: `AutoModelForCausalLM` with its chat template, in batches.

Answers are sampled by the seed of each request, so that an answer does not depend on what else is in its batch beyond rounding.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer, LogitsProcessor, LogitsProcessorList

from workers.backends.answers import ChatAnswer, Conversation, write_prompts
from workers.backends.devices import choose_dtype, device_errors, release
from workers.backends.errors import ModelUnavailable
from workers.backends.protocol import ModelSource, PromptRequest, PromptResult
from workers.backends.settings.chat import ChatSettings
from workers.backends.sources import TRANSFORMERS_FILES, loading, resolve
from workers.backends.token_counter import TokenCounters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.backends.settings.base import BackendSettings, PromptSettings

#: A chat template may lie in a file of its own.
CHAT_FILES = (*TRANSFORMERS_FILES, "*.jinja")


class ChatPrompts:
    """Writes prompts with a chat model. Its `ModelSource` is the language model's; `counted_by` in its settings names the generator."""

    needs_device: ClassVar[bool] = True
    settings_type: ClassVar[type[BackendSettings]] = ChatSettings

    def __init__(self, *, model: ModelSource, device: str) -> None:
        self.source = model
        self.device = device
        self.revision = ""
        self._model: Any = None
        self._tokenizer: Any = None
        self._counters = TokenCounters()
        self._summarizers: dict[ModelSource, tuple[Any, Any]] = {}

    def load(self) -> None:
        """Bring the model onto the device. Raises `ModelUnavailable` or `OutOfMemory`."""
        found = resolve(self.source, CHAT_FILES)
        with loading(self.source), device_errors():
            self._tokenizer = AutoTokenizer.from_pretrained(found.directory, padding_side="left", local_files_only=True)
            if not self._tokenizer.chat_template:
                raise ModelUnavailable(f"{self.source.location} has no chat template: name a model that was trained to answer (-Instruct)")
            if self._tokenizer.pad_token_id is None:
                self._tokenizer.pad_token = self._tokenizer.eos_token
            self._model = self._loaded(AutoModelForCausalLM, found.directory)
        self.revision = found.revision

    def count_with(self, settings: PromptSettings) -> str:
        """Load the generator's tokenizer; returns its revision. Raises `ModelUnavailable`."""
        return self._counters.of(settings).revision

    def run(self, batch: Sequence[PromptRequest], settings: ChatSettings) -> Sequence[PromptResult]:
        """One prompt for each request. Raises `OutOfMemory` or `TransientFailure`."""
        count = self._counters.of(settings)
        summarise = partial(self._summarise, settings) if settings.summarizer else None
        with device_errors():
            return write_prompts(
                batch, lambda conversations: self._ask(conversations, settings), count, settings, writer="chat", summarise=summarise
            )

    def unload(self) -> None:
        """Free the device."""
        self._model = self._tokenizer = None
        self._summarizers.clear()
        release()

    def _ask(self, conversations: Sequence[Conversation], settings: ChatSettings) -> list[ChatAnswer]:
        texts = [
            self._tokenizer.apply_chat_template([vars(message) for message in one.messages], tokenize=False, add_generation_prompt=True)
            for one in conversations
        ]
        # The template has written the special tokens already.
        inputs = self._tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt").to(self.device)
        inputs.pop("token_type_ids", None)
        # Sampling is ours: transformers would draw for the whole batch from the global generator.
        generation = copy.deepcopy(self._model.generation_config)
        # None would be filled in again from the model's own defaults.
        generation.update(do_sample=False, temperature=1.0, top_p=1.0, top_k=50, typical_p=1.0, num_beams=1, num_return_sequences=1)
        generation.update(max_new_tokens=settings.max_new_tokens, pad_token_id=self._tokenizer.pad_token_id)
        processors = LogitsProcessorList()
        if settings.temperature > 0:
            processors.append(SeededSampling([one.seed for one in conversations], self.device, settings.temperature, settings.top_p))
        with torch.inference_mode():
            tokens = self._model.generate(**inputs, generation_config=generation, logits_processor=processors)
        answers = tokens[:, inputs["input_ids"].shape[1] :]
        decoded: list[str] = self._tokenizer.batch_decode(answers, skip_special_tokens=True)
        ends = self._ends(generation)
        return [
            ChatAnswer(text=text, finished=len(row) < settings.max_new_tokens or any(token in ends for token in row))
            for text, row in zip(decoded, answers.tolist(), strict=True)
        ]

    def _ends(self, generation: Any) -> set[int]:
        """The tokens that end an answer, or fill the row behind its end."""
        ends = generation.eos_token_id
        found = set(ends) if isinstance(ends, list | tuple) else {ends}
        return {token for token in (*found, self._tokenizer.eos_token_id, self._tokenizer.pad_token_id) if token is not None}

    def _summarise(self, settings: ChatSettings, text: str) -> str:
        source = ModelSource(location=settings.summarizer, revision=settings.summarizer_revision, dtype=self.source.dtype)
        if source not in self._summarizers:
            found = resolve(source, TRANSFORMERS_FILES)
            with loading(source):
                tokenizer = AutoTokenizer.from_pretrained(found.directory, local_files_only=True)
                self._summarizers[source] = tokenizer, self._loaded(AutoModelForSeq2SeqLM, found.directory)
        tokenizer, model = self._summarizers[source]
        inputs = tokenizer([text], truncation=True, return_tensors="pt").to(self.device)
        inputs.pop("token_type_ids", None)
        generation = copy.deepcopy(model.generation_config)
        generation.update(do_sample=False, min_length=0, max_new_tokens=settings.max_tokens)
        with torch.inference_mode():
            tokens = model.generate(**inputs, generation_config=generation)
        return str(tokenizer.batch_decode(tokens, skip_special_tokens=True)[0])

    def _loaded(self, model_class: Any, directory: Any) -> Any:
        dtype = choose_dtype(self.source, self.device)
        model = model_class.from_pretrained(directory, dtype=dtype, use_safetensors=True, local_files_only=True, trust_remote_code=False)
        return model.to(self.device).eval()


class SeededSampling(LogitsProcessor):  # type: ignore[misc]  # transformers ships no types
    """Sampling with temperature and top-p whose draw for each row comes from that row's own seed.

    It adds Gumbel noise, after which the likeliest token is a draw from the softmax (the Gumbel-max trick, Maddison et al., 2014).
    """

    def __init__(self, seeds: Sequence[int], device: str, temperature: float, top_p: float) -> None:
        self._generators = [torch.Generator(device=device).manual_seed(seed % 2**63) for seed in seeds]
        self._temperature = temperature
        self._top_p = top_p

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:  # noqa: ARG002  # transformers' signature
        """Scores of shape (batch, vocabulary), of which the largest in each row is the draw."""
        scaled = scores.float() / self._temperature
        ordered, places = scaled.sort(dim=-1, descending=True)
        shares = ordered.softmax(dim=-1)
        beyond = shares.cumsum(dim=-1) - shares >= self._top_p  # the likeliest always stays
        kept = scaled.masked_fill(torch.zeros_like(beyond).scatter(-1, places, beyond), -torch.inf)
        noise = torch.stack([self._drawn(generator, scores.shape[-1]) for generator in self._generators])
        return kept - (-noise.log()).log()

    @staticmethod
    def _drawn(generator: torch.Generator, size: int) -> torch.Tensor:
        drawn = torch.rand(size, generator=generator, device=generator.device, dtype=torch.float32)
        return drawn.clamp(min=torch.finfo(torch.float32).tiny, max=1 - torch.finfo(torch.float32).eps)
