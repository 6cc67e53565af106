"""A third party's negative strategy, loss and head: installed as a distribution, chosen by option, recorded with the model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from db.settings import Settings
from tests.integration.trainer.conftest import OpenRuntime, call
from trainer.commands.evaluate import evaluate
from trainer.commands.train import train
from trainer.errors import UnknownComponent
from trainer.model_folder import load_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from db.engine import Database
    from tests.integration.trainer.conftest import Filled

SOURCE = '''
import torch
from torch import nn
from trainer.heads.siamese import SiameseHead


class OwnStyle:
    """Originals of the anchor's own style."""

    def __init__(self, pool):
        self._originals = pool.originals

    def draw(self, anchor, count, random):
        others = [one for one in self._originals if one.group_key != anchor.group_key and one.styles & anchor.styles]
        return random.sample(others, min(count, len(others)))

    def explain_empty(self, anchor):
        return "alone in its style"


class Margin:
    def __call__(self, s_plus, s_minus, t):
        return torch.relu(0.2 + s_minus - s_plus).mean()


class Linear(SiameseHead):
    def __init__(self, *, dimension, hidden, out, dropout):
        super().__init__(dimension=dimension, hidden=hidden, out=out, dropout=dropout)
        self.projection = nn.Linear(dimension, out, bias=False)

    def forward(self, vectors):
        return nn.functional.normalize(self.projection(vectors.float()), dim=-1)
'''

ENTRY_POINTS = """
[paragone.negatives]
own-style = thirdparty:OwnStyle
[paragone.losses]
margin = thirdparty:Margin
[paragone.heads]
plain-linear = thirdparty:Linear
"""

CHOSEN = ("--negative-strategy", "own-style", "--loss", "margin", "--head", "plain-linear")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with the installed distribution `thirdparty`."""
    metadata = tmp_path / "site" / "thirdparty-1.0.dist-info"
    metadata.mkdir(parents=True)
    (tmp_path / "site" / "thirdparty.py").write_text(SOURCE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: thirdparty\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    return tmp_path / "site"


@pytest.fixture
def one_style(sqlite_database: Database, fill: Callable[..., Filled], tiny_models: Path) -> Filled:
    """Fourteen artworks of one style, for which the default strategy has no negative."""
    return fill(sqlite_database, count=14, styles=1, models=tiny_models)


@pytest.mark.slow(reason="trains and evaluates")
def test_third_party_components_train_a_model_that_is_evaluated_with_them_again(
    one_style: Filled, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = OpenRuntime(settings=Settings(data_dir=tmp_path / "data"), database=one_style.database, store=one_style.store)
    with monkeypatch.context() as installed:
        installed.syspath_prepend(str(site))
        (run,) = call(train, runtime, *CHOSEN, "--epochs", 2)["runs"]
        again = call(evaluate, runtime, run["directory"])
        unseen = call(evaluate, runtime, run["directory"], "--campaign", one_style.campaign.name)
        model = load_model(tmp_path / "data/training/studies/80-20")

    saved = json.loads((tmp_path / "data/training/studies/80-20/config.json").read_text())
    assert (saved["training"]["loss"], saved["training"]["head"]) == ("margin", "plain-linear")
    assert saved["triplets"]["recipe"]["negatives"] == run["triplet_set"]["negatives"] == "own-style"
    assert list(model.head.state_dict()) == ["projection.weight"]
    assert again["scores"] == run["metrics"]["scores"]
    assert unseen["scores"][0]["triplets"] == run["triplet_set"]["triplets"]["test"]

    with pytest.raises(UnknownComponent, match=r"the head 'plain-linear'; known: .*mlp"):
        call(evaluate, runtime, run["directory"])
