"""
A batch becomes a PDF: the host's picture of every ticket, but each thing that tickets have in common stored once.

``tickets`` knows what is to be printed, ``document`` which layout draws it and how the file is put together,
``renderer`` draws a page as the host does, and ``qrcode`` what the host would take too long for.
"""

from collections.abc import Callable
from typing import BinaryIO

from django.utils.translation import gettext as _

from ..models import JobFailed, OfflineSalesBatch
from .document import TicketDocument
from .tickets import ValidTickets


def print_batch(
    batch: OfflineSalesBatch, output: BinaryIO, report: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """
    Write the PDF of all tickets of the batch that are still valid, in ticket order, and return how many these are.

    ``report(done, total)`` is called after each of them.

    :raises JobFailed: if there is nothing left to print, or if the layout can't be used.
    """
    tickets = ValidTickets(batch)
    if not tickets:
        raise JobFailed(_("There is nothing to print, because all tickets of this batch have been canceled."))

    document = TicketDocument(tickets.event, batch.layout)
    for done, positions in enumerate(tickets, start=1):
        for position in positions:
            document.draw(position)
        report(done, len(tickets))

    title = _("{event}: offline sales, batch {batch}").format(event=tickets.event.name, batch=batch)
    document.save(output, title)
    return len(tickets)
