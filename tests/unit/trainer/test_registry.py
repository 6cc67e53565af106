"""Negative strategies, losses and heads by name, with a third-party distribution on the path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trainer.errors import UnknownComponent
from trainer.fit.config import TrainingConfig
from trainer.heads.mlp import MlpHead
from trainer.heads.registry import HEADS, head_named
from trainer.heads.siamese import SiameseHead
from trainer.losses.contrastive import ContrastiveLoss
from trainer.losses.registry import LOSSES
from trainer.negatives import OtherStyle
from trainer.negatives.registry import NEGATIVES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Install = Callable[[str, str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution: its module's source, its name, and its entry points."""

    def install_distribution(name: str, source: str, entry_points: str) -> None:
        site = tmp_path / name
        metadata = site / f"{name}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (site / f"{name}.py").write_text(source)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(entry_points)
        monkeypatch.syspath_prepend(str(site))

    return install_distribution


def test_the_default_components_are_registered() -> None:
    assert NEGATIVES.load("other-style") is OtherStyle
    assert LOSSES.load("contrastive") is ContrastiveLoss
    assert HEADS.load("mlp") is MlpHead


def test_every_registered_head_and_loss_can_be_built() -> None:
    config = TrainingConfig(hidden=4, out=4)
    built = {name: head_named(name, 8, config) for name in HEADS.names if name != "fused"}

    assert all(isinstance(head, SiameseHead) for head in built.values())
    assert len({type(head) for head in built.values()}) == len(built) >= 12
    assert all(callable(LOSSES.load(name)()) for name in LOSSES.names)


def test_a_third_partys_component_is_found_beside_the_default(install: Install) -> None:
    install("thirdparty_margin", "class Margin:\n    pass\n", "[paragone.losses]\nmargin = thirdparty_margin:Margin\n")

    assert {"contrastive", "margin"} <= set(LOSSES.names)
    assert LOSSES.load("margin").__name__ == "Margin"


def test_an_unknown_component_is_one_line_that_lists_the_known_ones() -> None:
    with pytest.raises(UnknownComponent) as caught:
        NEGATIVES.load("farthest")

    known = "any, generated, nearest, other-style, same-artist, same-shape, same-style"
    assert str(caught.value) == f"no installed package offers the negative strategy 'farthest'; known: {known}"


def test_a_component_offered_by_two_packages_is_refused_with_both(install: Install) -> None:
    install("thirdparty_mlp", "class Mlp:\n    pass\n", "[paragone.heads]\nmlp = thirdparty_mlp:Mlp\n")

    with pytest.raises(UnknownComponent, match=r"'mlp' is offered twice, by thirdparty_mlp:Mlp and trainer\.heads\.mlp:MlpHead"):
        HEADS.load("mlp")


def test_a_component_that_cannot_be_imported_says_why(install: Install) -> None:
    install("thirdparty_broken", "import not_installed_anywhere\n", "[paragone.heads]\nbroken = thirdparty_broken:Head\n")

    with pytest.raises(UnknownComponent, match=r"'broken' .*cannot be imported: No module named 'not_installed_anywhere'"):
        HEADS.load("broken")
