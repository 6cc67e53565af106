"""The seed of a variation: a hash of what it is, never of when, where or in which row."""

from __future__ import annotations

import hashlib


def variation_seed(*, campaign_seed: int, artwork_key: str, level: str, ordinal: int, redraws: int = 0) -> int:
    """A seed from 0 to 2**63 - 1, equal on every machine for the same variation of the same plan."""
    name = "\x1f".join(["paragone-seed-1", str(campaign_seed), artwork_key, level, str(ordinal), str(redraws)])
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1
