"""What is written on the organizer's letterhead about a batch."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import BinaryIO

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _, pgettext
from pretix.base.models import Event
from pretix.base.templatetags.money import money_filter
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Spacer, Table

from ..host.helpers import PlainTextParagraph
from .contents import Delivery, Statement, Tax
from .letterhead import Letterhead


class Paper(Letterhead):
    """About one batch. Nothing is asked of it any more: all is in the contents."""

    def __init__(self, event: Event, contents: Delivery | Statement):
        """:param event: for the looks of the letterhead"""
        super().__init__(event, contents.heading)
        self.contents = contents

    @property
    def title(self) -> str:
        """What it is."""
        raise NotImplementedError

    def build(self, output: BinaryIO) -> None:
        with self.heading.letter.spoken:
            super().build(output)

    def contents_story(self, width: float) -> Iterable[Flowable]:
        """:param width: of the lines, in points"""
        raise NotImplementedError

    def draw_page(self, canvas: Canvas) -> None:
        super().draw_page(canvas)
        if canvas.getPageNumber() > 1:
            test_mode = f"{_('TEST MODE')} · " if self.heading.testmode else ""
            text = self.normalize(f"{test_mode}{self.title}, {self._about()}")
            canvas.drawRightString(self.pagesize[0] - self.right_margin, self.pagesize[1] - 14 * mm, text)

    def draw_first_page(self, canvas: Canvas) -> None:
        canvas.setCreator("pretix")
        canvas.setTitle(f"{self.title}, {self._about()}")
        super().draw_first_page(canvas)
        self.write_labeled(canvas, 50 * mm, _("Batch"), f"#{self.heading.batch}")
        day = date_format(localtime(self.heading.letter.moment), "DATE_FORMAT")
        self.write_labeled(canvas, 62 * mm, _("Date"), day)

    def text(self, width: float) -> list[Flowable]:
        return [
            PlainTextParagraph(self.title, self.stylesheet["Heading1"]),
            Spacer(1, 3 * mm),
            *self._product(),
            Spacer(1, 5 * mm),
            *self.contents_story(width),
        ]

    def _about(self) -> str:
        return _("Offline sales batch {batch}").format(batch=f"#{self.heading.batch}")

    def _product(self):
        heading = self.heading
        yield PlainTextParagraph(heading.product, self.stylesheet["Bold"])
        if heading.subevent:
            yield PlainTextParagraph(heading.subevent, self.stylesheet["Normal"])
        yield PlainTextParagraph(f"{_('Sales channel')}: {heading.sales_channel}", self.stylesheet["Normal"])

    # How things are written

    def money(self, value: Decimal) -> str:
        return money_filter(value, self.heading.letter.currency)

    def numbers(self, label: str, numbers: str) -> Iterator[Flowable]:
        """Ticket numbers, however many: they go on on the next page, but the label is on the one where they begin."""
        yield CondPageBreak(20 * mm)
        yield Spacer(1, 3 * mm)
        yield PlainTextParagraph(label, self.stylesheet["Bold"])
        yield PlainTextParagraph(numbers, self.stylesheet["Normal"])

    def table(self, rows: list[list[str]], widths: list[float], bold: tuple[int, ...] = ()) -> Table:
        """
        The first column is text, the others are numbers.

        :param widths: in points
        :param bold: rows, besides the header
        """
        cells = []
        for number, row in enumerate(rows):
            left, right = ("Bold", "BoldRight") if number in (0, *bold) else ("Normal", "NormalRight")
            styles = [left] + [right] * (len(row) - 1)
            cells.append(
                [PlainTextParagraph(text, self.stylesheet[style]) for text, style in zip(row, styles, strict=True)]
            )
        rules = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
            ("LINEBELOW", (0, 0), (-1, 0), 0.5, "black"),
            *(("LINEABOVE", (0, number), (-1, number), 0.5, "black") for number in bold),
        ]
        return Table(cells, colWidths=widths, repeatRows=1, style=rules)


class DeliveryNotePaper(Paper):
    contents: Delivery

    @property
    def title(self) -> str:
        return _("Delivery note")

    def contents_story(self, width: float) -> Iterator[Flowable]:
        rows = [[pgettext("invoice", "Description"), pgettext("invoice", "Qty"), _("Price"), _("Value")]]
        for price, tally in self.contents.prices.items():
            rows.append([self.heading.product, str(tally.count), self.money(price), self.money(tally.value)])
        total = self.contents.total
        rows.append([_("Total"), str(total.count), "", self.money(total.value)])
        widths = [share * width for share in (0.4, 0.2, 0.2, 0.2)]
        yield self.table(rows, widths, bold=(len(rows) - 1,))
        yield from self.numbers(_("Ticket numbers"), self.contents.numbers or "–")
        yield Spacer(1, 10 * mm)
        yield KeepTogether([self._signatures(width)])

    def _signatures(self, width: float) -> Table:
        gap = 10 * mm
        both = (_("Place and date"), _("Name"), pgettext("on paper", "Signature"))
        lines = [(_("Handed over"), _("Received")), *((text, text) for text in both)]
        cells = []
        for number, (left, right) in enumerate(lines):
            style = self.stylesheet["Fineprint" if number else "Bold"]
            cells.append([PlainTextParagraph(left, style), "", PlainTextParagraph(right, style)])
        rules = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 1), (-1, -1), 1),
            *(("LINEABOVE", (column, 1), (column, -1), 0.5, "black") for column in (0, 2)),
        ]
        column = (width - gap) / 2
        heights = [20 * mm] + [16 * mm] * 3
        return Table(cells, colWidths=[column, gap, column], rowHeights=heights, style=rules)


class StatementPaper(Paper):
    contents: Statement

    @property
    def title(self) -> str:
        return _("Statement")

    def contents_story(self, width: float) -> Iterator[Flowable]:
        lines = list(self.contents.lines())
        rows = [[pgettext("invoice", "Description"), pgettext("invoice", "Qty"), _("Value")]]
        rows += [[label, str(tally.count), self.money(tally.value)] for label, tally, _numbers in lines]
        due = len(rows) - 2
        yield self.table(rows, [share * width for share in (0.6, 0.2, 0.2)], bold=(due, due + 1))
        yield Spacer(1, 2 * mm)
        explanation = _(
            "Due is what pretix has in its books for the orders of these tickets: outstanding and lost ones, and fees "
            "and other things that are in their orders."
        )
        yield PlainTextParagraph(explanation, self.stylesheet["Fineprint"])
        for label, taxes in self.contents.tax_lines():
            yield Spacer(1, 6 * mm)
            yield self._taxes(label, taxes, width)
        yield Spacer(1, 3 * mm)
        for label, _tally, numbers in lines:
            if numbers:
                yield from self.numbers(label, numbers)

    def _taxes(self, label: str, taxes: tuple[Tax, ...], width: float) -> Table:
        rows = [[pgettext("invoice", "Tax rate"), pgettext("invoice", "Net"), _("Tax"), pgettext("invoice", "Gross")]]
        for tax in taxes:
            rows.append([tax.label, self.money(tax.net), self.money(tax.tax), self.money(tax.gross)])
        sums = [sum(getattr(tax, name) for tax in taxes) for name in ("net", "tax", "gross")]
        rows.append([label, *map(self.money, sums)])
        widths = [share * width for share in (0.4, 0.2, 0.2, 0.2)]
        return self.table(rows, widths, bold=(len(rows) - 1,))
