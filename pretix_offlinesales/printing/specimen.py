"""A specimen shows what a ticket of a batch will look like before it is issued, and a sheet before it is printed."""

from collections.abc import Sequence
from io import BytesIO
from math import atan2, degrees, hypot
from typing import BinaryIO

import pikepdf
from django.utils.crypto import get_random_string
from django.utils.timezone import now
from django.utils.translation import gettext as _, pgettext
from pretix.base.i18n import language
from pretix.base.models import Order, OrderPosition
from reportlab.lib.colors import Color
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from ..host.helpers import rolledback_transaction
from ..models import OfflineSalesBatch
from ..tickets.origin import Origin
from .document import TicketDocument
from .limits import Preview
from .merging import merge
from .parts import merge_parts, print_part
from .plan import Plan
from .request import PrintRequest

#: In place of what identifies an order and its tickets. No order code has an I, and no secret is as short.
NO_CODE = "SPECIMEN"

#: Tickets that are shown as an example belong to no batch yet.
NO_BATCH = 0

FONT = "Open Sans B"


def print_specimen(
    batch: OfflineSalesBatch, order: Order, positions: Sequence[OrderPosition], output: BinaryIO
) -> None:
    """
    Write a PDF with the first page of the batch's first ticket, marked as a specimen.

    The host's layouts look at orders in the database. So it is there for a moment, and then never was.

    :param batch: unsaved and checked
    :param order: unsaved, as the host would make it, with its positions, the ticket first
    :raises JobFailed: if the layout can't be used, or if it is too large for a preview
    """
    document = TicketDocument(batch.event, batch.layout, preview=Preview())
    with rolledback_transaction():
        _store(batch, order, positions)
        first_page, *_others = document.render(positions[0])
    document.add_page(first_page, [batch.numbers.start])
    part, merged = BytesIO(), BytesIO()
    document.save(part)
    with language(order.locale, batch.event.settings.region):
        merge([part], merged, _("{event}: specimen").format(event=batch.event.name), subject="", label=str)
        mark = _mark_text()
    with pikepdf.open(merged) as pdf:
        _mark(pdf.pages[0], mark)
        pdf.save(output)


def print_first_sheet(batch: OfflineSalesBatch, request: PrintRequest, output: BinaryIO) -> None:
    """
    Write a PDF with the first sheet of what a job would print, and its back if it has one, marked as a specimen. Codes
    on it are none that a scanner accepts.

    :raises JobFailed: if there is nothing to print, if the layout can't be used, or if it is too much for a preview
    """
    plan, preview, part, merged = Plan(batch, request), Preview(), BytesIO(), BytesIO()
    if plan.grid:
        preview.check_sheet(len(plan.grid))
    print_part(plan, range(1, 2), part, prepare=_without_code, preview=preview)
    merge_parts(plan, [part], merged)
    with pikepdf.open(merged) as pdf:
        for page in pdf.pages:
            _mark(page, _mark_text())
        pdf.save(output)


def _without_code(position: OrderPosition) -> None:
    """Not to be saved."""
    position.secret = f"{NO_CODE}-{position.pk}"
    position.pseudonymization_id = NO_CODE


def _mark_text() -> str:
    return pgettext("printed across a ticket", "SPECIMEN")


def _store(batch: OfflineSalesBatch, order: Order, positions: Sequence[OrderPosition]) -> None:
    first = batch.numbers.start
    order.code, order.datetime = NO_CODE, now()
    order.meta_info = Origin(NO_BATCH, first, batch.amount, first=first).mark(order.code)
    Order.objects.bulk_create([order])
    for position in positions:
        position.order = order
        position.addon_to = position.addon_to  # which has its primary key only now
        position.secret = f"{NO_CODE}-{position.positionid}"
        # Unique in the whole system, but of another length than real ones are.
        position.pseudonymization_id = NO_CODE + get_random_string(8)
        OrderPosition.objects.bulk_create([position])


def _mark(page: pikepdf.Page, text: str) -> None:
    """Write the text from corner to corner, so large that nobody can cut it off."""
    left, bottom, right, top = (float(value) for value in page.trimbox)
    width, height = right - left, top - bottom
    size = 0.75 * hypot(width, height) / stringWidth(text, FONT, 1)
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=(width, height))
    canvas.translate(width / 2, height / 2)
    canvas.rotate(degrees(atan2(height, width)))
    canvas.setFont(FONT, size)
    canvas.setFillColor(Color(0.8, 0, 0, alpha=0.4))
    canvas.drawCentredString(0, -size / 3, text)
    canvas.save()
    with pikepdf.open(buffer) as overlay:
        page.add_overlay(overlay.pages[0], pikepdf.Rectangle(left, bottom, right, top))
