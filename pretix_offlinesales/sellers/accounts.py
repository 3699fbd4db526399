"""
What sellers hold, have sold, and owe: counted when somebody asks, never stored.

- A seller owes what is sold (said so, or let in) and what she has reported lost, less her commission and its tax, at
  the terms that were agreed when she got the tickets, and less what she has paid. What was returned or canceled, or
  paid to the organizer without her, she does not owe. ``owing`` and ``statements`` say the same ticket by ticket.
- Tickets must be back when the day is over that is so many days before the event or date, in the event's timezone, as
  the host has it with relative dates. What is held after that is *overdue*, if it was agreed that nothing else
  happens then. What counts as sold after its deadline is declared sold by a job, and is never overdue.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Self

from django.db.models import QuerySet, Sum
from django.utils.timezone import now

from ..db.queries import planned_plainly, unscoped
from ..models import (
    DeadlineAction,
    Document,
    DocumentKind,
    OfflineSalesTicket,
    Seller,
    SellerPayment,
    Statement,
)
from ..tickets.figures import Figures, Tally, figures
from ..tickets.state import IN_STATE, State, with_facts
from ..tickets.worth import NOTHING, money, with_paid_directly
from .agreements import Agreements
from .days import A_DAY, Day, begins, days_of
from .terms import Terms


@dataclass(frozen=True)
class Account:
    """Of one seller, or of some of her tickets. All of it is in one currency: that of the seller."""

    held: Tally = Tally()
    sold: Tally = Tally()
    #: Reported lost, and not written off.
    lost: Tally = Tally()
    #: Of those that are held.
    overdue: Tally = Tally()
    #: What was settled: by a statement, or otherwise.
    settled: Tally = Tally()
    #: What she has to pay for all that she has ever sold or lost, when her commission is taken off.
    due: Decimal = NOTHING
    #: What statements say of it, and what she has paid.
    stated: Decimal = NOTHING
    paid: Decimal = NOTHING
    last_movement: datetime | None = None

    @property
    def owed(self) -> Decimal:
        return self.due - self.paid

    @property
    def balance(self) -> Decimal:
        """What of it is to be paid now."""
        return self.stated - self.paid

    @property
    def unstated(self) -> Decimal:
        """What the next statement says, if nothing changes any more."""
        return self.due - self.stated


class _Group(NamedTuple):
    """What tickets have in common that are counted together: the values of ``_FIELDS``."""

    seller: int
    document: int
    event: int
    subevent: int | None
    item: int
    variation: int | None
    #: The organizer has got the money without the seller.
    paid_directly: bool
    #: Worthless yet, so that nothing is owed.
    is_inactive: bool


_FIELDS = (
    "seller",
    "document",
    "batch__event",
    "batch__subevent",
    "batch__item",
    "batch__variation",
    "paid_directly",
    "order__require_approval",
)


def accounts(sellers: Iterable[Seller]) -> dict[int, Account]:
    """By the keys of the sellers, in a constant number of queries. It takes the longer, the more tickets they have."""
    known = {seller.pk: seller for seller in sellers}
    counted = _Counted.of(unscoped(OfflineSalesTicket.objects).filter(seller__in=known))
    by_seller = defaultdict(list)
    for group in counted.groups:
        by_seller[group.seller].append(group)
    stated = _sums(unscoped(Statement.objects).filter(seller__in=known), "due")
    paid = _sums(unscoped(SellerPayment.objects).filter(seller__in=known), "amount")
    return {
        pk: replace(
            counted.account(by_seller[pk]),
            stated=stated.get(pk, NOTHING),
            paid=paid.get(pk, NOTHING),
            last_movement=seller.last_movement,
        )
        for pk, seller in known.items()
    }


def _sums(rows: QuerySet, column: str) -> dict[int, Decimal]:
    """By seller."""
    sums = rows.order_by().values("seller").annotate(sum=Sum(column))
    return {row["seller"]: money(row["sum"]) for row in sums}


def accounts_by_product(seller: Seller) -> dict[tuple[int, int | None, int, int | None], Account]:
    """
    By event, date, product and variation: their keys. Commissions are rounded in each of them, so they need not add up
    to what the seller owes in all.
    """
    counted = _Counted.of(unscoped(OfflineSalesTicket.objects).filter(seller=seller))
    by_product = defaultdict(list)
    for group in counted.groups:
        by_product[group.event, group.subevent, group.item, group.variation].append(group)
    return {product: counted.account(groups) for product, groups in by_product.items()}


def held_numbers(seller: Seller) -> dict[int, list[int]]:
    """The numbers of the tickets that she holds, ascending, by the keys of their batches."""
    held = with_facts(unscoped(OfflineSalesTicket.objects).filter(seller=seller)).filter(IN_STATE[State.HELD])
    found = defaultdict(list)
    with planned_plainly():
        for batch, number in held.order_by("batch", "number").values_list("batch", "number"):
            found[batch].append(number)
    return dict(found)


def overdue(sellers: QuerySet[Seller]) -> set[int]:
    """The keys of those who hold something that is overdue. Only tickets are counted whose deadline may have passed."""
    documents = unscoped(Document.objects).filter(target__in=sellers.order_by()).exclude(kind=DocumentKind.STATEMENT)
    of_documents = {pk: Terms.from_json(terms) for pk, terms in documents.values_list("pk", "terms")}
    deadlines = {pk: days for pk, terms in of_documents.items() if (days := _deadline(terms)) is not None}
    if not deadlines:
        return set()
    earliest = now() + timedelta(days=max(deadlines.values())) + A_DAY
    tickets = unscoped(OfflineSalesTicket.objects).filter(seller__in=sellers.order_by(), document__in=deadlines)
    counted = _Counted.of(tickets.filter(sold=None).alias(begins=begins()).filter(begins__lt=earliest))
    return {group.seller for group in counted.groups if counted.overdue(group)}


def _deadline(terms: Terms) -> int | None:
    """How many days before, if something can be overdue at all."""
    return terms.deadline_days if terms.deadline_action == DeadlineAction.KEEP else None


@dataclass
class _Counted:
    groups: dict[_Group, Figures]
    agreements: Agreements
    #: Whose day it is, and when it begins, by the keys of events and dates.
    days: dict[tuple[int, int | None], Day] = field(default_factory=dict)

    @classmethod
    def of(cls, tickets: QuerySet[OfflineSalesTicket]) -> Self:
        """:param tickets: that somebody holds"""
        counted = figures(with_paid_directly(tickets), by=_FIELDS)
        groups = {_Group(*key): found for key, found in counted.items()}
        agreements = Agreements(group.document for group in groups)
        return cls(groups, agreements, days_of((group.event, group.subevent) for group in groups))

    def account(self, groups: Sequence[_Group]) -> Account:
        found = sum((self.groups[group] for group in groups), Figures())
        # Commissions are rounded once for all that was agreed at the same terms.
        to_pay: dict[str, dict[int, Tally]] = defaultdict(lambda: defaultdict(Tally))
        for group in groups:
            if group.paid_directly or group.is_inactive:
                continue
            counted, key = self.groups[group], self.agreements.key(group.document)
            to_pay[key][group.item] += counted.sold + counted.settled + counted.reported_lost
        kept = [self.agreements.commission_on(key, by_item).gross for key, by_item in to_pay.items()]
        value = sum((tally.value for by_item in to_pay.values() for tally in by_item.values()), NOTHING)
        return Account(
            held=found.held,
            sold=found.sold,
            lost=found.reported_lost,
            overdue=sum(map(self.overdue, groups), Tally()),
            settled=found.settled,
            due=value - sum(kept, NOTHING),
        )

    def overdue(self, group: _Group) -> Tally:
        days = _deadline(self.agreements[group.document])
        day = self.days[group.event, group.subevent]
        if days is None or not day.is_after(days):
            return Tally()
        return self.groups[group].held
