"""What the host's ledger says of orders, by tax rate."""

from collections import defaultdict
from collections.abc import Collection
from decimal import Decimal
from typing import NamedTuple

from django.db.models import F, Sum
from pretix.base.models import OrderFee, OrderPosition

from ..db.queries import among, planned_plainly, unscoped
from .worth import NOTHING, money


class Share(NamedTuple):
    """What of a sum is of one tax rate, in percent."""

    rate: Decimal
    gross: Decimal
    tax: Decimal

    @property
    def net(self) -> Decimal:
        return self.gross - self.tax


#: The highest rate first.
Shares = tuple[Share, ...]


def shares_of(orders: Collection[int]) -> dict[int, Shares]:
    """
    By order: its positions and fees that are not canceled, which is what the transactions of a live order add up to.
    Two queries.
    """
    found: dict[int, dict[Decimal, Share]] = defaultdict(dict)
    for manager, price in ((OrderPosition.objects, "price"), (OrderFee.objects, "value")):
        rows = unscoped(manager).filter(among("order", orders)).order_by().values("order", "tax_rate")
        with planned_plainly():
            sums = list(rows.annotate(gross=Sum(F(price)), tax=Sum("tax_value")))
        for row in sums:
            rate = _written(row["tax_rate"])
            before = found[row["order"]].get(rate, Share(rate, NOTHING, NOTHING))
            share = Share(rate, before.gross + money(row["gross"]), before.tax + money(row["tax"]))
            found[row["order"]][rate] = share
    return {order: tuple(by_rate[rate] for rate in sorted(by_rate, reverse=True)) for order, by_rate in found.items()}


def total_of(shares: Shares) -> Decimal:
    return sum((share.gross for share in shares), NOTHING)


def _written(rate: Decimal) -> Decimal:
    """With two places, or as many as it takes: databases do not agree on that."""
    exact = rate.normalize()
    return exact if int(exact.as_tuple().exponent) < -2 else exact.quantize(NOTHING)
