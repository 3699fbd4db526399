"""
``make figures``: the whole run, on PostgreSQL and Redis, into ``docs/performance.txt``, and some of its lines into the
README. So all that is published is of one run.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "performance.txt"
README = ROOT / "README.rst"

#: The part of the table that the README shows, and which of its lines, by how they begin.
HEADLINE = "10,000 tickets, in an event "
HIGHLIGHTS = (
    "issuing, ms",
    "  longest wait of others",
    "printing, ms",
    "  file, bytes",
    "returning scanned codes, ms",
    "undoing returns, ms",
    "replacing codes, ms",
    "backend: batches, ms",
    "  searched by order code",
)

#: The small world comes first.
WORLDS = ("small", "large")


def main():
    TABLE.write_text("\n".join(map(measured, WORLDS)))
    README.write_text(with_highlights(README.read_text(), TABLE.read_text()))


def measured(world: str) -> str:
    """What a run in that world prints, which is also shown meanwhile."""
    command, printed = [sys.executable, "-m", "benchmarks"], ""
    environment = {**os.environ, "BENCH_WORLD": world}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as run:
        for line in run.stdout:
            print(line, end="", flush=True)
            printed += line
    if run.returncode:
        sys.exit(run.returncode)
    return printed


def with_highlights(readme: str, table: str) -> str:
    """The README, with lines of this table where those of another one were."""
    before, start, rest = readme.partition(f"    {HEADLINE}")
    assert start, "The README has no figures"
    _block, end, after = rest.partition("\n\n")
    return before + "\n".join(f"    {line}" for line in highlights(table)) + end + after


def highlights(table: str) -> list[str]:
    """Of what begins alike, the first."""
    [part] = [part for part in table.split("\n\n") if part.startswith(HEADLINE)]
    headline, *lines = part.splitlines()
    chosen = (next((line for line in lines if line.startswith(label)), None) for label in HIGHLIGHTS)
    return [headline, *filter(None, chosen)]


if __name__ == "__main__":
    main()
