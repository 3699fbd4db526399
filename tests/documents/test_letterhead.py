"""The letterhead is that of the host's invoices, to the pixel."""

from datetime import timedelta
from io import BytesIO

import pypdfium2
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import override
from PIL import Image, ImageChops
from pretix.base.invoicing.pdf import ClassicInvoiceRenderer
from pretix.base.services.invoices import generate_invoice

from pretix_offlinesales.documents import make
from pretix_offlinesales.documents.heading import event_dates, sender

pytestmark = pytest.mark.django_db

#: Pixels in a millimetre.
SCALE = 4

#: What both say, and where: left, top, right and bottom, in millimetres.
ADDRESS, LOGO_AND_EVENT, FOOT = (20, 16, 95, 46), (95, 10, 205, 35), (0, 270, 210, 297)


@pytest.fixture
def organizer_with_letterhead(event):
    picture = BytesIO()
    Image.new("RGBA", (400, 200), (200, 30, 60, 128)).save(picture, "PNG")
    logo = default_storage.save("logo.png", ContentFile(picture.getvalue()))
    for name, value in {
        "invoice_address_from_name": "Museum Friends",
        "invoice_address_from": "Quay 1",
        "invoice_address_from_zipcode": "20457",
        "invoice_address_from_city": "Hamburg",
        "invoice_address_from_country": "DE",
        "invoice_address_from_vat_id": "DE123456789",
        "invoice_address_from_tax_id": "12/345/6789",
        "invoice_footer_text": "Registered in Hamburg\nIBAN DE00 1234",
        "invoice_logo_image": f"file://{logo}",
        "invoice_renderer_font": "Roboto",
        "show_date_to": True,
    }.items():
        event.settings.set(name, value)
    event.name = "A night that is so long that its name goes on and on, and can't be said in two lines of its place"
    event.date_to = event.date_from + timedelta(days=2)
    event.save()
    return event


def first_page(pdf):
    return pypdfium2.PdfDocument(pdf)[0].render(scale=SCALE * 25.4 / 72).to_pil().convert("RGB")


def part(page, place):
    return page.crop([SCALE * millimetres for millimetres in place])


@pytest.mark.parametrize("language", ["en", "de"])
def test_it_looks_like_that_of_an_invoice(organizer_with_letterhead, make_batch, language):
    event = organizer_with_letterhead
    event.settings.locales, event.settings.locale = ["en", "de"], language
    batch = make_batch(amount=1)
    ours = first_page(make.delivery_note(batch))
    with override(language):
        invoice = generate_invoice(batch.tickets.get().order)
        _name, _type, content = ClassicInvoiceRenderer(event).generate(invoice)
    theirs = first_page(content)
    for place in (ADDRESS, LOGO_AND_EVENT, FOOT):
        assert part(theirs, place).getcolors(2) is None  # there is something to compare
        assert ImageChops.difference(part(ours, place), part(theirs, place)).getbbox() is None


def test_a_sender_has_at_least_the_organizers_name(event):
    assert sender(event.settings, event.organizer) == "Museum Trust"
    event.settings.invoice_address_from = "Quay 1"
    assert sender(event.settings, event.organizer) == "Quay 1"


def test_dates_are_said_as_the_shop_says_them(event, series):
    with override("en"):
        assert event_dates(event) == "May 8, 2027"
        event.date_to = event.date_from + timedelta(days=2)
        assert event_dates(event) == "May 8, 2027\nuntil May 10, 2027"
        event.settings.show_date_to = False
        assert event_dates(event) == "May 8, 2027"
        event.settings.show_dates_on_frontpage = False
        assert event_dates(event) == ""
        assert event_dates(series) == ""
