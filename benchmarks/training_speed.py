"""Training a head at full size beside pytorch-metric-learning and sentence-transformers, on the same vectors in the same run.

    python benchmarks/training_speed.py [--triplets 57000] [--epochs 20] [--rounds 1] [--batch 256] [--loss contrastive] [--only NAME ...]

All train the same head (512 -> 512 -> 512 with BatchNorm, ReLU and dropout) by AdamW on the same triplets of the same vectors in batches of
the same size, each in a process of its own, one after the other in every round:

- `paragone`: the training loop as `paragone train` runs it, with its checkpoint after every epoch.
- `pml-nt-xent`, `pml-triplet-margin`: `NTXentLoss` and `TripletMarginLoss` (on cosines) of pytorch-metric-learning over the triplets of the
  batch, in a bare loop.
- `st-mnrl-trainer`: `MultipleNegativesRankingLoss` in sentence-transformers' own Trainer; `st-mnrl-loop`: the same loss in the bare loop.

Printed: the median of seconds and triplets/s, how many times as long as Paragone each took (more is better for Paragone), and the most
memory that its process held, of which `before` was there before training: interpreter, libraries, vectors. Needed: no ratio below 1, and
20 epochs under 160 s on two cores.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW

from trainer.data.triplet_indices import TripletIndices
from trainer.fit.config import TrainingConfig
from trainer.fit.loop import TrainingLoop
from trainer.heads.mlp import MlpHead

if TYPE_CHECKING:
    from collections.abc import Callable

DIMENSION = 512
#: Triplets drawn for each repaint, and repaints of each original, as in a campaign of two levels.
PER_REPAINT, LEVELS = 4, 2
NEEDED_SECONDS = 160.0


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """Unit vectors, and triplets as rows of them."""

    vectors: Tensor
    #: (3, N): anchors, positives, negatives.
    rows: Tensor

    @classmethod
    def drawn(cls, triplets: int) -> TrainingSet:
        """Repaints near their originals; each repaint with other originals as its negatives."""
        random = np.random.default_rng(0)
        repaints = max(2, triplets // PER_REPAINT)
        originals = max(2, repaints // LEVELS)
        clean = random.normal(size=(originals, DIMENSION)).astype(np.float32)
        owner = np.arange(repaints) % originals
        noisy = clean[owner] + random.normal(scale=0.7, size=(repaints, DIMENSION)).astype(np.float32)
        vectors = np.concatenate([clean, noisy])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        repaint = np.repeat(np.arange(repaints), PER_REPAINT)
        negative = (owner[repaint] + random.integers(1, originals, len(repaint))) % originals
        return cls(vectors=torch.from_numpy(vectors), rows=torch.from_numpy(np.stack([owner[repaint], originals + repaint, negative])))

    def indices(self, count: int | None = None) -> TripletIndices:
        """The first `count` triplets as the training loop takes them."""
        anchors, positives, negatives = (row[:count].numpy() for row in self.rows)
        return TripletIndices(
            anchors=anchors,
            positives=positives,
            negatives=negatives,
            levels=np.full(len(anchors), "radical"),
            groups=anchors,
            group_of_row={int(row): int(row) for row in np.unique(anchors)},
        )


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What all contenders are given."""

    epochs: int
    batch: int
    #: Paragone's loss.
    loss: str

    @property
    def config(self) -> TrainingConfig:
        """As `paragone train` would have it, but without early stopping."""
        return TrainingConfig(epochs=self.epochs, patience=self.epochs, batch_size=self.batch, loss=self.loss)


