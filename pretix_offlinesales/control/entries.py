"""The chart of entries over time on the page of a batch."""

from django.utils.formats import date_format

from ..models import OfflineSalesBatch
from ..tickets.entries import count_entries


def entries_over_time(batch: OfflineSalesBatch) -> list[dict]:
    """For people, the ``time`` and ``count`` of each bar; none where there is nothing to show."""
    found = count_entries(batch.tickets.all(), batch.event.timezone)
    dates_only = len(found) > 1 and all(moment.hour == moment.minute == 0 for moment, _count in found)
    form = "SHORT_DATE_FORMAT" if dates_only else "SHORT_DATETIME_FORMAT"
    return [{"time": date_format(moment, form), "count": count} for moment, count in found]
