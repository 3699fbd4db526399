"""The orders of many tickets, and all there is to know before they are taken back, in a constant number of queries."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from django.db.models import F, Manager, QuerySet, Sum
from pretix.base.models import (
    Checkin,
    Event,
    GiftCard,
    Invoice,
    Order,
    OrderFee,
    OrderPayment,
    OrderPosition,
    OrderRefund,
    Transaction,
)
from pretix.base.models.giftcards import GiftCardTransaction
from pretix.base.models.orders import RevokedTicketSecret

from ..db.queries import among, unscoped
from ..host.helpers import OF_SELF
from ..models import TICKET_POSITION, OfflineSalesTicket
from ..tickets.locking import lock_tickets
from ..tickets.payment import OfflineSalesPayment
from ..tickets.reasons import ALREADY_CANCELED, CHANGED, CHECKED_IN, GIFT_CARD, GIFT_CARD_USED, UNKNOWN
from ..tickets.state import SALE
from ..tickets.worth import NOTHING

CONFIRMED = OrderPayment.PAYMENT_STATE_CONFIRMED

#: As the host counts what has been paid, and what has been refunded.
PAID = (CONFIRMED, OrderPayment.PAYMENT_STATE_REFUNDED)
REFUNDED = (OrderRefund.REFUND_STATE_DONE, OrderRefund.REFUND_STATE_TRANSIT, OrderRefund.REFUND_STATE_CREATED)


@dataclass(frozen=True)
class Orders:
    """
    By primary key of the order; what an order has none of is an empty list. What only some jobs need is fetched when it
    is asked for.
    """

    event: Event
    orders: dict[int, Order]
    #: Those that are not canceled.
    positions: dict[int, list[OrderPosition]]
    #: By primary key of the position that they were sold with.
    cards: dict[int, list[GiftCard]]

    @cached_property
    def fees(self) -> dict[int, list[OrderFee]]:
        return self._of_each(OrderFee.objects)

    @cached_property
    def transactions(self) -> dict[int, list[Transaction]]:
        return self._of_each(Transaction.objects)

    @cached_property
    def payments(self) -> dict[int, list[OrderPayment]]:
        return self._of_each(OrderPayment.objects)

    @cached_property
    def refunds(self) -> dict[int, list[OrderRefund]]:
        return self._of_each(OrderRefund.objects)

    @cached_property
    def invoices(self) -> dict[int, list[Invoice]]:
        return self._of_each(Invoice.objects)

    def _of_each(self, manager: Manager) -> dict[int, list]:
        return _by(unscoped(manager).filter(among("order", self.orders)))

    @cached_property
    def entered(self) -> set[int]:
        """The orders that somebody was let in with."""
        entries = unscoped(Checkin.objects).filter(position__order__in=self.orders, type=Checkin.TYPE_ENTRY)
        return set(entries.values_list("position__order", flat=True))

    @cached_property
    def revoked(self) -> set[int]:
        """The orders whose codes were put on the revocation list when they were canceled, or since."""
        revoked = unscoped(RevokedTicketSecret.objects).filter(
            position__order__in=self.orders, created__gte=F("position__order__cancellation_date")
        )
        return set(revoked.values_list("position__order", flat=True))

    @cached_property
    def returned(self) -> dict[int, datetime]:
        """When the tickets were taken back, unless that was undone, or they were valid again and canceled otherwise."""
        tickets = self._tickets.filter(returned=F("order__cancellation_date")).values_list("order", "returned")
        return {order: returned for order, returned in tickets if returned}

    @cached_property
    def lost(self) -> set[int]:
        """The orders whose paper was reported lost, unless that was undone."""
        return set(self._tickets.filter(lost__isnull=False).values_list("order", flat=True))

    @cached_property
    def on_consignment(self) -> set[int]:
        return set(self._tickets.filter(batch__consignment=True).values_list("order", flat=True))

    @cached_property
    def sales(self) -> dict[int, str]:
        """What is known of the sale of each ticket, one of ``Sale``."""
        return dict(self._tickets.annotate(sale=SALE).values_list("order", "sale"))

    @cached_property
    def sellers(self) -> dict[int, int | None]:
        """Who holds each ticket, by primary key."""
        return dict(self._tickets.values_list("order", "seller"))

    @cached_property
    def stated(self) -> set[int]:
        """The orders that are on a statement, unless another has taken that back."""
        return set(self._tickets.filter(statement__isnull=False).values_list("order", flat=True))

    @cached_property
    def firm(self) -> set[int]:
        """The orders whose tickets their holders have bought, as was agreed when they got them."""
        return set(self._tickets.filter(document__terms__firm=True).values_list("order", flat=True))

    @property
    def _tickets(self) -> QuerySet[OfflineSalesTicket]:
        return unscoped(OfflineSalesTicket.objects).filter(among("order", self.orders))

    def refusal(self, pk: int) -> str:
        """Why this order can't be taken back; empty if it can."""
        order, positions = self.orders.get(pk), self.positions[pk]
        if not order:
            return UNKNOWN
        if order.status == Order.STATUS_CANCELED or not positions:
            return ALREADY_CANCELED
        if pk in self.entered:
            return CHECKED_IN
        if self._sold(pk) != self._issued(order):
            return CHANGED
        if any(card.value < position.price for position in positions for card in self.cards[position.pk]):
            return GIFT_CARD_USED
        return ""

    def refusal_of_paper(self, pk: int) -> str:
        """Why nothing can be done about the paper of this order, with the order living on; empty if it can."""
        order, positions = self.orders.get(pk), self.positions[pk]
        if not order:
            return UNKNOWN
        if order.status in (Order.STATUS_CANCELED, Order.STATUS_EXPIRED) or not positions:
            return ALREADY_CANCELED
        if pk in self.entered:
            return CHECKED_IN  # whoever holds the paper is in
        if all(position.positionid != TICKET_POSITION for position in positions):
            return CHANGED  # what is left of the order is not the ticket
        if any(self.cards[position.pk] for position in positions):
            return GIFT_CARD  # whoever has its code can spend it, whatever becomes of the ticket, and the host keeps it
        return ""

    def _sold(self, pk: int) -> Counter:
        """What the order is made of now, as the host's books see it."""
        return Counter(Transaction.key(line) for line in (*self.positions[pk], *self.fees[pk]))

    def _issued(self, order: Order) -> Counter:
        """What it was made of when it was made."""
        first = (entry for entry in self.transactions[order.pk] if entry.datetime == order.datetime)
        return Counter({Transaction.key(entry): entry.count for entry in first})

    def due(self, pk: int) -> Iterator[tuple[OrderPayment, Decimal]]:
        """
        Our confirmed payments, and what of each is to be refunded: what somebody has refunded before is not given back
        again, not even if it was not said which payment it belongs to.
        """
        left = self.paid(pk)
        for payment in self.payments[pk]:
            if payment.provider == OfflineSalesPayment.identifier and payment.state == CONFIRMED:
                amount = min(left, payment.amount - self.refunded(pk, payment))
                if amount > 0:
                    left -= amount
                    yield payment, amount

    def paid(self, pk: int) -> Decimal:
        """What was paid and not refunded since, as the host's ``payment_refund_sum`` has it."""
        paid = (payment.amount for payment in self.payments[pk] if payment.state in PAID)
        return sum(paid, NOTHING) - self.refunded(pk)

    def refunded_by_return(self, pk: int) -> Decimal:
        """What the return that has not been undone has refunded. Somebody may have refunded more by hand."""
        return sum((refund.amount for refund in self._refunds_of_return(pk)), NOTHING)

    def payment_before_return(self, pk: int) -> OrderPayment | None:
        """The last of those that the return has refunded."""
        refunded = {refund.payment_id for refund in self._refunds_of_return(pk)}
        return next((payment for payment in reversed(self.payments[pk]) if payment.pk in refunded), None)

    def _refunds_of_return(self, pk: int) -> Iterator[OrderRefund]:
        """Our refunds of that very moment."""
        return (
            refund
            for refund in self.refunds[pk]
            if refund.provider == OfflineSalesPayment.identifier
            and refund.execution_date == self.returned.get(pk)
            and refund.state in REFUNDED
        )

    def refunded(self, pk: int, payment: OrderPayment | None = None) -> Decimal:
        """Of all payments, or of one."""
        refunds = (refund for refund in self.refunds[pk] if refund.state in REFUNDED)
        return sum((refund.amount for refund in refunds if not payment or refund.payment_id == payment.pk), NOTHING)


