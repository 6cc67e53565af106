"""What a fine-tuned CLIP has seen, so that no head over it is tested on that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from db.training import Split
from trainer.errors import LeakingSplit

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Beside the folder of the CLIP: what was done, and the groups that it saw.
RECORD, SEEN = "finetune.json", "seen_groups.json"


def check_unseen(clip: str, splits: Mapping[str, Split]) -> None:
    """Raise `LeakingSplit` if the CLIP in this place was fine-tuned on artworks of the test side."""
    record = Path(clip).parent / SEEN
    if not record.is_file():
        return
    tested = {group for group, side in splits.items() if side is Split.TEST}
    if leaked := sorted(tested & set(json.loads(record.read_text(encoding="utf-8")))):
        raise LeakingSplit(
            f"{clip} was fine-tuned on {len(leaked)} artworks that this split tests, such as {leaked[0]}: "
            f"use its own --split and --seed, which stand in {record.with_name(RECORD)}"
        )
