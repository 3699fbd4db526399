"""Which ticket of which batch an order is. It is written into the order, so that whoever shows it needs no query."""

import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from pretix.base.models import Order

#: Ours among what plugins write into an order.
KEY = "offlinesales"

#: Numbers are padded to this length at least, so that all tickets of an event look alike.
PADDING = 4


@dataclass(frozen=True)
class Origin:
    #: The batch's primary key.
    batch: int
    #: The ticket's number.
    number: int
    #: How many tickets the batch has, …
    amount: int
    #: … and the number of the first one.
    first: int = 1

    @classmethod
    def of(cls, order: Order) -> "Origin | None":
        """
        None for orders that come from elsewhere, or whose mark is not as we write it. What is split from a ticket's
        order has a copy of its mark, and is no ticket.
        """
        data = order.meta_info_data
        mark = data.get(KEY, {}) if isinstance(data, dict) else {}
        origin = cls.parse(mark)
        return origin if origin and _is_of(mark, order) else None

    @classmethod
    def parse(cls, data: Any) -> "Origin | None":
        if not isinstance(data, dict):
            return None
        try:
            values = {name: int(data[name]) for name in cls.__dataclass_fields__ if name in data}
            origin = cls(**values)
        except (TypeError, ValueError, OverflowError):
            return None
        # A specimen's ticket is of batch 0, since there is none yet.
        counts = min(origin.number, origin.amount, origin.first) >= 1 and origin.batch >= 0
        return origin if counts else None

    def mark(self, code: str) -> str:
        """What ``meta_info`` of the order with this code is to be."""
        return json.dumps({KEY: self.data | {"order": code}})

    @property
    def data(self) -> dict:
        """As it is stored: the number of the first ticket is left out where a batch counts from 1."""
        return {name: value for name, value in vars(self).items() if (name, value) != ("first", 1)}

    @property
    def padded_number(self) -> str:
        """``0017``; as long as the batch's longest number."""
        last = self.first + self.amount - 1
        return str(self.number).zfill(max(PADDING, len(str(last))))

    @property
    def ticket(self) -> str:
        if self.first == 1:
            return _("{number} of {amount}").format(number=self.number, amount=self.amount)
        last = self.first + self.amount - 1
        return _("{number} (of {first} to {last})").format(number=self.number, first=self.first, last=last)

    @property
    def name(self) -> str:
        return ticket_name(self.batch, self.number)

    def __str__(self):
        return _("Offline sales batch {batch}, ticket {ticket}").format(batch=self.batch, ticket=self.ticket)


def ticket_name(batch: int, number: int) -> str:
    """``#3-17``: what a ticket is called wherever there may be others of its number."""
    return f"#{batch}-{number}"


def _is_of(mark: dict, order: Order) -> bool:
    """Marks name their order. Old ones don't: then the ticket does, which takes a query an order."""
    if "order" in mark:
        return mark["order"] == order.code
    return getattr(order, "offline_sales_ticket", None) is not None
