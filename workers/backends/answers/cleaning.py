"""From what a language model answered to the prompt in it: without introduction, remarks, quotation marks, markup, lists and JSON."""

# ruff: noqa: RUF001 - these quotation marks, dashes and colons are meant

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass

#: What some models think before they answer; one that never ends its thinking gives no answer.
_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
#: Marks of chat templates that a server let through.
_SPECIAL = re.compile(r"<\|[\w ]+\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>(?:model|user)?")
_FENCE = re.compile(r"```[\w-]*\n?(.*?)(?:```|\Z)", re.DOTALL)

#: How an answer begins before it comes to the prompt; up to its colon, or the line it stands on.
_COURTESY = r"(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok|great|gladly|understood|got it|alright|no problem|yes)"
_HERE = r"(?:here(?:'s|’s| is| are| you go)|below is|this is|the following is|i(?:'ve|’ve| have) )"
_INTRODUCTION = re.compile(rf"^\s*(?:{_COURTESY}\b[!,.:]?\s*)*{_HERE}[^\n:]{{0,120}}:\s*", re.IGNORECASE)
_COURTESY_ALONE = re.compile(rf"^\s*{_COURTESY}(?:[!.:]|,(?=\s*(?:i|here)\b))[^\S\n]*\n*", re.IGNORECASE)
#: A name for the prompt, before it.
_KINDS = (
    "the|your|my|a|new|final|revised|rewritten|shortened|shorter|improved|image|text|art|positive|sdxl|output|stable diffusion|"
    "text-to-image|img2img"
)
_NAMES = "prompt|answer|output|response|description|rewrite"
_NOTE = r"(?:\s*(?:\d+|\([^)\n]{0,40}\)))?"
_LABEL = re.compile(rf"^[\s*_#>\"'“]*(?:(?:{_KINDS})\s+)*(?:{_NAMES}){_NOTE}[\s*_\"]*[:：=][\s*_]*", re.IGNORECASE)
#: Where an answer's remarks begin, after the prompt.
_REMARKS = (
    *(r"note\b", r"explanation\b", r"rationale\b", r"negative prompt\b", r"this (?:prompt|version|description|rewrite)\b"),
    *(r"i hope\b", r"let me know\b", r"feel free\b", r"(?:would|do) you (?:like|want)\b", r"if you\b", r"please let\b"),
    *(r"(?:word|token) count\b", r"(?:tokens|words):", r"\d+ (?:words|tokens)\b"),
)
_REMARK = re.compile(rf"^[\s*_(\[#>-]*(?:{'|'.join(_REMARKS)})", re.IGNORECASE)
_ITEM = re.compile(r"^\s*(?:[-*•–—+]|\(?\d{1,2}[.):]|[a-z]\))\s+(?=\S)", re.IGNORECASE)
_HEADING = re.compile(r"^\s*(?:#{1,6}\s.*|\*\*[^*\n]{1,60}\*\*:?|[-=*_]{3,})\s*$")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_EMPHASIS = re.compile(r"(\*{1,3}|_{2,3}|~~|`{1,3})(?=\S)(.+?)(?<=\S)\1", re.DOTALL)
_UNDERLINED = re.compile(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])")
_QUOTES = {'"': '"', "“": "”", "”": "”", "„": "“", "«": "»", "»": "«", "'": "'", "‘": "’", "`": "`", "「": "」"}
_QUOTED = re.compile(r"[\"“„«「]([^\"“”„«»「」\n]{20,})[\"”“»」]")

#: Words of a list's item up to which it is a part of one prompt; longer ones are prompts to choose from.
_PART_WORDS = 7
#: Share of an answer that a quotation in it must have to be the prompt.
_QUOTED_SHARE = 0.5

