from __future__ import annotations

import gzip
from importlib.metadata import files
from pathlib import Path

import pytest
import torch
from PIL import Image
from tokenizers import pre_tokenizers
from transformers import CLIPTokenizer

from workers.backends.tiny import build_tiny_models


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny models, built once."""
    return build_tiny_models(tmp_path_factory.mktemp("models"), seed=0)


@pytest.fixture(scope="session")
def real_tokenizer() -> CLIPTokenizer:
    """CLIP's own BPE of 49,408 tokens, out of the open_clip_torch wheel, which is not imported."""
    paths = [path for path in files("open_clip_torch") or [] if path.name == "bpe_simple_vocab_16e6.txt.gz"]
    lines = gzip.decompress(Path(paths[0].locate()).read_bytes()).decode().split("\n")
    merges = [tuple(line.split()) for line in lines[1 : 49152 - 256 - 2 + 1]]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet(), key=lambda letter: (ord(letter) > 255, ord(letter)))
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *map("".join, merges), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(vocab={token: index for index, token in enumerate(tokens)}, merges=merges, model_max_length=77)
    assert tokenizer("a diagram")["input_ids"] == [49406, 320, 22697, 49407]
    return tokenizer


def scene(seed: int = 0, size: tuple[int, int] = (64, 64)) -> Image.Image:
    """An image with large forms, another one for each seed."""
    bands = [Image.linear_gradient("L"), Image.radial_gradient("L"), Image.linear_gradient("L").rotate(90 * (seed % 4))]
    image = Image.merge("RGB", bands).rotate(37 * seed).resize(size)
    image.paste((40 * seed % 255, 90, 200), (size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2 + seed % 8))
    return image


@pytest.fixture
def scenes() -> list[Image.Image]:
    return [scene(seed) for seed in range(4)]
