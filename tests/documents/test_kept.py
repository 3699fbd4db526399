"""Documents are drawn once, say what was so when they were written, and forget only people."""

from decimal import Decimal

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pretix_offlinesales.documents import kept, statement_files
from pretix_offlinesales.documents.note_paper import NotePaper
from pretix_offlinesales.documents.notes import Note
from pretix_offlinesales.models import Document, DocumentKind, OfflineSalesBatch
from tests.support.after_sale import take_back
from tests.support.pdf import boxes, extracted_text, fonts_not_in
from tests.support.sellers import handed_over, make_seller
from tests.support.statements import sell, state


def read(pdf: bytes) -> list[str]:
    """The lines of all pages."""
    return [line.strip() for page in extracted_text(pdf) for line in page.splitlines()]


def content(document) -> bytes:
    with kept.pdf(document).open() as file:
        return file.read()


@pytest.fixture
def kiosk(organizer):
    return make_seller(
        organizer,
        "Kiosk at the harbour",
        identifier="K-17",
        contact="Ann Smith",
        address="Quay 1\n20457 Hamburg",
        vat_id="DE123456789",
        commission_percent=Decimal("10.00"),
        commission_fixed=Decimal("0.50"),
        commission_tax_rate=Decimal("19.00"),
        deadline_days=7,
        deadline_action="sold",
    )


@pytest.mark.django_db
def test_a_delivery_note_says_what_was_handed_over_at_what_terms(make_batch, kiosk):
    batch = make_batch(amount=6)
    lines = read(content(handed_over(batch, kiosk, "1-3, 5", "Come again")))
    assert {"Kiosk at the harbour", "Ann Smith", "Quay 1", "20457 Hamburg", "VAT-ID: DE123456789", "K-17"} <= set(lines)
    start = lines.index("Delivery note 1")
    assert lines[start:] == [
        "Delivery note 1",
        "From: Museum Trust",
        "To: Kiosk at the harbour",
        "Description Ticket numbers Qty Price Value",
        f"Ticket #{batch.pk}: 1–3, 5 4 €23.00 €92.00",
        "Total 4 €92.00",
        "Come again",
        "Commission: 10 % of the gross price and €0.50 per ticket",
        "The commission is net; tax of 19 % is added to it.",
        "The organizer writes the credit note about the commission.",
        "Tickets that are not sold must be back 7 days before the event. Those that are not back by then",
        "count as sold.",
        "Handed over Received",
        "Place and date Place and date",
        "Name Name",
        "Signature Signature",
        "Page 1 of 1",
    ]


@pytest.mark.django_db
def test_take_back_and_transfer_notes_say_from_whom_and_to_whom(organizer, make_batch, kiosk):
    batch = make_batch(amount=6)
    handed_over(batch, kiosk, "1-6")
    transfer = read(content(handed_over(batch, make_seller(organizer, "Bookshop"), "1-2")))
    assert {"Transfer note 1", "From: Kiosk at the harbour", "To: Bookshop", "Commission: none"} <= set(transfer)
    back = read(content(handed_over(batch, None, "3")))
    assert {"Take-back note 1", "From: Kiosk at the harbour", "To: Museum Trust", "Total 1 €23.00"} <= set(back)
    assert not [line for line in back if "ommission" in line]


@pytest.mark.django_db
def test_it_is_drawn_once_and_stays(organizer, event, item, make_batch, kiosk):
    batch = make_batch(amount=6)
    document = handed_over(batch, kiosk, "1-3")
    event.settings.set("invoice_address_from_name", "Somebody else")
    event.name, item.name, kiosk.name = "Another night", "Another ticket", "Another kiosk"
    event.save(), item.save(), kiosk.save()
    take_back(batch, "1", "unsold")
    first = content(document)
    assert {"Museum Trust Long Night", "To: Kiosk at the harbour", "Total 3 €69.00"} <= set(read(first))
    event.settings.set("invoice_renderer_font", "Roboto")
    assert content(Document.objects.get(pk=document.pk)) == first
    with CaptureQueriesContext(connection) as captured:
        kept.pdf(document)
    assert len(captured) == 1


@pytest.mark.django_db
def test_without_its_event_it_says_the_same(event, make_batch, kiosk):
    document = handed_over(make_batch(amount=3), kiosk, "1-3")
    before = read(NotePaper(event, document.kind, document.number, Note.from_json(document.snapshot)).drawn())
    Document.objects.filter(pk=document.pk).update(event=None)
    assert read(content(document)) == before