_JSON_FIELD = re.compile(r'"[^"\\]{1,40}"\s*:\s*\[?\s*"((?:[^"\\]|\\.)*)("?)', re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """The prompt of an answer, on one line; `finished` is False where the answer's JSON breaks off."""

    text: str
    finished: bool = True


def clean_answer(answer: str) -> Cleaned:
    """The prompt that an answer holds; empty if it holds none."""
    text = unicodedata.normalize("NFC", _SPECIAL.sub(" ", _THOUGHT.sub("", answer.replace("\r\n", "\n")))).strip()
    fenced = _FENCE.search(text)
    inner = fenced[1].strip() if fenced else ""
    text = inner or text
    finished = True
    if (found := _from_json(text)) is not None:
        text, finished = found
    text = _without_frame(text)
    text = _without_markup(_one_of_a_list(_without_remarks(text)))
    for _ in range(3):  # a label within quotation marks within a label
        text = _unquoted(_LABEL.sub("", text, count=1).strip())
    return Cleaned(text=_tidy(text), finished=finished)


def _from_json(text: str) -> tuple[str, bool] | None:
    """The first text in a JSON answer, and whether it was whole; None if it is no JSON."""
    begin = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    if begin < 0 or not re.match(r'[{\[]\s*[{\["]', text[begin:]):
        return None
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text[begin:])
    except (ValueError, RecursionError):
        broken = _JSON_FIELD.search(text, begin)
        if broken is None:
            return None
        return _unescaped(broken[1]), bool(broken[2]) and text.rstrip().endswith(("}", "]"))
    found = _first_text(value)
    return None if found is None else (found, True)


def _first_text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if isinstance(value, dict) and isinstance(value.get("prompt"), str):
        return str(value["prompt"])
    return next((text for text in map(_first_text, parts) if text is not None), None)


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return re.sub(r"\\(?:u[0-9a-fA-F]{0,4}|.?)", " ", text)


def _without_frame(text: str) -> str:
    """Without introduction and label at the begin."""
    for _ in range(3):
        text = _COURTESY_ALONE.sub("", _INTRODUCTION.sub("", text, count=1), count=1).strip()
    return _LABEL.sub("", text, count=1).strip()


def _without_remarks(text: str) -> str:
    """Up to the first line that is a remark, without headings."""
    kept: list[str] = []
    for line in text.split("\n"):
        if kept and _REMARK.match(line):
            break
        if not _HEADING.match(line):
            kept.append(line)
    return "\n".join(kept).strip() or text  # a heading alone is the answer


def _one_of_a_list(text: str) -> str:
    """Short items of a list as one text; of long ones, or of several paragraphs, the first."""
    lines = [line for line in text.split("\n") if line.strip()]
    items = [_ITEM.sub("", line).strip() for line in lines if _ITEM.match(line)]
    if items and _ITEM.match(lines[0]):
        if len(items) > 1 and all(len(item.split()) <= _PART_WORDS for item in items):
            return ", ".join(item.strip(" ,;.") for item in items)
        return items[0]
    if items and len(lines) - len(items) == 1:  # a line that leads up to the list
        return _one_of_a_list("\n".join(lines[1:]))
    paragraphs = [part for part in re.split(r"\n\s*\n", text) if part.strip()]
    return paragraphs[0] if paragraphs else ""


def _without_markup(text: str) -> str:
    text = _LINK.sub(r"\1", re.sub(r"^\s*(?:>|#{1,6})\s*", "", text, flags=re.MULTILINE))
    for _ in range(3):
        text = _EMPHASIS.sub(r"\2", text)
    return _UNDERLINED.sub(r"\1", text)


def _unquoted(text: str) -> str:
    """Without quotation marks around it; the quotation alone, where most of the text is one."""
    text = text.strip()
    while len(text) > 1 and _QUOTES.get(text[0]) == text[-1] and text[0] not in text[1:-1]:
        text = text[1:-1].strip()
    quoted = _QUOTED.search(text)
    if quoted and len(quoted[1]) >= _QUOTED_SHARE * len(text):
        text = quoted[1].strip()
    return text


def _tidy(text: str) -> str:
    text = " ".join("".join(" " if unicodedata.category(letter) in {"Cc", "Cf", "Co", "Cn"} else letter for letter in text).split())
    text = re.sub(r"\s+([,;.:!?])", r"\1", text)
    text = re.sub(r"([,;])(?:\s*[,;])+", r"\1", text)
    return text.strip(' ,;:-–—*_#>"“”').removesuffix(".").rstrip()
