"""What has become of a batch's tickets: valid, canceled, checked in, and what they are worth. Counted, never stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, DecimalField, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from pretix.base.models import Checkin, Order, OrderPosition
from pretix.base.models.orders import PrintLog

from .models import OfflineSalesBatch, OfflineSalesTicket

NOTHING = Decimal("0.00")


@dataclass(frozen=True)
class Figures:
    """Of one batch. Orders that somebody has reset to pending are neither valid nor canceled."""

    #: Those that still exist. (Orders of test mode can be deleted.)
    issued: int = 0
    valid: int = 0
    canceled: int = 0
    checked_in: int = 0
    #: What the valid tickets cost, with what is bundled with them and not canceled.
    value: Decimal = NOTHING


def with_state(tickets: QuerySet[OfflineSalesTicket]) -> QuerySet[OfflineSalesTicket]:
    """
    Tickets that know whether they are ``valid`` or ``canceled``, whether, when and where they were let in, and whether
    and when they were last printed.

    The ticket is the order's main position. What comes bundled with it is scanned by itself, at the bar for example,
    and says nothing about the ticket.
    """
    left = Exists(OrderPosition.objects.filter(order=OuterRef("order"), addon_to=None))
    entries = Checkin.objects.filter(
        position__order=OuterRef("order"), position__addon_to=None, type=Checkin.TYPE_ENTRY
    ).order_by("datetime")
    prints = PrintLog.objects.filter(
        position__order=OuterRef("order"), position__addon_to=None, type=PrintLog.TYPE_TICKET, successful=True
    ).order_by("-datetime")
    return tickets.annotate(left=left).annotate(
        valid=Q(order__status=Order.STATUS_PAID, left=True),
        canceled=Q(order__status=Order.STATUS_CANCELED) | Q(left=False),
        checked_in=Exists(entries),
        entered=Subquery(entries.values("datetime")[:1]),
        entered_list=Subquery(entries.values("list__name")[:1]),
        entered_gate=Subquery(entries.values("gate__name")[:1]),
        printed=Exists(prints),
        last_printed=Subquery(prints.values("datetime")[:1]),
    )


def figures(batches: Iterable[OfflineSalesBatch]) -> dict[int, Figures]:
    """The figures of each of these batches, by primary key, in one query."""
    pks = [batch.pk for batch in batches]
    prices = OrderPosition.objects.filter(order=OuterRef("order")).order_by().values("order")
    worth = Subquery(prices.values(worth=Sum("price")), output_field=DecimalField())
    counted = (
        with_state(OfflineSalesTicket.objects.filter(batch__in=pks))
        .annotate(worth=worth)
        .order_by()
        .values("batch")
        .annotate(
            issued_count=Count("pk"),
            valid_count=Count("pk", filter=Q(valid=True)),
            canceled_count=Count("pk", filter=Q(canceled=True)),
            checked_in_count=Count("pk", filter=Q(checked_in=True)),
            value=Sum("worth", filter=Q(valid=True)),
        )
    )
    found = {
        row["batch"]: Figures(
            issued=row["issued_count"],
            valid=row["valid_count"],
            canceled=row["canceled_count"],
            checked_in=row["checked_in_count"],
            value=row["value"] or NOTHING,
        )
        for row in counted
    }
    return {pk: found.get(pk, Figures()) for pk in pks}
