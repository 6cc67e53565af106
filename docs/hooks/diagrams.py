"""MkDocs hook: each Mermaid diagram becomes an SVG file when the site is built, so that pages need no script and no network.

On GitHub the same fences are drawn by GitHub. Rendering takes about two seconds a diagram; what was rendered is kept in `.cache/`.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File
from mkdocs.utils import get_relative_url

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

FENCE = re.compile(r"^```mermaid\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r"^\s*accTitle:\s*(.+)$", re.MULTILINE)
FOLDER = "assets/diagrams"


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Replace each fence by a picture, with the diagram's text folded in below it."""

    def picture(match: re.Match[str]) -> str:
        text = match["text"]
        uri = f"{FOLDER}/{hashlib.sha256(text.encode()).hexdigest()[:16]}.svg"
        if files.get_file_from_path(uri) is None:
            files.append(File.generated(config, uri, content=_svg(text, Path(config.config_file_path).parent / ".cache" / uri)))
        titled = TITLE.search(text)
        title = titled[1] if titled else "Diagram"
        source = get_relative_url(uri, page.url)
        return (
            f'<figure class="diagram" markdown="0"><img src="{source}" alt="{title}"></figure>\n\n??? note "{title}, as text"\n\n'
            + "".join(f"    {line}\n" for line in ["```text", *text.splitlines(), "```"])
        )

    return FENCE.sub(picture, markdown)


def _svg(text: str, kept: Path) -> str:
    if kept.is_file():
        return kept.read_text(encoding="utf-8")
    try:
        import mermaidx
    except ImportError:
        raise PluginError("diagrams are drawn by mermaidx: pip install 'paragone[docs]'") from None
    svg = _sized(str(mermaidx.render(text, theme="neutral").svg()))
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(svg, encoding="utf-8")
    return svg


def _sized(svg: str) -> str:
    """With its own width and height: Mermaid gives "100%", which a picture in a page cannot be measured by."""
    box = re.search(r'viewBox="\S+ \S+ (?P<width>\S+) (?P<height>\S+)"', svg)
    return svg if box is None else svg.replace('width="100%"', f'width="{box["width"]}" height="{box["height"]}"', 1)
