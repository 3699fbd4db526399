"""What all papers have on the organizer's letterhead: a title, tables of sums, ticket numbers, lines to sign."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from io import BytesIO
from typing import BinaryIO

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _, pgettext
from pretix.base.templatetags.money import money_filter
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Paragraph, Spacer, Table

from .letterhead import Letterhead

#: Of a table: a text, or all that is in it.
Cell = str | list[Flowable]

#: Between a cell and its border, in points, and which part of a table its text has at least.
PADDING, LEAST = 6, 0.2

#: Wider than any line, and what a line needs beyond its letters so that it is not broken.
INFINITE, SLACK = 1_000_000, 0.5

#: From the top of the first page to what is written in the second column, below the event.
LABELS_TOP, LABELS_DISTANCE = 50 * mm, 12 * mm


class Paper(Letterhead):
    """Drawn from its contents; nothing else is asked any more."""

    @property
    def title(self) -> str:
        """What it is."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """What it is, on further pages and for whoever has the file alone."""
        return self.title

    def drawn(self) -> bytes:
        output = BytesIO()
        self.build(output)
        return output.getvalue()

    def build(self, output: BinaryIO) -> None:
        with self.letter.spoken:
            super().build(output)

    def labels(self) -> Iterator[tuple[str, str]]:
        """What is on the first page beside the address, each with what it is."""
        yield _("Date"), date_format(localtime(self.letter.moment), "DATE_FORMAT")

    def contents_story(self, width: float) -> Iterable[Flowable]:
        """:param width: of the lines, in points"""
        raise NotImplementedError

    def draw_page(self, canvas: Canvas) -> None:
        super().draw_page(canvas)
        if canvas.getPageNumber() > 1:
            test_mode = f"{_('TEST MODE')} · " if self.testmode else ""
            self.write_right(canvas, self.pagesize[1] - 14 * mm, f"{test_mode}{self.name}")

    def draw_first_page(self, canvas: Canvas) -> None:
        canvas.setCreator("pretix")
        canvas.setTitle(self.name)
        super().draw_first_page(canvas)
        for number, (label, value) in enumerate(self.labels()):
            self.write_labeled(canvas, LABELS_TOP + number * LABELS_DISTANCE, label, value)

    def text(self, width: float) -> list[Flowable]:
        return [self.paragraph(self.title, "Heading1"), Spacer(1, 3 * mm), *self.contents_story(width)]

    # How things are written

    def money(self, value: Decimal) -> str:
        return money_filter(value, self.letter.currency)

    def numbers(self, label: str, numbers: str) -> Iterator[Flowable]:
        """Ticket numbers, however many: they go on on the next page, but the label is on the one where they begin."""
        yield CondPageBreak(20 * mm)
        yield Spacer(1, 3 * mm)
        yield self.paragraph(label, "Bold")
        yield self.paragraph(numbers, "Normal")

    def table(
        self,
        rows: Sequence[Sequence[Cell]],
        widths: Sequence[float],
        bold: tuple[int, ...] = (),
        text: int = 1,
        size: str = "",
    ) -> Table:
        """
        :param widths: in points
        :param bold: rows, besides the header
        :param text: how many columns are text; the others are numbers
        :param size: ``Small``, or that of all text
        """
        cells = []
        for number, row in enumerate(rows):
            style = f"{size}Bold" if number in (0, *bold) else size or "Normal"
            styles = [style] * text + [f"{style}Right"] * (len(row) - text)
            cells.append([self._cell(cell, style) for cell, style in zip(row, styles, strict=True)])
        rules = [
            *self._all_cells(),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
            ("LINEBELOW", (0, 0), (-1, 0), 0.5, "black"),
            *(("LINEABOVE", (0, number), (-1, number), 0.5, "black") for number in bold),
        ]
        return Table(cells, colWidths=widths, repeatRows=1, style=rules)

    def sums(self, rows: Sequence[Sequence[Cell]], columns: Sequence[float]) -> Table:
        """
        A table in small letters. The first of its columns is text, and its last row is the sum of the others.

        :param columns: their widths, in points
        """
        return self.table(rows, columns, bold=(len(rows) - 1,), size="Small")

    def columns(self, rows: Sequence[Sequence[Cell]], width: float) -> list[float]:
        """
        How wide columns of ``sums`` are: those of numbers as the widest of them, so that none is broken, and the first
        one has what is left.

        :param width: of all, in points
        """
        numbers = [max(map(self._natural_width, column)) + 2 * PADDING for column in list(zip(*rows, strict=True))[1:]]
        numbers[-1] -= PADDING
        widths = [max(width - sum(numbers), LEAST * width), *numbers]
        return [each * width / sum(widths) for each in widths]

    def _natural_width(self, cell: Cell) -> float:
        flowables = [self.paragraph(cell, "SmallBold")] if isinstance(cell, str) else cell
        return max(map(_on_one_line, flowables))

    def _cell(self, cell, style):
        return self.paragraph(cell, style) if isinstance(cell, str) else cell

    def _all_cells(self):
        """ReportLab would name a font that is not in the file, and write nothing in it."""
        return ("VALIGN", (0, 0), (-1, -1), "TOP"), ("FONTNAME", (0, 0), (-1, -1), self.font_regular)

    def signatures(self, width: float) -> Iterator[Flowable]:
        """Lines to sign, for who gives something away and who gets it."""
        gap = 10 * mm
        both = (_("Place and date"), _("Name"), pgettext("on paper", "Signature"))
        lines = [(_("Handed over"), _("Received")), *((text, text) for text in both)]
        cells = []
        for number, (left, right) in enumerate(lines):
            style = "Fineprint" if number else "Bold"
            cells.append([self.paragraph(left, style), "", self.paragraph(right, style)])
        rules = [
            *self._all_cells(),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 1), (-1, -1), 1),
            *(("LINEABOVE", (column, 1), (column, -1), 0.5, "black") for column in (0, 2)),
        ]
        column = (width - gap) / 2
        heights = [20 * mm] + [16 * mm] * 3
        yield Spacer(1, 10 * mm)
        yield KeepTogether([Table(cells, colWidths=[column, gap, column], rowHeights=heights, style=rules)])


def _on_one_line(flowable: Flowable) -> float:
    """How wide it is then."""
    flowable.wrap(INFINITE, INFINITE)
    return max(flowable.getActualLineWidths0(), default=0) + SLACK if isinstance(flowable, Paragraph) else 0
