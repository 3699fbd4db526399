"""Charts over time: of entries on the page of a batch, of sales on those of sellers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import pgettext

from ..models import OfflineSalesBatch, OfflineSalesTicket
from ..sellers.sales import sales_over_time
from ..tickets.entries import count_entries


def entries_over_time(batch: OfflineSalesBatch) -> list[dict]:
    """For people, the ``time`` and ``count`` of each bar; none where there is nothing to show."""
    found = count_entries(batch.tickets.all(), batch.event.timezone)
    times = _named([moment for moment, _count in found])
    return [{"time": time, "count": count} for time, (_moment, count) in zip(times, found, strict=True)]


@dataclass(frozen=True)
class SalesChart:
    #: Who has sold what is shown, a name each.
    labels: Sequence[str]
    #: For people, the time of each bar, and what each of them has sold then.
    rows: Sequence[tuple[str, Sequence[int]]]

    def __bool__(self) -> bool:
        return bool(self.rows)

    @property
    def labels_json(self) -> str:
        return json.dumps(self.labels)

    @property
    def data(self) -> list[dict]:
        """As ``charts.js`` takes it: the parts of each bar, in the order of the labels."""
        return [
            {"time": time} | {f"part{place}": count for place, count in enumerate(counts)} for time, counts in self.rows
        ]


def sales_chart(tickets: QuerySet[OfflineSalesTicket], timezone: tzinfo) -> SalesChart:
    sales = sales_over_time(tickets, timezone)
    labels = [seller.name if seller else pgettext("sellers", "Others") for seller in sales.sellers]
    times = _named([moment for moment, _counts in sales.steps])
    return SalesChart(labels, [(time, counts) for time, (_moment, counts) in zip(times, sales.steps, strict=True)])


def _named(moments: Sequence[datetime]) -> list[str]:
    """Without the time of day, where each of several is midnight."""
    dates_only = len(moments) > 1 and all(moment.hour == moment.minute == 0 for moment in moments)
    form = "SHORT_DATE_FORMAT" if dates_only else "SHORT_DATETIME_FORMAT"
    return [date_format(moment, form) for moment in moments]
