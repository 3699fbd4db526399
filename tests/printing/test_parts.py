"""A batch that is printed in parts is printed as if it was printed at once."""

from io import BytesIO

import pikepdf
import pytest
from pretix.base.models import Order
from pretix.plugins.ticketoutputpdf.signals import override_layout

from pretix_offlinesales.models import JobFailed
from pretix_offlinesales.printing import plan as plan_module
from pretix_offlinesales.printing.parts import merge_parts, print_part
from pretix_offlinesales.printing.plan import Plan
from tests.support.layouts import background_pdf, code, text
from tests.support.pdf import extracted_text, rasterized
from tests.support.plugins import receiver_of_a_plugin
from tests.support.printing import print_batch, printed, printed_by_host, tickets


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(plan_module, "PART_SIZE", 2)


def printed_parts(batch) -> tuple[list[int], bytes]:
    """How many tickets each part has, and the file that is made of them."""
    plan = Plan(batch)
    files = [BytesIO() for _ in plan.parts()]
    amounts = [len(print_part(plan, units, file)) for units, file in zip(plan.parts(), files, strict=True)]
    output = BytesIO()
    merge_parts(plan, files, output)
    return amounts, output.getvalue()


def stored(pdf: bytes) -> dict[str, int]:
    with pikepdf.open(BytesIO(pdf)) as file:
        assert file.check_pdf_syntax() == []
        streams = [obj for obj in file.objects if isinstance(obj, pikepdf.Stream)]
        return {
            "pages": len(file.pages),
            "backgrounds": sum(b"Stock 1" in stream.read_bytes() for stream in streams if "/Resources" in stream),
            "images": sum(stream.get("/Subtype") == "/Image" for stream in streams),
            "fonts": sum("/FontFile2" in obj for obj in file.objects if isinstance(obj, pikepdf.Dictionary)),
        }


def test_parts_are_the_tickets_of_the_batch_in_order(make_batch):
    batch = make_batch(1)
    batch.amount, batch.first_number = 5, 101
    plan = Plan(batch)
    assert plan.parts() == [range(1, 3), range(3, 5), range(5, 6)]
    assert [plan.tickets(units) for units in plan.parts()] == [[101, 102], [103, 104], [105]]


def test_what_parts_have_in_common_is_stored_once(make_batch, make_layout):
    powered_by = {"type": "poweredby", "page": 1, "left": "10", "bottom": "60", "size": "10", "content": "dark"}
    layout = make_layout([text("event_name"), text("order", bottom="80"), code(), powered_by], background_pdf())
    amounts, pdf = printed_parts(make_batch(5, layout))
    assert amounts == [2, 2, 1]
    assert stored(pdf) == {"pages": 5, "backgrounds": 1, "images": 2, "fonts": 1}


def test_pages_of_all_parts_look_as_the_hosts(event, make_batch, make_layout, settings):
    """Even if each part needs other characters, other fonts, other layouts and other sizes of paper."""
    batch = make_batch(5)
    layouts = [
        make_layout(
            [text(text=letters, bold=bool(n % 2)), text("order", bottom="60")], background_pdf(size=(300, 300 + n))
        )
        for n, letters in enumerate(["Ärger", "Öl", "Übung", "Ölärm", "Ça"])
    ]
    chosen = dict(zip(tickets(batch), layouts, strict=True))

    def override(sender, layout, orderposition, **kwargs):
        return chosen[orderposition]

    with receiver_of_a_plugin(settings, override_layout, override):
        _, ours = printed_parts(batch)
        hosts = [printed_by_host(position) for position in tickets(batch)]
    assert rasterized(ours) == [page for pdf in hosts for page in rasterized(pdf)]
    assert extracted_text(ours) == [page for pdf in hosts for page in extracted_text(pdf)]


def test_a_batch_is_printed_part_by_part(make_batch, layout):
    batch, output = make_batch(5, layout), BytesIO()
    assert print_batch(batch, output) == [position.pk for position in tickets(batch)]
    _, pdf = printed_parts(batch)
    assert rasterized(output.getvalue()) == rasterized(pdf)


def test_a_part_says_how_far_it_is(make_batch, layout):
    reported = []
    plan = Plan(make_batch(2, layout))
    print_part(plan, range(1, 3), BytesIO(), lambda done, total: reported.append((done, total)))
    assert reported == [(1, 2), (2, 2)]


def test_parts_without_valid_tickets_have_no_pages(make_batch, make_order, layout):
    orders = [make_order(status=Order.STATUS_CANCELED if number < 2 else Order.STATUS_PAID) for number in range(4)]
    amounts, pdf = printed_parts(make_batch(orders, layout))
    assert amounts == [0, 2]
    assert len(rasterized(pdf)) == 2


def test_no_part_has_valid_tickets(make_batch, make_order, layout):
    batch = make_batch([make_order(status=Order.STATUS_CANCELED) for _ in range(3)], layout)
    with pytest.raises(JobFailed, match="^There is nothing to print"):
        printed_parts(batch)


def pdf_of(*objects: bytes) -> bytes:
    """The first one is the catalog."""
    content, places = b"%PDF-1.4\n", []
    for number, thing in enumerate(objects, start=1):
        places.append(b"%010d 00000 n \n" % len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, thing)
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, b"".join(places))
    trailer = b"trailer\n<</Size %d /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(content))
    return content + table + trailer


def test_a_background_that_refers_to_numbers_and_truth(make_batch, make_layout):
    """Anything may be an object of its own."""
    drawing = b"/Half gs 0 0 1 rg 0 0 100 100 re f"
    background = pdf_of(
        b"<</Type /Catalog /Pages 2 0 R>>",
        b"<</Type /Pages /Kids [3 0 R] /Count 1>>",
        b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] /Resources 4 0 R /Contents 8 0 R>>",
        b"<</ExtGState <</Half 5 0 R>>>>",
        b"<</Type /ExtGState /ca 6 0 R /AIS 7 0 R>>",
        b"0.5",
        b"false",
        b"<</Length 9 0 R>>\nstream\n%s\nendstream" % drawing,
        b"%d" % len(drawing),
    )
    batch = make_batch(2, make_layout([text("order")], background))
    ours, hosts = rasterized(printed(batch)), [printed_by_host(ticket, batch.layout) for ticket in tickets(batch)]
    assert len({page.getpixel((10, page.height - 10)) for page in ours} - {(255, 255, 255), (0, 0, 255)}) == 1
    assert [page.tobytes() for page in ours] == [page.tobytes() for host in hosts for page in rasterized(host)]


def test_a_background_that_refers_to_itself(make_batch, make_layout):
    """Nobody should make such files, but they are there. What is in a circle is compared as a whole."""
    with pikepdf.open(BytesIO(background_pdf())) as pdf:
        resources = pdf.pages[0].Resources
        circle = pdf.make_stream(b"", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 1, 1])
        resources.XObject = pikepdf.Dictionary(Circle=circle)
        circle.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Circle=circle))
        buffer = BytesIO()
        pdf.save(buffer)
    batch = make_batch(3, make_layout([text("order")], buffer.getvalue()))
    assert stored(printed(batch)) == {"pages": 3, "backgrounds": 1, "images": 0, "fonts": 1}
