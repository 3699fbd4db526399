"""
The codes on the paper, when it is not valid any more. Which code a position gets, and whether the old one goes on the
revocation list, is decided by the host's ``assign_ticket_secret``; only the rows are written for many at once.
"""

from collections.abc import Iterable, Sequence
from types import SimpleNamespace

from pretix.base.models import GiftCard, OrderPosition
from pretix.base.models.orders import RevokedTicketSecret
from pretix.base.secrets import assign_ticket_secret

from ..issuing.rows import insert_copies, update_from
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
    changed, revoked = [], []
    for position in positions:
        collecting = _Collecting(position, orders.cards[position.pk], revoked)
        assign_ticket_secret(event=orders.event, position=collecting, save=False, **options)
        if collecting.secret != position.secret:
            position.secret = collecting.secret
            changed.append(position)
    return changed, revoked


class _Collecting:
    """
    Stands in for a position. It knows its gift cards without a query, and its revoked secrets are collected instead of
    stored one by one.
    """

    def __init__(self, position: OrderPosition, cards: list[GiftCard], revoked: list[RevokedTicketSecret]):
        self._position = position
        self.secret = position.secret
        self.issued_gift_cards = SimpleNamespace(exists=lambda: bool(cards))
        self.revoked_secrets = SimpleNamespace(
            create=lambda **values: revoked.append(RevokedTicketSecret(position=position, **values))
        )

    def __getattr__(self, name):
        return getattr(self._position, name)


def store_secrets(
    positions: list[OrderPosition], revoked: list[RevokedTicketSecret], **columns: Sequence[str]
) -> None:
    """:param columns: what else of the positions has changed, by field name, a value for each"""
    if revoked:
        insert_copies(
            RevokedTicketSecret(event=revoked[0].event),
            position_id=[each.position_id for each in revoked],
            secret=[each.secret for each in revoked],
        )
    if positions:
        secrets = [position.secret for position in positions]
        update_from(OrderPosition, [position.pk for position in positions], secret=secrets, **columns)
