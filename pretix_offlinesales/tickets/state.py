"""What has become of a ticket, said once for all who ask: pages, files, papers, the report and the API."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import Case, CharField, DateTimeField, Exists, F, OuterRef, Q, QuerySet, TextChoices, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _, gettext_lazy, pgettext_lazy
from pretix.base.models import Checkin, Order, OrderPosition
from pretix.base.models.orders import PrintLog

from ..db.queries import exists_for_each, first, unscoped
from ..models import TICKET_POSITION, OfflineSalesTicket, ReturnKind


class Fate(TextChoices):
    """What has become of a ticket, as everybody calls it. Each ticket has one of these."""

    UNSOLD = ReturnKind.UNSOLD.value, gettext_lazy("Returned: unsold")
    LOST = ReturnKind.LOST.value, gettext_lazy("Returned: lost or stolen")
    DAMAGED = ReturnKind.DAMAGED.value, gettext_lazy("Returned: damaged")
    #: Otherwise than by a return, or expired, or split off from its order.
    CANCELED = "canceled", pgettext_lazy("tickets", "Canceled")
    #: Its paper is lost, so it is blocked.
    REPORTED_LOST = "reported_lost", gettext_lazy("Lost or stolen")
    #: Perhaps sold, perhaps not: nobody knows. Orders that somebody has reset to pending are among them.
    OUTSTANDING = "outstanding", gettext_lazy("Outstanding")


class State(TextChoices):
    """What is said of a ticket in one word: the last of these that is true. The values are those of the API."""

    STOCK = "stock", gettext_lazy("In stock")
    HELD = "held", gettext_lazy("Held by a seller")
    #: Its holder has bought it, or says that it was sold, or somebody was let in with it.
    SOLD = "sold", gettext_lazy("Sold")
    #: What it costs has come in: from the holder by a statement, or otherwise.
    SETTLED = "settled", gettext_lazy("Settled")
    LOST = "lost", gettext_lazy("Lost or stolen")
    RETURNED = "returned", gettext_lazy("Returned")
    CANCELED = "canceled", pgettext_lazy("tickets", "Canceled")


#: All that an outstanding ticket can be.
OUTSTANDING = (State.STOCK, State.HELD, State.SOLD, State.SETTLED)


class Sale(TextChoices):
    """What is known of a ticket's sale, besides whether somebody was let in with it."""

    NONE = ""
    #: As its holder says.
    SOLD = "sold"
    SETTLED = "settled"


#: Of a ticket that was returned, for whatever reason.
RETURNED = tuple(Fate(kind) for kind in ReturnKind.values)

#: An order that is neither canceled nor expired.
LIVE = Q(order__status__in=(Order.STATUS_PENDING, Order.STATUS_PAID))
#: An order of which something is in the host's ledger: its total.
IN_LEDGER = LIVE & Q(order__require_approval=False)

#: An order that the door lets in: a pending one, if it is on consignment, or somebody has said so.
GOOD = Q(order__status=Order.STATUS_PAID) | (IN_LEDGER & Q(order__valid_if_pending=True))

#: Of tickets with their state: all in one of ``State``, as ``state_of`` has it.
IN_STATE = {
    State.STOCK: Q(fate=Fate.OUTSTANDING, seller=None, sale=Sale.NONE, checked_in=False),
    State.HELD: Q(fate=Fate.OUTSTANDING, seller__isnull=False, sale=Sale.NONE, checked_in=False),
    State.SOLD: Q(Q(sale=Sale.NONE, checked_in=True) | Q(sale=Sale.SOLD), fate=Fate.OUTSTANDING),
    State.SETTLED: Q(fate=Fate.OUTSTANDING, sale=Sale.SETTLED),
    State.LOST: Q(fate=Fate.REPORTED_LOST),
    State.RETURNED: Q(fate__in=RETURNED),
    State.CANCELED: Q(fate=Fate.CANCELED),
}

#: Of tickets with their state: returned, but let in.
LET_IN_ALL_THE_SAME = Q(fate__in=RETURNED, checked_in=True)

#: Of a ticket: paid, which its order is from the beginning unless it is on consignment.
SETTLED = Q(order__status=Order.STATUS_PAID) & Q(Q(settled__isnull=False) | Q(batch__consignment=True))

#: One of ``Sale``.
SALE = Case(
    When(SETTLED, then=Value(Sale.SETTLED)),
    When(sold__isnull=False, then=Value(Sale.SOLD)),
    default=Value(Sale.NONE),
    output_field=CharField(),
)

#: Before there were any tickets.
LONG_AGO = Value(datetime(1970, 1, 1, tzinfo=UTC), output_field=DateTimeField())


