"""On which day it is that tickets are for, and which day is today: in the timezone of their event."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from django.db.models.functions import Coalesce
from django.utils.timezone import now
from pretix.base.models import Event, SubEvent

from ..db.queries import unscoped
from ..host.prefetching import with_settings

#: Something in another timezone may be on the next day already.
A_DAY = timedelta(days=1)


class Day(NamedTuple):
    begins: date
    today: date

    def last(self, days: int) -> date:
        """The last day of a deadline that is so many days before."""
        return self.begins - timedelta(days=days)

    def is_after(self, days: int) -> bool:
        """Whether that deadline has passed."""
        return self.today > self.last(days)


def begins() -> Coalesce:
    """Of tickets: when the event or date begins that they are for."""
    return Coalesce("batch__subevent__date_from", "batch__event__date_from")


def days_of(places: Iterable[tuple[int, int | None]]) -> dict[tuple[int, int | None], Day]:
    """:param places: the keys of events, each with that of a date, if it has some. A constant number of queries."""
    places, moment = set(places), now()
    events = with_settings(unscoped(Event.objects)).in_bulk({event for event, _subevent in places})
    dates = unscoped(SubEvent.objects).filter(pk__in={subevent for _event, subevent in places if subevent})
    of_dates = dict(dates.values_list("pk", "date_from"))
    zones = {pk: event.timezone for pk, event in events.items()}
    return {
        (event, subevent): Day(
            begins=(of_dates[subevent] if subevent else events[event].date_from).astimezone(zones[event]).date(),
            today=moment.astimezone(zones[event]).date(),
        )
        for event, subevent in places
    }
