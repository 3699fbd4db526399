"""What has become of a batch's tickets, and what they are worth. Counted, never stored."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models import (
    Case,
    CharField,
    Count,
    DateTimeField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, TruncMinute
from django.utils.translation import gettext_lazy as _, pgettext_lazy
from pretix.base.models import Checkin, Order, OrderPosition, Transaction
from pretix.base.models.orders import PrintLog

from ..db.queries import exists_for_each, first, planned_plainly, unscoped
from ..models import TICKET_POSITION, OfflineSalesBatch, OfflineSalesTicket, ReturnKind

#: What can become of a ticket, besides being returned as one of ``ReturnKind``.
OUTSTANDING = "outstanding"
#: Its paper is lost, so it is blocked.
REPORTED_LOST = "reported_lost"
#: Canceled otherwise than by a return, expired, or split off from its order.
CANCELED = "canceled"

#: An order that is neither canceled nor expired.
LIVE = Q(order__status__in=(Order.STATUS_PENDING, Order.STATUS_PAID))
#: An order of which something is in the host's ledger: its total.
IN_LEDGER = LIVE & Q(order__require_approval=False)

#: Of tickets with their state: returned, but let in.
LET_IN_ALL_THE_SAME = Q(fate__in=ReturnKind.values, checked_in=True)

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

#: Before there were any tickets.
LONG_AGO = Value(datetime(1970, 1, 1, tzinfo=UTC), output_field=DateTimeField())

NOTHING = Decimal("0.00")

#: What is told about tickets, in this order, by the names in ``Figures``.
LABELS = {
    "issued": _("Issued"),
    "unsold": _("Returned: unsold"),
    "lost": _("Returned: lost or stolen"),
    "damaged": _("Returned: damaged"),
    "canceled": pgettext_lazy("tickets", "Canceled"),
    "reported_lost": _("Lost or stolen"),
    "outstanding": _("Outstanding"),
    "checked_in": _("Checked in"),
    "due": _("Due"),
    "due_besides": _("Due besides: returned, but let in"),
}


@dataclass(frozen=True)
class Tally:
    """So many tickets, and what they cost, with what is bundled with them."""

    count: int = 0
    value: Decimal = NOTHING

    def __bool__(self) -> bool:
        return self.count > 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.count + other.count, self.value + other.value)


@dataclass(frozen=True)
class Figures:
    """Of a batch, or of several together. Only what still exists counts: orders of test mode can be deleted."""

    #: Perhaps sold, perhaps not: nobody knows. Orders that somebody has reset to pending are among them.
    outstanding: Tally = Tally()
    reported_lost: Tally = Tally()
    unsold: Tally = Tally()
    lost: Tally = Tally()
    damaged: Tally = Tally()
    canceled: Tally = Tally()
    #: Let in at least once; most of them are outstanding as well.
    checked_in: Tally = Tally()
    #: What the host's ledger says of the orders of all of them. A canceled one may have left something there: a fee
    #: that was kept, or what else is in its order.
    due: Tally = Tally()
    #: Returned, but let in all the same: a scanner that was offline knew nothing of it. Not in the ledger.
    due_besides: Tally = Tally()

    @property
    def returned(self) -> Tally:
        return self.unsold + self.lost + self.damaged

    @property
    def issued(self) -> Tally:
        return self.outstanding + self.reported_lost + self.returned + self.canceled

    @property
    def lines(self) -> list[tuple[str, Tally]]:
        """All of them, each with its label."""
        return [(label, getattr(self, name)) for name, label in LABELS.items()]

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(**{name: getattr(self, name) + getattr(other, name) for name in Figures.__dataclass_fields__})


def with_state(tickets: QuerySet[OfflineSalesTicket]) -> QuerySet[OfflineSalesTicket]:
    """
    Tickets that know whether they are ``valid`` or ``canceled``, alone or with their orders, or were ``split_off``
    from them; what has become of them (``fate``: ``OUTSTANDING``, ``REPORTED_LOST``, one of ``ReturnKind``, or
    ``CANCELED``); whether, when and where they were let in, and whether and when they were last printed, with the codes
    that they have now.

    The ticket is one position of its order. What comes bundled with it is scanned by itself, at the bar for example,
    and says nothing about the ticket, nor does what was added to the order later.
    """
    entries = _entries().order_by("datetime")
    prints = (
        unscoped(PrintLog.objects)
        .filter(
            position__order=OuterRef("order"),
            position__positionid=TICKET_POSITION,
            type=PrintLog.TYPE_TICKET,
            successful=True,
            datetime__gte=Coalesce(OuterRef("replaced"), LONG_AGO),
        )
        .order_by("-datetime")
    )
    states = tickets.annotate(canceled_alone=first(the_ticket(), "canceled"))
    # A condition alone would be unknown where the ticket is not there any more, which is neither true nor false.
    states = _with_fate(states, left=Case(When(canceled_alone=False, then=True), default=False))
    return states.annotate(
        valid=Q(order__status=Order.STATUS_PAID, left=True),
        canceled=~Q(LIVE, left=True),
        split_off=Q(canceled_alone=None),
        checked_in=exists_for_each(entries),
        entered=first(entries, "datetime"),
        entered_list=first(entries, "list__name"),
        entered_gate=first(entries, "gate__name"),
        printed=exists_for_each(prints),
        last_printed=first(prints, "datetime"),
    )


def the_ticket() -> QuerySet[OrderPosition]:
    """Its position, canceled or not; none, if somebody has split it off from its order."""
    return unscoped(OrderPosition.all).filter(order=OuterRef("order"), positionid=TICKET_POSITION).order_by()


def _left() -> QuerySet[OrderPosition]:
    """The ticket, unless it is canceled or was split off."""
    return unscoped(OrderPosition.objects).filter(order=OuterRef("order"), positionid=TICKET_POSITION).order_by()


def _entries() -> QuerySet[Checkin]:
    """Of a ticket."""
    entries = unscoped(Checkin.objects).filter(position__order=OuterRef("order"), type=Checkin.TYPE_ENTRY)
    return entries.filter(position__positionid=TICKET_POSITION).order_by()


def _with_fate(tickets, left):
    """:param left: whether the ticket is still in its order, and not canceled there"""
    was_returned = Q(return_kind__in=ReturnKind.values, returned=F("order__cancellation_date"))
    return tickets.annotate(left=left).annotate(
        fate=Case(
            When(LIVE, left=True, lost=None, then=Value(OUTSTANDING)),
            When(LIVE, left=True, then=Value(REPORTED_LOST)),
            When(was_returned, order__status=Order.STATUS_CANCELED, then=F("return_kind")),
            default=Value(CANCELED),
            output_field=CharField(),
        ),
    )


def with_worth(tickets: QuerySet[OfflineSalesTicket]) -> QuerySet[OfflineSalesTicket]:
    """
    Tickets that know what they cost, with what is bundled with them (``worth``): if they are canceled, what was
    canceled with them.

    :param tickets: with their fate
    """
    # An order that is canceled as a whole keeps its total.
    worth = Case(When(left=True, then=F("order__total")), default=Subquery(_gone_with_the_ticket()))
    return tickets.annotate(worth=worth)


def with_due(tickets: QuerySet[OfflineSalesTicket]) -> QuerySet[OfflineSalesTicket]:
    """
    Tickets that also know whether something of their orders is in the host's ledger (``in_ledger``), whether they were
    returned, but let in (``let_in_all_the_same``), and what is to be paid for them: what is in the ledger (``due``), or
    what those that were let in cost (``due_besides``).

    :param tickets: with their state
    """
    known = tickets.annotate(in_ledger=Q(IN_LEDGER), let_in_all_the_same=Q(LET_IN_ALL_THE_SAME))
    return with_worth(known).annotate(
        due=Case(When(in_ledger=True, then=F("order__total")), default=Value(NOTHING)),
        due_besides=Case(When(let_in_all_the_same=True, then=F("worth")), default=Value(NOTHING)),
    )


def _gone_with_the_ticket() -> QuerySet:
    """The sum of all positions that left the order when the ticket did, as the host's ledger has it."""
    # The time has an index of its own, which must not be chosen (see ``database``).
    entries = unscoped(Transaction.objects).alias(moment=Coalesce("datetime", LONG_AGO)).order_by()
    gone = entries.filter(order=OuterRef("order"), count__lt=0)
    moment = first(gone.filter(positionid=TICKET_POSITION).order_by("-moment"), "datetime")
    # A position whose price was changed at that moment has left the ledger, too, and come back.
    come_back = entries.filter(
        order=OuterRef("order"), moment=OuterRef("datetime"), positionid=OuterRef("positionid"), count__gt=0
    )
    with_it = gone.filter(~Exists(come_back), moment=moment, positionid__isnull=False)
    return with_it.values("order").values(sum=Sum(-F("price") * F("count")))


