"""Finds codes that lie so near to the edge of the paper that scanners may not find them."""

from dataclasses import dataclass
from functools import partial

from pretix.base.models import Event
from pretix.plugins.ticketoutputpdf.models import TicketLayout
from reportlab.lib.units import mm

from . import qrcode
from .document import TicketDocument
from .faults import blamed_on, the_object
from .geometry import Box
from .limits import Preview
from .renderer import QUIET_ZONE

#: What must be clear around a code, in millimetres.
CLEAR = 3

#: How long other content of codes mostly is at most, and secrets that are signed. Longer ones have smaller modules.
LONG, SIGNED = 32, 150


@dataclass(frozen=True)
class TightCode:
    """A code with too little space."""

    #: Of the layout, from 1.
    page: int
    #: What it says, as the layout calls it: ``secret``, …
    content: str
    #: What is clear at the side where it is least, in millimetres. Below 0, it is cut off.
    clear: float


def tight_codes(event: Event, layout: TicketLayout) -> list[TightCode]:
    """
    The codes of a layout that have less than ``CLEAR`` around them, up to where the paper is cut. What a code keeps
    free within its own square counts, too.

    :raises JobFailed: if the layout can't be used, or if it is too large to look at while somebody waits
    """
    renderer, codes = TicketDocument(event, layout, preview=Preview()).renderer(layout), []
    for number, page in enumerate(renderer.pages, start=1):
        for o in page.objects:
            with blamed_on(partial(the_object, layout, renderer, o)):
                if o["type"] == "barcodearea":
                    codes.append(TightCode(number, o.get("content", "secret"), _clear(event, o, page.trim)))
    return [code for code in codes if code.clear < CLEAR]


def _clear(event: Event, o: dict, trim: Box) -> float:
    left, bottom, right, top = (side / mm for side in trim)
    x, y, size = (float(o[key]) for key in ("left", "bottom", "size"))
    outside = min(x - left, y - bottom, right - x - size, top - y - size)
    return round(outside + _quiet_zone(event, o, size), 1)


def _quiet_zone(event: Event, o: dict, size: float) -> float:
    if o.get("nowhitespace"):
        return 0
    length = LONG
    if o.get("content", "secret") == "secret":
        settings = event.settings
        length = settings.ticket_secret_length if settings.ticket_secret_generator == "random" else SIGNED
    modules = qrcode.encode("x" * length).width
    return QUIET_ZONE * size / (modules + 2 * QUIET_ZONE)
