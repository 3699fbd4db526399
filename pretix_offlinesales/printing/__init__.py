"""
A batch becomes a PDF: the host's picture of every ticket, but each thing that tickets have in common stored once.

``tickets`` knows what is to be printed, ``document`` which layout draws it, ``renderer`` draws a page as the host does,
with ``lines`` and ``qrcode`` for what the host would take too long for, on a ``canvas`` that makes a file of it.
``merging`` puts the files of a batch's parts together.
"""

import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import BinaryIO

from django.utils.translation import gettext as _

from ..models import JobFailed, OfflineSalesBatch
from .document import TicketDocument
from .merging import merge
from .tickets import ValidTickets

__all__ = ["merge_parts", "parts", "print_batch", "print_part"]

#: So many tickets are drawn together at most: what it takes is memory for them, and fonts and forms once more.
PART_SIZE = 1_000

#: Called with how much is done, and of how much.
Report = Callable[[int, int], None]


def print_batch(batch: OfflineSalesBatch, output: BinaryIO, report: Report = lambda done, total: None) -> int:
    """
    Write the PDF of all tickets of the batch that are still valid, in ticket order, and return how many these are.

    ``report(done, total)`` is called after each of them.

    :raises JobFailed: if there is nothing left to print, or if the layout can't be used.
    """
    total, done = len(ValidTickets(batch, batch.numbers)), 0
    with ExitStack() as files:
        printed = []
        for numbers in parts(batch):
            part = files.enter_context(tempfile.TemporaryFile())
            done += print_part(batch, numbers, part, lambda number, __, before=done: report(before + number, total))
            printed.append(part)
        merge_parts(batch, printed, output)
    return done


def parts(batch: OfflineSalesBatch) -> list[range]:
    """The batch's ticket numbers in parts, to be printed one by one or at the same time, by different workers."""
    numbers = batch.numbers
    return [numbers[start : start + PART_SIZE] for start in range(0, len(numbers), PART_SIZE)]


def print_part(
    batch: OfflineSalesBatch, numbers: range, output: BinaryIO, report: Report = lambda done, total: None
) -> int:
    """
    Write the tickets with these numbers that are still valid to a file for ``merge_parts``, and return how many these
    are. It may be none: then the file is a PDF without pages.

    ``report(done, total)`` is called after each of them.

    :raises JobFailed: if the layout can't be used.
    """
    tickets = ValidTickets(batch, numbers)
    document = TicketDocument(tickets.event, batch.layout)
    for done, positions in enumerate(tickets, start=1):
        for position in positions:
            document.draw(position)
        report(done, len(tickets))
    document.save(output)
    return len(tickets)


def merge_parts(batch: OfflineSalesBatch, printed: Iterable[BinaryIO], output: BinaryIO) -> None:
    """
    Write the PDF of the whole batch from the files of its parts, in ticket order. What parts have in common (fonts,
    background, …) is stored once.

    :param printed: open to be read from any place, as long as this takes
    :raises JobFailed: if there is nothing in them
    """
    title = _("{event}: offline sales, batch {batch}").format(event=batch.event.name, batch=batch)
    if not merge(printed, output, title):
        raise JobFailed(_("There is nothing to print, because all tickets of this batch have been canceled."))
