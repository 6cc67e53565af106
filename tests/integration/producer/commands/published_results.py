"""Results that somebody published: originals, repaints and the CSV that lists them, and the command that takes them in."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw
from sqlalchemy import func, select

from db.campaigns import find_campaign
from db.results.pairs import Repaint, repaints

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.producer.commands.conftest import Operator

PUBLISHED = ("original_image", "prompt_complete", "prompt_compressed", "generated_image")


def painting(number: int, size: tuple[int, int] = (96, 64), *, hue: int = 0) -> Image.Image:
    """A picture that no other number gives, and that is neither dark nor plain anywhere."""
    image = Image.linear_gradient("L").resize(size).point(lambda value: 90 + value // 2).convert("RGB")
    draw = ImageDraw.Draw(image)
    for step in range(6):
        left, top = (number * 13 + step * 17) % size[0], (number * 7 + step * 11) % size[1]
        draw.ellipse((left - 9, top - 9, left + 9, top + 9), fill=(80 + (number * 31 + hue) % 170, 90 + step * 25, 200 - step * 15))
    return image


def saved(image: Image.Image, path: Path, **how: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=92, **how)


def letterboxed(image: Image.Image, size: int) -> Image.Image:
    """As the scripts of published sets do it: sides rounded down, centred on black."""
    scale = min(size / image.width, size / image.height)
    content = image.resize((int(image.width * scale), int(image.height * scale)), Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", (size, size), (0, 0, 0))
    canvas.paste(content, ((size - content.width) // 2, (size - content.height) // 2))
    return canvas


@dataclass
class Published:
    """A registered catalogue, and a folder in which its repaints were published."""

    operator: Operator
    folder: Path
    rows: list[dict[str, str]] = field(default_factory=list)
    columns: tuple[str, ...] = PUBLISHED

    def register(self, count: int = 4, size: tuple[int, int] = (96, 64)) -> None:
        rows = []
        for number in range(count):
            path = f"Baroque/painter-{number}_work-number-{number}.jpg"
            saved(painting(number, size), self.folder / "originals" / path)
            rows.append(f"{path},painter {number},['Baroque'],work-number-{number},train\n")
        (self.folder / "originals" / "classes.csv").write_text("filename,artist,genre,description,subset\n" + "".join(rows))
        self.operator.output_of("ingest", str(self.folder / "originals"))

    def published(self, name: str) -> Path:
        return self.folder / "published" / name

    def publish(self, number: int, **cells: str) -> dict[str, str]:
        """A row and its repaint, in the published layout."""
        original = f"resize768/painter-{number}_work-number-{number}_resize768.jpg"
        generated = f"SDXL/painter-{number}_work-number-{number}_generated.jpg"
        saved(letterboxed(painting(number, hue=90), 96), self.folder / "published" / generated)
        prompts = {"prompt_complete": f"Transform {number} into a city, all of it", "prompt_compressed": f"a city {number}"}
        self.rows.append({"original_image": original, "generated_image": generated, **prompts, **cells})
        return self.rows[-1]

    @property
    def file(self) -> Path:
        return self.folder / "published" / "data.csv"

    def write(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=self.columns, restval="")
            writer.writeheader()
            writer.writerows(self.rows)

    def take_in(self, *more: str) -> Any:
        self.write()
        return self.operator.json_of("import-results", str(self.file), *more)

    def repaints(self, campaign: str = "imported") -> list[Repaint]:
        return repaints(self.operator.database, find_campaign(self.operator.database, campaign).id)

    def count(self, table: Any, *conditions: Any) -> int:
        with self.operator.database.read() as connection:
            return int(connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0)


def outcomes(report: Any) -> dict[str, int]:
    assert report["unexplained"] == 0
    assert sum(report["outcomes"].values()) == report["rows"]
    return {outcome: count for outcome, count in report["outcomes"].items() if count}
