"""The cleaning report as charts: columns, styles, and sizes of the originals. Matplotlib is loaded with this module only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from producer.cleaning.report import CleaningReport

GIVEN, REPAIRED, LEFT, INK, PALE = "#d5dce4", "#2a7f8e", "#d1495b", "#22303c", "#8795a1"
#: Styles with a bar of their own; the rest share one.
STYLES = 40


def draw_charts(report: CleaningReport, folder: Path) -> list[Path]:
    """Write `columns.png`, `styles.png` and, where sizes are known, `sizes.png` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = [_save(columns(report), folder / "columns.png"), _save(styles(report), folder / "styles.png")]
    if report.details["sizes"]["pixels"]:
        drawn.append(_save(sizes(report), folder / "sizes.png"))
    return drawn


def columns(report: CleaningReport) -> Figure:
    """The share of each column that was given, repaired or left, with the numbers beside it."""
    facts = report.details["columns"]
    figure, axes = _figure(len(facts), "What was missing, what was repaired, what is left")
    for position, column in enumerate(facts.values()):
        start = 0.0
        for count, colour in ((column["of"] - column["missing"], GIVEN), (column["repaired"], REPAIRED), (column["left"], LEFT)):
            share = count / max(1, column["of"])
            axes.barh(position, share, left=start, color=colour, height=0.62)
            start += share
        summary = (
            f"{column['missing']:,} missing: {column['repaired']:,} repaired, {column['left']:,} left"
            if column["missing"]
            else "nothing missing"
        )
        axes.text(1.02, position, summary, va="center", fontsize=9, color=INK if column["missing"] else PALE)
    axes.set_yticks(range(len(facts)), list(facts))
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda share, _position: f"{share:.0%}")
    handles = [axes.barh(0, 0, color=colour, label=label) for colour, label in ((GIVEN, "given"), (REPAIRED, "repaired"), (LEFT, "left"))]
    figure.legend(handles=handles, loc="outside lower left", ncols=3, frameon=False, fontsize=9)
    return figure


def styles(report: CleaningReport) -> Figure:
    """Artworks by style; those without one have another colour."""
    counts = list(report.details["styles"].items())
    shown, rest = counts[:STYLES], counts[STYLES:]
    if rest:
        shown.append((f"{len(rest)} further styles", sum(count for _, count in rest)))
    figure, axes = _figure(len(shown), f"{report.artworks:,} artworks by style")
    most = max((count for _, count in shown), default=1)
    for position, (style, count) in enumerate(shown):
        axes.barh(position, count, color=LEFT if style == "no style" else REPAIRED, height=0.7)
        axes.text(count + most * 0.01, position, f"{count:,}", va="center", fontsize=9, color=INK)
    axes.set_yticks(range(len(shown)), [style for style, _ in shown])
    axes.set_xlim(0, most * 1.12)
    axes.xaxis.set_major_formatter(lambda count, _position: f"{count:,.0f}")
    return figure


def sizes(report: CleaningReport) -> Figure:
    """Width against height of the originals; the area of a dot is the number of artworks of that size."""
    found = report.details["sizes"]
    widths, heights, times = zip(*found["pixels"], strict=True)
    source = "measured" if found["measured"] else "as the catalogue says, not measured"
    figure = _canvas(7.0, 6.4, f"Sizes of the originals in pixels ({source})")
    axes = figure.add_subplot()
    low, high = min(*widths, *heights, 10_000) * 0.8, max(*widths, *heights) * 1.25
    areas = [12 + 500 * count / sum(times) for count in times]
    axes.plot([low, high], [low, high], color=PALE, linewidth=0.8, linestyle=":", zorder=1)
    axes.scatter(widths, heights, s=areas, color=REPAIRED, alpha=0.55, linewidths=0.4, edgecolors="white", zorder=2)
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = [side for side in (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384) if low <= side <= high]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, [f"{side:,}" for side in ticks])
        axis.set_ticks([], minor=True)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect("equal")
    axes.set_xlabel("width", color=INK)
    axes.set_ylabel("height", color=INK)
    axes.grid(visible=True, color=GIVEN, linewidth=0.6, zorder=0)
    _bare(axes)
    return figure


def _figure(bars: int, title: str) -> tuple[Figure, Axes]:
    """A figure of horizontal bars, the first on top."""
    figure = _canvas(9.5, 1.6 + 0.3 * bars, title)
    axes = figure.add_subplot()
    axes.set_ylim(bars - 0.4, -0.6)
    axes.grid(visible=True, axis="x", color=GIVEN, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    _bare(axes)
    return figure, axes


def _canvas(width: float, height: float, title: str) -> Figure:
    figure = Figure(figsize=(width, height), dpi=130, layout="constrained", facecolor="white")
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK)
    return figure


def _bare(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GIVEN)
    axes.tick_params(colors=INK, labelsize=9)


def _save(figure: Figure, path: Path) -> Path:
    FigureCanvasAgg(figure)  # so that no display is needed
    figure.savefig(path)
    return path
