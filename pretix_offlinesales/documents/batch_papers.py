"""What is written on the organizer's letterhead about a batch."""

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _, pgettext
from pretix.base.models import Event
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer, Table

from .contents import Delivery, Statement, Tax
from .paper import Paper


class BatchPaper(Paper):
    def __init__(self, event: Event, contents: Delivery | Statement):
        """:param event: for the looks of the letterhead"""
        super().__init__(event, contents.heading.letter, contents.heading.testmode)
        self.heading = contents.heading
        self.contents = contents

    @property
    def name(self) -> str:
        about = _("Offline sales batch {batch}").format(batch=f"#{self.heading.batch}")
        return f"{self.title}, {about}"

    def labels(self) -> Iterator[tuple[str, str]]:
        yield _("Batch"), f"#{self.heading.batch}"
        yield from super().labels()

    def contents_story(self, width: float) -> Iterator[Flowable]:
        yield self.paragraph(self.heading.product, "Bold")
        if self.heading.subevent:
            yield self.paragraph(self.heading.subevent, "Normal")
        yield self.paragraph(f"{_('Sales channel')}: {self.heading.sales_channel}", "Normal")
        yield Spacer(1, 5 * mm)
        yield from self.sums_story(width)

    def sums_story(self, width: float) -> Iterable[Flowable]:
        """:param width: of the lines, in points"""
        raise NotImplementedError


class DeliveryNotePaper(BatchPaper):
    contents: Delivery

    @property
    def title(self) -> str:
        return _("Delivery note")

    def sums_story(self, width: float) -> Iterator[Flowable]:
        rows = [[pgettext("invoice", "Description"), pgettext("invoice", "Qty"), _("Price"), _("Value")]]
        for price, tally in self.contents.prices.items():
            rows.append([self.heading.product, str(tally.count), self.money(price), self.money(tally.value)])
        total = self.contents.total
        rows.append([_("Total"), str(total.count), "", self.money(total.value)])
        widths = [share * width for share in (0.4, 0.2, 0.2, 0.2)]
        yield self.table(rows, widths, bold=(len(rows) - 1,))
        yield from self.numbers(_("Ticket numbers"), self.contents.numbers or "–")
        yield from self.signatures(width)


class StatementPaper(BatchPaper):
    contents: Statement

    @property
    def title(self) -> str:
        return _("Batch statement")

    def sums_story(self, width: float) -> Iterator[Flowable]:
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
        yield self.paragraph(explanation, "Fineprint")
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