def figures(batches: Iterable[OfflineSalesBatch]) -> dict[int, Figures]:
    """The figures of each of these batches, by primary key, in one query."""
    pks = [batch.pk for batch in batches]
    found = defaultdict(Figures)
    for row in _count(unscoped(OfflineSalesTicket.objects).filter(batch__in=pks), "batch"):
        found[row["batch"]] += _figures(row)
    return {pk: found[pk] for pk in pks}


def total(batches: QuerySet[OfflineSalesBatch]) -> Figures:
    """The figures of all these batches together, but for those in test mode, in one query."""
    real = batches.filter(testmode=False).order_by().values("pk")
    return sum(map(_figures, _count(unscoped(OfflineSalesTicket.objects).filter(batch__in=real))), Figures())


def tally_by_batch(tickets: QuerySet[OfflineSalesTicket]) -> dict[int, Tally]:
    """How many of these tickets each batch has, and what they cost, in one query."""
    worth = with_worth(_with_fate(tickets, Exists(_left()))).order_by().values("batch")
    with planned_plainly():
        rows = list(worth.annotate(count=Count("pk"), value=Sum("worth")))
    return {row["batch"]: Tally(row["count"], money(row["value"])) for row in rows}


def _count(tickets, *by):
    """
    Whether a ticket is left may be read from all positions at once, where that is cheaper than to look for each: it is
    one table, whose size PostgreSQL always knows.
    """
    states = _with_fate(tickets, Exists(_left())).annotate(checked_in=exists_for_each(_entries()))
    states = with_due(states).order_by().values(*by, "fate", "checked_in", "in_ledger", "let_in_all_the_same")
    sums = {f"{name}_sum": Sum(name) for name in ("worth", "due")}
    with planned_plainly():
        return list(states.annotate(count=Count("pk"), **sums))


