"""A chat model with random weights: of the real classes, a few kilobytes, whose answers are random plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: Turns by role, and the beginning of the answer.
TEMPLATE = "{% for message in messages %}{{ message.role }} {{ message.content }} {{ eos_token }} {% endfor %}assistant"


def save_tiny_chat(directory: Path, *, seed: int = 0, template: str | None = TEMPLATE) -> Path:
    """Write model and tokenizer to the directory, and return it."""
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    from workers.backends.tiny_words import CAPTION_WORDS, word_tokenizer

    tokenizer = word_tokenizer(CAPTION_WORDS)
    tokenizer.chat_template = template
    tokenizer.model_max_length = 4096
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=4096, initializer_range=0.3, **sizes, **ids)
        model = LlamaForCausalLM(config).eval()
    specials = [index for index in tokenizer.all_special_ids if index != tokenizer.eos_token_id]
    # It never learned to end an answer.
    words = {"suppress_tokens": specials, "min_new_tokens": 6, "forced_eos_token_id": tokenizer.eos_token_id}
    model.generation_config = GenerationConfig(**words, **ids)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory
