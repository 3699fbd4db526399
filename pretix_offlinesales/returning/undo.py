"""
Tickets that were returned by mistake become valid again, as the host reactivates an order (``reactivate_order``), many
at once. All in the caller's transaction, in a constant number of queries.

Only the status of an order makes its positions count for quotas and seats. So everything else is written first, and
others wait for a count and for that one statement. (Vouchers are left alone, as when tickets are taken back: a batch
has none, and the host gives none to what has been ordered.)
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import prefetch_related_objects
from pretix.base.models import GiftCard, Membership, Order, OrderPosition, Transaction
from pretix.base.models.giftcards import GiftCardTransaction

from ..after_sale.orders import Orders
from ..after_sale.pace import Pace
from ..after_sale.payments import confirm
from ..db.queries import unscoped
from ..db.rows import check_references, insert_copies, log
from ..host.memberships import validate_memberships_in_order
from ..jobs.interruptions import is_interruption
from ..models import OfflineSalesTicket
from ..tickets.expiry import expiry
from ..tickets.payment import statement_of
from ..tickets.reasons import CHANGED, FAILED, NOT_CANCELED, NOT_RETURNED, REVOKED, SOLD_OUT, UNKNOWN
from ..tickets.worth import NOTHING
from .claim import Claim

logger = logging.getLogger(__name__)


class TooFewPlaces(Exception):
    """They are enough for these orders only, by their primary keys."""


def refusal(orders: Orders, pk: int) -> str:
    """Why the return of this order can't be undone; empty if it can, as far as that is known before it is tried."""
    order = orders.orders.get(pk)
    if not order:
        return UNKNOWN
    if order.status != Order.STATUS_CANCELED:
        return NOT_CANCELED if orders.positions[pk] else CHANGED  # it lives on without its ticket, for a fee perhaps
    if pk not in orders.returned:
        return NOT_RETURNED
    return REVOKED if pk in orders.revoked else ""


def reactivate(
    orders: Orders, pks: Sequence[int], requester: dict, moment: datetime, pace: Pace
) -> tuple[list[int], dict[int, str]]:
    """
    Returns the keys of the log entries that nobody has been told of yet, and those orders that can't become valid
    again, and why. Where too few places are left, the first orders get them.

    :param orders: locked, with none of ``pks`` refused
    :param requester: of ``Requested``
    :param pace: is told when it is that others begin to wait
    :raises LockTimeoutException: if others held the quotas for as long as the host waits for them
    """
    prefetch_related_objects([orders.orders[pk] for pk in pks], "sales_channel")
    claim = Claim(orders, pks)
    lines, refused = _prepare(orders, pks, moment)
    refused |= dict.fromkeys(claim.not_for_sale(), SOLD_OUT)
    while wanted := [pk for pk in pks if pk not in refused]:
        try:
            with transaction.atomic():
                return _write(orders, wanted, lines, claim, requester, moment, pace), refused
        except TooFewPlaces as error:
            [fitting] = error.args
            refused |= dict.fromkeys(set(wanted) - set(fitting), SOLD_OUT)
    return [], refused


def _prepare(
    orders: Orders, pks: Sequence[int], moment: datetime
) -> tuple[dict[int, list[Transaction]], dict[int, str]]:
    """
    Let the host decide what each order will be like. Returns what is to be added to the books for each, unsaved, and
    those orders that it refuses or fails with, and why.
    """
    lines, refused = {}, {}
    deadlines: dict[tuple, datetime] = {}
    for pk in pks:
        order = orders.orders[pk]
        try:
            _check_memberships(orders, pk)
            _set_status(orders, pk)
            _set_deadline(orders, pk, moment, deadlines)
            lines[pk] = _transactions(orders, pk, moment)
        except ValidationError:
            logger.info("Order %s can't become valid again", order.full_code, exc_info=True)
            refused[pk] = SOLD_OUT
        except Exception as error:
            if is_interruption(error):
                raise
            logger.exception("Order %s could not become valid again", order.full_code)
            refused[pk] = FAILED
    return lines, refused


def _check_memberships(orders, pk):
    positions = orders.positions[pk]
    if any(_concerns_membership(position) for position in positions):
        order = orders.orders[pk]
        validate_memberships_in_order(order.customer, positions, orders.event, lock=True, testmode=order.testmode)


def _concerns_membership(position: OrderPosition) -> bool:
    product = position.variation or position.item
    return bool(position.used_membership_id or position.item.require_membership or product.require_membership)