def with_state(tickets: QuerySet[OfflineSalesTicket]) -> QuerySet[OfflineSalesTicket]:
    """
    Tickets that know whether they are ``valid`` or ``canceled``, alone or with their orders, or were ``split_off``
    from them; what has become of them (one of ``Fate``, as ``fate``) and of their sale (one of ``Sale``, as ``sale``);
    whether, when and where they were let in, and whether and when they were last printed, with the codes that they have
    now.

    The ticket is one position of its order. What comes bundled with it is scanned by itself, at the bar for example,
    and says nothing about the ticket, nor does what was added to the order later.
    """
    entries = entries_with_it().order_by("datetime")
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
        # As one value, or PostgreSQL would take it for so few orders that it reads all of them first.
        valid=Case(When(GOOD, left=True, then=True), default=False),
        canceled=~Q(LIVE, left=True),
        split_off=Q(canceled_alone=None),
        sale=SALE,
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


def with_fate(tickets: QuerySet[OfflineSalesTicket]) -> QuerySet[OfflineSalesTicket]:
    """
    Tickets that know what has become of them, to be counted: whether they are ``left`` may be read from all positions
    at once, where that is cheaper than to look for each. It is one table, whose size PostgreSQL always knows.
    """
    return _with_fate(tickets, Exists(_left()))


def with_facts(tickets: QuerySet[OfflineSalesTicket]) -> QuerySet[OfflineSalesTicket]:
    """Tickets that know their fate as ``with_fate`` has it, and what else decides which ``State`` they are in."""
    return with_fate(tickets).annotate(
        is_held=Q(seller__isnull=False),
        sale=SALE,
        checked_in=exists_for_each(entries_with_it()),
    )


def _left() -> QuerySet[OrderPosition]:
    """The ticket, unless it is canceled or was split off."""
    return unscoped(OrderPosition.objects).filter(order=OuterRef("order"), positionid=TICKET_POSITION).order_by()


def entries_with_it() -> QuerySet[Checkin]:
    """When somebody was let in with the ticket."""
    entries = unscoped(Checkin.objects).filter(position__order=OuterRef("order"), type=Checkin.TYPE_ENTRY)
    return entries.filter(position__positionid=TICKET_POSITION).order_by()


def _with_fate(tickets, left):
    """:param left: whether the ticket is still in its order, and not canceled there"""
    was_returned = Q(return_kind__in=ReturnKind.values, returned=F("order__cancellation_date"))
    return tickets.annotate(left=left).annotate(
        fate=Case(
            When(LIVE, left=True, lost=None, then=Value(Fate.OUTSTANDING)),
            When(LIVE, left=True, then=Value(Fate.REPORTED_LOST)),
            When(was_returned, order__status=Order.STATUS_CANCELED, then=F("return_kind")),
            default=Value(Fate.CANCELED),
            output_field=CharField(),
        ),
    )


def state_of(fate: str, is_held: bool, sale: str, checked_in: bool) -> State:
    """
    :param is_held: by a seller
    :param sale: one of ``Sale``
    """
    if fate in RETURNED:
        return State.RETURNED
    if fate == Fate.OUTSTANDING:
        if sale == Sale.SETTLED:
            return State.SETTLED
        if sale or checked_in:
            return State.SOLD
        return State.HELD if is_held else State.STOCK
    return State.LOST if fate == Fate.REPORTED_LOST else State.CANCELED


def state_of_ticket(ticket: Any) -> State:
    """:param ticket: with its state"""
    return state_of(ticket.fate, ticket.seller_id is not None, ticket.sale, ticket.checked_in)


def in_words(state: State, seller: str = "") -> str:
    """
    ``Held by Kiosk``: a state as it is said of one ticket, or of some that have it in common.

    :param seller: the name of the holder, if it has one
    """
    if state == State.HELD and seller:
        return _("Held by {seller}").format(seller=seller)
    return str(state.label)


def status_of(
    fate: str,
    order_status: str,
    split_off: bool = False,
    split_to: str | None = None,
    state: State = State.STOCK,
    seller: str = "",
    consignment: bool = False,
) -> str:
    """
    ``Canceled (expired)``: what has become of a ticket, and what there is to know beside.

    :param split_to: the code of the order that it was split off to, if it is known (see ``splitting``)
    :param state: where it is, if nothing has become of it yet
    :param seller: the name of its holder, if it has one
    :param consignment: it is not paid before its statement is
    """
    status = in_words(state, seller) if fate == Fate.OUTSTANDING else str(Fate(fate).label)
    detail = _detail(fate, order_status, split_off, split_to, consignment)
    return _("{status} ({detail})").format(status=status, detail=detail) if detail else status


def _detail(fate, order_status, split_off, split_to, consignment):
    if split_off:
        return _("split off to order {order}").format(order=split_to) if split_to else _("split off")
    if order_status == Order.STATUS_EXPIRED:
        return _("expired")
    # What is canceled or was returned need not be paid any more.
    is_out = fate in (Fate.OUTSTANDING, Fate.REPORTED_LOST)
    if order_status == Order.STATUS_PENDING and is_out and not consignment:
        return _("not paid")
    return ""