def main() -> None:
    parser = argparse.ArgumentParser(description="Training a head beside pytorch-metric-learning and sentence-transformers.")
    parser.add_argument("--triplets", type=int, default=57_000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--loss", default="contrastive", help="Paragone's loss")
    parser.add_argument("--only", nargs="*", choices=list(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--child", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        _measure(given.child, given.triplets, Recipe(epochs=given.epochs, batch=given.batch, loss=given.loss))
        return
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in given.only}
    for number in range(given.rounds):
        for name in given.only:
            measured[name].append(_in_own_process(name))
            print(f"round {number + 1}, {name}: {measured[name][-1]['seconds']:.1f} s", flush=True)
    _print_table(measured, given.triplets * given.epochs)


def _in_own_process(name: str) -> dict[str, float]:
    command = [sys.executable, __file__, *sys.argv[1:], "--child", name]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    facts: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return facts


def _measure(name: str, triplets: int, recipe: Recipe) -> None:
    torch.manual_seed(0)
    training = TrainingSet.drawn(triplets)
    train = CONTENDERS[name](training, recipe)
    before = _peak_mb()
    began = time.perf_counter()
    train()
    print(json.dumps({"seconds": time.perf_counter() - began, "peak": _peak_mb(), "before": before}))


def _print_table(measured: dict[str, list[dict[str, float]]], triplets: int) -> None:
    median = {name: {key: statistics.median(one[key] for one in rounds) for key in rounds[0]} for name, rounds in measured.items()}
    ours = median.get("paragone", {}).get("seconds")
    print(f"{triplets:,} triplets in all, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"{'':20} {'seconds':>8} {'triplets/s':>11} {'times ours':>11} {'peak MB':>8} {'before':>8}")
    for name, facts in median.items():
        ratio = f"{facts['seconds'] / ours:.2f}" if ours else ""
        pace = triplets / facts["seconds"]
        print(f"{name:20} {facts['seconds']:8.1f} {pace:11,.0f} {ratio:>11} {facts['peak']:8.0f} {facts['before']:8.0f}")
    if ours:
        slower = [name for name, facts in median.items() if facts["seconds"] < ours]
        print("needed: no peer is faster: " + (f"NO, {', '.join(slower)}" if slower else "yes"))
        print(
            f"needed: 57,000 triplets x 20 epochs under {NEEDED_SECONDS:.0f} s on 2 cores: at this pace {ours * 1_140_000 / triplets:.0f} s"
        )


def _paragone(training: TrainingSet, recipe: Recipe) -> Callable[[], object]:
    folder = tempfile.TemporaryDirectory()
    loop = TrainingLoop(
        recipe.config,
        vectors=training.vectors.numpy(),
        train=training.indices(),
        validation=training.indices(0),
        directory=Path(folder.name),
        triplet_hash="benchmark",
    )

    def train() -> None:
        with folder:
            loop.run()

    return train


def _bare_loop(training: TrainingSet, recipe: Recipe, head: nn.Module, loss: Callable[[Tensor], Tensor]) -> None:
    """What a tutorial's loop does; `loss` gets the (3, n, 512) vectors of a batch."""
    optimizer = AdamW(head.parameters(), lr=recipe.config.learning_rate, weight_decay=recipe.config.weight_decay)
    head.train()
    for _ in range(recipe.epochs):
        for chosen in torch.split(torch.randperm(training.rows.shape[1]), recipe.batch):
            value = loss(training.vectors[training.rows[:, chosen]])
            optimizer.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            optimizer.step()


def _pml(make: Callable[[], Any]) -> Callable[[TrainingSet, Recipe], Callable[[], object]]:
    def prepare(training: TrainingSet, recipe: Recipe) -> Callable[[], object]:
        head, criterion = MlpHead(), make()

        def loss(vectors: Tensor) -> Tensor:
            count = vectors.shape[1]
            anchors = torch.arange(count)
            value: Tensor = criterion(head(vectors.flatten(0, 1)), indices_tuple=(anchors, anchors + count, anchors + 2 * count))
            return value

        return lambda: _bare_loop(training, recipe, head, loss)

    return prepare


def _nt_xent() -> Any:
    from pytorch_metric_learning.losses import NTXentLoss

    return NTXentLoss(temperature=0.1)


def _triplet_margin() -> Any:
    from pytorch_metric_learning.distances import CosineSimilarity
    from pytorch_metric_learning.losses import TripletMarginLoss

    return TripletMarginLoss(margin=0.2, distance=CosineSimilarity())


class HeadOnFeatures(nn.Module):
    """The head as a module of sentence-transformers."""

    def __init__(self) -> None:
        super().__init__()
        self.head = MlpHead()

    def forward(self, features: dict[str, Tensor], **_: Any) -> dict[str, Tensor]:
        """Replace the vectors by those of the head."""
        return {**features, "sentence_embedding": self.head(features["sentence_embedding"])}


def _mnrl_loop(training: TrainingSet, recipe: Recipe) -> Callable[[], object]:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    model = SentenceTransformer(modules=[HeadOnFeatures()], device="cpu")
    criterion = MultipleNegativesRankingLoss(model, scale=10.0)

    def loss(vectors: Tensor) -> Tensor:
        value: Tensor = criterion([{"sentence_embedding": one} for one in vectors], None)
        return value

    return lambda: _bare_loop(training, recipe, model, loss)


@dataclass
class RowCollator:
    """Rows of the data set to the vectors that sentence-transformers' Trainer hands to its model."""

    vectors: Tensor
    valid_label_columns: tuple[str, ...] = ("label",)

    def __call__(self, rows: list[dict[str, int]]) -> dict[str, Tensor]:
        """One matrix a column."""
        columns = ("anchor", "positive", "negative")
        return {f"{name}_sentence_embedding": self.vectors[torch.tensor([row[name] for row in rows])] for name in columns}


def _mnrl_trainer(training: TrainingSet, recipe: Recipe) -> Callable[[], object]:
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    model = SentenceTransformer(modules=[HeadOnFeatures()], device="cpu")
    folder = tempfile.TemporaryDirectory()
    columns = dict(zip(("anchor", "positive", "negative"), training.rows.numpy(), strict=True))
    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            output_dir=folder.name,
            num_train_epochs=recipe.epochs,
            per_device_train_batch_size=recipe.batch,
            learning_rate=recipe.config.learning_rate,
            weight_decay=recipe.config.weight_decay,
            use_cpu=True,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_dict(columns),
        loss=MultipleNegativesRankingLoss(model, scale=10.0),
        data_collator=RowCollator(training.vectors),
    )

    def train() -> None:
        with folder:
            trainer.train()

    return train


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


CONTENDERS: dict[str, Callable[[TrainingSet, Recipe], Callable[[], object]]] = {
    "paragone": _paragone,
    "pml-nt-xent": _pml(_nt_xent),
    "pml-triplet-margin": _pml(_triplet_margin),
    "st-mnrl-trainer": _mnrl_trainer,
    "st-mnrl-loop": _mnrl_loop,
}


if __name__ == "__main__":
    main()
