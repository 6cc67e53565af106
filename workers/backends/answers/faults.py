"""What can be wrong with an answer of a language model, and what it is told then."""

from __future__ import annotations

from enum import StrEnum


class AnswerFault(StrEnum):
    """Why an answer is no prompt."""

    #: Nothing, or no more than a word or two.
    EMPTY = "empty"
    #: It refuses, apologises, or says what it is.
    REFUSAL = "refusal"
    #: It names the work's artist or title, or any artist.
    NAMED = "named"
    #: It talks about the task: "Transform ... into", "Here is", "the original painting".
    META = "meta"
    #: More tokens than the campaign allows.
    TOO_LONG = "too-long"
    #: It repeats the instructions, or the brief alone.
    COPIED = "copied"
    #: It is the caption as it was.
    CAPTION = "caption"
    #: Another artwork of the batch has the same.
    REPEATED = "repeated"
    #: It breaks off.
    UNFINISHED = "unfinished"
    #: It is written in a script that the generator does not read.
    FOREIGN = "foreign"
    #: The service refuses this request for its content.
    REFUSED = "refused-by-service"
    #: The service breaks over this request alone, while it answers others.
    BROKEN = "broken-by-service"


#: What the model is told before it is asked again. Nothing of its answer is repeated: what it must not say, it is not told once more.
CORRECTIONS = {
    AnswerFault.EMPTY: "That was no description.",
    AnswerFault.REFUSAL: "This is a harmless description of a painting for an archive of art, and it can be written.",
    AnswerFault.NAMED: "That names a person or the title of a work. Describe what is seen, and name no artist and no title.",
    AnswerFault.META: "That talks about the task or the original. Describe the finished picture itself, as if it hung before you.",
    AnswerFault.TOO_LONG: "That is too long.",
    AnswerFault.COPIED: "That repeats what you were told. Write a description of your own.",
    AnswerFault.CAPTION: "That is what the picture shows already. Describe what it becomes.",
    AnswerFault.REPEATED: "That was written before, about another picture. Be particular about this one.",
    AnswerFault.UNFINISHED: "That breaks off before its end.",
    AnswerFault.FOREIGN: "Write in English.",
}