def fetch(event: Event, pks: Collection[int], lock: bool = False) -> Orders:
    """
    :param lock: Nobody else changes these orders or decides over their tickets, and nobody is let in with them, until
        the end of the transaction.

    Positions are locked as the host's check-in locks them, and before all else: whoever scans a ticket locks its
    position first and its order later. Others lock orders first; so not to wait for each other, for an order we don't
    wait at all.

    :raises OperationalError: if somebody else has locked one of the orders
    """
    locked = {"of": OF_SELF} if lock else None
    positions = list(
        _locked(unscoped(OrderPosition.all).filter(among("order", pks)).order_by("pk"), locked).prefetch_related(
            "item", "variation", "subevent"
        )
    )
    rows = _locked(
        unscoped(Order.objects).filter(among("pk", pks)).order_by("pk"), locked and locked | {"nowait": True}
    )
    orders = {order.pk: order for order in rows}
    if lock:
        lock_tickets(orders)
    for order in orders.values():
        order.event = event
    positions = [position for position in positions if not position.canceled and position.order_id in orders]
    for position in positions:
        position.order = orders[position.order_id]
    cards = list(_locked(unscoped(GiftCard.objects).filter(issued_in__in=positions).order_by("pk"), locked))
    _value_gift_cards(cards)
    return Orders(event, orders, _by(positions), _by(cards, "issued_in_id"))


def _locked(queryset: QuerySet, options: dict | None) -> QuerySet:
    return queryset.select_for_update(**options) if options else queryset


def _by(rows: Iterable, key: str = "order_id") -> dict[int, list]:
    found = defaultdict(list)
    for row in rows:
        found[getattr(row, key)].append(row)
    return found


def _value_gift_cards(cards: Collection[GiftCard]) -> None:
    """What is on them, by the host's own property but without a query for each."""
    if cards:
        transactions = unscoped(GiftCardTransaction.objects).filter(card__in=cards).order_by()
        sums = transactions.values("card").annotate(sum=Sum("value"))
        values = {row["card"]: row["sum"] for row in sums}
        for card in cards:
            card.cached_value = values.get(card.pk)  # type: ignore[attr-defined]  # the host asks whether it is there
