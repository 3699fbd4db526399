"""
The plugin beside the host, on PostgreSQL and Redis: ``python -m benchmarks``, or ``make bench``.

By default, 1,000 tickets are issued, printed and taken back in an event that has 1,000. That takes about a minute, and
is meant for every change. ``BENCH_WORLD=large`` does it with 10,000 tickets in events of up to 320,000, which are made
in some minutes when they are needed for the first time.
"""

import os

import django

from .scratch import scratch

#: Of the small world; of the large one.
SMALL, LARGE = "small", "large"


def main() -> None:
    world = os.environ.get("BENCH_WORLD", SMALL)
    if world not in (SMALL, LARGE):
        raise SystemExit(f"BENCH_WORLD is {SMALL} or {LARGE}")
    with scratch():
        os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
        django.setup()
        from . import run

        {SMALL: run.small, LARGE: run.large}[world]()


if __name__ == "__main__":
    main()
