from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from db.campaigns import CampaignConfig, parse_config
from producer.export.toml_text import toml_text

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
PLAIN = st.one_of(
    TEXT, st.integers(-(2**62), 2**62), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.lists(TEXT, max_size=3)
)
TABLES = st.dictionaries(TEXT, st.recursive(PLAIN, lambda inner: st.dictionaries(TEXT, inner, max_size=3), max_leaves=8), max_size=5)


def test_a_campaign_written_as_toml_is_the_same_campaign() -> None:
    config = CampaignConfig(
        seed=7, levels={"moderate": 0.25, "radical": 0.75}, caption={"settings": {"prompt": 'a "quoted" text', "beams": 3}}
    )
    again = parse_config(tomllib.loads(toml_text(config.model_dump(mode="json"))))
    assert again == config
    assert again.config_hash == config.config_hash


@given(TABLES)
def test_whatever_json_holds_comes_back_from_the_toml(settings: dict[str, object]) -> None:
    assert _without_empty(tomllib.loads(toml_text(settings))) == _without_empty(settings)


def _without_empty(value: object) -> object:
    """Empty tables are not written: a default stands for them."""
    if not isinstance(value, dict):
        return value
    return {name: _without_empty(inner) for name, inner in value.items() if not isinstance(inner, dict) or _without_empty(inner)}
