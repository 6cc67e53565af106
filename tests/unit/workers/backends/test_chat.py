"""The chat model of the real class, tiny and random."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import torch

from tests.builders.generator_tokenizer import save_generator_tokenizer
from tests.builders.tiny_chat import save_tiny_chat
from workers.backends import ModelSource, PromptRequest, PromptResult
from workers.backends.answers import Conversation, Message
from workers.backends.chat import ChatPrompts, SeededSampling
from workers.backends.errors import ModelUnavailable
from workers.backends.settings import ChatSettings, CountedBy

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_generator_tokenizer(tmp_path_factory.mktemp("generator"))


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> ChatPrompts:
    return loaded(save_tiny_chat(tmp_path_factory.mktemp("chat")))


def loaded(directory: Path) -> ChatPrompts:
    backend = ChatPrompts(model=ModelSource(location=str(directory)), device="cpu")
    backend.load()
    return backend


def settings(generator: Path, **changed: Any) -> ChatSettings:
    facts: dict[str, Any] = {"max_tokens": 75, "target_tokens": 55, "brief_set": ("radical",), "max_new_tokens": 16, "ask_again": 0}
    return ChatSettings(**{**facts, "counted_by": CountedBy(model=str(generator)), **changed})


def request(seed: int) -> PromptRequest:
    facts = {"caption": "a harbour with boats", "style": "Realism", "artist": "Berthe Morisot", "title": "Lorient", "level": "radical"}
    return PromptRequest(seed=seed, **facts)


def texts(results: Any) -> list[str]:
    return [result.text for result in results]


def by_model(results: Any) -> list[PromptResult]:
    return [result for result in results if result.writing is not None and not result.writing["fallback"]]


def test_it_writes_prompts_that_are_counted_by_the_generator(chat: ChatPrompts, generator: Path) -> None:
    used = settings(generator)
    results = chat.run([request(seed) for seed in range(8)], used)

    assert chat.revision.startswith("sha256:")
    assert len(by_model(results)) >= 6
    count = chat._counters.of(used)
    assert all(result.tokens == count(result.text) <= 75 for result in results)
    assert len(set(texts(results))) == 8
    assert all(result.writing is not None and result.writing["writer"] == "chat" for result in results)


def test_equal_requests_in_equal_batches_give_equal_prompts_whatever_torch_draws_meanwhile(chat: ChatPrompts, generator: Path) -> None:
    batch = [request(seed) for seed in range(4)]
    first = chat.run(batch, settings(generator))
    torch.rand(5)
    before = torch.random.get_rng_state()

    assert texts(chat.run(batch, settings(generator))) == texts(first)
    assert torch.equal(torch.random.get_rng_state(), before), "the global generator is left alone"


def test_an_answer_follows_its_own_seed_and_not_its_batch(chat: ChatPrompts, generator: Path) -> None:
    together = chat.run([request(1), request(2), request(3)], settings(generator))

    assert texts(chat.run([request(2)], settings(generator))) == [together[1].text]


def test_rows_of_different_length_are_padded_in_front(chat: ChatPrompts, generator: Path) -> None:
    short = Conversation(messages=(Message(role="user", content="a boat"),), seed=1)
    long = Conversation(messages=(Message(role="user", content="a boat under a red sky with a ship and a bridge"),), seed=1)
    greedy = settings(generator, temperature=0.0)

    assert chat._ask([short, long], greedy)[0] == chat._ask([short], greedy)[0]


def test_without_temperature_the_likeliest_words_are_taken(chat: ChatPrompts, generator: Path) -> None:
    same = [Conversation(messages=(Message(role="user", content="a boat"),), seed=seed) for seed in (1, 2)]

    first, second = chat._ask(same, settings(generator, temperature=0.0))
    assert first == second
    one, two = chat._ask(same, settings(generator, temperature=1.5))
    assert one != two


def test_an_answer_that_reaches_its_limit_is_not_finished(tmp_path: Path, generator: Path) -> None:
    import json

    directory = save_tiny_chat(tmp_path)
    facts = json.loads((directory / "generation_config.json").read_text())
    del facts["forced_eos_token_id"]
    facts["suppress_tokens"].append(facts["eos_token_id"])
    (directory / "generation_config.json").write_text(json.dumps(facts))

    answers = loaded(directory)._ask([Conversation(messages=(Message(role="user", content="a boat"),), seed=1)], settings(generator))
    assert [answer.finished for answer in answers] == [False]


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="has no chat template: name a model that was trained to answer"):
        loaded(save_tiny_chat(tmp_path, template=None))


def test_a_folder_without_a_model_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelUnavailable, match=re.escape(str(tmp_path))) as refusal:
        loaded(tmp_path)
    assert "\n" not in str(refusal.value)


def test_a_generator_without_a_tokenizer_is_refused(chat: ChatPrompts, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="holds no model of this kind"):
        chat.count_with(settings(tmp_path))


def test_prompts_longer_than_the_generator_reads_are_refused(chat: ChatPrompts, generator: Path) -> None:
    assert chat.count_with(settings(generator)).startswith("sha256:")
    with pytest.raises(ModelUnavailable, match=r"prompt\.max_tokens is 76, but .* reads 75 tokens"):
        chat.count_with(settings(generator, max_tokens=76))


def test_a_generator_with_a_longer_tokenizer_beside_clip_s_takes_longer_prompts(chat: ChatPrompts, tmp_path: Path) -> None:
    from workers.backends.tiny_words import CAPTION_WORDS, clip_tokenizer, word_tokenizer

    clip_tokenizer().save_pretrained(tmp_path / "tokenizer")
    longer = word_tokenizer(CAPTION_WORDS)
    longer.model_max_length = 512
    longer.save_pretrained(tmp_path / "tokenizer_2")

    used = settings(tmp_path, max_tokens=300, target_tokens=200)
    chat.count_with(used)
    assert chat._counters.of(used)("a boat under a bridge") == 5, "words are its tokens"


def test_a_summariser_that_is_named_shortens(chat: ChatPrompts, generator: Path, tmp_path: Path) -> None:
    from transformers import BartConfig, BartForConditionalGeneration

    from workers.backends.tiny_words import CAPTION_WORDS, word_tokenizer

    words = word_tokenizer(CAPTION_WORDS)
    ids = {"bos_token_id": words.bos_token_id, "eos_token_id": words.eos_token_id, "pad_token_id": words.pad_token_id}
    sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    config = BartConfig(
        vocab_size=len(words), encoder_ffn_dim=32, decoder_ffn_dim=32, decoder_start_token_id=ids["eos_token_id"], **sizes, **ids
    )
    BartForConditionalGeneration(config).eval().save_pretrained(tmp_path)
    words.save_pretrained(tmp_path)
    used = settings(generator, summarizer=str(tmp_path), max_tokens=20)

    shorter = chat._summarise(used, "a boat under a bridge, a red sky over the sea")

    assert len(shorter.split()) <= 20
    assert chat._summarise(used, "a boat under a bridge, a red sky over the sea") == shorter
    with pytest.raises(ModelUnavailable, match="no model directory"):
        chat._summarise(settings(generator, summarizer="/nowhere/at/all"), "a boat")


def test_seeded_sampling_draws_from_the_softmax() -> None:
    scores = torch.tensor([2.0, 1.0, 0.0, -1.0])
    sampling = SeededSampling(list(range(4000)), "cpu", temperature=2.0, top_p=1.0)
    drawn = sampling(torch.zeros(4000, 1, dtype=torch.long), scores.repeat(4000, 1)).argmax(dim=-1)

    shares = torch.bincount(drawn, minlength=4) / 4000
    assert torch.allclose(shares, (scores / 2.0).softmax(dim=-1), atol=0.03)


def test_seeded_sampling_leaves_out_what_lies_beyond_top_p() -> None:
    scores = torch.tensor([2.0, 1.9, -3.0, -4.0])
    sampling = SeededSampling(list(range(500)), "cpu", temperature=1.0, top_p=0.9)
    drawn = sampling(torch.zeros(500, 1, dtype=torch.long), scores.repeat(500, 1)).argmax(dim=-1)

    assert set(drawn.tolist()) == {0, 1}
