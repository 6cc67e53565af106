"""`paragone score` as a person types it, with tiny random models and with the pocket models, which know what they see."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from db.models_directory import pocket_directory
from db.quality import repaints_to_score, scores_of
from db.settings import Settings
from db.tables import artworks, captions, images, prompts, scores, variations
from producer.samples.painter import paint
from tests.builders.classifier import saved_classifier
from tests.integration.trainer.conftest import OpenRuntime, call
from trainer.commands.score import score
from trainer.data.dataset import load_dataset
from trainer.errors import ScoringImpossible
from trainer.model_sources import clip_source
from trainer.quality import scoring_run
from trainer.quality.similarity import Similarity
from trainer.report import write_report
from trainer.report.gather import gather_report
from workers.backends.clip import ClipEmbedder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from db.engine import Database
    from db.quality import RepaintScore, ScorableRepaint
    from tests.integration.trainer.conftest import Filled

ALWAYS = ("similarity", "prompt_agreement", "near_duplicates")


@pytest.fixture
def filled(sqlite_database: Database, fill: Callable[..., Filled], tiny_models: Path) -> Filled:
    """Five artworks with ten repaints."""
    return fill(sqlite_database, count=5, styles=3, models=tiny_models)


@pytest.fixture
def runtime(filled: Filled, tmp_path: Path) -> OpenRuntime:
    return OpenRuntime(settings=Settings(data_dir=tmp_path / "data"), database=filled.database, store=filled.store)


def by_level(filled: Filled, name: str) -> dict[str, list[float]]:
    """The values of a score by level, each in the order of the artworks."""
    query = (
        select(variations.c.level, scores.c.value)
        .join(images, images.c.variation_id == variations.c.id)
        .join(scores, scores.c.image_id == images.c.id)
        .where(scores.c.name == name)
        .order_by(images.c.artwork_id)
    )
    found: dict[str, list[float]] = {}
    with filled.database.read() as connection:
        for level, value in connection.execute(query):
            found.setdefault(level, []).append(value)
    return found


def change(filled: Filled, statement: Any) -> None:
    with filled.database.engine.begin() as connection:
        connection.execute(statement)


def test_everything_is_measured_once_and_shown_by_level(runtime: OpenRuntime, filled: Filled) -> None:
    printed = call(score, runtime)
    assert printed["scored"] == dict.fromkeys(ALWAYS, 10)
    assert printed["untrained_models"] is True
    assert {(one["name"], one["level"], one["count"]) for one in printed["scores"]} == {
        (name, level, 5) for name in (*ALWAYS, "duplicate") for level in ("moderate", "radical")
    }
    assert all(one["revision"].startswith("sha256:") for one in printed["scores"])
    assert [one["where"] for one in printed["filters"][::2]] == ["similarity > 0.97", "prompt_agreement < 0.2", "duplicate"]
    assert all(one["fit"] + one["kept"] == one["repaints"] == 5 for one in printed["filters"])

    assert call(score, runtime)["scored"] == dict.fromkeys(ALWAYS, 0)
    assert call(score, runtime, "--again")["scored"] == dict.fromkeys(ALWAYS, 10)


def test_only_what_is_of_another_revision_or_described_anew_is_measured(runtime: OpenRuntime, filled: Filled) -> None:
    chosen = ("--scorer", "similarity", "--scorer", "caption_agreement")
    assert call(score, runtime, *chosen)["scored"] == {"similarity": 10, "caption_agreement": 10}
    first, second, *_ = sorted(scores_of(filled.database, filled.campaign.id, "similarity"))
    change(filled, update(scores).where(scores.c.image_id == first, scores.c.name == "similarity").values(revision="another"))
    later = {"text": "something else", "created_at": captions.c.created_at + 3600}
    change(filled, update(captions).where(captions.c.image_id.in_([first, second])).values(later))

    assert call(score, runtime, *chosen)["scored"] == {"similarity": 1, "caption_agreement": 2}


def test_training_finds_the_vectors_that_scoring_computed(runtime: OpenRuntime, filled: Filled, tiny_models: Path) -> None:
    call(score, runtime, "--scorer", "similarity")
    clip = clip_source(tiny_models)
    embedder = ClipEmbedder(model=clip, device="cpu")
    assert load_dataset(filled.database, filled.store, filled.campaign, embedder=embedder, clip=clip).embeddings.computed == 0


def test_what_was_measured_before_an_interruption_is_kept(runtime: OpenRuntime, filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    whole = Similarity.score

    def interrupted(self: Similarity, repaints: list[ScorableRepaint]) -> list[RepaintScore]:
        if seen:
            raise KeyboardInterrupt
        seen.extend(one.image_id for one in repaints)
        return whole(self, repaints)

    monkeypatch.setattr(scoring_run, "repaints_to_score", partial(repaints_to_score, at_once=4))
    with monkeypatch.context() as cut:
        cut.setattr(Similarity, "score", interrupted)
        with pytest.raises(KeyboardInterrupt):
            scoring_run.score_campaign(filled.database, filled.store, filled.campaign, scoring_run.ScoringOptions(scorers=("similarity",)))
    assert sorted(scores_of(filled.database, filled.campaign.id, "similarity")) == seen
    assert len(seen) == 4

    assert call(score, runtime, "--scorer", "similarity")["scored"] == {"similarity": 6}


def test_a_limit_bounds_each_scorer_and_leaves_out_those_that_need_all(runtime: OpenRuntime) -> None:
    printed = call(score, runtime, "--limit", 3)
    assert printed["scored"] == {"similarity": 3, "prompt_agreement": 3}
    assert printed["notes"] == ["near_duplicates: left out, it needs every repaint: run it without --limit"]
    assert call(score, runtime, "--limit", 3)["scored"] == {"similarity": 3, "prompt_agreement": 3}
    assert sum(one["count"] for one in call(score, runtime, "--limit", 9)["scores"]) == 20


def test_an_image_that_cannot_be_read_is_told_and_the_others_go_on(runtime: OpenRuntime, filled: Filled) -> None:
    with filled.database.read() as connection:
        gone = connection.scalar(select(images.c.id).order_by(images.c.id).limit(1))
    change(filled, update(images).where(images.c.id == gone).values(content_hash="f" * 64))

    printed = call(score, runtime)

    assert printed["scored"] == dict.fromkeys(ALWAYS, 9)
    assert list(printed["unreadable"]) == ["f" * 64]
    assert sum(one["unscored"] for one in printed["filters"] if one["where"] == "similarity > 0.97") == 1


def test_prompts_longer_than_clip_reads_are_counted(runtime: OpenRuntime, filled: Filled) -> None:
    long = " ".join(["red"] * 500)
    change(filled, update(prompts).where(prompts.c.id.in_(select(prompts.c.id).limit(2))).values(text=long))
    (note,) = call(score, runtime, "--scorer", "prompt_agreement")["notes"]
    assert note.startswith("prompt_agreement: 2 of 10 prompts are longer than the ")


def test_named_classifiers_are_asked_and_their_revision_is_kept(runtime: OpenRuntime, filled: Filled, tmp_path: Path) -> None:
    nsfw = saved_classifier(tmp_path / "nsfw", {"normal": 0.0, "nsfw": 2.0})
    aesthetic = saved_classifier(tmp_path / "aesthetic", {"LABEL_0": 5.5})

    printed = call(score, runtime, "--scorer", "similarity", "--nsfw", nsfw, "--aesthetic", aesthetic)

    assert printed["scored"] == {"similarity": 10, "nsfw": 10, "aesthetic": 10}
    figures = {one["name"]: one for one in printed["scores"]}
    assert figures["nsfw"]["mean"] == pytest.approx(0.8808, abs=1e-3)
    assert figures["aesthetic"]["mean"] == pytest.approx(5.5, abs=1e-3)
    assert figures["nsfw"]["model"] == str(nsfw)
    assert figures["nsfw"]["revision"].startswith("sha256:")
    assert [one["fit"] for one in printed["filters"] if one["where"] == "nsfw >= 0.5"] == [5, 5]
    assert call(score, runtime, "--nsfw", nsfw, "--scorer", "nsfw")["scored"] == {"nsfw": 0}


def test_given_filters_are_shown_instead_of_the_suggested_ones(runtime: OpenRuntime) -> None:
    printed = call(score, runtime, "--where", "similarity >= -1 and level = radical", "--where", "nsfw > 0")
    assert [(one["where"], one["fit"], one["unscored"]) for one in printed["filters"]] == [
        ("similarity >= -1 and level = radical", 0, 0),
        ("similarity >= -1 and level = radical", 5, 0),
        ("nsfw > 0", 0, 5),
        ("nsfw > 0", 0, 5),
    ]


def test_for_people_scores_and_filters_are_tables(runtime: OpenRuntime) -> None:
    printed = CliRunner().invoke(score, [], obj=runtime)
    assert printed.exit_code == 0, printed.output
    assert "studies: measured now: similarity 10, prompt_agreement 10, near_duplicates 10" in printed.stdout
    assert "prompt_agreement < 0.2  radical" in printed.stdout
    assert "never trained" in printed.stdout


@pytest.mark.parametrize("wrong", [("--scorer", "none"), ("--where", "similarty > 1"), ("--limit", "0")])
def test_a_wrong_option_exits_with_2(wrong: tuple[str, str]) -> None:
    assert CliRunner().invoke(score, list(wrong), obj=None).exit_code == 2


def test_a_scorer_without_its_model_and_a_campaign_without_repaints_are_refused(runtime: OpenRuntime, filled: Filled) -> None:
    with pytest.raises(ScoringImpossible, match="name an image classifier with --nsfw MODEL"):
        call(score, runtime, "--scorer", "nsfw")
    change(filled, update(images).values(current=False))
    with pytest.raises(ScoringImpossible, match="'studies' has no repaints to score yet"):
        call(score, runtime)


def test_the_report_shows_the_scores_if_there_are_any(runtime: OpenRuntime, filled: Filled, tmp_path: Path) -> None:
    def page() -> str:
        content = gather_report(filled.database, filled.store, filled.campaign, counts={}, untrained=False)
        return write_report(content, tmp_path / "report").page.read_text(encoding="utf-8")

    assert "prompt_agreement" not in page()
    call(score, runtime)
    assert "<td>prompt_agreement</td><td>radical</td>" in page()


@pytest.fixture
def painted(sqlite_database: Database, fill: Callable[..., Filled]) -> Filled:
    """Eight painted artworks: moderate repaints are the originals themselves, radical ones show the next artwork."""
    filled = fill(sqlite_database, count=8, styles=4, models=pocket_directory())
    paintings = [paint(77, index, 128) for index in range(8)]
    hashes = []
    for painting in paintings:
        buffer = io.BytesIO()
        painting.image.convert("RGB").save(buffer, "JPEG", quality=92)
        hashes.append(filled.store.put(buffer.getvalue()))
    with filled.database.engine.begin() as connection:
        for number, artwork in enumerate(connection.scalars(select(artworks.c.id).order_by(artworks.c.id)).all()):
            connection.execute(update(artworks).where(artworks.c.id == artwork).values(content_hash=hashes[number]))
            mine = select(variations.c.id).where(variations.c.artwork_id == artwork)
            connection.execute(update(prompts).where(prompts.c.variation_id.in_(mine)).values(text=paintings[number].sentence))
            for level, shown in (("moderate", number), ("radical", (number + 1) % 8)):
                one = mine.where(variations.c.level == level)
                connection.execute(update(images).where(images.c.variation_id.in_(one)).values(content_hash=hashes[shown]))
    return filled


@pytest.mark.slow(reason="runs the pocket CLIP")
def test_a_clip_that_knows_the_pictures_tells_repaints_apart(painted: Filled, tmp_path: Path) -> None:
    runtime = OpenRuntime(settings=Settings(data_dir=tmp_path / "data"), database=painted.database, store=painted.store)

    printed = call(score, runtime)

    similarity, agreement = by_level(painted, "similarity"), by_level(painted, "prompt_agreement")
    assert similarity["moderate"] == pytest.approx([1.0] * 8, abs=1e-4), "nothing changed"
    assert max(similarity["radical"]) < 0.97, "other pictures"
    own_prompt_is_nearer = [own > other for own, other in zip(agreement["moderate"], agreement["radical"], strict=True)]
    assert sum(own_prompt_is_nearer) >= 7, agreement
    assert by_level(painted, "duplicate")["radical"] == [1.0] * 8, "each is another artwork's original"
    groups = by_level(painted, "near_duplicates")
    assert groups["radical"] == [*groups["moderate"][1:], groups["moderate"][0]]
    assert [(one["level"], one["fit"]) for one in printed["filters"] if one["where"] == "similarity > 0.97"] == [
        ("moderate", 8),
        ("radical", 0),
    ]


SOURCE = '''
from typing import ClassVar
from db.quality import RepaintScore


class Brevity:
    """How short the prompt is."""

    whole_campaign: ClassVar[bool] = False
    reads_captions: ClassVar[bool] = False

    def __init__(self, context):
        self.model, self.revision, self.notes = "counting", "1", []

    def load(self):
        """Nothing to load."""

    def measure(self, repaints):
        for some in repaints:
            yield [RepaintScore(image_id=one.image_id, name="brevity", value=1 / len(one.prompt)) for one in some]

    def unload(self):
        """Nothing to free."""
'''


def test_a_third_partys_scorer_is_chosen_by_its_name_and_filters_know_it(
    runtime: OpenRuntime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = tmp_path / "site" / "brief-1.0.dist-info"
    metadata.mkdir(parents=True)
    (tmp_path / "site" / "brief_scorer.py").write_text(SOURCE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: brief\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[paragone.scorers]\nbrevity = brief_scorer:Brevity\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))

    printed = call(score, runtime, "--scorer", "brevity", "--where", "brevity > 0.0001")

    assert printed["scored"] == {"brevity": 10}
    assert [one["fit"] for one in printed["filters"]] == [5, 5]
