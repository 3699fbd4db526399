"""When people came with tickets."""

from collections import Counter
from datetime import datetime, timedelta, tzinfo

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncMinute

from ..db.queries import planned_plainly
from ..models import OfflineSalesTicket
from .state import with_state

#: An entry in the chart stands for one of these lengths of time: the shortest that leaves at most so many of them.
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


def count_entries(tickets: QuerySet[OfflineSalesTicket], timezone: tzinfo) -> list[tuple[datetime, int]]:
    """
    When these tickets were let in first: moments at the same distance (see ``STEPS``), in this timezone, and how many
    came from there on to the next. Empty if nobody has come yet. One query.
    """
    entered = with_state(tickets.order_by()).filter(checked_in=True)
    by_minute = entered.annotate(minute=TruncMinute("entered")).values("minute").annotate(count=Count("pk"))
    with planned_plainly():
        counts = {row["minute"].astimezone(timezone): row["count"] for row in by_minute}
    if not counts:
        return []
    first, last = min(counts), max(counts)
    step = next((step for step in STEPS if last - first < MAX_STEPS * step), STEPS[-1])
    # Wall clock time: a day is a day, even if it has 25 hours.
    start = first.replace(tzinfo=None, minute=0, hour=0)
    found: Counter[int] = Counter()
    for minute, count in counts.items():
        found[(minute.replace(tzinfo=None) - start) // step] += count
    steps = range(min(found), max(found) + 1)
    return [((start + number * step).replace(tzinfo=timezone), found[number]) for number in steps]
