"""What all papers have that are kept: a number, and the seller whom they are about."""

from collections.abc import Iterator
from typing import Any, ClassVar, Self

from django.utils.translation import gettext as _, pgettext
from pretix.base.models import Event, Organizer
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from ..models import Document, DocumentKind
from .notes import Party
from .paper import Paper
from .snapshot import Snapshot

#: Numbers that are longer, in characters, are not in the table but below it, where they may take any number of pages.
LONG = 200


class NumberedPaper(Paper):
    #: What it says: with ``letter``.
    contents: ClassVar[type[Snapshot]]

    def __init__(self, looks: Event | Organizer, kind: str, number: int, contents: Any):
        """
        :param looks: for the font and the logo
        :param contents: one of the class's
        """
        super().__init__(looks, contents.letter)
        self.kind, self.number = DocumentKind(kind), number

    @classmethod
    def of(cls, document: Document) -> Self:
        contents = cls.contents.from_json(document.snapshot)
        return cls(document.event or document.organizer, document.kind, document.number, contents)

    @property
    def seller(self) -> Party:
        raise NotImplementedError

    @property
    def title(self) -> str:
        return f"{self.kind.label} {self.number}"

    def draw_first_page(self, canvas: Canvas) -> None:
        super().draw_first_page(canvas)
        self.write_address(canvas, address_of(self.seller))

    def labels(self) -> Iterator[tuple[str, str]]:
        yield from super().labels()
        if self.seller.identifier:
            yield _("Seller number"), self.seller.identifier

    def numbers_in_table(self, numbers: str) -> str:
        return _("see below") if is_long(numbers) else numbers

    def numbers_below(self, numbers: str, *label: str) -> Iterator[Flowable]:
        """Those that are not in the table."""
        if is_long(numbers):
            yield from self.numbers(" – ".join(filter(None, label)), numbers)


def is_long(numbers: str) -> bool:
    return len(numbers) > LONG


def name_of(party: Party) -> str:
    """Empty is that of somebody who wanted to be forgotten."""
    return party.name or pgettext("name", "deleted")


def address_of(party: Party) -> str:
    vat_id = pgettext("invoice", "VAT-ID: %s") % party.vat_id if party.vat_id else ""
    return "\n".join(filter(None, (name_of(party), party.contact, party.address.strip(), vat_id)))
