"""A planted leak of each kind is named with its pictures, and what is no leak is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from db.training import Split, Triplet
from tests.unit.trainer.audit.planted import PlantedData
from trainer.audit import AUDIT, REFUSED_AUDIT, LeakageAudit, SharedKind, SharedSeverity, keep_audit
from trainer.errors import LeakingSplit
from trainer.splits.assignment import SplitUnit

if TYPE_CHECKING:
    from pathlib import Path


def found(audit: LeakageAudit) -> list[tuple[SharedKind, SharedSeverity, int, str]]:
    return [(one.kind, one.severity, one.count, str(one.pairs[0])) for one in audit.findings]


def triplet(part: Split, anchor: int, negative: int, *, negative_hash: str = "") -> Triplet:
    facts = {"level": "moderate", "group_key": f"g{anchor:02}", "anchor_id": anchor, "anchor_hash": "", "positive_id": 0, "negative_id": 0}
    positive = f"content of k{anchor:02} moderate"
    keys = {"anchor_key": f"k{anchor:02}", "negative_key": f"k{negative:02}", "negative_hash": negative_hash}
    return Triplet(part=part, positive_hash=positive, **facts, **keys)  # type: ignore[arg-type]


def test_sides_that_share_nothing_have_no_findings() -> None:
    audit = PlantedData().audit(triplets=[triplet(Split.TRAIN, 0, 3), triplet(Split.TEST, 8, 11)])

    assert audit.findings == ()
    assert (audit.originals, audit.repaints) == (12, 24)
    assert audit.checked == (
        "groups, artists and bytes of 36 pictures",
        "embeddings of 36 pictures",
        "pixels of 0 near pairs, 0 left uncompared",
        "hashes of all originals, up to 2 bits apart",
    )
    assert audit.lines() == []


def test_a_negative_from_another_side_is_a_shared_group() -> None:
    audit = PlantedData().audit(triplets=[triplet(Split.TRAIN, 0, 9), triplet(Split.TEST, 8, 11)])

    assert found(audit)[0] == (SharedKind.GROUP, SharedSeverity.LEAK, 1, "k09 (train) and k09 (test): both of g09")


def test_a_repaint_from_another_side_is_a_shared_group_too() -> None:
    audit = PlantedData().audit(triplets=[triplet(Split.TRAIN, 0, 3, negative_hash="content of k08 radical")])

    assert found(audit)[0] == (SharedKind.GROUP, SharedSeverity.LEAK, 1, "k08 radical 0 (train) and k08 (test): both of g08")


@pytest.mark.parametrize(
    ("unit", "severity"),
    [(SplitUnit.ARTIST, SharedSeverity.LEAK), (SplitUnit.ARTWORK, SharedSeverity.WARNING), (SplitUnit.GIVEN, SharedSeverity.WARNING)],
)
def test_an_artist_on_two_sides_is_a_leak_only_where_artists_were_to_be_kept_apart(unit: SplitUnit, severity: SharedSeverity) -> None:
    data = PlantedData()
    data.artists[9] = "artist 0"

    audit = data.audit(unit=unit)

    assert found(audit) == [(SharedKind.ARTIST, severity, 1, "k00 (train) and k09 (test): both by artist 0")]
    assert bool(audit.leaks) == (unit is SplitUnit.ARTIST)


def test_unknown_artists_are_nobody() -> None:
    data = PlantedData()
    data.artists[0] = data.artists[9] = None

    assert data.audit().findings == ()


def test_equal_bytes_of_different_works_are_a_leak() -> None:
    data = PlantedData()
    data.contents["k05 radical"] = data.contents["k10"]

    assert found(data.audit()) == [
        (SharedKind.CONTENT, SharedSeverity.LEAK, 1, "k05 radical 0 (validation) and k10 (test): equal bytes content of k")
    ]


def test_a_near_duplicate_by_embedding_and_hash_is_a_leak() -> None:
    data = PlantedData()
    data.look_alike("k01", "k11", cosine=0.97, bits=8)

    assert found(data.audit()) == [
        (SharedKind.NEAR_DUPLICATE, SharedSeverity.LEAK, 1, "k01 (train) and k11 (test): cosine 0.970, 8 of 64 bits differ")
    ]


def test_a_repaint_that_looks_like_a_work_of_another_side_is_a_leak() -> None:
    data = PlantedData()
    data.look_alike("k01", "k07 moderate")

    assert [(one.kind, one.count) for one in data.audit().leaks] == [(SharedKind.NEAR_DUPLICATE, 1)]


def test_what_only_the_embedding_finds_near_is_a_warning() -> None:
    data = PlantedData()
    data.look_alike("k01", "k11", bits=9)

    assert found(data.audit()) == [
        (SharedKind.NEAR_BY_EMBEDDING, SharedSeverity.WARNING, 1, "k01 (train) and k11 (test): cosine 0.990, 9 of 64 bits differ")
    ]


def test_what_only_the_hash_finds_nearly_equal_is_a_warning() -> None:
    data = PlantedData()
    data.look_alike("k01", "k11", cosine=0.5, bits=2)

    assert found(data.audit()) == [(SharedKind.NEAR_BY_HASH, SharedSeverity.WARNING, 1, "k01 (train) and k11 (test): 2 of 64 bits differ")]


def test_a_near_duplicate_is_not_told_twice() -> None:
    data = PlantedData()
    data.look_alike("k01", "k11", bits=0)

    assert [one.kind for one in data.audit().findings] == [SharedKind.NEAR_DUPLICATE]


def test_without_pictures_nearness_is_a_warning_that_says_that_pixels_were_not_compared() -> None:
    data = PlantedData()
    data.look_alike("k01", "k11")

    audit = data.audit(pictures=False)

    assert [(one.kind, one.severity, one.pairs[0].why) for one in audit.findings] == [
        (SharedKind.NEAR_BY_EMBEDDING, SharedSeverity.WARNING, "cosine 0.990, pixels not compared")
    ]
    assert "pixels of 0 near pairs, 1 left uncompared" in audit.checked
    assert data.audit(embeddings=False, pictures=False).checked == ("groups, artists and bytes of 36 pictures",)


def test_repaints_of_one_work_and_works_of_one_side_may_look_alike() -> None:
    data = PlantedData()
    data.look_alike("k00", "k00 moderate")
    data.look_alike("k00", "k00 radical")
    data.look_alike("k01", "k02")
    data.contents["k03"] = data.contents["k02"]

    assert data.audit().findings == ()


def test_copies_of_one_work_that_drawn_triplets_part_are_one_finding() -> None:
    data = PlantedData()
    data.groups[1] = "g00"
    data.contents["k01"] = data.contents["k00"]

    audit = data.audit(triplets=[triplet(Split.TEST, 8, 1)])

    assert [(one.kind, one.count) for one in audit.leaks] == [(SharedKind.GROUP, 1), (SharedKind.ARTIST, 1)]


def test_only_what_the_embedding_finds_near_is_opened_beside_the_originals() -> None:
    data = PlantedData()
    data.look_alike("k01", "k07 radical")

    data.audit()

    assert {name for name in data.opened if " " in name} == {"k07 radical"}


def test_a_stopped_training_names_kind_count_first_pair_and_mend_in_one_line(tmp_path: Path) -> None:
    data = PlantedData()
    data.look_alike("k01", "k11")
    data.look_alike("k02", "k10")
    data.contents["k05"] = data.contents["k04"]  # one side
    data.contents["k06 radical"] = data.contents["k09 radical"]

    with pytest.raises(LeakingSplit) as caught:
        keep_audit(tmp_path, data.audit())

    assert str(caught.value) == (
        "--split 80/20 leaks between its sides, 1 x equal content, 2 x near-duplicate; the first: k06 radical 0 (validation) and "
        f"k09 radical 0 (test): equal bytes content of k (more in {tmp_path / REFUSED_AUDIT}): "
        "split by shares, such as 80/20, with --join-alike, or train all the same with --allow-leaks"
    )
    assert not (tmp_path / AUDIT).exists()
    kept = LeakageAudit.model_validate_json((tmp_path / REFUSED_AUDIT).read_text())
    assert [pair.other for finding in kept.findings for pair in finding.pairs] == ["k09 radical 0", "k11", "k10"]


def test_leaks_that_are_allowed_are_recorded_as_such(tmp_path: Path) -> None:
    data = PlantedData()
    data.look_alike("k01", "k11")
    (tmp_path / REFUSED_AUDIT).write_text("{}")

    audit = data.audit(allowed=True)
    keep_audit(tmp_path, audit)

    assert not (tmp_path / REFUSED_AUDIT).exists()
    assert json.loads((tmp_path / AUDIT).read_text())["allowed"] is True
    summary = audit.summary()
    assert (summary.leaks, summary.warnings, summary.allowed) == ({SharedKind.NEAR_DUPLICATE: 1}, {}, True)
    assert audit.lines() == ["audit: leak: 1 x near-duplicate on several sides"]
