"""`python -m tests.chaos`: a long run with the default clockwork; `make chaos` calls it."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.clockwork import DEFAULT, FAST
from tests.chaos.plan import Plan
from tests.chaos.run import chaos_run
from tests.chaos.table import as_text
from tests.chaos.undisturbed import undisturbed_pixels

if TYPE_CHECKING:
    from types import FrameType

    from tests.chaos.run import Verdict

#: Lines shown of what is wrong with one gate.
SHOWN = 12


def main() -> int:
    """Run, print the table and what does not hold; 1 if a gate does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Faults of every kind, then the gates.")
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("postgresql", "sqlite", "both"), default="both")
    parser.add_argument("--artworks", type=int, default=240)
    parser.add_argument("--fast", action="store_true", help="the short clockwork of the tests instead of the defaults")
    parser.add_argument("--limit-seconds", type=float, default=7200.0, help="inject no more after so long")
    parser.add_argument("--out", type=Path, default=Path("build/chaos"), help="folder for JSON and logs")
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    # The conductor's own waits for the database that it troubles are no news.
    logging.basicConfig(level="ERROR", format="%(message)s")
    logging.getLogger("tests.chaos").setLevel("DEBUG" if given.verbose else "INFO")
    signal.signal(signal.SIGTERM, _end)
    plan = Plan(artworks=given.artworks)
    undisturbed = undisturbed_pixels(plan)
    worst = 0
    for database in ("postgresql", "sqlite") if given.database == "both" else (given.database,):
        verdict = chaos_run(
            database=database,
            seed=given.seed,
            faults=given.faults,
            clockwork=FAST if given.fast else DEFAULT,
            plan=plan,
            undisturbed=undisturbed,
            limit_seconds=given.limit_seconds,
        )
        _write(given.out, database, given.seed, verdict)
        _show(database, given.seed, verdict)
        worst = max(worst, 1 if verdict.broken else 0)
    return worst


def _write(folder: Path, database: str, seed: int, verdict: Verdict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{database}-{seed}.json").write_text(json.dumps(verdict.facts, indent=1))
    for host, text in verdict.logs.items():
        (folder / f"{database}-{seed}-{host}.log").write_text(text)


def _show(database: str, seed: int, verdict: Verdict) -> None:
    out = sys.stdout
    out.write(f"\n{database}, seed {seed}, {verdict.facts['seconds']:.0f} s, {verdict.facts['cores']} cores\n\n")
    out.write(as_text(verdict.kinds) + "\n\n")
    if verdict.facts["missed"]:
        out.write(f"nothing to hit: {verdict.facts['missed']}\n")
    for gate, found in verdict.broken.items():
        out.write(f"BROKEN {gate} ({len(found)}):\n")
        out.writelines(f"  {line}\n" for line in found[:SHOWN])
    out.write("every gate holds\n" if not verdict.broken else f"replay with SEED={seed}\n")
    out.flush()


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(1)


if __name__ == "__main__":
    sys.exit(main())