def _figures(row):
    count = row["count"]
    tally = Tally(count, money(row["worth_sum"]))
    return Figures(
        **{row["fate"]: tally},
        checked_in=tally if row["checked_in"] else Tally(),
        due=Tally(count, money(row["due_sum"])) if row["in_ledger"] else Tally(),
        due_besides=tally if row["let_in_all_the_same"] else Tally(),
    )


def money(value: Decimal | None) -> Decimal:
    """As it is stored: sums on SQLite have any number of places."""
    return (value or NOTHING).quantize(NOTHING)


def entries(batch: OfflineSalesBatch) -> list[tuple[datetime, int]]:
    """
    When the batch's tickets were let in first: moments at the same distance (see ``STEPS``), in the event's timezone,
    and how many came from there on to the next. Empty if nobody has come yet. One query.
    """
    timezone = batch.event.timezone
    entered = with_state(batch.tickets.order_by()).filter(checked_in=True)
    by_minute = entered.annotate(minute=TruncMinute("entered")).values("minute").annotate(count=Count("pk"))
    with planned_plainly():
        counts = {row["minute"].astimezone(timezone): row["count"] for row in by_minute}
    if not counts:
        return []
    first, last = min(counts), max(counts)
    step = next((step for step in STEPS if last - first < MAX_STEPS * step), STEPS[-1])
    # Wall clock time: a day is a day, even if it has 25 hours.
    start = first.replace(tzinfo=None, minute=0, hour=0)
    found = Counter()
    for minute, count in counts.items():
        found[(minute.replace(tzinfo=None) - start) // step] += count
    steps = range(min(found), max(found) + 1)
    return [((start + number * step).replace(tzinfo=timezone), found[number]) for number in steps]
