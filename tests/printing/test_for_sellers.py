"""What sellers hold, printed for each of them: the pages of their batches' own prints, with cover sheets between."""

import zipfile
from io import BytesIO

import pikepdf
import pytest
from django.core.exceptions import ValidationError
from pretix.base.models.orders import PrintLog
from pretix.base.services.orders import cancel_order

from pretix_offlinesales.jobs import runner
from pretix_offlinesales.kinds import PRINT_FOR_SELLERS
from pretix_offlinesales.models import Job
from pretix_offlinesales.printing.choice import Only
from pretix_offlinesales.printing.for_sellers import SellersRequest
from tests.support.layouts import text
from tests.support.pdf import extracted_text, rasterized
from tests.support.printing import printed
from tests.support.sellers import handed_over, make_seller

pytestmark = pytest.mark.django_db


@pytest.fixture
def batches(make_batch, make_layout):
    """Two, that look different."""
    for_one, for_other = make_layout([text("order")]), make_layout([text("order", fontsize="20.0")])
    return make_batch(4, for_one), make_batch(4, for_other)


@pytest.fixture
def sellers(organizer, batches):
    kiosk, bookshop = make_seller(organizer, "Kiosk"), make_seller(organizer, "Bookshop")
    handed_over(batches[0], kiosk, "1-2")
    handed_over(batches[1], kiosk, "2-4")
    handed_over(batches[0], bookshop, "3")
    return kiosk, bookshop


def print_for(event, *sellers, **options) -> Job:
    job = PRINT_FOR_SELLERS.ask_for(event, SellersRequest.of(event, sellers, **options), {})
    runner.run(event, job.pk)
    job.refresh_from_db()
    return job


def cancel(batch, *numbers):
    for ticket in batch.tickets.filter(number__in=numbers):
        cancel_order(ticket.order)


def content(job) -> bytes:
    with job.file.file.open() as file:
        return file.read()


def test_a_seller_gets_one_file_with_a_cover_sheet_before_each_batch(event, batches, sellers):
    one, other = batches
    job = print_for(event, sellers[0])
    assert (job.file.filename, job.file.type) == ("night-offlinesales-kiosk.pdf", "application/pdf")
    pages = rasterized(content(job))
    expected = [*rasterized(printed(one))[:2], *rasterized(printed(other))[1:]]
    assert [page.tobytes() for page in (pages[1], pages[2], *pages[4:])] == [page.tobytes() for page in expected]
    first, *_tickets = texts = extracted_text(content(job))
    for said in ("Kiosk", f"#{one.pk}", "Ticket 2", "1–2", "Delivery note 1"):
        assert said in first
    for said in ("Kiosk", f"#{other.pk}", "Ticket 3", "2–4", "Delivery note 2"):
        assert said in texts[3]
    with pikepdf.open(BytesIO(content(job))) as pdf:
        labels = [f"#{one.pk}", "0001", "0002", f"#{other.pk}", "0002", "0003", "0004"]
        assert [page.label for page in pdf.pages] == labels
        with pdf.open_outline() as outline:
            assert [item.title for item in outline.root] == [f"#{one.pk}", f"#{other.pk}"]


def test_several_sellers_get_an_archive_of_their_files(event, sellers):
    job = print_for(event, *sellers)
    assert (job.file.filename, job.file.type) == ("night-offlinesales-sellers.zip", "application/zip")
    with zipfile.ZipFile(BytesIO(content(job))) as archive:
        names = [f"{name}-{seller.pk}.pdf" for name, seller in (("bookshop", sellers[1]), ("kiosk", sellers[0]))]
        assert archive.namelist() == names
        assert [len(extracted_text(archive.read(name))) for name in names] == [2, 7]


def test_what_was_printed_is_in_all_histories(event, batches, sellers):
    job = print_for(event, *sellers)
    assert PRINT_FOR_SELLERS.amount(job) == PrintLog.objects.count() == 6
    assert [
        [entry.parsed_data["amount"] for entry in batch.all_logentries().filter(action_type__endswith="for_seller")]
        for batch in batches
    ] == [[3], [3]]
    assert {log.info["batch"] for log in PrintLog.objects.all()} == {batch.pk for batch in batches}


def test_only_what_is_left_is_printed(event, batches, sellers):
    kiosk, bookshop = sellers
    print_for(event, bookshop)
    with pytest.raises(ValidationError, match="nothing to print"):
        SellersRequest.of(event, [bookshop], Only.UNPRINTED)
    cancel(batches[0], 1)
    request = SellersRequest.of(event, sellers, Only.UNPRINTED)
    assert request.bundles == ((kiosk.pk, batches[0].pk, "2"), (kiosk.pk, batches[1].pk, "2-4"))


def test_only_what_was_handed_over_together_is_printed(event, batches, sellers):
    kiosk, _bookshop = sellers
    document = handed_over(batches[1], kiosk, "1")
    assert SellersRequest.of(event, [kiosk], document=document).bundles == ((kiosk.pk, batches[1].pk, "1"),)


def test_what_is_canceled_meanwhile_is_left_out(event, batches, sellers):
    job = PRINT_FOR_SELLERS.ask_for(event, SellersRequest.of(event, sellers[:1]), {})
    cancel(batches[0], 1, 2)
    cancel(batches[1], 3)
    runner.run(event, job.pk)
    job.refresh_from_db()
    cover, *tickets = extracted_text(content(job))
    assert "2, 4" in cover
    left = [batches[1].tickets.get(number=number).order.code for number in (2, 4)]
    assert [page.strip() for page in tickets] == left


def test_if_nothing_is_left_it_says_so(event, batches, sellers):
    job = PRINT_FOR_SELLERS.ask_for(event, SellersRequest.of(event, sellers[1:]), {})
    cancel(batches[0], 3)
    runner.run(event, job.pk)
    job.refresh_from_db()
    assert (job.state, job.message) == ("failed", "There is nothing to print among these tickets.")
