"""
Prints a plan in parts: each worker renders one into a file (``print_part``), then another one; the last worker merges
the files into the PDF of all (``merge_parts``).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _
from pretix.base.models import OrderPosition

from ..models import JobFailed, join_names
from .choice import nothing_to_print
from .document import TicketDocument
from .limits import Preview
from .merging import merge
from .pieces import Pieces, RenderedTicket
from .plan import Plan
from .sheet_pages import SheetPages
from .tickets import Printed, Report, ValidTickets

#: Called with each position before it is rendered.
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
    Render these units of the plan (tickets, or sheets of them), write them to the file of a part, and return which
    positions are on them. If there are none, the file has no pages, or empty sheets.

    ``report(done, total)`` is called after each ticket is rendered.

    :raises JobFailed: if the layout can't be used
    """
    tickets = ValidTickets(plan.batch, plan.tickets(units))
    document = TicketDocument(tickets.event, plan.batch.layout, plan.look, preview)
    rendered = _render_tickets(tickets, document, report, prepare)
    if plan.sheet:
        printed = _add_sheets(plan, units, document, Pieces(plan, tickets, rendered))
    else:
        printed = _add_pages(document, rendered)
    document.save(output)
    return printed


def _render_tickets(
    tickets: ValidTickets, document: TicketDocument, report: Report, prepare: Prepare
) -> Iterator[RenderedTicket]:
    """One by one, when somebody asks for the next."""
    for done, (number, positions) in enumerate(tickets, start=1):
        for position in positions:
            prepare(position)
        ticket = RenderedTicket(number, {Printed.of(number, each): document.render(each) for each in positions})
        report(done, len(tickets))
        yield ticket


def _add_pages(document: TicketDocument, rendered: Iterator[RenderedTicket]) -> list[Printed]:
    printed = []
    for ticket in rendered:
        for position, of_position in ticket.positions.items():
            for page in of_position:
                document.add_page(page, [ticket.number])
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


def merge_parts(plan: Plan, part_files: Iterable[BinaryIO], output: BinaryIO) -> None:
    """
    As ``write_pdf``.

    :raises JobFailed: if no ticket is on their pages
    """
    if not write_pdf(plan, part_files, output):
        raise JobFailed(nothing_to_print(plan.is_chosen))


def write_pdf(plan: Plan, part_files: Iterable[BinaryIO], output: BinaryIO) -> int:
    """
    Write the PDF of all parts, in their order, and return how many pages it has: none, if no ticket is on them. What
    they have in common (fonts, background, …) is stored once.

    :param part_files: of ``print_part``; open to be read from any place, as long as this takes
    """
    batch = plan.batch
    title = _("{event}: offline sales, batch {batch}").format(event=batch.event.name, batch=batch)
    subject = join_names(batch.item, batch.variation, batch.subevent)
    return merge(part_files, output, title, subject, plan.label)
