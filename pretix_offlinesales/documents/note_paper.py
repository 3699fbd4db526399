"""Delivery, take-back and transfer notes, on the organizer's letterhead."""

from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _, pgettext
from pretix.base.models import Event, Organizer
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Spacer

from ..models import DocumentKind
from .notes import Note, NoteLine, Party
from .paper import Paper

#: Numbers that are longer, in characters, are not in the table but below it, where they may take any number of pages.
LONG = 200


class NotePaper(Paper):
    def __init__(self, looks: Event | Organizer, kind: str, number: int, note: Note):
        """:param looks: for the font and the logo"""
        super().__init__(looks, note.letter)
        self.kind, self.number, self.note = DocumentKind(kind), number, note
        self.seller: Party = note.target or note.source  # type: ignore[assignment]  # one of them is not the stock

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

    def contents_story(self, width: float) -> Iterator[Flowable]:
        note = self.note
        for label, party in ((_("From"), note.source), (_("To"), note.target)):
            yield self.paragraph(f"{label}: {_name(party) if party else note.letter.sender.splitlines()[0]}", "Normal")
        yield Spacer(1, 5 * mm)
        rows = [
            [
                pgettext("invoice", "Description"),
                _("Ticket numbers"),
                pgettext("invoice", "Qty"),
                _("Price"),
                _("Value"),
            ]
        ]
        rows += [self._row(line) for line in note.lines]
        total = sum(line.count for line in note.lines)
        rows.append([_("Total"), "", str(total), "", self.money(sum((line.value for line in note.lines), Decimal()))])
        widths = [share * width for share in (0.3, 0.29, 0.09, 0.15, 0.17)]
        yield self.table(rows, widths, bold=(len(rows) - 1,), text=2)
        for text in (note.comment, *note.terms):
            if text:
                yield Spacer(1, 3 * mm)
                yield self.paragraph(text, "Normal")
        yield from self.signatures(width)
        for line in note.lines:
            if _is_long(line):
                label = " – ".join(
                    filter(None, (line.product, line.subevent, self.money(line.price), f"#{line.batch}"))
                )
                yield from self.numbers(label, line.numbers)

    def _row(self, line: NoteLine) -> list[str]:
        numbers = _("see below") if _is_long(line) else line.numbers
        return [
            "\n".join(filter(None, (line.product, line.subevent))),
            f"#{line.batch}: {numbers}",
            str(line.count),
            self.money(line.price),
            self.money(line.value),
        ]


def _is_long(line):
    return len(line.numbers) > LONG


def _name(party: Party) -> str:
    """Empty is that of somebody who wanted to be forgotten."""
    return party.name or pgettext("name", "deleted")


def address_of(party: Party) -> str:
    vat_id = pgettext("invoice", "VAT-ID: %s") % party.vat_id if party.vat_id else ""
    return "\n".join(filter(None, (_name(party), party.contact, party.address.strip(), vat_id)))
