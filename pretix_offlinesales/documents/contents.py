"""What papers say, in a constant number of queries. Prices and taxes are those that the host has stored."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, Sum
from django.utils.formats import number_format
from django.utils.translation import gettext as _, pgettext
from pretix.base.models import OrderFee, OrderPosition
from pretix.base.models.tax import get_tax_code_labels

from ..db.queries import planned_plainly, seen_at_once, unscoped
from ..models import OfflineSalesBatch
from ..tickets.books import format_tickets
from ..tickets.figures import LABELS, Figures, Tally, total
from ..tickets.numbers import DASH
from ..tickets.state import IN_LEDGER, Fate, with_state
from ..tickets.worth import NOTHING, money, with_due, with_worth
from .heading import Heading
from .snapshot import Snapshot


@dataclass(frozen=True)
class Delivery(Snapshot):
    """The outstanding tickets."""

    heading: Heading
    #: By what one of them costs.
    prices: dict[Decimal, Tally]
    numbers: str

    @classmethod
    def of(cls, batch: OfflineSalesBatch) -> "Delivery":
        tickets = with_worth(with_state(batch.tickets.all())).filter(fate=Fate.OUTSTANDING).order_by("number")
        with planned_plainly():
            found = [(number, money(worth)) for number, worth in tickets.values_list("number", "worth")]
        prices: dict[Decimal, Tally] = defaultdict(Tally)
        for _number, worth in found:
            prices[worth] += Tally(1, worth)
        numbers = format_tickets(batch, (number for number, _worth in found), DASH)
        return cls(Heading.of(batch), dict(sorted(prices.items(), reverse=True)), numbers)

    @property
    def total(self) -> Tally:
        return sum(self.prices.values(), Tally())


@dataclass(frozen=True)
class Tax(Snapshot):
    """Of some orders, what is taxed alike."""

    rate: Decimal
    code: str
    gross: Decimal
    tax: Decimal

    @property
    def net(self) -> Decimal:
        return self.gross - self.tax

    @property
    def label(self) -> str:
        """``19 % (Standard rate)``"""
        rate = f"{number_format(self.rate.normalize())} %"
        return f"{rate} ({get_tax_code_labels().get(self.code, self.code)})" if self.code else rate


@dataclass(frozen=True)
class Statement(Snapshot):
    """What has become of a batch, and what is due."""

    heading: Heading
    figures: Figures
    #: The numbers of the tickets of each kind of ``LABELS`` that are told apart by them.
    numbers: dict[str, str]
    #: Of what is due, and of what is due besides.
    taxes: tuple[Tax, ...]
    taxes_besides: tuple[Tax, ...]

    @classmethod
    def of(cls, batch: OfflineSalesBatch) -> "Statement":
        numbers, let_in = defaultdict(list), []
        tickets = with_due(with_state(batch.tickets.all())).order_by("number")
        with seen_at_once(), planned_plainly():
            for number, fate, is_let_in, order in tickets.values_list("number", "fate", "let_in_all_the_same", "order"):
                numbers["issued"].append(number)
                numbers[fate].append(number)
                if is_let_in:
                    numbers["due_besides"].append(number)
                    let_in.append(order)
            return cls(
                Heading.of(batch),
                total(batch.tickets.all()),
                {name: format_tickets(batch, found, DASH) for name, found in numbers.items()},
                _taxes(IN_LEDGER, order__in=batch.tickets.order_by().values("order")),
                _taxes(order__in=let_in) if let_in else (),
            )

    def lines(self) -> Iterator[tuple[str, Tally, str]]:
        """Label, how many and what they cost, and which numbers."""
        for name, label in LABELS.items():
            yield str(label), getattr(self.figures, name), self.numbers.get(name, "")

    def tax_lines(self) -> Iterator[tuple[str, tuple[Tax, ...]]]:
        """Of all that is due, what it is, and its taxes."""
        for name, taxes in (("due", self.taxes), ("due_besides", self.taxes_besides)):
            if taxes:
                yield str(LABELS[name]), taxes

    def rows(self) -> Iterator[list]:
        """As a table, with its header."""
        yield [
            _("Description"),
            _("Ticket numbers"),
            _("Tickets"),
            pgettext("invoice", "Net"),
            _("Tax"),
            pgettext("invoice", "Gross"),
        ]
        for label, tally, numbers in self.lines():
            yield [label, numbers, tally.count, "", "", str(tally.value)]
        for label, taxes in self.tax_lines():
            for tax in taxes:
                description = _("{due}, tax rate {rate}").format(due=label, rate=tax.label)
                yield [description, "", "", str(tax.net), str(tax.tax), str(tax.gross)]


def _taxes(*conditions: Q, **orders: Any) -> tuple[Tax, ...]:
    """
    Of what is in these orders, and not canceled by itself. That is what the host's ledger says of those that are in it.

    :param conditions: of the orders of positions and fees, since a subquery that joins them is done anew for each
    """
    positions = unscoped(OrderPosition.objects).filter(*conditions, **orders).annotate(amount=F("price"))
    fees = unscoped(OrderFee.objects).filter(*conditions, **orders).annotate(amount=F("value"))
    gross: dict[tuple[Decimal, str], Decimal] = defaultdict(lambda: NOTHING)
    taxes: dict[tuple[Decimal, str], Decimal] = defaultdict(lambda: NOTHING)
    for lines in (positions, fees):
        by_tax = lines.order_by().values("tax_rate", "tax_code")
        for row in by_tax.annotate(gross=Sum("amount"), tax=Sum("tax_value")):
            key = (row["tax_rate"], row["tax_code"] or "")
            gross[key] += money(row["gross"])
            taxes[key] += money(row["tax"])
    return tuple(Tax(*key, gross[key], taxes[key]) for key in sorted(gross, reverse=True))
