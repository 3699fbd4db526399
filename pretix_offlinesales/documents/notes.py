"""What delivery, take-back and transfer notes say. It is collected when tickets are handed over, and kept for ever."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Self

from ..models import Seller
from .heading import Letter
from .snapshot import Snapshot


@dataclass(frozen=True)
class Party(Snapshot):
    """A seller, as she was called then. It is emptied, if she wants to be forgotten."""

    seller: int
    name: str
    identifier: str
    contact: str
    address: str
    vat_id: str

    @classmethod
    def of(cls, seller: Seller | None) -> Self | None:
        """None is the stock."""
        if not seller:
            return None
        return cls(seller.pk, seller.name, seller.identifier, seller.contact, seller.address, seller.vat_id)

    @classmethod
    def forgotten(cls, seller: int) -> Self:
        return cls(seller, **{field.name: "" for field in fields(cls) if field.name != "seller"})

    @classmethod
    def is_in(cls, data: dict) -> bool:
        """Whether this is one, of a snapshot."""
        return data.keys() == {field.name for field in fields(cls)}


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
        letter: Letter,
        source: Seller | None,
        target: Seller | None,
        lines: Sequence[NoteLine],
        terms: Sequence[str],
        comment: str,
    ) -> Self:
        return cls(letter, Party.of(source), Party.of(target), tuple(lines), tuple(terms), comment)
