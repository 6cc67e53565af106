"""Training curves as a PNG: every split on one plot, loss on the left, accuracy on the right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes

    from trainer.fit.history import Epoch, History

#: Colours that stay apart in print and for colour-blind eyes (Okabe and Ito, 2008).
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_INK, _GRID = "#33302b", "#e4e0d8"


def plot_splits(histories: Mapping[str, History], path: Path) -> None:
    """Write a PNG with the curves of each split: training dashed, validation solid, a dot at the epoch that was kept.

    A head in closed form has no epochs and no curve: the plot says so if there is none at all.
    """
    figure = Figure(figsize=(10, 4.2), dpi=150, layout="constrained", facecolor="white")
    loss, accuracy = figure.subplots(1, 2)
    with_epochs = {split: history for split, history in histories.items() if history.epochs}
    for (split, history), colour in zip(with_epochs.items(), _COLOURS * len(with_epochs), strict=False):
        _draw(loss, history, split, colour, "loss")
        _draw(accuracy, history, split, colour, "accuracy")
    accuracy.axhline(0.5, color="#9a948a", linewidth=1.2, linestyle=(0, (2, 2)), zorder=0)
    accuracy.annotate(
        "chance",
        (1, 0.5),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        fontsize=9,
        color="#7d766b",
    )
    accuracy.set_ylim(top=1.01)
    _style(loss, "loss")
    _style(accuracy, "triplets ranked right")
    if not with_epochs:
        loss.annotate("fitted in closed form: there are no epochs", (0.5, 0.5), xycoords="axes fraction", ha="center", color=_INK)
    loss.legend(*_legend(loss), frameon=False, fontsize=9, labelcolor=_INK)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": "paragone"})


def _draw(axes: Axes, history: History, split: str, colour: str, figure: str) -> None:
    numbers = [epoch.number for epoch in history.epochs]
    marker = "." if len(numbers) == 1 else None
    train = [_value(epoch, "train", figure) for epoch in history.epochs]
    validation = [_value(epoch, "validation", figure) for epoch in history.epochs]
    axes.plot(numbers, train, color=colour, linewidth=1.2, linestyle=(0, (4, 2)), alpha=0.65, marker=marker, label=f"{split} training")
    if not all(math.isnan(value) for value in validation):
        axes.plot(numbers, validation, color=colour, linewidth=2, marker=marker, label=f"{split} validation")
    kept = history.epochs[history.best_epoch - 1]
    value = _value(kept, "validation", figure)
    axes.plot([kept.number], [_value(kept, "train", figure) if math.isnan(value) else value], "o", color=colour, markersize=6, zorder=5)


def _value(epoch: Epoch, split: str, figure: str) -> float:
    value = getattr(epoch, f"{split}_{figure}")
    return math.nan if value is None else float(value)


def _legend(axes: Axes) -> tuple[list[object], list[str]]:
    handles, labels = axes.get_legend_handles_labels()
    return list(handles), list(labels)


def _style(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=_INK)
    axes.set_xlabel("epoch", fontsize=9, color=_INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9, length=0, colors=_INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#b9b3a8")
