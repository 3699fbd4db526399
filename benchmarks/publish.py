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
HEADLINE = "10,000 tickets "
HIGHLIGHTS = (
    "issuing, ms",
    "printing, ms",
    "  file, bytes",
    "returning, ms",
    "undoing returns, ms",
    "issuing takes",
    "  longest wait of others",
    "  while a webhook",
    "printing takes",
    "  by two workers",
    "returning takes",
    "undoing that takes",
    "replacing all codes takes",
)


def main():
    environment = {name: value for name, value in os.environ.items() if name != "BENCH_SIZES"}
    environment["PRETIX_OFFLINESALES_TEST_DATABASE"] = "postgresql"
    command = [sys.executable, "-m", "benchmarks"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as run:
        table = ""
        for line in run.stdout:
            print(line, end="", flush=True)
            table += line
    if run.returncode:
        sys.exit(run.returncode)
    TABLE.write_text(table)
    README.write_text(with_highlights(README.read_text(), table))


def with_highlights(readme: str, table: str) -> str:
    """The README, with lines of this table where those of another one were."""
    before, start, rest = readme.partition(f"    {HEADLINE}")
    assert start, "The README has no figures"
    _block, end, after = rest.partition("\n\n")
    return before + "\n".join(f"    {line}" for line in highlights(table)) + end + after


def highlights(table: str) -> list[str]:
    """Undoing is measured for all that was returned, so longest waits come twice; the first is that of issuing."""
    [part] = [part for part in table.split("\n\n") if part.startswith(HEADLINE)]
    headline, *lines = part.splitlines()
    chosen = (next((line for line in lines if line.startswith(label)), None) for label in HIGHLIGHTS)
    footnotes = [line for line in lines if line.startswith("*")]
    return [headline, *filter(None, chosen), *footnotes]


if __name__ == "__main__":
    main()