@pytest.mark.django_db
def test_it_speaks_the_language_of_the_event_whoever_asks(event, item, make_batch, kiosk):
    event.settings.locales, event.settings.locale, event.settings.region = ["de", "en"], "de", "DE"
    item.name = {"en": "Ticket", "de": "Karte"}
    item.save()
    document = handed_over(make_batch(amount=3), kiosk, "1-3")
    [line] = document.snapshot["lines"]
    assert line["product"] == "Karte"
    assert "0,50\xa0€" in document.snapshot["terms"][0]
    assert "Karte" in " ".join(read(content(document)))


@pytest.mark.django_db
def test_a_forgotten_seller_is_in_no_document_and_the_sums_are(
    organizer, make_batch, kiosk, django_capture_on_commit_callbacks
):
    batch = make_batch(amount=6)
    bookshop = make_seller(organizer, "Bookshop", address="Main street 5")
    document = handed_over(batch, kiosk, "1-5", "For Ann")
    transfer = handed_over(batch, bookshop, "1-2")
    name = kept.pdf(document).name
    with django_capture_on_commit_callbacks(execute=True):
        kept.forget(kiosk)
    assert not default_storage.exists(name)
    document.refresh_from_db()
    lines = read(content(document))
    assert {"To: deleted", "Total 5 €115.00", f"Ticket #{batch.pk}: 1–5 5 €23.00 €115.00"} <= set(lines)
    for gone in ("Kiosk", "Ann", "Quay", "DE123", "K-17"):
        assert gone not in " ".join(lines) + str(document.snapshot) + document.comment
    assert {"From: deleted", "To: Bookshop", "Main street 5"} <= set(read(content(transfer)))


@pytest.mark.django_db
def test_a_forgotten_seller_is_in_no_statement_and_the_sums_are(
    organizer, event, make_batch, kiosk, django_capture_on_commit_callbacks
):
    sell(make_batch(amount=4), kiosk, "1-3")
    document = state(kiosk, event).document
    before = content(document)
    assert {"Statement 1", "Kiosk at the harbour", "Self-billing invoice 1"} <= set(read(before))
    assert content(Document.objects.get(pk=document.pk)) == before
    name = document.file.name
    with django_capture_on_commit_callbacks(execute=True):
        kept.forget(kiosk)
    assert not default_storage.exists(name)
    document.refresh_from_db()
    lines = read(content(document))
    assert {"deleted", "Self-billing invoice 1", "Total 3 €57.99 €11.01 €69.00"} <= set(lines)
    for gone in ("Kiosk", "Ann", "Quay", "DE123", "K-17"):
        assert gone not in " ".join(lines) + str(document.snapshot) + str(statement_files.rows(document))


def test_each_kind_of_document_is_drawn():
    assert set(kept.PAPERS) == set(DocumentKind)


@pytest.mark.django_db
def test_its_file_goes_with_it(make_batch, kiosk, django_capture_on_commit_callbacks):
    batch = make_batch(amount=3)
    document = handed_over(batch, kiosk, "1-3")
    handed_over(batch, None, "1-3")
    name = kept.pdf(document).name
    document.movements.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        document.delete()
    assert not default_storage.exists(name)


@pytest.mark.django_db
def test_any_number_of_ranges_takes_as_many_pages_as_it_needs(make_batch, kiosk):
    document = handed_over(make_batch(amount=3), kiosk, "1-3")
    ranges = ", ".join(f"{first}–{first + 2}" for first in range(1, 30_000, 10))
    [line] = document.snapshot["lines"]
    document.snapshot["lines"] = [line | {"numbers": ranges}]
    document.save()
    text = " ".join(read(content(document)))
    assert f"#{line['batch']}: see below" in text
    assert text.count("29991–29993") == text.count("11–13,") - text.count("911–13,") == 1


@pytest.mark.django_db
def test_names_in_all_scripts_are_drawn_in_fonts_that_are_in_the_file(organizer, event, make_batch):
    event.settings.set("invoice_footer_text", "רשום בתל אביב")
    names = {
        "name": "Kiosk مكتبة الميناء (Hafen)",
        "contact": "محمد الخطيب",
        "address": "שדרות הנמל 5\nΕλλάδα\nУкраїна",
    }
    pdf = content(handed_over(make_batch(amount=3), make_seller(organizer, **names), "1-3", "\u200fمرحبا 42 שלום"))
    assert fonts_not_in(pdf) == set()
    assert boxes(pdf) == 0
    text = " ".join(read(pdf))
    assert boxes(content(handed_over(OfflineSalesBatch.objects.get(), make_seller(organizer, "港"), "1"))) > 0
    for word in ("שדרות", "Ελλάδα", "Україна", "42"):
        assert word in text
