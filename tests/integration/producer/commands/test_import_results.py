"""What was published elsewhere becomes finished jobs: joined, checked, accounted for, and none of it made again."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import func, select

from db.campaigns import find_campaign
from db.errors import CampaignCancelled, CampaignImported
from db.monitoring.progress import progress
from db.monitoring.work_left import work_left
from db.enums import Stage
from db.results.pairs import Repaint, repaints
from db.tables import attempts, captions, images, jobs, prompts, variations
from db.verification import verify
from producer.errors import WrongUse
from producer.results_import.errors import ResultsUnreadable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.producer.commands.conftest import Operator

PUBLISHED = ("original_image", "prompt_complete", "prompt_compressed", "generated_image")


def painting(number: int, size: tuple[int, int] = (96, 64), *, hue: int = 0) -> Image.Image:
    """A picture that no other number gives, and that is neither dark nor plain anywhere."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
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

    def publish(self, number: int, **cells: str) -> dict[str, str]:
        """A row and its repaint, in the published layout."""
        original = f"resize768/painter-{number}_work-number-{number}_resize768.jpg"
        generated = f"SDXL/painter-{number}_work-number-{number}_generated.jpg"
        saved(letterboxed(painting(number, hue=90), 96), self.folder / "published" / generated)
        row = {"original_image": original, "prompt_complete": f"Transform {number} into a city, all of it", "generated_image": generated}
        self.rows.append({**row, "prompt_compressed": f"a city {number}", **cells})
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


@pytest.fixture
def published(operator: Operator, tmp_path: Path) -> Published:
    return Published(operator=operator, folder=tmp_path)


@pytest.fixture
def on_sqlite(sqlite_operator: Operator, tmp_path: Path) -> Published:
    return Published(operator=sqlite_operator, folder=tmp_path)


def outcomes(report: Any) -> dict[str, int]:
    assert report["unexplained"] == 0
    assert sum(report["outcomes"].values()) == report["rows"]
    return {outcome: count for outcome, count in report["outcomes"].items() if count}


def test_a_published_data_set_becomes_finished_jobs(published: Published) -> None:
    # Given four registered originals, and their repaints on black bars as they were published
    published.register(4)
    for number in range(4):
        published.publish(number)

    # When they are imported
    report = published.take_in("--source", "https://example.org/data")

    # Then each row became a variation with its prompt and its repaint, done, and without its bars
    assert outcomes(report) == {"added": 4}
    assert report["canvases"] == {"letterbox": 4}
    made = published.repaints()
    assert [(one.prompt, one.caption, one.level) for one in made] == [(f"a city {number}", None, "unknown") for number in range(4)]
    assert {(one.width, one.height) for one in made} == {(96, 64)}
    assert {one.provenance["imported_from"] for one in made} == {"https://example.org/data"}
    with published.operator.database.read() as connection:
        assert set(connection.scalars(select(prompts.c.draft))) == {f"Transform {number} into a city, all of it" for number in range(4)}
        assert set(connection.execute(select(prompts.c.model, prompts.c.revision))) == {
            ("unknown", "imported from https://example.org/data")
        }
    # And everybody who asks is told that all of it is done, and that nobody made it
    status = published.operator.json_of("status")
    assert status["jobs"] == {"caption": {}, "prompt": {"done": 4}, "generate": {"done": 4}, "recaption": {}}
    assert status["stuck"] == {}
    assert progress(published.operator.database).costs.spent.gpu_hours == 0  # type: ignore[union-attr]
    assert published.count(attempts) == 0
    assert not work_left(published.operator.database, list(Stage))
    assert verify(published.operator.database, published.operator.runtime.store).is_sound


def test_importing_again_changes_nothing_and_what_changed_supersedes(published: Published) -> None:
    published.register(3)
    for number in range(3):
        published.publish(number, caption=f"a caption {number}", recaption=f"a city at night {number}")
    published.columns = (*PUBLISHED, "caption", "recaption")
    published.take_in()
    before = published.repaints()

    # When the same file is imported again
    assert outcomes(published.take_in()) == {"unchanged": 3}
    assert published.repaints() == before

    # And when one picture and one prompt are others
    saved(letterboxed(painting(7, hue=30), 96), published.folder / "published" / published.rows[1]["generated_image"])
    published.rows[2]["prompt_compressed"] = "a village"
    assert outcomes(published.take_in()) == {"superseded": 2, "unchanged": 1}

    # Then they are current, and the older ones are history
    after = published.repaints()
    assert [one.prompt for one in after] == ["a city 0", "a city 1", "a village"]
    assert [one.recaption for one in after] == [f"a city at night {number}" for number in range(3)]
    assert after[0] == before[0]
    assert after[1].pixel_hash != before[1].pixel_hash
    assert published.count(images, images.c.current.is_(False)) == 2
    assert published.count(jobs, jobs.c.state == "done") == published.count(jobs) == 3 * 4
    assert verify(published.operator.database, published.operator.runtime.store).is_sound
    assert outcomes(published.take_in()) == {"unchanged": 3}
