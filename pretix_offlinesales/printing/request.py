"""What is asked for when tickets are to be printed, as a job remembers it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from reportlab.lib.units import mm

from ..jobs.registry import Stored
from ..models import JobFailed, OfflineSalesBatch
from ..tickets.numbers import format_numbers
from .canvas import RenderedPage
from .choice import nothing_to_print
from .document import TicketDocument
from .imposition import impose
from .laying import check
from .limits import Preview
from .sheets import Sheet
from .tickets import PositionKind, examples, kinds_of_positions, positions_to_print


@dataclass(frozen=True)
class PrintRequest(Stored):
    """All tickets are printed on pages of their own, if nothing else is said."""

    #: Numbers and ranges; all, if empty.
    tickets: str = ""
    #: As ``sheets.Sheet.data``.
    sheet: dict[str, Any] | None = None
    #: How large the tickets on it are, in millimetres, and how far they are printed beyond their edges.
    ticket: Sequence[float] | None = None
    bleed: float = 0
    #: How many pieces so many tickets have: ``[[10000, 1]]``.
    pieces: Sequence[Sequence[int]] = ()

    @classmethod
    def of(
        cls, batch: OfflineSalesBatch, numbers: Sequence[int] | None = None, sheet: Sheet | None = None
    ) -> Self:
        """
        :param numbers: of ``choice.choose``, which is needed for sheets; all, if there are none
        :raises ValidationError: by the key of the sheet, if the tickets don't fit on it
        :raises JobFailed: if the layout can't be used, or if it is too large to look at while somebody waits
        """
        if numbers is None:
            return cls()
        return cls(tickets=format_numbers(numbers), **(_on_sheets(batch, numbers, sheet) if sheet else {}))


#: A page for each ticket.
EVERYTHING = PrintRequest()


def _on_sheets(batch: OfflineSalesBatch, numbers: Sequence[int], sheet: Sheet) -> dict:
    """The values of a request that depend on what the tickets look like."""
    kinds = kinds_of_positions(batch, numbers)
    event, known = examples(batch, kinds)
    if not known:
        raise JobFailed(nothing_to_print(chosen=True))
    document = TicketDocument(event, batch.layout, preview=Preview())
    rendered = {kind: document.render(position) for kind, (position, _is_ticket) in known.items()}
    pages = list(chain.from_iterable(rendered.values()))
    most_pages = max(map(len, rendered.values()))
    if sheet.duplex and most_pages > 2:
        message = _("The tickets have {pages} pages. Only two can be front and back.")
        raise ValidationError({"duplex": message.format(pages=most_pages)})
    ticket = [max(lengths) / mm for lengths in zip(*(page.trim_size for page in pages), strict=True)]
    check(pages, impose(sheet, ticket))

    counts: dict[tuple[PositionKind, ...], int] = {}
    for positions in set(map(tuple, kinds.values())):
        left = [kind for kind in positions if kind in known]  # as long as nobody has canceled them meanwhile
        printed = positions_to_print(left, lambda kind: known[kind][1])
        counts[positions] = sum(len(pieces_of(rendered[kind], sheet)) for kind in printed)
    pieces = (counts[tuple(positions)] for positions in kinds.values())
    return {
        "sheet": sheet.data,
        "ticket": ticket,
        "bleed": max(page.bleed_size for page in pages) / mm,
        # Mostly, all tickets have as many pieces. So they are counted: [[10000, 1]].
        "pieces": [[len(list(same)), count] for count, same in groupby(pieces)],
    }


def pieces_of(pages: list[RenderedPage], sheet: Sheet) -> list[list[RenderedPage]]:
    """The pages of a position as what lies in one place each: front and back, or one of them."""
    return [pages] if sheet.duplex else [[page] for page in pages]
