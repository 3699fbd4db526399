"""
Paper on consignment does not expire: its orders are pending until whoever sells it has paid, and valid all the same.
But the host has a moment for each pending order from which on it is overdue, computes it anew in many places, and lets
staff mark all that is overdue as expired at once, without asking what is valid. So that moment is a year after the
event, and is put back there.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.timezone import now
from pretix.base.models import Event, Order, SubEvent

from ..db.queries import unscoped
from ..models import OfflineSalesTicket
from .origin import Origin

#: How many orders one run of the periodic task puts right.
MOST = 10_000
#: How many of them are written at once, and kept from others meanwhile.
CHUNK = 1_000

#: The shortest year. In a longer one, an order that is a day early is early enough to be left as it is.
YEAR = timedelta(days=365)
#: Some events never end, and have a date that says so.
FOREVER = datetime(9998, 1, 1, tzinfo=UTC)


def expiry(event: Event, dates: Iterable[SubEvent | None], moment: datetime) -> datetime:
    """
    When orders on consignment expire: a year after the last of their dates, or after the event.

    :param dates: of the positions; none, where they have no date
    :param moment: when it is asked. An event may have begun long ago, and last.
    """
    ends = [date.date_to or date.date_from for date in dates if date] or [event.date_to or event.date_from]
    return _year_after(max(moment, *ends))


def keep_valid(order: Order) -> None:
    """To be called when the host may have computed anew when an order expires. One that expires later is left alone."""
    if not _is_pending(order) or not Origin.of(order) or not _is_on_consignment(order):
        return
    expires = expiry(order.event, {position.subevent for position in order.positions.all()}, now())
    if order.expires < expires:
        order.expires = expires
        _write([order.pk], expires)


def keep_all_valid() -> None:
    """
    Where nothing tells that an order expires too early: a date was moved, or staff made an order pending again. One
    query, unless there are some; then the first of them are put right, and the next ones the next time.
    """
    moment = now()
    found = defaultdict(list)
    for pk, end in _too_early(moment)[:MOST]:
        found[_year_after(max(moment, end))].append(pk)
    for expires, pks in found.items():
        for start in range(0, len(pks), CHUNK):
            _write(pks[start : start + CHUNK], expires)


def _year_after(moment: datetime) -> datetime:
    moment = min(moment, FOREVER)
    try:
        return moment.replace(year=moment.year + 1)
    except ValueError:  # the 29th of February
        return moment + timedelta(days=366)


def _is_pending(order: Order) -> bool:
    """And valid all the same, unless staff has decided otherwise."""
    return order.status == Order.STATUS_PENDING and order.valid_if_pending


def _is_on_consignment(order: Order) -> bool:
    ticket = getattr(order, "offline_sales_ticket", None)
    return bool(ticket and ticket.batch.consignment)


def _too_early(moment: datetime) -> "QuerySet[OfflineSalesTicket, tuple[int, datetime]]":
    """
    The keys of orders, and when they end. What was over a year ago is over.

    The date is that for which they were issued: a ticket that staff has put on another one was looked at then.
    """
    pending = unscoped(OfflineSalesTicket.objects).filter(
        batch__consignment=True, order__status=Order.STATUS_PENDING, order__valid_if_pending=True
    )
    tickets = pending.annotate(
        end=Coalesce(
            "batch__subevent__date_to", "batch__subevent__date_from", "batch__event__date_to", "batch__event__date_from"
        )
    )
    year_later = ExpressionWrapper(F("end") + Value(YEAR), output_field=DateTimeField())
    late = tickets.filter(end__gt=moment - YEAR, end__lt=FOREVER, order__expires__lt=year_later)
    return late.order_by("order").values_list("order", "end")


def _write(pks: list[int], expires: datetime) -> None:
    """Scanners do not ask for it, so that they need not load these orders again."""
    pending = unscoped(Order.objects).filter(pk__in=pks, status=Order.STATUS_PENDING, expires__lt=expires)
    pending.update(expires=expires)
