"""What was agreed with a seller. It is copied into each document, and counts from then on for the tickets in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

from pretix.base.models import Event

from ..documents.snapshot import Snapshot
from ..models import Commission, Seller
from ..tickets.figures import Tally
from ..tickets.worth import NOTHING


@dataclass(frozen=True)
class Rate(Snapshot):
    #: Of the gross price.
    percent: Decimal
    #: A ticket.
    fixed: Decimal

    @classmethod
    def of(cls, commission: Commission) -> Self:
        return cls(commission.commission_percent, commission.commission_fixed)

    def of_tickets(self, tickets: Tally) -> Decimal:
        """Exact, not rounded."""
        return tickets.value * self.percent / 100 + tickets.count * self.fixed


@dataclass(frozen=True)
class Terms(Snapshot):
    rate: Rate
    #: Where it differs, by the key of the product.
    rates: dict[int, Rate]
    tax_rate: Decimal | None
    tax_text: str
    invoiced_by: str
    firm: bool
    deadline_days: int | None
    deadline_action: str

    @classmethod
    def of(cls, seller: Seller, event: Event) -> Self:
        """As they are now, for products of this event."""
        of_products = seller.product_commissions.filter(item__event=event)
        return cls(
            rate=Rate.of(seller),
            rates={each.item_id: Rate.of(each) for each in of_products},
            tax_rate=seller.commission_tax_rate,
            tax_text=seller.commission_tax_text,
            invoiced_by=seller.commission_invoiced_by,
            firm=seller.firm,
            deadline_days=seller.deadline_days,
            deadline_action=seller.deadline_action,
        )

    def commission(self, tickets: Mapping[int, Tally]) -> Decimal:
        """
        Net of its own tax. It is the rounded sum: who rounds each ticket leaves money behind.

        :param tickets: by the key of their product
        """
        exact = (self.rates.get(item, self.rate).of_tickets(tally) for item, tally in tickets.items())
        return _rounded(sum(exact, NOTHING))

    def tax(self, commission: Decimal) -> Decimal:
        """Of a commission, on top of it."""
        return _rounded(commission * (self.tax_rate or NOTHING) / 100)


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(NOTHING, ROUND_HALF_UP)
