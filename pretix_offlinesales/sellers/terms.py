"""What was agreed with a seller. It is copied into each document, and counts from then on for the tickets in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple, Self

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _, ngettext
from pretix.base.models import Event
from pretix.base.templatetags.money import money_filter

from ..documents.snapshot import Snapshot
from ..models import Commission, Seller
from ..models.seller import DeadlineAction, InvoicedBy
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

    def __bool__(self):
        return bool(self.percent or self.fixed)

    def in_words(self, currency: str) -> str:
        percent, fixed = f"{number_format(self.percent.normalize())} %", money_filter(self.fixed, currency)
        if self.percent and self.fixed:
            return _("{percent} of the gross price and {fixed} per ticket").format(percent=percent, fixed=fixed)
        if self.fixed:
            return _("{fixed} per ticket").format(fixed=fixed)
        return _("{percent} of the gross price").format(percent=percent) if self.percent else _("none")


class Commissioned(NamedTuple):
    """A commission, and the tax on top of it."""

    net: Decimal
    tax: Decimal

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax

    def __sub__(self, other: "Commissioned") -> "Commissioned":
        return Commissioned(self.net - other.net, self.tax - other.tax)


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

    def commission_on(self, tickets: Mapping[int, Tally], currency: str) -> Commissioned:
        """
        Rounded sums: who rounds each ticket leaves money behind.

        :param tickets: all that were handed over at these terms, by the key of their product
        :param currency: in which they are sold
        """
        exact = (self.rates.get(item, self.rate).of_tickets(tally) for item, tally in tickets.items())
        net = payable(sum(exact, NOTHING), currency)
        return Commissioned(net, payable(net * (self.tax_rate or NOTHING) / 100, currency))

    def sentences(self, currency: str, products: Mapping[int, str]) -> list[str]:
        """
        In words, for a document.

        :param products: names of those that it is about, by their key
        """
        said = list(self.commission_sentences(currency, products))
        if any(self.rates.get(item, self.rate) for item in products):
            said.append(self._taxed())
            said.append(
                _("The organizer writes the credit note about the commission.")
                if self.invoiced_by == InvoicedBy.ORGANIZER
                else _("The seller writes the invoice about the commission.")
            )
        if self.firm:
            said.append(_("Firm sale: the seller buys these tickets, and unsold ones are not taken back."))
        elif self.deadline_days is not None:
            said.append(self._deadline(self.deadline_days))
        return said

    def commission_sentences(self, currency: str, products: Mapping[int, str]) -> Iterator[str]:
        """
        One for all products, unless it differs.

        :param products: names, by key
        """
        rates = {item: self.rates.get(item, self.rate) for item in products}
        if len(set(rates.values())) == 1:
            yield _("Commission: {rate}").format(rate=rates.popitem()[1].in_words(currency))
            return
        for item, rate in rates.items():
            yield _("Commission on {product}: {rate}").format(product=products[item], rate=rate.in_words(currency))

    def _taxed(self) -> str:
        if self.tax_rate is None:
            return self.tax_text or _("The commission is not taxed.")
        rate = f"{number_format(self.tax_rate.normalize())} %"
        return _("The commission is net; tax of {rate} is added to it.").format(rate=rate)

    def _deadline(self, days: int) -> str:
        back = ngettext(
            "Tickets that are not sold must be back {days} day before the event.",
            "Tickets that are not sold must be back {days} days before the event.",
            days,
        ).format(days=days)
        sold = _("Those that are not back by then count as sold.")
        return f"{back} {sold}" if self.deadline_action == DeadlineAction.SOLD else back


def payable(value: Decimal, currency: str) -> Decimal:
    """Rounded to what one can pay: some currencies have no cents."""
    return value.quantize(Decimal(1).scaleb(-places_of(currency)), ROUND_HALF_UP).quantize(NOTHING)


def places_of(currency: str) -> int:
    """How many sums of it have. None is stored with more than two."""
    return min(settings.CURRENCY_PLACES.get(currency, 2), 2)
