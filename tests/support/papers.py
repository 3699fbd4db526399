"""Tickets of batches one by one, as the host's orders, payments, check-ins and ledger tell."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from pretix.base.models import Checkin, Event, Order, OrderPayment, OrderPosition, Transaction

from pretix_offlinesales.models import OfflineSalesTicket

NOTHING = Decimal("0.00")

#: Gross and tax, by tax rate.
ByRate = dict[Decimal, tuple[Decimal, Decimal]]


class Row(NamedTuple):
    """Of the host's ledger."""

    moment: datetime
    #: None is a fee.
    position: int | None
    rate: Decimal
    gross: Decimal
    tax: Decimal
    count: int


@dataclass
class Ledger:
    """The host's, by the keys of orders."""

    rows: dict[int, list[Row]]

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Ledger":
        entries = Transaction.objects.filter(order__offline_sales_ticket__batch__event__in=events).order_by("pk")
        columns = ("order", "datetime", "positionid", "tax_rate", "price", "tax_value", "count")
        rows = defaultdict(list)
        for order, *row in entries.values_list(*columns):
            rows[order].append(Row(*row))
        return cls(rows)

    def value(self, order: int, until: datetime | None = None) -> Decimal:
        """What it says up to a moment, or now."""
        return sum((row.gross * row.count for row in self._until(order, until)), NOTHING)

    def first_value(self, order: int) -> Decimal:
        return self.value(order, self.rows[order][0].moment)

    def by_rate(self, order: int, until: datetime | None = None) -> ByRate:
        return by_rate((row.rate, row.gross * row.count, row.tax * row.count) for row in self._until(order, until))

    def last_value(self, order: int) -> Decimal:
        """What an order of which nothing is left has cost."""
        moments = sorted({row.moment for row in self.rows[order]})
        values = [self.value(order, moment) for moment in moments]
        return next((value for value in reversed(values) if value), NOTHING)

    def last_price(self, order: int) -> Decimal:
        """Of the ticket itself, which is not in its order any more."""
        return next(row.gross for row in reversed(self.rows[order]) if row.position == 1 and row.count < 0)

    def _until(self, order: int, moment: datetime | None) -> Iterable[Row]:
        return (row for row in self.rows[order] if moment is None or row.moment <= moment)


def by_rate(shares: Iterable[tuple[Decimal, Decimal, Decimal]]) -> ByRate:
    """
    Without rates of which nothing is left.

    :param shares: rate, gross and tax
    """
    sums: dict[Decimal, tuple[Decimal, Decimal]] = defaultdict(lambda: (NOTHING, NOTHING))
    for rate, gross, tax in shares:
        before = sums[rate.normalize()]
        sums[rate.normalize()] = before[0] + gross, before[1] + tax
    return {rate: amounts for rate, amounts in sorted(sums.items()) if any(amounts)}


class Paper(NamedTuple):
    """A ticket, as its order tells."""

    batch: int
    number: int
    item: int
    #: The keys of its holder, and of the document by which she got it; None in stock.
    seller: int | None
    document: int | None
    state: str
    #: What it costs, or what has gone with it.
    price: Decimal
    ticket: int
    order: int
    #: Of the order.
    status: str
    total: Decimal
    is_on_consignment: bool
    is_paid_directly: bool
    #: The key of the statement that it is on, and whether that is known to be paid.
    statement: int | None
    is_settled: bool

    @property
    def is_live(self) -> bool:
        return self.state not in ("returned", "canceled")

    @property
    def is_owed(self) -> bool:
        return self.seller is not None and self.state in ("sold", "settled", "lost") and not self.is_paid_directly


COLUMNS = (
    *("pk", "batch", "number", "batch__item", "batch__consignment", "seller", "document", "statement"),
    *(
        "sold",
        "settled",
        "returned",
        "return_kind",
        "order",
        "order__status",
        "order__total",
        "order__cancellation_date",
    ),
)


def papers_of(events: Iterable[Event], ledger: Ledger) -> Iterator[Paper]:
    let_in = Checkin.objects.filter(position__order__event__in=events, type=Checkin.TYPE_ENTRY, position__positionid=1)
    entered = set(let_in.values_list("position__order", flat=True))
    positions = OrderPosition.all.filter(order__offline_sales_ticket__batch__event__in=events, positionid=1)
    left = {row[0]: row[1:] for row in positions.values_list("order", "canceled", "blocked")}
    ours, others = _payers(events)
    tickets = OfflineSalesTicket.objects.filter(batch__event__in=events).order_by("batch", "number")
    for row in tickets.values_list(*COLUMNS):
        told = dict(zip(COLUMNS, row, strict=True))
        order, status = told["order"], told["order__status"]
        is_canceled_alone, blocked = left.get(order, (True, None))
        is_paid = status == Order.STATUS_PAID
        yield Paper(
            batch=told["batch"],
            number=told["number"],
            item=told["batch__item"],
            seller=told["seller"],
            document=told["document"],
            state=_state(told, is_canceled_alone, bool(blocked), order in entered),
            price=_price(ledger, order, status, is_canceled_alone),
            ticket=told["pk"],
            order=order,
            status=status,
            total=told["order__total"],
            is_on_consignment=told["batch__consignment"],
            is_paid_directly=is_paid and order in others and order not in ours,
            statement=told["statement"],
            is_settled=bool(told["settled"]),
        )


def _payers(events) -> tuple[set[int], set[int]]:
    """Orders that are paid by us, and those that are paid otherwise: somebody has given money for them."""
    payments = OrderPayment.objects.filter(
        order__offline_sales_ticket__batch__event__in=events, state=OrderPayment.PAYMENT_STATE_CONFIRMED
    )
    ours, others = set(), set()
    for order, provider, amount in payments.values_list("order", "provider", "amount"):
        if provider == "offlinesales":
            ours.add(order)
        elif amount > 0:
            others.add(order)
    return ours, others


def _state(told, is_canceled_alone: bool, is_blocked: bool, has_entered: bool) -> str:
    status = told["order__status"]
    if status == Order.STATUS_CANCELED and told["return_kind"] and told["returned"] == told["order__cancellation_date"]:
        return "returned"
    if is_canceled_alone or status not in (Order.STATUS_PENDING, Order.STATUS_PAID):
        return "canceled"
    if is_blocked:
        return "lost"
    if status == Order.STATUS_PAID and (told["settled"] or told["batch__consignment"]):
        return "settled"
    if told["sold"] or has_entered:
        return "sold"
    return "held" if told["seller"] else "stock"


def _price(ledger: Ledger, order: int, status: str, is_canceled_alone: bool) -> Decimal:
    if is_canceled_alone:
        return ledger.last_price(order)
    is_live = status in (Order.STATUS_PENDING, Order.STATUS_PAID)
    return ledger.value(order) if is_live else ledger.last_value(order)
