"""What would a batch cost, and are there enough tickets? Asked before anything is made; nothing is locked."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pretix.base.models import Seat

from ..host.quotas import places, taken_by
from ..models import OfflineSalesBatch
from .blueprint import Blueprint, simulate


@dataclass(frozen=True)
class Quote:
    #: Of one ticket.
    price: Decimal
    #: Of all of them.
    total: Decimal
    #: How many such tickets the quotas still give; none, if there is no limit.
    left: int | None

    def suffices(self, amount: int) -> bool:
        return self.left is None or self.left >= amount


def quote(batch: OfflineSalesBatch, seats: Sequence[Seat] = ()) -> Quote:
    """
    :param batch: unsaved and checked, on these seats
    :raises JobFailed: with the host's own message, if the host would not make such an order
    """
    blueprint = simulate(batch, seats)
    price = blueprint.order.total
    return Quote(price=price, total=price * batch.amount, left=_tickets_left(blueprint))


def _tickets_left(blueprint: Blueprint) -> int | None:
    taken = taken_by(blueprint.positions)
    left = [max(number, 0) // taken[quota] for quota, number in places(taken).items() if number is not None]
    return min(left, default=None)
