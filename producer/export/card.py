"""The card of an exported data set: a README with the front matter that the hub reads, filled from the run."""

from __future__ import annotations

import json
from importlib.metadata import version
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

from db.campaigns import frozen_revision
from producer.export.formats.parquet import FEATURES, ParquetFormat
from producer.export.options import OriginalsAs
from producer.export.plan import TOKENS_PER_BIN
from producer.export.record import COLUMNS, IMAGES, ColumnKind
from producer.export.toml_text import toml_text

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Mapping

    from db.campaigns import Campaign
    from db.engine import Database
    from db.results.export_manifest import ExportManifest
    from producer.export.options import ExportOptions
    from producer.export.plan import ExportStatistics
    from producer.export.setup import ExportSetup

#: Its name in the export's folder.
CARD = "README.md"

#: Upper bounds of rows, as the hub names sizes.
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M"))
_LARGER = "10M<n<100M"
#: Characters of the longest bar of a histogram.
_BAR = 40
#: Styles that the table names; the others are counted together.
_STYLES = 40


def write_card(database: Database, setup: ExportSetup, manifest: ExportManifest) -> str:
    """The README; equal for equal rows and options."""
    campaign, options, plan = setup.campaign, setup.options, setup.plan
    statistics = plan.statistics
    rows = {side: sum(shard.rows for shard in manifest.shards if shard.split == side) for side in manifest.splits}
    text = Template((files("producer.export") / "card.md").read_text(encoding="utf-8"))
    return text.substitute(
        front_matter="\n".join(_front_matter(setup, manifest, rows)),
        name=campaign.name,
        rows=f"{manifest.rows:,}",
        groups=f"{plan.groups:,}",
        usage=setup.format.usage.replace("DEST", options.push_to or "."),
        left_out=_left_out(manifest),
        splits=_table(("split", "pairs"), rows.items()),
        split=_split(options),
        levels=_table(("level", "pairs"), sorted(statistics.levels.items())),
        styles=_table(("style", "pairs"), _most(statistics.styles)),
        columns=_table(("column", "kind", "meaning"), _columns()),
        models=_table(("stage", "model", "revision", "pairs"), _models(database, campaign, statistics)),
        size=_size(campaign, statistics),
        originals=_originals(options),
        draft_histogram=_histogram(statistics.draft_tokens),
        prompt_histogram=_histogram(statistics.prompt_tokens),
        license=_license(options),
        configuration=toml_text(manifest.config),
        command=_command(campaign, options),
        version=version("paragone"),
        seed=str(campaign.config.seed),
        snapshot=plan.snapshot,
    )


def _front_matter(setup: ExportSetup, manifest: ExportManifest, rows: Mapping[str, int]) -> Iterator[str]:
    options = setup.options
    if options.license:
        yield f"license: {json.dumps(options.license)}"
    yield f"pretty_name: {json.dumps(f'{manifest.source.campaign}: artworks and their repaints')}"
    yield "task_categories:\n- image-to-image\n- text-to-image\n- image-feature-extraction"
    yield "tags:\n- art\n- image-similarity\n- synthetic\n- paragone"
    yield f"size_categories:\n- {next((name for limit, name in _SIZES if manifest.rows < limit), _LARGER)}"
    if isinstance(setup.format, ParquetFormat):
        yield "configs:\n- config_name: default\n  data_files:"
        folder = setup.format.shard_name("", 0, 1).rpartition("/")[0]
        yield from (f"  - split: {side}\n    path: {json.dumps(f'{folder}/{side}-*'.lstrip('/'))}" for side in rows)
        yield from _dataset_info(manifest, rows)


def _dataset_info(manifest: ExportManifest, rows: Mapping[str, int]) -> Iterator[str]:
    """What `datasets` checks the files against."""
    yield "dataset_info:\n  features:"
    yield from (f"  - name: {name}\n    dtype: image" for name in IMAGES)
    for column in COLUMNS:
        feature = FEATURES[column.kind]
        kind = "list: string" if column.kind is ColumnKind.TEXTS else f"dtype: {feature['dtype']}"
        yield f"  - name: {column.name}\n    {kind}"
    yield "  splits:"
    for side, count in rows.items():
        size = sum(shard.bytes for shard in manifest.shards if shard.split == side)
        yield f"  - name: {side}\n    num_bytes: {size}\n    num_examples: {count}"
    total = sum(shard.bytes for shard in manifest.shards)
    yield f"  download_size: {total}\n  dataset_size: {total}"


