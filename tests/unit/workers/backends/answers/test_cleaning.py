"""What is left of an answer: the prompt, and nothing that a model says around it."""

# ruff: noqa: RUF001 - these quotation marks are meant

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.backends.answers import clean_answer

PROMPT = "a lighthouse of green glass, neon rain over copper roofs, lanterns in low fog"


@pytest.mark.parametrize(
    "answer",
    [
        PROMPT,
        f"  {PROMPT}.  ",
        f'"{PROMPT}"',
        f"'{PROMPT}'",
        f"“{PROMPT}”",
        f"„{PROMPT}“",
        f"«{PROMPT}»",
        f"`{PROMPT}`",
        f'"{PROMPT}."',
        f"Prompt: {PROMPT}",
        f"prompt: {PROMPT}",
        f"**Prompt:** {PROMPT}",
        f"**Prompt**: {PROMPT}",
        f'Prompt: "{PROMPT}"',
        f'"Prompt: {PROMPT}"',
        f"Here is the prompt:\n\n{PROMPT}",
        f"Here's a prompt for you: {PROMPT}",
        f"Here’s your prompt:\n{PROMPT}",
        f"Sure, here is a prompt:\n\n{PROMPT}",
        f'Sure! Here is the rewritten prompt:\n\n"{PROMPT}"',
        f"Sure thing! Here's one:\n{PROMPT}",
        f"Certainly! {PROMPT}",
        f"Of course. Here is the prompt you asked for:\n{PROMPT}",
        f"Okay, here's the prompt:\n\n**{PROMPT}**",
        f"Absolutely! Below is the prompt: {PROMPT}",
        f"Revised prompt: {PROMPT}",
        f"Image prompt: {PROMPT}",
        f"Final prompt (58 tokens): {PROMPT}",
        f"Answer: {PROMPT}",
        f"Output:\n{PROMPT}",
        f"## Prompt\n\n{PROMPT}",
        f"### Prompt:\n{PROMPT}",
        f"**Title**\n\n{PROMPT}",
        f"> {PROMPT}",
        f"*{PROMPT}*",
        f"_{PROMPT}_",
        f"***{PROMPT}***",
        f"```\n{PROMPT}\n```",
        f"```text\n{PROMPT}\n```",
        f"Here you go:\n```\n{PROMPT}\n```\nLet me know if you want more.",
        f"{PROMPT}\n\nI hope this helps!",
        f"{PROMPT}\n\nNote: this has 58 tokens.",
        f"{PROMPT}\n\n(Note: the artist is not named.)",
        f"{PROMPT}\nLet me know if you would like changes.",
        f"{PROMPT}\n\nThis prompt turns the harbour into glass.",
        f"{PROMPT}\n\nExplanation: glass stands for the sea.",
        f"{PROMPT}\nNegative prompt: blurry, text",
        f"{PROMPT}\n---\nWord count: 14",
        f"{PROMPT}\n\nAnother one: a boat of paper.",
        f"1. {PROMPT}\n2. a boat of folded paper on a sea of ink with many moons above it",
        f"1) {PROMPT}\n2) a boat of folded paper on a sea of ink with many moons above it",
        f"- {PROMPT}",
        f"* {PROMPT}",
        f"• {PROMPT}",
        "- a lighthouse of green glass\n- neon rain over copper roofs\n- lanterns in low fog",
        "Here is a list:\n- a lighthouse of green glass\n- neon rain over copper roofs\n- lanterns in low fog",
        "a lighthouse of green glass,\nneon rain over copper roofs,\nlanterns in low fog",
        "a lighthouse of  green\tglass , neon rain over copper roofs,, lanterns in low fog",
        "a lighthouse of **green glass**, neon *rain* over copper roofs, lanterns in `low fog`",
        "a lighthouse of [green glass](https://example.org), neon rain over copper roofs, lanterns in low fog",
        json.dumps({"prompt": PROMPT}),
        json.dumps({"reasoning": "glass", "prompt": PROMPT}),
        json.dumps({"text": PROMPT, "tokens": 58}),
        json.dumps({"result": {"prompt": PROMPT}}),
        json.dumps([PROMPT, "another"]),
        json.dumps([{"prompt": PROMPT}]),
        json.dumps({"prompt": f'"{PROMPT}"'}),
        f"```json\n{json.dumps({'prompt': PROMPT}, indent=2)}\n```",
        f"Sure, here is the JSON:\n{json.dumps({'prompt': PROMPT})}\nDone.",
        f'{{"prompt": "{PROMPT}",}}',
        f"<think>The user wants glass. Here is a prompt: no.</think>\n\n{PROMPT}",
        f"<|assistant|>{PROMPT}<|eot_id|>",
        f"{PROMPT}</s>",
        f"[INST] {PROMPT} [/INST]",
        f"\u200b{PROMPT}\ufeff",
        f"**{PROMPT}**",
        f"# {PROMPT}",
        f'The prompt would be "{PROMPT}".',
    ],
)
def test_the_prompt_alone_is_left(answer: str) -> None:
    cleaned = clean_answer(answer)

    assert (cleaned.text, cleaned.finished) == (PROMPT, True)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ('{"prompt": "a lighthouse of green glass, neon', "a lighthouse of green glass, neon"),
        ('```json\n{"prompt": "a lighthouse of green gl', "a lighthouse of green gl"),
        ('{"prompt": "a \\"glass\\" tower', 'a "glass" tower'),
        ('{"prompt": "a tower\\u00', "a tower"),
    ],
)
def test_json_that_breaks_off_is_told(answer: str, text: str) -> None:
    cleaned = clean_answer(answer)

    assert (cleaned.text, cleaned.finished) == (text, False)


@pytest.mark.parametrize(
    "answer", ["", " \n\t ", '""', "```\n```", "<think>still thinking", "...", "**", "[" * 5000, "{}", "[]", "Prompt:", "\x00\x01"]
)
def test_nothing_is_left_of_an_answer_without_words(answer: str) -> None:
    assert not any(letter.isalnum() for letter in clean_answer(answer).text)


@pytest.mark.parametrize(
    "prompt",
    [
        "a vendor's stall, the sea's edge, an owl's wing",
        "a 1950s diner, 3 moons over it, rust and teal",
        'a shop sign that says "OPEN", rain on glass, a cat asleep',
        "a sure-footed goat on a cliff of books, okay light",
        "prompt sunlight over the harbour of brass",
        "great towers of glass, a sea of ink",
        "yes-men of porcelain around a table of ice",
        "snow_covered roofs of slate, x_y axes drawn in chalk",
    ],
)
def test_a_prompt_is_left_as_it_is(prompt: str) -> None:
    assert clean_answer(prompt).text == prompt


@settings(deadline=None)
@given(st.text(max_size=400))
def test_whatever_is_answered_gives_one_line(answer: str) -> None:
    text = clean_answer(answer).text

    assert "\n" not in text
    assert text == " ".join(text.split())


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=20)


@settings(deadline=None)
@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=8))
def test_whatever_json_is_answered_gives_one_line(value: object) -> None:
    assert "\n" not in clean_answer(json.dumps(value)).text
