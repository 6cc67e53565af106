from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from workers.backends import DeviceLost, ModelSource, ModelUnavailable, OutOfMemory
from workers.backends.devices import choose_dtype, device_errors
from workers.backends.sources import DIFFUSERS_FILES, TOKENIZER_2_FILES, TRANSFORMERS_FILES, directory_revision, resolve

if TYPE_CHECKING:
    from pathlib import Path


def test_a_directory_is_known_by_the_hash_of_what_is_loaded_from_it(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    before = resolve(ModelSource(location=str(tmp_path)), TRANSFORMERS_FILES)

    (tmp_path / "README.md").write_text("not loaded")
    assert resolve(ModelSource(location=str(tmp_path)), TRANSFORMERS_FILES) == before
    assert before.revision.startswith("sha256:")
    assert len(before.revision) == len("sha256:") + 16

    (tmp_path / "model.safetensors").write_bytes(b"Weights")
    assert resolve(ModelSource(location=str(tmp_path)), TRANSFORMERS_FILES).revision != before.revision


def test_a_tokenizer_is_known_apart_from_its_pipeline(tiny: Path) -> None:
    assert directory_revision(tiny / "refiner", TOKENIZER_2_FILES) != directory_revision(tiny / "refiner", DIFFUSERS_FILES)


@pytest.mark.parametrize(
    ("location", "reason"),
    [("", "no model is named"), ("./nowhere", "no model directory"), ("/nowhere/at/all", "no model directory"), ("a b/c d", "neither")],
)
def test_a_model_that_is_nowhere_is_unavailable_with_a_way_to_fix_it(location: str, reason: str) -> None:
    with pytest.raises(ModelUnavailable, match=reason):
        resolve(ModelSource(location=location), TRANSFORMERS_FILES)


def test_an_empty_directory_holds_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="holds no model"):
        resolve(ModelSource(location=str(tmp_path)), TRANSFORMERS_FILES)


def test_without_a_network_the_hub_is_unavailable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(ModelUnavailable, match="cannot be fetched"):
        resolve(ModelSource(location="nobody/nothing"), TRANSFORMERS_FILES)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), OutOfMemory),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory: you tried to"), OutOfMemory),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), OutOfMemory),
        (MemoryError(), OutOfMemory),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), DeviceLost),
        (RuntimeError("shapes do not match"), RuntimeError),
        (ValueError("other"), ValueError),
    ],
)
def test_a_devices_errors_are_kept_apart(raised: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected) as caught, device_errors():
        raise raised

    assert type(caught.value) is expected


def test_a_real_full_memory_is_out_of_memory_and_frees_what_was_held() -> None:
    import weakref

    alive: list[weakref.ref[torch.Tensor]] = []

    def greedy() -> None:
        held = torch.zeros(1000)
        alive.append(weakref.ref(held))
        torch.empty(2**55)

    with pytest.raises(OutOfMemory), device_errors():
        greedy()

    assert alive[0]() is None


def test_auto_is_full_precision_on_the_cpu_and_unknown_formats_are_refused() -> None:
    assert choose_dtype(ModelSource(location="x"), "cpu") == torch.float32
    assert choose_dtype(ModelSource(location="x", dtype="bfloat16"), "cpu") == torch.bfloat16
    with pytest.raises(ModelUnavailable, match="int4"):
        choose_dtype(ModelSource(location="x", dtype="int4"), "cpu")
