"""
What a seller owes for each ticket, what statements say of it so far, and how these differ.

- Owed is a ticket that is sold (said so, or let in) or reported lost, at what the host's ledger says of its order. It
  is not, if the organizer has got the money otherwise.
- Sales are stated up to a moment. What came back, or costs something else by now, is stated as soon as it is known.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db.models import F, Q, QuerySet
from pretix.base.models import Event

from ..db.queries import among, first, planned_plainly, unscoped
from ..models import OfflineSalesTicket, Seller, StatementEntry
from ..tickets.ledger import Share, Shares, shares_of, total_of
from ..tickets.state import Fate, Sale, entries_with_it, with_facts
from ..tickets.worth import with_paid_directly

#: Of tickets with what decides their state, and that know whether they are ``paid_directly``.
IS_OWED = Q(paid_directly=False, order__require_approval=False) & (
    Q(fate=Fate.REPORTED_LOST) | Q(Q(checked_in=True) | ~Q(sale=Sale.NONE), fate=Fate.OUTSTANDING)
)


class Debt(NamedTuple):
    """What is owed for a ticket, or was stated."""

    price: Decimal
    taxes: Shares
    #: The key of the document by which the seller got it, and of its product.
    agreed: int
    item: int


class Place(NamedTuple):
    batch: int
    number: int


class Sold(NamedTuple):
    """A ticket that is owed now."""

    order: int
    place: Place
    debt: Debt
    #: When it was sold, let in or lost, whatever came first. None, if nobody knows.
    moment: datetime | None
    #: It is owed only as long as it is lost.
    is_lost: bool


class Change(NamedTuple):
    """What was not stated yet of a ticket."""

    ticket: int
    #: 1, or -1 if it takes back what was stated before.
    sign: int
    place: Place
    debt: Debt


def changes(
    seller: Seller, events: Iterable[Event], until: datetime, only: Collection[int] | None = None
) -> tuple[list[Change], dict[int, Sold]]:
    """
    What a statement would have to say, in the order of tickets, credits first. Also all that is owed, by ticket.

    :param only: look only at these tickets, by their keys
    """
    tickets = unscoped(OfflineSalesTicket.objects).filter(batch__event__in=events)
    if only is not None:
        tickets = tickets.filter(among("pk", only))
    sold, before = owed(tickets.filter(seller=seller)), stated(seller, tickets)
    found = []
    for pk, (place, debt) in before.items():
        if pk not in sold or sold[pk].debt != debt:
            found.append(Change(pk, -1, place, debt))
    for pk, each in sold.items():
        is_new = pk not in before and (each.moment is None or each.moment <= until)
        if is_new or (pk in before and before[pk][1] != each.debt):
            found.append(Change(pk, 1, each.place, each.debt))
    return sorted(found, key=lambda change: (change.place, change.sign)), sold


def owed(tickets: QuerySet[OfflineSalesTicket]) -> dict[int, Sold]:
    """
    Of these tickets those that are owed, by their keys, in a constant number of queries.

    :param tickets: that somebody holds
    """
    known = with_paid_directly(with_facts(tickets)).filter(IS_OWED)
    entered = first(entries_with_it().order_by("datetime"), "datetime")
    columns = ("pk", "order", "batch", "number", "batch__item", "document", "sold", "lost", "fate", "entered")
    with planned_plainly():
        rows = list(known.annotate(entered=entered).order_by().values_list(*columns))
    shares = shares_of([row[1] for row in rows])
    found = {}
    for pk, order, batch, number, item, document, sold, lost, fate, came in rows:
        taxes = shares.get(order, ())
        debt = Debt(total_of(taxes), taxes, document, item)
        moments = [moment for moment in (sold, lost, came) if moment]
        is_lost = fate == Fate.REPORTED_LOST
        found[pk] = Sold(order, Place(batch, number), debt, min(moments, default=None), is_lost)
    return found


def stated(seller: Seller, tickets: QuerySet[OfflineSalesTicket]) -> dict[int, tuple[Place, Debt]]:
    """What statements say that this seller owes for these tickets, by their keys. One query."""
    entries = unscoped(StatementEntry.objects).filter(
        statement=F("ticket__statement"), statement__seller=seller, count=1, ticket__in=tickets.order_by()
    )
    columns = ("ticket", "ticket__batch", "ticket__number", "price", "taxes", "agreed", "item")
    with planned_plainly():
        rows = list(entries.order_by().values_list(*columns))
    return {
        pk: (Place(batch, number), Debt(price, read_taxes(taxes), agreed, item))
        for pk, batch, number, price, taxes, agreed, item in rows
    }


def read_taxes(stored: list[list[str]]) -> Shares:
    """:param stored: as in ``StatementEntry.taxes``"""
    return tuple(Share(*map(Decimal, each)) for each in stored)


def write_taxes(taxes: Shares) -> list[list[str]]:
    return [[str(value) for value in share] for share in taxes]
