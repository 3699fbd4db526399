"""Tickets whose paper is spoiled get new codes, in the host's way of giving an order a new secret."""

from collections.abc import Sequence

from django.utils.timezone import now
from pretix.base.models import Order, OrderPosition

from ..after_sale.orders import Orders
from ..after_sale.secrets import forget_files, renew as new_secrets, store_secrets
from ..db.queries import unscoped
from ..db.rows import log, taken, update_from
from ..models import OfflineSalesTicket
from ..tickets.codes import all_of, plain_secrets
from ..tickets.reasons import LOST


def refusal(orders: Orders, pk: int) -> str:
    """Why this order can't get new codes; empty if it can."""
    return orders.refusal_of_paper(pk) or (LOST if pk in orders.lost else "")


def renew(orders: Orders, pks: Sequence[int], requester: dict) -> list[int]:
    """
    New secrets for these orders; what is blocked stays blocked. Whoever asks twice replaces twice. Returns the keys of
    the log entries that nobody has been told of yet.

    :param orders: locked, with none of ``pks`` refused
    :param requester: of ``Requested``
    """
    positions = [position for pk in pks for position in orders.positions[pk]]
    changed, revoked = _free_secrets(orders, positions)
    store_secrets(changed, revoked, web_secret=plain_secrets(len(changed)))
    moment = now()
    update_from(Order, pks, {"last_modified": moment}, secret=plain_secrets(len(pks)))
    unscoped(OfflineSalesTicket.objects).filter(order__in=pks).update(replaced=moment)
    forget_files(pks)
    return log(orders.orders[pks[0]], "pretix.event.order.secret.changed", pks, [{}] * len(pks), requester)


def _free_secrets(orders, positions):
    """Drawn again where somebody has one already, as short ones may be."""
    changed, revoked = new_secrets(orders, positions)
    others = all_of(orders.event.organizer, OrderPosition)
    while clashes := taken([each.secret for each in changed], others, "secret"):
        new_secrets(orders, [position for position in changed if position.secret in clashes])
    return changed, revoked
