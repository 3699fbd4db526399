"""What delivery, take-back and transfer notes say. It is collected when tickets are handed over, and kept for ever."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self

from pretix.base.models import Event

from ..models import Seller
from .heading import Letter
from .snapshot import Snapshot


@dataclass(frozen=True)
class Party(Snapshot):
    """A seller, as she was called then. It can be emptied, if she wants to be forgotten."""

    seller: int
    name: str
    identifier: str
    address: str
    vat_id: str

    @classmethod
    def of(cls, seller: Seller | None) -> Self | None:
        if not seller:
            return None
        return cls(seller.pk, seller.name, seller.identifier, seller.address, seller.vat_id)


@dataclass(frozen=True)
class NoteLine(Snapshot):
    """Tickets of one batch with the same price."""

    batch: int
    product: str
    #: The name and time of a date in a series; empty without.
    subevent: str
    price: Decimal
    count: int
    value: Decimal
    #: ``1–50, 60``, in books where these are whole.
    numbers: str


@dataclass(frozen=True)
class Note(Snapshot):
    letter: Letter
    #: Who gave the tickets away, and who got them. None is the stock.
    source: Party | None
    target: Party | None
    lines: tuple[NoteLine, ...]
    #: As ``sellers.terms.Terms``, in words, a line each.
    terms: tuple[str, ...]
    comment: str

    @classmethod
    def of(
        cls,
        event: Event,
        moment: datetime,
        source: Seller | None,
        target: Seller | None,
        lines: Sequence[NoteLine],
        terms: Sequence[str],
        comment: str,
    ) -> Self:
        return cls(
            letter=Letter.of(event, moment),
            source=Party.of(source),
            target=Party.of(target),
            lines=tuple(lines),
            terms=tuple(terms),
            comment=comment,
        )
