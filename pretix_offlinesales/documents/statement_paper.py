"""Statements of sellers, on the organizer's letterhead. One may be an invoice about the commission, too."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _, pgettext
from pretix.base.models import Event, Organizer
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, Spacer

from .notes import Party
from .numbered_paper import NumberedPaper, address_of
from .paper import Cell
from .statements import CommissionLine, SellerStatement, StatementLine, TaxLine

#: What must be left of a page, or else a section begins on the next one.
BEGINNING = 35 * mm


class SellerStatementPaper(NumberedPaper):
    contents = SellerStatement

    def __init__(self, looks: Event | Organizer, kind: str, number: int, statement: SellerStatement):
        super().__init__(looks, kind, number, statement)
        self.statement = statement

    @property
    def seller(self) -> Party:
        return self.statement.seller

    def labels(self) -> Iterator[tuple[str, str]]:
        yield from super().labels()
        yield _("Sales until"), date_format(localtime(self.statement.until), "SHORT_DATETIME_FORMAT")
        if self.statement.invoice_number:
            yield pgettext("commission", "Self-billing invoice"), str(self.statement.invoice_number)

    def contents_story(self, width: float) -> Iterator[Flowable]:
        statement = self.statement
        yield from self._lines(statement.sales, _("Tickets that were sold"), width)
        yield from self._lines(statement.credits, _("Credits: tickets that came back since they were stated"), width)
        yield from self._sums_by_rate(width)
        yield from self._commissions(width)
        yield from self._due(width)
        for line in statement.lines:
            label = _("Credit") if line.count < 0 else "", line.event, line.product, line.subevent
            yield from self.numbers_below(_numbers(line), *label, self.money(line.price))

    def _section(self, title: str) -> Iterator[Flowable]:
        yield CondPageBreak(BEGINNING)
        yield Spacer(1, 6 * mm)
        yield self.paragraph(title, "Bold")

    # Tickets

    def _lines(self, lines: Sequence[StatementLine], title: str, width: float) -> Iterator[Flowable]:
        """By event."""
        for event, of_event in groupby(lines, key=lambda line: (line.slug, line.event)):
            yield from self._section(f"{title} – {event[1]}" if not self.letter.event else title)
            yield from self._lines_of_event(list(of_event), width)

    def _lines_of_event(self, lines: Sequence[StatementLine], width: float) -> Iterator[Flowable]:
        rows: list[list[Cell]] = [[*_description(), _("Price"), *_taxes()], *map(self._line, lines)]
        rows.append([_("Total"), str(sum(line.count for line in lines)), "", "", *self._sums(lines)])
        yield self.small_table(rows, width)

    def _line(self, line: StatementLine) -> list[Cell]:
        described: list[Flowable] = [self.paragraph(line.product, "Small")]
        commission = _("Commission: {rate}").format(rate=line.rate)
        for text in (line.subevent, self.numbers_in_table(_numbers(line)), commission):
            if text:
                described.append(self.paragraph(text, "Fineprint"))
        return [described, str(line.count), self.money(line.price), *self._taxed(line)]

    def _taxed(self, line: StatementLine) -> Iterator[Cell]:
        """Rate, net, tax and gross. If there are several rates, all they add up to is above them."""
        if line.tax_rate is not None:
            yield _percent(line.tax_rate)
            yield from self._sums([line])
            return
        yield [Spacer(1, self.stylesheet["Small"].leading), *self._fine(_percent(each.rate) for each in line.taxes)]
        for name in ("net", "tax", "gross"):
            shares = self._fine(self.money(getattr(each, name)) for each in line.taxes)
            yield [self.paragraph(self.money(getattr(line, name)), "SmallRight"), *shares]

    def _fine(self, texts: Iterable[str]) -> list[Flowable]:
        return [self.paragraph(text, "FineprintRight") for text in texts]

    def _sums_by_rate(self, width: float) -> Iterator[Flowable]:
        yield from self._section(_("Total by tax rate"))
        taxes = self.statement.taxes
        rows: list[list[Cell]] = [_taxes(), *([_percent(each.rate), *self._sums([each])] for each in taxes)]
        rows.append([_("Total"), *self._sums(taxes)])
        yield self.small_table(rows, width)

    def _sums(self, of: Sequence[StatementLine] | Sequence[TaxLine]) -> Iterator[str]:
        for name in ("net", "tax", "gross"):
            yield self.money(sum((getattr(each, name) for each in of), Decimal()))

    # The commission

    def _commissions(self, width: float) -> Iterator[Flowable]:
        ours = [line for line in self.statement.commissions if line.is_by_organizer]
        theirs = [line for line in self.statement.commissions if not line.is_by_organizer]
        if ours:
            yield from self._invoice(width) if self.statement.invoice_number else self._section(_("Commission"))
            yield from self._commission_lines(ours, width)
        if theirs:
            yield from self._section(_("Commission that the seller invoices"))
            yield self.paragraph(_("The seller writes the invoice about this commission."), "Small")
            yield from self._commission_lines(theirs, width)

    def _invoice(self, width: float) -> Iterator[Flowable]:
        statement = self.statement
        title = pgettext("commission", "Self-billing invoice")
        yield from self._section(f"{title} {statement.invoice_number}")
        yield self.paragraph(self._service(), "Small")
        yield Spacer(1, 2 * mm)
        rows = [
            [_("Provided by"), _("Provided to")],
            [address_of(self.seller), self.letter.sender],
        ]
        yield self.table(rows, [width / 2] * 2, text=2, size="Small")
        yield Spacer(1, 3 * mm)

    def _service(self) -> str:
        since, until = self.statement.since, date_format(localtime(self.statement.until), "SHORT_DATE_FORMAT")
        if not since:
            return _("Sale of tickets on commission, until {until}").format(until=until)
        begin = date_format(localtime(since), "SHORT_DATE_FORMAT")
        return _("Sale of tickets on commission, {since} to {until}").format(since=begin, until=until)

    def _commission_lines(self, lines: Sequence[CommissionLine], width: float) -> Iterator[Flowable]:
        rows: list[list[Cell]] = [[*_description(), _("Value"), *_taxes()], *map(self._commission_line, lines)]
        net, tax = (sum((getattr(line, name) for line in lines), Decimal()) for name in ("commission", "tax"))
        rows.append([_("Total"), "", "", "", *map(self.money, (net, tax, net + tax))])
        yield self.small_table(rows, width)

    def _commission_line(self, line: CommissionLine) -> list[Cell]:
        described: list[Flowable] = [self.paragraph(line.rate, "Small")]
        if line.tax_rate is None:
            described.append(self.paragraph(line.tax_text or _("The commission is not taxed."), "Fineprint"))
        rate = _percent(line.tax_rate) if line.tax_rate is not None else ""
        sums = line.commission, line.tax, line.commission + line.tax
        return [described, str(line.count), self.money(line.gross), rate, *map(self.money, sums)]

    # What is to be paid

    def _due(self, width: float) -> Iterator[Flowable]:
        statement = self.statement
        yield from self._section(_("What is due"))
        rows: list[list[Cell]] = [["", _("Value")]]
        rows.append([_("Tickets"), self.money(statement.total)])
        if statement.commissions:
            rows.append([_("Commission"), self.money(-statement.commission)])
            rows.append([_("Tax on the commission"), self.money(-statement.commission_tax)])
        rows.append([_("Due"), self.money(statement.due)])
        yield self.small_table(rows, width)
        yield Spacer(1, 3 * mm)
        for text in self._payment():
            yield self.paragraph(text, "Normal")

    def _payment(self) -> Iterator[str]:
        statement = self.statement
        if statement.due < 0:
            yield _(
                "{sum} is credited to the seller: it is set against what is open, and what is left is paid back."
            ).format(sum=self.money(-statement.due))
        elif not statement.due or not statement.pay_until:
            yield _("Nothing is to be paid.")
        else:
            until = date_format(statement.pay_until, "DATE_FORMAT")
            yield _("Please pay {sum} until {date}.").format(sum=self.money(statement.due), date=until)
            yield from statement.account
            yield _("Reference: {reference}").format(reference=self.title)


def _description() -> list[str]:
    return [pgettext("invoice", "Description"), pgettext("invoice", "Qty")]


def _taxes() -> list[str]:
    return [pgettext("invoice", "Tax rate"), pgettext("invoice", "Net"), _("Tax"), pgettext("invoice", "Gross")]


def _numbers(line: StatementLine) -> str:
    return "\n".join(line.numbers)


def _percent(rate: Decimal) -> str:
    return f"{number_format(rate.normalize())} %"
