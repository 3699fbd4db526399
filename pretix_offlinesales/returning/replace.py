"""Tickets whose paper is spoiled get new codes, in the host's way of giving an order a new secret."""

from collections.abc import Collection

from django.db import transaction
from django.utils.timezone import now
from pretix.base.models import CachedCombinedTicket, CachedTicket, Event, Order, OrderPosition
from pretix.base.models.orders import generate_secret

from ..issuing.rows import log
from .orders import Orders, fetch
from .outcome import Outcome
from .reasons import ALREADY_CANCELED, GIFT_CARD, UNKNOWN
from .secrets import renew, store_secrets


@transaction.atomic
def replace(event: Event, order_ids: Collection[int], requester: dict) -> Outcome:
    """
    New secrets for these orders, all at once; number, order and price stay, and the old paper is refused at the door.

    Whoever asks twice replaces twice, so a job must remember it in the same transaction. For more than some hundred
    tickets, ask in chunks: nobody is let in with them meanwhile.

    :raises OperationalError: if somebody else is busy with one of the orders
    """
    orders, outcome, accepted = fetch(event, order_ids, lock=True), Outcome(), []
    for pk in order_ids:
        code = orders.orders[pk].code if pk in orders.orders else str(pk)
        if reason := _refusal(orders, pk):
            outcome.skipped[code] = reason
        else:
            outcome.done.append(code)
            accepted.append(pk)
    if accepted:
        _renew(orders, accepted, requester)
    return outcome


def _refusal(orders: Orders, pk: int) -> str:
    if pk not in orders.orders:
        return UNKNOWN
    if orders.orders[pk].status == Order.STATUS_CANCELED or not orders.positions[pk]:
        return ALREADY_CANCELED
    if any(orders.cards[position.pk] for position in orders.positions[pk]):
        return GIFT_CARD  # its code is that of the gift card, which the host never changes
    return ""


def _renew(orders, pks, requester):
    positions = [position for pk in pks for position in orders.positions[pk]]
    for position in positions:
        position.web_secret = generate_secret()
    store_secrets(*_free_secrets(orders, positions), "web_secret")
    accepted = [orders.orders[pk] for pk in pks]
    for order in accepted:
        order.secret, order.last_modified = generate_secret(), now()
    Order.objects.bulk_update(accepted, ["secret", "last_modified"])
    for cached in (
        *CachedTicket.objects.filter(order_position__order__in=pks),
        *CachedCombinedTicket.objects.filter(order__in=pks),
    ):
        cached.delete()
    log(accepted[0], "pretix.event.order.secret.changed", pks, [{}] * len(pks), requester)


def _free_secrets(orders, positions):
    """Drawn again where somebody has one already, as short ones may be."""
    changed, revoked = renew(orders, positions)
    taken = OrderPosition.all.filter(organizer=orders.event.organizer)
    while clashes := set(taken.filter(secret__in=[each.secret for each in changed]).values_list("secret", flat=True)):
        renew(orders, [position for position in changed if position.secret in clashes])
    return changed, revoked
