"""Delivery, take-back and transfer notes, on the organizer's letterhead."""

from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _, pgettext
from pretix.base.models import Event, Organizer
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer

from .notes import Note, NoteLine, Party
from .numbered_paper import NumberedPaper, name_of


class NotePaper(NumberedPaper):
    contents = Note

    def __init__(self, looks: Event | Organizer, kind: str, number: int, note: Note):
        super().__init__(looks, kind, number, note)
        self.note = note

    @property
    def seller(self) -> Party:
        return self.note.target or self.note.source  # type: ignore[return-value]  # one of them is not the stock

    def contents_story(self, width: float) -> Iterator[Flowable]:
        note = self.note
        for label, party in ((_("From"), note.source), (_("To"), note.target)):
            yield self.paragraph(f"{label}: {name_of(party) if party else note.letter.sender_name}", "Normal")
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
            about = (line.product, line.subevent, self.money(line.price), f"#{line.batch}")
            yield from self.numbers_below(line.numbers, *about)

    def _row(self, line: NoteLine) -> list[str]:
        return [
            "\n".join(filter(None, (line.product, line.subevent))),
            f"#{line.batch}: {self.numbers_in_table(line.numbers)}",
            str(line.count),
            self.money(line.price),
            self.money(line.value),
        ]
