"""What happens over time, in steps that people can look at."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from typing import TypeVar

Key = TypeVar("Key")

#: Each step in a chart stands for one of these lengths of time: the shortest that leaves at most so many of them.
STEPS = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(days=1),
    timedelta(days=7),
    timedelta(days=30),
)
MAX_STEPS = 48


def in_steps(counts: Iterable[tuple[datetime, Key, int]], timezone: tzinfo) -> list[tuple[datetime, Counter[Key]]]:
    """
    Moments at the same distance, in this timezone, and how many of each kind there were from there on to the next.

    :param counts: moments, kinds, and how many of the kind there were
    """
    known = [(moment.astimezone(timezone), key, count) for moment, key, count in counts]
    if not known:
        return []
    moments = [moment for moment, _key, _count in known]
    first, last = min(moments), max(moments)
    step = next((step for step in STEPS if last - first < MAX_STEPS * step), STEPS[-1])
    # Wall clock time: a day is a day, even if it has 25 hours.
    start = first.replace(tzinfo=None, second=0, microsecond=0, minute=0, hour=0)
    found: dict[int, Counter[Key]] = defaultdict(Counter)
    for moment, key, count in known:
        found[(moment.replace(tzinfo=None) - start) // step][key] += count
    steps = range(min(found), max(found) + 1)
    return [((start + number * step).replace(tzinfo=timezone), found[number]) for number in steps]