def _set_status(orders, pk):
    order = orders.orders[pk]
    is_paid = orders.paid(pk) + _paid_again(orders, pk) >= order.total and not order.require_approval
    order.status = Order.STATUS_PAID if is_paid else Order.STATUS_PENDING


def _set_deadline(orders, pk, moment, deadlines):
    """The same for all that were bought in the same place for the same dates; on consignment, none to speak of."""
    order = orders.orders[pk]
    dates = {position.subevent_id: position.subevent for position in orders.positions[pk] if position.subevent}
    if pk in orders.on_consignment and order.status == Order.STATUS_PENDING:
        order.expires = max(order.expires, expiry(orders.event, dates.values(), moment))
        return
    alike = (order.sales_channel_id, *sorted(dates))
    if alike not in deadlines:
        order.set_expires(moment, list(dates.values()))
        deadlines[alike] = order.expires
    order.expires = deadlines[alike]


def _transactions(orders, pk, moment):
    booked: Counter[tuple] = Counter()
    for entry in orders.transactions[pk]:
        booked[Transaction.key(entry)] += entry.count
    return orders.orders[pk].create_transactions(
        is_new=not any(booked.values()),  # then the host need not look for what there is
        positions=orders.positions[pk],
        fees=orders.fees[pk],
        dt_now=moment,
        save=False,
    )


def _write(
    orders: Orders,
    pks: Sequence[int],
    lines: dict[int, list[Transaction]],
    claim: Claim,
    requester: dict,
    moment: datetime,
    pace: Pace,
) -> list[int]:
    """:raises TooFewPlaces: if not all of them fit"""
    first = orders.orders[pks[0]]
    written = _pay_again(orders, pks, requester, moment)
    expires = [{"expires": orders.orders[pk].expires} for pk in pks]
    written += log(first, "pretix.event.order.reactivated", pks, expires, requester)
    written += _fill_gift_cards(orders, pks, requester)
    positions = [position for pk in pks for position in orders.positions[pk]]
    unscoped(Membership.objects).filter(granted_in__in=positions).update(canceled=False)
    Transaction.objects.bulk_create(line for pk in pks for line in lines[pk])
    unscoped(OfflineSalesTicket.objects).filter(order__in=pks).update(returned=None, return_kind="")
    check_references()
    claim.lock(pks)
    fitting = claim.fitting(pks)
    if len(fitting) < len(pks):
        raise TooFewPlaces(fitting)
    pace.held_for(len(pks))
    _make_valid(orders, pks, moment)
    return written


def _pay_again(orders, pks, requester, moment):
    """The return's refunds stay in the books. What they took is paid once more, and what was open before is open."""
    amounts = {pk: amount for pk in pks if (amount := _paid_again(orders, pk)) > 0}
    payments = {pk: orders.payment_before_return(pk) for pk in amounts}
    infos = {pk: payment.info if payment and statement_of(payment) else "{}" for pk, payment in payments.items()}
    return confirm(orders, amounts, infos, requester, moment) if amounts else []


def _paid_again(orders, pk):
    """What was paid by a statement is not, if the seller has been given it back since: she will be told to pay it."""
    payment = orders.payment_before_return(pk)
    was_given_back = payment is not None and statement_of(payment) is not None and pk not in orders.stated
    return NOTHING if was_given_back else orders.refunded_by_return(pk)


def _fill_gift_cards(orders, pks, requester):
    """Of each position, the first one, as the host does it."""
    filled = [
        (orders.cards[position.pk][0].pk, position.price, pk)
        for pk in pks
        for position in orders.positions[pk]
        if orders.cards[position.pk]
    ]
    if not filled:
        return []
    cards, amounts, order_ids = zip(*filled, strict=True)
    organizer = orders.event.organizer
    values = [str(amount) for amount in amounts]
    insert_copies(GiftCardTransaction(acceptor=organizer), card_id=cards, value=values, order_id=order_ids)
    acceptor = {"acceptor_id": organizer.pk, "acceptor_slug": organizer.slug}
    data = [{"value": value, **acceptor} for value in values]
    return log(GiftCard(issuer=organizer), "pretix.giftcards.transaction.manual", cards, data, requester)


def _make_valid(orders, pks, moment):
    alike = defaultdict(list)
    for pk in pks:
        alike[orders.orders[pk].status, orders.orders[pk].expires].append(pk)
    for (status, expires), same in alike.items():
        unscoped(Order.objects).filter(pk__in=same).update(
            status=status, expires=expires, cancellation_date=None, last_modified=moment
        )
