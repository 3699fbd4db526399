"""
A plan is printed in parts. Workers print one part each (``print_part``), at the same time or one after the other; the
last worker merges them into the PDF of all (``merge_parts``).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _
from pretix.base.models import OrderPosition

from ..models import JobFailed
from .choice import nothing_to_print
from .document import TicketDocument
from .limits import Preview
from .merging import merge
from .pieces import DrawnTicket, Pieces
from .plan import Plan
from .sheet_pages import SheetPages
from .tickets import Printed, ValidTickets

#: Called with how much is done, and of how much.
Report = Callable[[int, int], None]

#: Called with each position before it is drawn.
Prepare = Callable[[OrderPosition], None]


def print_part(
    plan: Plan,
    units: range,
    output: BinaryIO,
    report: Report = lambda done, total: None,
    prepare: Prepare = lambda position: None,
    preview: Preview | None = None,
) -> list[Printed]:
    """
    Write these units to a file for ``merge_parts``, and return which positions are on them. It may be none: then the
    file has no pages, or empty sheets.

    ``report(done, total)`` is called after each ticket is drawn.

    :raises JobFailed: if the layout can't be used
    """
    tickets = ValidTickets(plan.batch, plan.tickets(units))
    document = TicketDocument(tickets.event, plan.batch.layout, plan.look, preview)
    drawn = _draw(tickets, document, report, prepare)
    if plan.sheet:
        positions = _add_sheets(plan, units, document, Pieces(plan, tickets, drawn))
    else:
        positions = _add_pages(document, drawn)
    document.save(output)
    return positions


def _draw(tickets: ValidTickets, document: TicketDocument, report: Report, prepare: Prepare) -> Iterator[DrawnTicket]:
    for done, (number, positions) in enumerate(tickets, start=1):
        for position in positions:
            prepare(position)
        drawn = DrawnTicket(number, {Printed.of(number, each): document.draw(each) for each in positions})
        report(done, len(tickets))
        yield drawn


def _add_pages(document: TicketDocument, drawn: Iterator[DrawnTicket]) -> list[Printed]:
    printed = []
    for ticket in drawn:
        for position, drawings in ticket.positions.items():
            for drawing in drawings:
                document.add_page(drawing, [ticket.number])
            printed.append(position)
    return printed


def _add_sheets(plan: Plan, units: range, document: TicketDocument, pieces: Pieces) -> list[Printed]:
    pages, printed = SheetPages(plan, document), []
    for unit in units:
        places = plan.on_sheet(unit)
        laid = [(number, pieces.get(number, index)) for number, index in places]
        pages.add(
            unit,
            [piece.sides if piece else () for _number, piece in laid],
            [number for number, piece in laid if piece],
        )
        printed += (piece.position for _number, piece in laid if piece)
    return list(dict.fromkeys(printed))


def merge_parts(plan: Plan, printed: Iterable[BinaryIO], output: BinaryIO) -> None:
    """
    Write the PDF of all that is printed from the files of its parts, in their order. What parts have in common (fonts,
    background, …) is stored once.

    :param printed: open to be read from any place, as long as this takes
    :raises JobFailed: if there are no pages in them
    """
    batch = plan.batch
    title = _("{event}: offline sales, batch {batch}").format(event=batch.event.name, batch=batch)
    subject = " – ".join(str(part) for part in (batch.item, batch.variation, batch.subevent) if part)
    if not merge(printed, output, title, subject, plan.label):
        raise JobFailed(nothing_to_print(plan.is_chosen))
