"""Tickets on paper, ours and the host's."""

import json
import tempfile
from contextlib import ExitStack
from io import BytesIO

from PIL import Image
from pretix.plugins.ticketoutputpdf.ticketoutput import PdfTicketOutput
from reportlab.lib.units import mm

from pretix_offlinesales.printing.parts import merge_parts, print_part
from pretix_offlinesales.printing.plan import Plan
from pretix_offlinesales.printing.request import EVERYTHING

from .pdf import SCALE, complaints, difference, extracted_text, rasterized, read_codes


def print_batch(batch, output, request=EVERYTHING) -> list[int]:
    """What a job does with its parts, without the job. Returns the keys of the positions that are in the file."""
    plan, positions = Plan(batch, request), []
    with ExitStack() as files:
        parts = []
        for units in plan.parts():
            parts.append(files.enter_context(tempfile.TemporaryFile()))
            positions += (each.position for each in print_part(plan, units, parts[-1]))
        merge_parts(plan, parts, output)
    return positions


def printed(batch) -> bytes:
    output = BytesIO()
    print_batch(batch, output)
    return output.getvalue()


def printed_by_host(position, layout=None) -> bytes:
    """The host's own file of this position; of the same ticket as if it had this layout, if one is given."""
    output = PdfTicketOutput(position.order.event)
    if layout:
        output.layout_map = {(position.item_id, "web"): layout}
    _name, _type, data = output.generate(position)
    return data


def tickets(batch):
    """The (only) position of each ticket of a batch, in order."""
    return [ticket.order.positions.get() for ticket in batch.tickets.order_by("number")]


def assert_looks_as_the_hosts(batch):
    """
    Each page of ours against the host's; codes by what they say, since their mask may be another one. Strict readers
    have nothing to say.
    """
    our_pdf = printed(batch)
    assert complaints(our_pdf) == {}
    host_pdfs = [printed_by_host(position, batch.layout) for position in tickets(batch)]
    # The host's fonts show all characters that they do not have as the same box.
    assert extracted_text(our_pdf) == [page for pdf in host_pdfs for page in extracted_text(pdf)]

    ours = rasterized(our_pdf)
    hosts = [page for pdf in host_pdfs for page in rasterized(pdf)]
    assert [page.size for page in ours] == [page.size for page in hosts]
    for number, (our, host) in enumerate(zip(ours, hosts, strict=True)):
        assert [found.text for found in read_codes(our)] == [found.text for found in read_codes(host)]
        for o in json.loads(batch.layout.layout) or PdfTicketOutput(batch.event)._legacy_layout():
            if o["type"] == "barcodearea":
                hide(our, o)
                hide(host, o)
        assert difference(our, host) == 0, f"page {number + 1} differs"


def hide(page: Image.Image, o: dict):
    left, bottom, size = (float(o[key]) * mm * SCALE for key in ("left", "bottom", "size"))
    sides = (left, page.height - bottom - size, left + size, page.height - bottom)
    page.paste("white", tuple(round(side) for side in sides))
