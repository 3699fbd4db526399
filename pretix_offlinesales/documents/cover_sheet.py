"""A sheet that lies on the tickets of one batch that a seller gets, so that everybody sees whose they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.timezone import now
from django.utils.translation import gettext as _, pgettext
from pretix.base.models import Event
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Spacer

from ..models import Document, OfflineSalesBatch, Seller
from ..tickets.numbers import DASH, format_numbers
from .heading import Letter
from .notes import Party
from .numbered_paper import address_of
from .paper import Paper


@dataclass(frozen=True)
class Cover:
    seller: Seller
    batch: OfflineSalesBatch
    #: In ascending order.
    numbers: Sequence[int]
    #: By which she got them.
    documents: Sequence[Document]


class CoverSheet(Paper):
    def __init__(self, event: Event, cover: Cover):
        super().__init__(event, Letter.of([event], now()), cover.batch.testmode)
        self.cover = cover
        self.party: Party = Party.of(cover.seller)  # type: ignore[assignment]

    @property
    def title(self) -> str:
        return self.cover.seller.name

    def draw_first_page(self, canvas: Canvas) -> None:
        super().draw_first_page(canvas)
        self.write_address(canvas, address_of(self.party))

    def labels(self) -> Iterator[tuple[str, str]]:
        yield from super().labels()
        yield _("Batch"), str(self.cover.batch)
        if self.party.identifier:
            yield _("Seller number"), self.party.identifier

    def contents_story(self, width: float) -> Iterator[Flowable]:
        batch, numbers = self.cover.batch, self.cover.numbers
        rows = [[pgettext("invoice", "Description"), pgettext("invoice", "Qty")]]
        rows.append(["\n".join(filter(None, (batch.public_product, batch.date))), str(len(numbers))])
        yield self.table(rows, [0.8 * width, 0.2 * width])
        if documents := ", ".join(map(str, self.cover.documents)):
            yield Spacer(1, 5 * mm)
            yield self.paragraph(_("Documents"), "Bold")
            yield self.paragraph(documents, "Normal")
        yield from self.numbers(_("Ticket numbers"), format_numbers(numbers, DASH))