def _columns() -> Iterator[tuple[str, str, str]]:
    yield from ((f"`{name}`", "image", meaning) for name, meaning in IMAGES.items())
    yield from ((f"`{column.name}`", str(column.kind), column.meaning) for column in COLUMNS)


def _models(database: Database, campaign: Campaign, statistics: ExportStatistics) -> Iterator[tuple[str, str, str, int]]:
    """Each model as the rows have it; a revision that they lack is the one that the campaign froze."""
    config = campaign.config
    named = {"caption": config.caption.backend, "recaption": config.caption.backend, "prompt": config.prompt.backend}
    for (stage, model, revision), count in sorted(statistics.models.items()):
        frozen = frozen_revision(database, campaign.id, backend=named.get(stage, ""), model=model) if not revision and model else None
        yield stage, f"`{model or 'no model'}`", f"`{revision or frozen or 'not known'}`", count


def _size(campaign: Campaign, statistics: ExportStatistics) -> str:
    widths, heights = [width for width, _ in statistics.sizes], [height for _, height in statistics.sizes]
    canvas = campaign.config.picture
    kept = canvas.format.upper() + ("" if canvas.format == "png" else f", quality {canvas.quality}")
    return (
        f"Repaints are {min(widths)} to {max(widths)} px wide and {min(heights)} to {max(heights)} px high, "
        f"made at {canvas.size} px and kept as {kept}."
    )


def _originals(options: ExportOptions) -> str:
    if options.originals is OriginalsAs.PREPARED:
        return "Originals are upright, in RGB, and have the size and the file format of their repaint."
    return "Originals are the files as they were registered, byte by byte."


def _split(options: ExportOptions) -> str:
    if options.split.catalogue:
        return (
            "The sides are those of the catalogue's own `subset`. Copies of one work stay together: a group of copies that the catalogue "
            "puts on several sides is in `train`, as are works whose subset names no side."
        )
    if options.split.percents is None:
        return "The rows are not split. Split them by `group`, or copies of one work stand on both sides."
    drawn = f"Drawn {options.split} with seed {options.split_seed}, stratified by style"
    return f"{drawn}, by groups of copies, so that no work stands on two sides."


def _left_out(manifest: ExportManifest) -> str:
    count = len(manifest.left_out)
    return (
        f"\n{count:,} further pairs are left out because one of their images could not be had; the manifest names them.\n" if count else ""
    )


def _license(options: ExportOptions) -> str:
    own = f"This data set: {options.license}." if options.license else "No licence was named for this data set: **fill this in**."
    return (
        f"{own} The licences of the originals, and those of the models above for what they made, are not known to Paragone: "
        "**look them up and fill this in** before you publish."
    )


def _command(campaign: Campaign, options: ExportOptions) -> str:
    parts = [f"paragone export DEST --campaign {campaign.name} --format {options.format} --originals {options.originals}"]
    parts.append(f"--split {options.split}" + (f" --split-seed {options.split_seed}" if options.split.percents else ""))
    parts += [f"--style {json.dumps(style, ensure_ascii=False)}" for style in options.styles]
    parts += [f"--level {level}" for level in options.levels]
    parts += [f"--limit {options.limit}"] if options.limit else []
    parts += [f"--where {json.dumps(options.where, ensure_ascii=False)}"] if options.where else []
    return " ".join([*parts, f"--rows-per-shard {options.rows_per_shard}"])


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    """By number, then name; what is rare is counted together."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(count for _, count in ordered[_STYLES:])
    return ordered[:_STYLES] + ([(f"{len(ordered) - _STYLES} others", rest)] if rest else [])


def _histogram(counts: Counter[int]) -> str:
    longest = max(counts.values())
    starts = range(min(counts), max(counts) + 1, TOKENS_PER_BIN)
    bars = {start: "#" * round(_BAR * counts[start] / longest) for start in starts}
    lines = (f"{start:4d}-{start + TOKENS_PER_BIN - 1:<4d} {counts[start]:8,d} {bar}" for start, bar in bars.items())
    return "\n".join(line.rstrip() for line in lines)


def _table(head: tuple[str, ...], rows: Iterable[Iterable[Any]]) -> str:
    def line(cells: Iterable[Any]) -> str:
        shown = (f"{cell:,}" if isinstance(cell, int) else " ".join(str(cell).split()).replace("|", "\\|") for cell in cells)
        return "| " + " | ".join(shown) + " |"

    return "\n".join([line(head), line("---" for _ in head), *map(line, rows)])
