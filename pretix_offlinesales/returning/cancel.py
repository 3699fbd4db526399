"""
Cancel many orders as the host cancels one without a fee and without a mail (``_cancel_order``), and settle their
payments. All in the caller's transaction, in a constant number of queries.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from pretix.base.models import GiftCard, Membership, Order, OrderPayment, OrderRefund, Transaction
from pretix.base.models.giftcards import GiftCardTransaction
from pretix.base.models.orders import CancellationRequest

from ..after_sale.orders import Orders
from ..after_sale.secrets import revoke, store_secrets
from ..db.queries import unscoped
from ..db.rows import insert_copies, log
from ..host.invoices import generate_cancellation
from ..models import OfflineSalesTicket, ReturnKind
from ..tickets.payment import OfflineSalesPayment


def cancel(orders: Orders, pks: Sequence[int], kind: str, requester: dict, moment: datetime) -> list[int]:
    """
    Returns the keys of the log entries that nobody has been told of yet.

    :param orders: locked, with none of ``pks`` refused
    :param kind: one of ``ReturnKind``
    :param requester: of ``Requested``
    """
    _cancel_invoices(orders, pks)
    written = _take_back_gift_cards(orders, pks, requester)
    positions = [position for pk in pks for position in orders.positions[pk]]
    unscoped(Membership.objects).filter(granted_in__in=positions).update(canceled=True)
    unscoped(Order.objects).filter(pk__in=pks).update(
        status=Order.STATUS_CANCELED, cancellation_date=moment, last_modified=moment
    )
    store_secrets(*revoke(orders, positions))
    first = orders.orders[pks[0]]
    canceled = {"cancellation_fee": None, "comment": None}
    written += log(first, "pretix.event.order.canceled", pks, [canceled] * len(pks), requester)
    unscoped(CancellationRequest.objects).filter(order__in=pks).delete()
    _balance_transactions(orders, pks, moment)
    written += _refund(orders, pks, kind, requester, moment)
    unscoped(OfflineSalesTicket.objects).filter(order__in=pks).update(returned=moment, return_kind=kind)
    return written + log(first, "pretix_offlinesales.order.returned", pks, [{"kind": kind}] * len(pks), requester)


def _cancel_invoices(orders, pks):
    """There are none but those that somebody has made by hand."""
    for pk in pks:
        invoices = [invoice for invoice in orders.invoices[pk] if not invoice.is_cancellation]
        if invoices and not invoices[-1].refered.exists():
            generate_cancellation(invoices[-1])


def _take_back_gift_cards(orders, pks, requester):
    taken = [
        (card, str(-position.price), pk)
        for pk in pks
        for position in orders.positions[pk]
        for card in orders.cards[position.pk]
    ]
    if not taken:
        return []
    cards, values, order_ids = zip(*taken, strict=True)
    card_ids = [card.pk for card in cards]
    organizer = orders.event.organizer
    insert_copies(GiftCardTransaction(acceptor=organizer), card_id=card_ids, value=values, order_id=order_ids)
    acceptor = {"acceptor_id": organizer.pk, "acceptor_slug": organizer.slug}
    # The host names only the user here, and no token.
    user = {"user": requester["user"]}
    data = [{"value": value, **acceptor} for value in values]
    return log(GiftCard(issuer=organizer), "pretix.giftcards.transaction.manual", card_ids, data, user)


def _balance_transactions(orders, pks, moment):
    """The opposite of all that is in the books, in the order in which the host writes it."""
    opposite = []
    for pk in pks:
        counts: Counter[tuple] = Counter()
        samples = {}
        for entry in orders.transactions[pk]:
            key = Transaction.key(entry)
            counts[key] += entry.count
            samples[key] = entry
        left = [(samples[key], count) for key, count in counts.items() if count]
        for entry, count in sorted(left, key=lambda line: line[0].positionid or 0):
            entry.pk, entry.created, entry.datetime, entry.migrated, entry.count = None, None, moment, False, -count
            opposite.append(entry)
    Transaction.objects.bulk_create(opposite)


def _refund(orders, pks, kind, requester, moment):
    """Whoever sold the paper gives nothing back to anybody; but for the books, what was paid is given back."""
    due = [line for pk in pks for line in orders.due(pk)]
    if not due:
        return []
    order_ids = [payment.order_id for payment, _amount in due]
    local_ids = [max((refund.local_id for refund in orders.refunds[pk]), default=0) + 1 for pk in order_ids]
    provider = OfflineSalesPayment.identifier
    insert_copies(
        OrderRefund(
            source=OrderRefund.REFUND_SOURCE_ADMIN,
            state=OrderRefund.REFUND_STATE_DONE,
            provider=provider,
            execution_date=moment,
            comment=_("Returned ({kind})").format(kind=ReturnKind(kind).label),
        ),
        order_id=order_ids,
        payment_id=[payment.pk for payment, _amount in due],
        amount=[str(amount) for _payment, amount in due],
        local_id=local_ids,
    )
    settled = [
        payment.pk for payment, amount in due if amount + orders.refunded(payment.order_id, payment) >= payment.amount
    ]
    unscoped(OrderPayment.objects).filter(pk__in=settled).update(state=OrderPayment.PAYMENT_STATE_REFUNDED)
    data = [{"local_id": local_id, "provider": provider} for local_id in local_ids]
    return [
        entry
        for action in ("pretix.event.order.refund.created", "pretix.event.order.refund.done")
        for entry in log(orders.orders[order_ids[0]], action, order_ids, data, requester)
    ]
