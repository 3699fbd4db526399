"""Which tickets are printed, in which order, and what the file is like."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from hierarkey.proxy import dirty_cache_keys
from PIL import Image
from pretix.base.models import Order
from pretix.base.signals import layout_image_variables
from pretix.plugins.ticketoutputpdf.models import TicketLayoutItem
from pretix.plugins.ticketoutputpdf.signals import override_layout
from reportlab.lib.units import mm

from pretix_offlinesales.models import JobFailed
from pretix_offlinesales.printing import tickets as tickets_module
from pretix_offlinesales.printing.parts import merge_parts, print_part
from pretix_offlinesales.printing.plan import Plan
from tests.support.layouts import background_pdf, code, text
from tests.support.pdf import SCALE, rasterized, read_codes
from tests.support.plugins import receiver_of_a_plugin
from tests.support.printing import print_batch, printed, tickets


@pytest.fixture
def codes_layout(make_layout):
    """A small layout from which one reads which ticket it is."""
    return make_layout([code()], background=background_pdf(size=(150, 200)))


def codes(batch) -> list[str]:
    """What the codes on the pages of a printed batch say, page by page."""
    return [read_codes(page)[0].text for page in rasterized(printed(batch))]


def secrets(orders) -> list[str]:
    return [position.secret for order in orders for position in order.positions.all()]


# Which tickets


def test_a_page_a_ticket_in_ticket_order(make_batch, make_order, codes_layout):
    orders = [make_order() for _ in range(4)]
    orders.reverse()
    assert codes(make_batch(orders, codes_layout)) == secrets(orders)


def test_tickets_that_were_not_canceled_are_printed_over_several_chunks(
    make_batch, make_order, codes_layout, monkeypatch
):
    monkeypatch.setattr(tickets_module, "CHUNK_SIZE", 2)
    orders = [make_order() for _ in range(5)]
    batch = make_batch(orders, codes_layout)
    orders[0].status = Order.STATUS_CANCELED
    orders[0].save()
    orders[3].all_positions.update(canceled=True)

    left = [orders[1], orders[2], orders[4]]
    assert print_batch(batch, BytesIO()) == [order.positions.get().pk for order in left]
    assert codes(batch) == secrets([orders[1], orders[2], orders[4]])


def test_nothing_left_to_print(make_batch, make_order, codes_layout):
    batch = make_batch([make_order(status=Order.STATUS_CANCELED)], codes_layout)
    output = BytesIO()
    with pytest.raises(JobFailed, match="^There is nothing to print, because all tickets of this batch have been"):
        print_batch(batch, output)
    assert output.getvalue() == b""


@pytest.fixture
def with_bundle(event, item, make_order):
    """An order of a ticket that comes with a drink."""
    drink = event.items.create(name="Drink", default_price=Decimal("2.00"), admission=False)
    order = make_order([item, drink])
    main, bundled = order.positions.all()
    bundled.addon_to, bundled.is_bundled = main, True
    bundled.save()
    return order


@pytest.mark.parametrize(
    ("addons", "non_admission", "generate_tickets", "printed_positions"),
    [
        (False, False, (None, None), [1]),
        (True, False, (None, None), [1]),
        (False, True, (None, None), [1]),
        (True, True, (None, None), [1, 2]),
        (False, False, (None, True), [1, 2]),
        (False, False, (False, True), [2]),
        (True, True, (False, None), [2]),
        # The host would make no ticket of any of these, but an offline ticket without paper is nothing.
        (False, False, (False, None), [1]),
        (False, False, (False, False), [1]),
    ],
)
def test_of_several_positions_those_are_printed_that_the_host_makes_tickets_for(
    event, item, make_batch, with_bundle, codes_layout, addons, non_admission, generate_tickets, printed_positions
):
    event.settings.ticket_download_addons = addons
    event.settings.ticket_download_nonadm = non_admission
    main, bundled = with_bundle.positions.all()
    for position, generate in zip((main, bundled), generate_tickets, strict=True):
        position.item.generate_tickets = generate
        position.item.save()

    by_number = {1: main.secret, 2: bundled.secret}
    assert codes(make_batch([with_bundle], codes_layout)) == [by_number[number] for number in printed_positions]


def test_blocked_positions_are_printed_all_the_same(event, make_batch, with_bundle, codes_layout):
    event.settings.ticket_download_addons = event.settings.ticket_download_nonadm = True
    for position in with_bundle.positions.all():
        position.blocked = ["admin"]
        position.save()
    assert codes(make_batch([with_bundle], codes_layout)) == secrets([with_bundle])


# Which layout


def one_word(make_layout, word, **kwargs):
    return make_layout([code(content="other", text=word)], background=background_pdf(size=(150, 200)), **kwargs)


def test_a_batch_without_layout_is_printed_as_the_event_would(
    event, organizer, item, web, make_batch, make_order, make_layout
):
    kiosk = organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api")
    other_item = event.items.create(name="Other", default_price=Decimal("1.00"), admission=True)
    orders = [make_order(sales_channel=kiosk), make_order(), make_order([other_item], sales_channel=kiosk)]
    batch = make_batch(orders)

    one_word(make_layout, "default", default=True)
    assert codes(batch) == ["default", "default", "default"]

    TicketLayoutItem.objects.create(item=item, sales_channel=web, layout=one_word(make_layout, "web"))
    assert codes(batch) == ["web", "web", "default"]

    TicketLayoutItem.objects.create(item=item, sales_channel=kiosk, layout=one_word(make_layout, "kiosk"))
    assert codes(batch) == ["kiosk", "web", "default"]

    batch.layout = one_word(make_layout, "batch")
    assert codes(batch) == ["batch", "batch", "batch"]


def test_plugins_may_override_the_layout_of_a_ticket_unless_the_batch_has_one(event, make_batch, make_layout, settings):
    batch = make_batch(2)
    layout = one_word(make_layout, "normal", default=True)
    two_pages = make_layout(
        [code(content="other", text="front"), code(content="other", text="back", page=2)],
        background=background_pdf(pages=2, size=(200, 200)),
    )
    first = tickets(batch)[0]

    def override(sender, layout, orderposition, **kwargs):
        return two_pages if orderposition == first else layout

    with receiver_of_a_plugin(settings, override_layout, override):
        assert codes(batch) == ["front", "back", "normal"]
        assert [page.size for page in rasterized(printed(batch))] == [(400, 400), (400, 400), (300, 400)]
        batch.layout = layout
        assert codes(batch) == ["normal", "normal"]


# The file


IMAGE = {"type": "imagearea", "page": 1, "left": "60", "bottom": "10", "width": "30", "height": "20"}


@pytest.fixture
def make_picture(event):
    """Answers the question for a picture, with one that is there or a new one. Returns the name of its file."""
    question = event.questions.create(question="Picture?", type="F", identifier="PICTURE")

    def make_picture(position, name=None, color="red"):
        answer = position.answers.create(question=question, answer="file://", file=name)
        if not name:
            buffer = BytesIO()
            Image.new("RGB", (900, 600), color).save(buffer, "PNG")
            answer.file.save("picture.png", ContentFile(buffer.getvalue()))
        return answer.file.name

    return make_picture


def objects_of(pdf: pikepdf.Pdf, **wanted) -> list:
    """Streams of the file that have these entries."""
    return [
        obj
        for obj in pdf.objects
        if isinstance(obj, pikepdf.Stream) and all(obj.get(f"/{key}") == value for key, value in wanted.items())
    ]


def test_the_file_is_sound_and_says_what_it_is(event, make_batch, layout):
    batch = make_batch(2, layout)
    with pikepdf.open(BytesIO(printed(batch))) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert dict(pdf.docinfo) == {
            "/Title": f"Long Night: offline sales, batch #{batch.pk}",
            "/Subject": "Ticket",
            "/Creator": "pretix",
        }


def test_background_fonts_and_images_are_stored_once(make_batch, make_layout, make_picture):
    layout = make_layout(
        [
            text("event_name"),
            text("order", bold=True, bottom="70"),
            code(),
            {"type": "poweredby", "page": 1, "left": "10", "bottom": "60", "size": "10", "content": "dark"},
            {**IMAGE, "content": "question_PICTURE"},
        ],
        background=background_pdf(),
    )

    def stored(amount):
        batch = make_batch(amount, layout)
        first, *others = tickets(batch)
        name = make_picture(first)
        for position in others:
            make_picture(position, name)
        with pikepdf.open(BytesIO(printed(batch))) as pdf:
            return {
                "pages": len(pdf.pages),
                "backgrounds": sum(b"Stock 1" in form.read_bytes() for form in objects_of(pdf, Subtype="/Form")),
                "images": sorted(int(image.Width) for image in objects_of(pdf, Subtype="/Image")),
                "fonts": sum("/FontFile2" in obj for obj in pdf.objects if isinstance(obj, pikepdf.Dictionary)),
            }

    # The host stores pictures at 300 dpi, and the transparency of its logo as a second one.
    once = {"backgrounds": 1, "images": [192, 192, 354], "fonts": 2}
    assert stored(1) == {"pages": 1, **once}
    assert stored(5) == {"pages": 5, **once}


def test_another_ticket_costs_less_than_two_kilobytes(make_batch, layout):
    small, large = len(printed(make_batch(1, layout))), len(printed(make_batch(11, layout)))
    assert (large - small) / 10 < 2_000


def test_a_picture_is_read_once(make_batch, make_layout, make_picture):
    layout = make_layout([{**IMAGE, "content": "question_PICTURE"}], background=background_pdf())
    batch = make_batch(3, layout)
    first, second, third = tickets(batch)
    name = make_picture(first)
    make_picture(second, name)
    make_picture(third, color="blue")

    part, output = BytesIO(), BytesIO()
    print_part(Plan(batch), range(1, 4), part, lambda done, total: default_storage.delete(name))
    merge_parts(Plan(batch), [part], output)
    red, also_red, blue = rasterized(output.getvalue())
    assert red == also_red
    middle_of_picture = round(75 * mm * SCALE), round(red.height - 20 * mm * SCALE)
    assert red.getpixel(middle_of_picture) == (255, 0, 0)
    assert blue.getpixel(middle_of_picture) == (0, 0, 255)


@pytest.mark.parametrize("known_by", ["etag", "file name", "nothing"])
def test_pictures_of_plugins(event, make_batch, make_layout, make_picture, settings, known_by):
    """Plugins give an etag for their picture, or a file, or only something that can be read."""
    batch = make_batch(2)
    positions = tickets(batch)
    files = {
        position: Path(default_storage.path(make_picture(position, color=color)))
        for position, color in zip(positions, ["red", "blue"], strict=True)
    }
    variable = {
        "label": "Own",
        "evaluate": lambda position, order, event: (
            position.answers.get().file if known_by == "file name" else BytesIO(files[position].read_bytes())
        ),
    }
    if known_by == "etag":
        variable["etag"] = lambda position, order, event: str(files[position])

    def own_variables(sender, **kwargs):
        return {"own": variable}

    batch.layout = make_layout([{**IMAGE, "content": "own"}], background=background_pdf())
    with receiver_of_a_plugin(settings, layout_image_variables, own_variables):
        pages = rasterized(printed(batch))
    middle_of_picture = round(75 * mm * SCALE), round(pages[0].height - 20 * mm * SCALE)
    assert [page.getpixel(middle_of_picture) for page in pages] == [(255, 0, 0), (0, 0, 255)]


# Queries

PLACEHOLDERS = [
    "secret", "order", "positionid", "item", "variation", "item_description", "itemvar", "item_category", "price",
    "price_with_bundled", "price_with_addons", "attendee_name", "attendee_company", "attendee_address",
    "attendee_country", "event_name", "event_series_name", "event_date_range", "event_begin", "event_end",
    "event_admission", "event_location", "email", "telephone", "invoice_name", "invoice_company", "addons",
    "organizer", "organizer_info_text", "event_info_text", "now_date", "purchase_date", "valid_from_date",
    "program_times", "medium_identifier", "seat", "seat_zone", "first_scan", "giftcard_expiry_date", "meta:Colour",
    "itemmeta:Colour", "question_SIZE",
]  # fmt: skip


@pytest.fixture
def tours(series, series_item, subevent):
    """A series with everything that placeholders know."""
    category = series.categories.create(name="Tours")
    series_item.category = category
    series_item.save()
    series_item.program_times.create(start=now(), end=now())
    series_item.meta_values.create(property=series.item_meta_properties.create(name="Colour"), value="red")
    colour = series.organizer.meta_properties.create(name="Colour")
    series.meta_values.create(property=colour, value="red")
    subevent.meta_values.create(property=colour, value="blue")
    variation = series_item.variations.create(value="Long")
    question = series.questions.create(question="Size?", type="S", identifier="SIZE")
    bundled = series.items.create(name="Drink", default_price=Decimal("2.00"))

    def fill(order):
        main, drink = order.positions.all()
        main.subevent = drink.subevent = subevent
        main.variation = variation
        main.valid_from = datetime(2027, 1, 1, tzinfo=UTC)
        main.seat = series.seats.create(
            seat_number=str(order.pk), product=series_item, seat_guid=str(order.pk), subevent=subevent
        )
        main.save()
        drink.addon_to, drink.is_bundled = main, True
        drink.save()
        main.answers.create(question=question, answer="L")
        main.linked_media.create(organizer=series.organizer, type="barcode", identifier=order.code)
        checkins = series.checkin_lists.get_or_create(name="All", subevent=subevent)[0]
        main.all_checkins.create(list=checkins, datetime=now())

    return series, series_item, bundled, fill


@pytest.mark.parametrize("batch_has_layout", [True, False])
def test_the_number_of_queries_does_not_grow_with_the_tickets(tours, make_order, make_batch, batch_has_layout):
    series, item, bundled, fill = tours
    objects = [text(content) for content in PLACEHOLDERS] + [code(content="pseudonymization_id")]
    layout = series.ticket_layouts.create(name="All", default=True, layout=json.dumps(objects))

    def queries(amount):
        orders = [make_order([item, bundled], event=series) for _ in range(amount)]
        for order in orders:
            fill(order)
        batch = make_batch(orders, layout if batch_has_layout else None)
        # In a transaction that changed settings, they are read again and again. Act as if it was committed.
        dirty_cache_keys.set(set())
        with CaptureQueriesContext(connection) as captured:
            assert len(print_batch(batch, BytesIO())) == amount
        return len(captured)

    queries(1)  # fills caches that live as long as the process
    assert queries(3) == queries(6)
