"""Quality of prompts for each writer: grounded in the caption, free of strangers, contradictions and artists, varied, of the right length.

    python benchmarks/prompts.py [--captions FILE] [--tokenizer clip|pocket|DIR] [--seeds 10] [--json] [--show 5]
        [--writer NAME [--model LOCATION] [--set KEY=VALUE]...] [--level moderate]... [--before FILE.json]

Without `--captions` the captions are those of captions.txt beside this file: one a line, after a tab the maker whom the captioner
invented. Each is
written for with `--seeds` seeds at each level, in a style of a round of twelve. `--writer` is a name in the entry points
`paragone.backends` ("compose" if
not given; more than one may be given); `--model` and `--set` go to all of them. `--before` prints the numbers of an earlier `--json`
beside these; for the built-in
captions it is prompts_before.json, the writer that put the caption in front of a brief and parsed nothing. What is measured, and how,
stands in prompt_quality.py.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prompt_quality import Written, measure
from transformers import CLIPTokenizer

from db.models_directory import pocket_directory
from trainer.pocket.tokenizers import clip_tokenizer, real_merges
from workers.backends import ModelSource, PromptRequest
from workers.backends.compose import compose
from workers.backends.registry import backend_class, settings_type
from workers.backends.settings import ComposeSettings, check_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).parent
STYLES = (
    "Impressionism", "Post_Impressionism", "Realism", "Expressionism", "Romanticism", "Baroque", "Early_Renaissance", "Ukiyo_e", "Cubism",
    "Abstract_Expressionism", "Art_Nouveau_Modern", "Symbolism",
)  # fmt: skip
#: Measure, how it is shown, and the bound that this writer is held to.
ROWS: tuple[tuple[str, Callable[[dict[str, Any]], str], str], ...] = (
    ("grounded tokens", lambda found: f"{found['grounded']:.1%}", "at least 35 %"),
    ("grounded, content words", lambda found: f"{found['grounded_content']:.1%}", ""),
    ("people without people", lambda found: f"{number(found['people_without_people'])} of {found['without_people']}", "0"),
    ("contradictions", lambda found: f"{number(found['contradictions'])} of {found['prompts']}", "0"),
    ("artists named", lambda found: f"{number(found['artists'])} of {found['prompts']}", "0"),
    ("distinct-1/2/3", lambda found: "/".join(f"{share:.2f}" for share in found["distinct"]), ""),
    ("self-BLEU", lambda found: f"{found['self_bleu']:.2f}", ""),
    ("most frequent opening", lambda found: f"{found['opening'][0]!r} {found['opening'][1]:.1%}", "at most 10 %"),
    ("identical prompts", lambda found: str(found["identical"]), ""),
    ("tokens: mean", lambda found: f"{found['tokens']['mean']:.1f}", "45 to 65"),
    ("tokens: least, most", lambda found: f"{found['tokens']['least']}, {found['tokens']['most']}", ""),
    ("tokens above the limit", lambda found: str(found["tokens"]["above_limit"]), "0"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Quality of prompts for each writer.")
    parser.add_argument("--captions", type=Path, default=HERE / "captions.txt")
    parser.add_argument("--tokenizer", default="clip", help="clip (the real one), pocket, or a directory")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--max-tokens", type=int, default=75)
    parser.add_argument("--target-tokens", type=int, default=55)
    parser.add_argument("--level", action="append", help="a set or family of briefs; moderate and radical if not given")
    parser.add_argument("--writer", action="append", help="entry point of a prompt writer; compose if not given")
    parser.add_argument("--model", default="", help="of writers other than compose: a Hugging Face id or a directory")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the writer, in TOML")
    parser.add_argument("--before", type=Path, help="an earlier --json to print beside")
    parser.add_argument("--show", type=int, default=0, help="so many prompts of each level to read")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    count = token_counter(given.tokenizer)
    captions = read_captions(given.captions)
    settings = {"max_tokens": given.max_tokens, "target_tokens": given.target_tokens}
    results: dict[str, Any] = {}
    for name in given.writer or ["compose"]:
        writer = load_writer(name, given, count, settings)
        for level in given.level or ["moderate", "radical"]:
            prompts = write(writer, captions, level, given.seeds)
            results[f"{name} {level}"] = measure(prompts, count, limit=given.max_tokens)
            for group in prompts[:: max(1, len(prompts) // given.show)][: given.show] if given.show else []:
                print(f"  {level} | {group[0].tokens} | {group[0].caption} | {group[0].text}")
    if given.json:
        print(json.dumps(results, indent=1))
        return
    before = given.before or (HERE / "prompts_before.json" if given.captions == HERE / "captions.txt" else None)
    print_table(results, json.loads(before.read_text(encoding="utf-8")) if before and before.exists() else {})


def number(faults: Sequence[str] | int) -> int:
    """How many there are; an earlier result may hold the number alone."""
    return faults if isinstance(faults, int) else len(faults)


def token_counter(name: str) -> Callable[[str], int]:
    """Counts tokens without begin and end."""
    if name == "clip":
        tokenizer: Any = clip_tokenizer(real_merges())
    else:
        folder = pocket_directory() / "refiner" / "tokenizer_2" if name == "pocket" else Path(name)
        tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)

    def count(text: str) -> int:
        return len(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    return count


def read_captions(path: Path) -> list[tuple[str, str]]:
    """Captions with the maker that each invents."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("\t") for line in lines if line.strip() and not line.startswith("#"))
    return [(caption.strip(), maker.strip()) for caption, _, maker in pairs]


