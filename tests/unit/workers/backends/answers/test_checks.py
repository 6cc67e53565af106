"""Which cleaned answers can be a prompt."""

# ruff: noqa: RUF001 - these quotation marks are meant

from __future__ import annotations

import pytest

from workers.backends.answers.artists import names_an_artist
from workers.backends.answers.briefing import INSTRUCTIONS
from workers.backends.answers.checks import comparable, find_fault
from workers.backends.answers.faults import AnswerFault
from workers.backends.protocol import PromptRequest

REQUEST = PromptRequest(
    caption="a harbour with boats", style="Impressionism", artist="Berthe Morisot", title="The Harbour at Lorient", level="radical", seed=1
)
BRIEF = "rebuilt from brass and steam, machines doing what hands once did"


def fault_of(text: str, *taken: str, most: int = 75) -> AnswerFault | None:
    known = {comparable(one) for one in taken}
    return find_fault(text, REQUEST, told=INSTRUCTIONS, brief=BRIEF, taken=known, count=lambda words: len(words.split()), most=most)


@pytest.mark.parametrize(
    "text",
    [
        "a harbour of brass cranes, boats of riveted steel, steam over oily water",
        "the boats become iron whales, their masts copper ribs, a furnace sun behind them",
        "fishing boats as paper lanterns, the quay a bridge of books, in the style of Art Nouveau",
        "boats of jade in the manner of Byzantine mosaics, a sky of gold tesserae",
        "a harbour by moonlight, boats of bone, ropes of light",
        "boats after the storm, torn sails, drowned bells",
        "harbour in the style of a Baroque altarpiece, boats carried by gilded clouds",
        "Converted barns as boats, transformed masts of brass",
        "sorry-looking boats of rust in a harbour of ash",
        "an unfinished harbour, scaffolds, boats still in their moulds",
        "a harbour where transformed boats stand upright like towers",
        "boats in an imaginary harbour, imagination of glass",
        "the original shoreline buried in snow, boats of ice",
        "Boats Of Steel By Night, Cranes Of Brass",
        "boats inspired by Ukiyo-e prints, flat indigo waves",
        "naïve boats in a café harbour, rosé light",
        "a constable on the quay, boats of tin",
    ],
)
def test_a_description_is_a_prompt(text: str) -> None:
    assert fault_of(text) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", AnswerFault.EMPTY),
        ("...", AnswerFault.EMPTY),
        ("a harbour", AnswerFault.EMPTY),
        ("I'm sorry, but I can't help with that.", AnswerFault.REFUSAL),
        ("I’m sorry, but I cannot create this prompt", AnswerFault.REFUSAL),
        ("I am unable to describe this picture", AnswerFault.REFUSAL),
        ("I cannot assist with this request", AnswerFault.REFUSAL),
        ("I can't fulfil this request, as it names a person", AnswerFault.REFUSAL),
        ("Sorry, that is not possible for me", AnswerFault.REFUSAL),
        ("Unfortunately, I cannot write this", AnswerFault.REFUSAL),
        ("I apologize for the confusion in my answer", AnswerFault.REFUSAL),
        ("My apologies, here comes another try", AnswerFault.REFUSAL),
        ("As an AI language model, I do not paint", AnswerFault.REFUSAL),
        ("a harbour. As an AI I have no opinion on boats", AnswerFault.REFUSAL),
        ("This goes against my guidelines, so no boats", AnswerFault.REFUSAL),
        ("Could you please provide more details about the picture", AnswerFault.REFUSAL),
        ("Please provide the caption first and then I write", AnswerFault.REFUSAL),
        ("I don't feel comfortable writing about this", AnswerFault.REFUSAL),
        ("boats of brass, as Berthe Morisot would see them", AnswerFault.NAMED),
        ("boats of brass in Morisot's light", AnswerFault.NAMED),
        ("boats of brass, the harbour at lorient in steam", AnswerFault.NAMED),
        ("boats of brass in the style of Claude Monet", AnswerFault.NAMED),
        ("boats of brass in the style of Hokusai", AnswerFault.NAMED),
        ("a swirling Van Gogh sky over boats of brass", AnswerFault.NAMED),
        ("boats of brass by Georg Unbekannt", AnswerFault.NAMED),
        ("boats of brass, inspired by Salvador Dalí", AnswerFault.NAMED),
        ("boats of brass in the manner of Zdzisław Someone", AnswerFault.NAMED),
        ("boats of brass, a Picasso of the sea", AnswerFault.NAMED),
        ("Transform 'the boats' into machines of brass", AnswerFault.META),
        ("Transform the harbour into a city of brass", AnswerFault.META),
        ("Reimagine the boats as machines of brass", AnswerFault.META),
        ("Re-imagine this harbour as a dock of brass", AnswerFault.META),
        ("Imagine a harbour of brass and steam", AnswerFault.META),
        ("Create a harbour of brass and steam", AnswerFault.META),
        ("Turn the boats into machines of brass", AnswerFault.META),
        ("Paint a harbour of brass with steam", AnswerFault.META),
        ("Please transform the boats into brass", AnswerFault.META),
        ("a harbour of brass that keeps the mood of the original painting", AnswerFault.META),
        ("the image should show boats of brass", AnswerFault.META),
        ("boats of brass, as requested in steam", AnswerFault.META),
        ("this prompt shows boats of brass", AnswerFault.META),
        ("In this version the boats are made of brass", AnswerFault.META),
        ("a harbour with boats", AnswerFault.CAPTION),
        ("A harbour, with boats.", AnswerFault.CAPTION),
        (BRIEF, AnswerFault.COPIED),
        (f"Boats {BRIEF}", AnswerFault.COPIED),
        ("a {subject} of brass and steam", AnswerFault.COPIED),
        ("a [main subject] of brass and steam", AnswerFault.COPIED),
        ("say what the things in this very picture become, boats of brass", AnswerFault.COPIED),
        ("一艘黄铜的船停在港口里，蒸汽弥漫，灯光温暖", AnswerFault.FOREIGN),
        ("лодки из латуни в гавани, пар над водой", AnswerFault.FOREIGN),
        ("boats of brass, лодки из латуни, steam", AnswerFault.FOREIGN),
    ],
)
def test_what_is_no_prompt_is_told_by_its_fault(text: str, fault: AnswerFault) -> None:
    assert fault_of(text) is fault


def test_what_a_batch_mate_has_already_is_repeated() -> None:
    text = "boats of brass, steam over water"

    assert fault_of(text, "Boats of brass; steam over water!") is AnswerFault.REPEATED
    assert fault_of(text, "boats of copper, steam over water") is None


def test_tokens_are_counted_by_whoever_counts() -> None:
    text = "boats of brass, steam over oily water"

    assert fault_of(text, most=7) is None
    assert fault_of(text, most=6) is AnswerFault.TOO_LONG


@pytest.mark.parametrize(
    "text",
    [
        "a work by Night Light",
        "in the style of Pop Art",
        "in the manner of High Renaissance",
        "by the Sea",
        "in the style of French Rococo",
        "in the style of Korean ink",
        "a field of millet after the Rain",
        "inspired by Greek vases",
        "a moebius strip of brass",
    ],
)
def test_styles_ages_and_hours_are_no_artists(text: str) -> None:
    assert not names_an_artist(text)
