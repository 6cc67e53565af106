from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from db.training import Split
from trainer.errors import LeakingSplit
from trainer.finetune.seen import SEEN, check_unseen

if TYPE_CHECKING:
    from pathlib import Path


def test_a_split_may_test_only_what_the_fine_tuned_clip_has_not_seen(tmp_path: Path) -> None:
    clip = str(tmp_path / "clip")
    check_unseen(clip, {"g1": Split.TEST})
    check_unseen("openai/clip-vit-base-patch32", {"g1": Split.TEST})
    (tmp_path / SEEN).write_text(json.dumps(["g1", "g2"]))

    check_unseen(clip, {"g1": Split.TRAIN, "g2": Split.VALIDATION, "g3": Split.TEST})
    with pytest.raises(LeakingSplit, match="1 artworks that this split tests, such as g2"):
        check_unseen(clip, {"g1": Split.TRAIN, "g2": Split.TEST, "g3": Split.TEST})
