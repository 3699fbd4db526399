"""When people came with tickets."""

from datetime import datetime, tzinfo

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncMinute

from ..db.queries import planned_plainly
from ..models import OfflineSalesTicket
from .over_time import in_steps
from .state import with_state


def count_entries(tickets: QuerySet[OfflineSalesTicket], timezone: tzinfo) -> list[tuple[datetime, int]]:
    """
    When these tickets were let in first: moments at the same distance (see ``over_time``), in this timezone, and how
    many came from there on to the next. Empty if nobody has come yet. One query.
    """
    entered = with_state(tickets.order_by()).filter(checked_in=True)
    by_minute = entered.annotate(minute=TruncMinute("entered")).values("minute").annotate(count=Count("pk"))
    with planned_plainly():
        counts = [(row["minute"], None, row["count"]) for row in by_minute]
    return [(moment, found[None]) for moment, found in in_steps(counts, timezone)]
