"""A page that shows drafts of prompts beside their originals: one file, which needs nothing beside it."""

from __future__ import annotations

import base64
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from PIL.Image import Resampling

from producer.prompt_notes import how_written

if TYPE_CHECKING:
    from PIL.Image import Image

    from producer.drafts import Drafts, PromptDraft

#: Longest side of a picture, in pixels.
_THUMBNAIL = 360

_STYLE = """\
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #222; background: #faf8f5; }
article { display: grid; grid-template-columns: 22rem 1fr; gap: 1.5rem; margin: 0 0 2.5rem; }
img { max-width: 100%; height: auto; border: 1px solid #ccc; }
h2 { font-size: 1.05rem; margin: 0 0 .3rem; } h3 { font-size: .9rem; margin: 1rem 0 .2rem; color: #7a4a2b; }
p { margin: .2rem 0; } .facts { color: #666; font-size: .85rem; } .fallback { color: #a33; }
@media (max-width: 45rem) { article { grid-template-columns: 1fr; } }
"""


def drafts_page(drafts: Drafts, *, title: str) -> str:
    """The page as HTML."""
    articles = []
    by_artwork: dict[int, list[PromptDraft]] = {}
    for draft in drafts.drafts:
        by_artwork.setdefault(draft.artwork_id, []).append(draft)
    for artwork_id, mine in by_artwork.items():
        articles.append(_article(mine, drafts.originals.get(artwork_id)))
    body = "\n".join(articles)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body><h1>{escape(title)}</h1>\n{body}\n</body></html>\n'


def _article(drafts: list[PromptDraft], original: Image | None) -> str:
    first = drafts[0]
    image = f'<img alt="{escape(first.artwork)}" src="{_data_uri(original)}">' if original is not None else "<p>(its original is gone)</p>"
    new = " (written now)" if first.caption_is_new else ""
    lines = [f"<h2>{escape(first.artwork)}</h2>", f'<p class="facts">{escape(first.style)}</p>']
    lines.append(f"<p>Caption{new}: {escape(first.caption)}</p>")
    for draft in drafts:
        fallback = ' class="facts fallback"' if (draft.writing or {}).get("fallback") else ' class="facts"'
        lines.append(f"<h3>{escape(draft.level)}: {escape(draft.brief)}</h3><p>{escape(draft.prompt)}</p>")
        lines.append(f"<p{fallback}>{draft.tokens} tokens, {escape(how_written(draft.writing))}</p>")
        if draft.draft != draft.prompt:
            lines.append(f'<p class="facts">before ({draft.draft_tokens} tokens): {escape(draft.draft)}</p>')
    return f"<article><div>{image}</div><div>{''.join(lines)}</div></article>"


def _data_uri(image: Image) -> str:
    small = image.copy()
    small.thumbnail((_THUMBNAIL, _THUMBNAIL), Resampling.LANCZOS)
    buffer = BytesIO()
    small.save(buffer, "JPEG", quality=86)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
