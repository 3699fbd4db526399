"""Statements of sellers, on the organizer's letterhead. One may be an invoice about the commission, too."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _, pgettext
from pretix.base.models import Event, Organizer
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Spacer

from ..tickets.worth import NOTHING
from .notes import Party
from .numbered_paper import NumberedPaper, name_of
from .paper import Cell
from .statements import CommissionLine, SellerStatement, StatementLine, TaxLine

#: What must be left of a page, or else a table begins on the next one.
BEGINNING = 35 * mm

#: Of most tables; in the others, the first one is as wide as several of these.
COLUMNS = 7

Row = Sequence[Cell]
Rows = Sequence[Row]
Titled = tuple[list[Flowable], Rows]


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
        until = localtime(self.statement.until)
        yield _("Sales until"), f"{date_format(until, 'DATE_FORMAT')} {date_format(until, 'TIME_FORMAT')}"
        if self.statement.invoice_number:
            yield pgettext("commission", "Self-billing invoice"), str(self.statement.invoice_number)

    def contents_story(self, width: float) -> Iterator[Flowable]:
        statement = self.statement
        tickets = [
            *self._by_event(statement.sales, _("Tickets that were sold")),
            *self._by_event(statement.credits, _("Credits: tickets that came back since they were stated")),
        ]
        commissions, rates, due = list(self._commissions()), self._rates(), self._due()
        tables = [*(rows for _before, rows in (*tickets, *commissions)), rates, due]
        columns = self.columns([_with_all_columns(row) for rows in tables for row in rows], width)
        for before, rows in tickets:
            yield CondPageBreak(BEGINNING)
            yield from before
            yield self.sums(rows, columns)
        if len(tickets) > 1 or len(statement.taxes) > 1:
            sums = self.sums(rates, [sum(columns[:4]), *columns[4:]])
            yield KeepTogether([*self._section(_("Total by tax rate")), sums])
        for before, rows in commissions:
            yield KeepTogether([*before, self.sums(rows, columns)])
        sums = self.sums(due, [sum(columns[:-1]), columns[-1]])
        yield KeepTogether([*self._section(_("What is due")), sums, Spacer(1, 3 * mm), *self._payment()])
        for line in statement.lines:
            about = (_("Credit") if line.count < 0 else "", line.event, line.product, line.subevent)
            yield from self.numbers_below(_numbers(line), *about, self.money(line.price))

    def _section(self, title: str, text: str = "") -> Iterator[Flowable]:
        yield Spacer(1, 5 * mm)
        yield self.paragraph(title, "Bold")
        if text:
            yield self.paragraph(text, "Small")

    # Tables: what is said before each, and its rows

    def _by_event(self, lines: Sequence[StatementLine], title: str) -> Iterator[Titled]:
        for (_slug, event), of_event in groupby(lines, key=lambda line: (line.slug, line.event)):
            told = list(of_event)
            yield (
                list(self._section(title if self.letter.event else f"{title} – {event}")),
                [[*_description(), _("Price"), *_taxes()], *map(self._line, told), self._total(told)],
            )

    def _line(self, line: StatementLine) -> Row:
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
            yield from self._added_up([line])
            return
        above = Spacer(1, self.stylesheet["Small"].leading)
        yield [above, *self._fine(_percent(each.rate) for each in line.taxes)]
        for name in ("net", "tax", "gross"):
            shares = self._fine(self.money(getattr(each, name)) for each in line.taxes)
            yield [self.paragraph(self.money(getattr(line, name)), "SmallRight"), *shares]

    def _fine(self, texts: Iterable[str]) -> list[Flowable]:
        return [self.paragraph(text, "FineprintRight") for text in texts]

    def _total(self, lines: Sequence[StatementLine]) -> Row:
        return [_("Total"), str(sum(line.count for line in lines)), "", "", *self._added_up(lines)]

    def _rates(self) -> Rows:
        taxes = self.statement.taxes
        rows = [[_percent(each.rate), *self._added_up([each])] for each in taxes]
        return [_taxes(), *rows, [_("Total"), *self._added_up(taxes)]]

    def _added_up(self, of: Sequence[StatementLine] | Sequence[TaxLine]) -> Iterator[str]:
        for name in ("net", "tax", "gross"):
            yield self.money(sum((getattr(each, name) for each in of), NOTHING))

    def _commissions(self) -> Iterator[Titled]:
        """What the organizer invoices, and what the seller does: that is not part of the invoice."""
        commissions = self.statement.commissions
        if ours := [line for line in commissions if line.is_by_organizer]:
            yield list(self._invoice()), self._commission_rows(ours)
        if theirs := [line for line in commissions if not line.is_by_organizer]:
            explanation = _("The seller writes the invoice about this commission.")
            before = self._section(_("Commission that the seller invoices"), explanation)
            yield list(before), self._commission_rows(theirs)

    def _invoice(self) -> Iterator[Flowable]:
        number = self.statement.invoice_number
        if number is None:
            return self._section(_("Commission"))
        return self._section(f"{pgettext('commission', 'Self-billing invoice')} {number}", self._service())

    def _service(self) -> str:
        """What the law wants to be said of it, and is not at the head of the letter: which service, and when."""
        return _("Sale of tickets on commission by {seller} for {organizer}: {period}").format(
            seller=name_of(self.seller), organizer=self.letter.sender_name, period=self._period()
        )

    def _period(self) -> str:
        since, until = self.statement.since, _day(self.statement.until)
        if not since:
            return _("until {until}").format(until=until)
        return _("{since} to {until}").format(since=_day(since), until=until)

    def _commission_rows(self, lines: Sequence[CommissionLine]) -> Rows:
        net, tax = (sum((getattr(line, name) for line in lines), NOTHING) for name in ("commission", "tax"))
        total: Row = [_("Total"), "", "", "", *map(self.money, (net, tax, net + tax))]
        return [[*_description(), _("Value"), *_taxes()], *map(self._commission, lines), total]

    def _commission(self, line: CommissionLine) -> Row:
        described: list[Flowable] = [self.paragraph(line.rate, "Small")]
        if line.tax_rate is None:
            described.append(self.paragraph(line.tax_text or _("The commission is not taxed."), "Small"))
        rate = _percent(line.tax_rate) if line.tax_rate is not None else ""
        sums = map(self.money, (line.commission, line.tax, line.commission + line.tax))
        return [described, str(line.count), self.money(line.gross), rate, *sums]

    def _due(self) -> Rows:
        statement = self.statement
        rows = [(_("Tickets"), statement.total)]
        if statement.commissions:
            rows.append((_("Commission"), -statement.commission))
            rows.append((_("Tax on the commission"), -statement.commission_tax))
        rows.append((_("Due"), statement.due))
        return [["", _("Value")], *([label, self.money(value)] for label, value in rows)]

    def _payment(self) -> Iterator[Flowable]:
        for text in self._payment_texts():
            yield self.paragraph(text, "Normal")

    def _payment_texts(self) -> Iterator[str]:
        statement = self.statement
        if statement.due < 0:
            credited = _(
                "{sum} is credited to the seller: it is set against what is open, and what is left is paid back."
            )
            yield credited.format(sum=self.money(-statement.due))
        elif statement.pay_until is None:
            yield _("Nothing is to be paid.")
        else:
            until = date_format(statement.pay_until, "DATE_FORMAT")
            yield _("Please pay {sum} until {date}.").format(sum=self.money(statement.due), date=until)
            yield from statement.account
            yield _("Reference: {reference}").format(reference=self.title)


def _with_all_columns(row: Row) -> Row:
    """One of which the first column is as wide as several."""
    return [*[""] * (COLUMNS - len(row) + 1), *row[1:]]


def _description() -> Row:
    return [pgettext("invoice", "Description"), pgettext("invoice", "Qty")]


def _taxes() -> Row:
    return [pgettext("invoice", "Tax rate"), pgettext("invoice", "Net"), _("Tax"), pgettext("invoice", "Gross")]


def _numbers(line: StatementLine) -> str:
    return "\n".join(line.numbers)


def _percent(rate: Decimal) -> str:
    return f"{number_format(rate.normalize())} %"


def _day(moment: datetime) -> str:
    return date_format(localtime(moment), "DATE_FORMAT")
