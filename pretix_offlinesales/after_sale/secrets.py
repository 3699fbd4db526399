"""
The codes on the paper, when it is not valid any more. Which code a position gets, and whether the old one goes on the
revocation list, is decided by the host's ``assign_ticket_secret``; only the rows are written for many at once.

Scanners that work without the orders' data carry two lists with them: codes that were revoked for ever, and those that
are blocked as long as their positions are.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db.models import F
from django.utils.timezone import now
from pretix.base.models import CachedCombinedTicket, CachedTicket, Order, OrderPosition
from pretix.base.models.orders import BlockedTicketSecret, RevokedTicketSecret

from ..db.queries import unscoped
from ..db.rows import insert_copies, update_from
from ..host.secrets import Reassigning
from .orders import Orders

#: Positions with a new secret, and those that they had, where they must be remembered.
Changes = tuple[list[OrderPosition], list[RevokedTicketSecret]]


def revoke(orders: Orders, positions: Iterable[OrderPosition]) -> Changes:
    """
    What a cancellation does with the secrets of these positions: nothing, but for generators that need a revocation
    list. Returns what must be stored.
    """
    return _assign(orders, positions, force_invalidate_if_revokation_list_used=True)


def renew(orders: Orders, positions: Iterable[OrderPosition]) -> Changes:
    """Give these positions new secrets. Returns what must be stored."""
    return _assign(orders, positions, force_invalidate=True)


def _assign(orders, positions, **options):
    reassign = Reassigning(orders.event)
    changed, revoked = [], []
    for position in positions:
        secret, revoked_now = reassign(position, bool(orders.cards[position.pk]), **options)
        revoked += revoked_now
        if secret != position.secret:
            position.secret = secret
            changed.append(position)
    return changed, revoked


def store_secrets(positions: list[OrderPosition], revoked: list[RevokedTicketSecret], **columns: Sequence[str]) -> None:
    """
    A block is not lifted by a new secret.

    :param columns: what else of the positions has changed, by field name, a value for each
    """
    if revoked:
        insert_copies(
            RevokedTicketSecret(event=revoked[0].event),
            position_id=[each.position_id for each in revoked],
            secret=[each.secret for each in revoked],
        )
    if positions:
        secrets = [position.secret for position in positions]
        update_from(OrderPosition, [position.pk for position in positions], secret=secrets, **columns)
        list_as_blocked([position for position in positions if position.blocked])


def list_as_blocked(positions: Collection[OrderPosition]) -> None:
    """Put the present codes of these positions, which are blocked, on the scanners' list."""
    if not positions:
        return
    rows = unscoped(BlockedTicketSecret.objects).filter(position__in=positions).values_list("position", "secret", "pk")
    listed = {(position, secret): pk for position, secret, pk in rows}
    known = [listed.get((position.pk, position.secret)) for position in positions]
    unscoped(BlockedTicketSecret.objects).filter(pk__in=filter(None, known)).update(blocked=True, updated=now())
    new = [position for position, pk in zip(positions, known, strict=True) if not pk]
    if new:
        insert_copies(
            BlockedTicketSecret(event=new[0].order.event, blocked=True),
            position_id=[position.pk for position in new],
            secret=[position.secret for position in new],
        )


def list_as_free(positions: Collection[OrderPosition]) -> None:
    """These positions are not blocked any more. Scanners must hear of it, so their codes stay on the list."""
    listed = unscoped(BlockedTicketSecret.objects).filter(position__in=positions, secret=F("position__secret"))
    listed.update(blocked=False, updated=now())


def touch_blocked(orders: Collection[Order], since: datetime) -> None:
    """As ``touch`` does with orders: scanners ask for what was updated since they last asked."""
    unscoped(BlockedTicketSecret.objects).filter(position__order__in=orders, updated__gte=since).update(updated=now())


def forget_files(pks: Collection[int]) -> None:
    """What the host has drawn of these orders' tickets for their pages."""
    for cached in (
        *unscoped(CachedTicket.objects).filter(order_position__order__in=pks),
        *unscoped(CachedCombinedTicket.objects).filter(order__in=pks),
    ):
        cached.delete()