def load_writer(name: str, given: argparse.Namespace, count: Callable[[str], int], settings: dict[str, Any]) -> Any:
    """A function that writes a batch for a level; compose needs no model, only a count of tokens."""
    further = tomllib.loads("\n".join(given.set)) if given.set else {}
    if name == "compose":

        def composed(requests: Sequence[PromptRequest], level: str) -> list[tuple[str, int]]:
            chosen = ComposeSettings(**settings, **further, brief_set=(level,))
            return [(result.text, result.tokens) for result in (compose(request, count, chosen) for request in requests)]

        return composed
    backend = backend_class(name)(model=ModelSource(location=given.model), device=given.device)
    backend.load()

    def written(requests: Sequence[PromptRequest], level: str) -> list[tuple[str, int]]:
        chosen = check_settings(settings_type(name), {**settings, **further, "brief_set": [level]})
        return [(result.text, count(result.text)) for result in backend.run(requests, chosen)]

    return written


def write(writer: Any, captions: Sequence[tuple[str, str]], level: str, seeds: int) -> list[list[Written]]:
    """The prompts of each caption, one a seed."""
    requests = [
        PromptRequest(caption=caption, style=STYLES[at % len(STYLES)], artist="", title="", level=level, seed=1_000_003 * at + seed)
        for at, (caption, _) in enumerate(captions)
        for seed in range(seeds)
    ]
    texts = iter(writer(requests, level))
    return [
        [Written(caption=caption, text=text, tokens=tokens, maker=maker) for text, tokens in (next(texts) for _ in range(seeds))]
        for caption, maker in captions
    ]


def print_table(results: dict[str, Any], before: dict[str, Any]) -> None:
    for name, found in results.items():
        earlier = before.get(name)
        print(f"{name}: {found['prompts']} prompts")
        print(f"| measure |{' before |' if earlier else ''} now | bound |")
        print(f"|---|{'---|' if earlier else ''}---|---|")
        for row, show, bound in ROWS:
            print(f"| {row} |{f' {show(earlier)} |' if earlier else ''} {show(found)} | {bound} |")
        histogram = found["tokens"]["histogram"]
        print("tokens:", ", ".join(f"{start}-{start + 4}: {times}" for start, times in histogram.items()))
        for fault in ("people_without_people", "contradictions", "artists"):
            for text in found[fault][:5]:
                print(f"  {fault}: {text}")
        print()


if __name__ == "__main__":
    main()
