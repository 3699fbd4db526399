"""A batch as a PDF, through the REST API."""

import json
import uuid
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from django.utils.timezone import now
from pretix.base.models import CachedFile, Order
from pypdf import PdfReader
from reportlab.lib.units import mm

from pretix_offlinesales.jobs.lock import locked
from pretix_offlinesales.kinds import PRINT
from pretix_offlinesales.models import Job
from tests.support.answers import HOST
from tests.support.layouts import background_pdf, text


@pytest.fixture
def render(api, url, worker):
    """``render(batch)``: ask for the PDF, let a worker print it, and get the answer to the download."""

    def render(batch, **body):
        with worker():
            response = api.post(f"{url}{batch.pk}/render/", body, format="json")
        assert response.status_code == 202, response.data
        return api.get(response.data["download"])

    return render


def pages(response):
    assert response.status_code == 200, response.data
    return [page.extract_text() for page in PdfReader(BytesIO(b"".join(response.streaming_content))).pages]


@pytest.mark.parametrize("slash", ["/", ""])
def test_asking_for_the_pdf_answers_where_to_download_it(api, url, store_batch, slash):
    batch = store_batch()
    response = api.post(f"{url}{batch.pk}/render{slash}")
    job = Job.objects.get()
    download = f"{HOST}{url}{batch.pk}/download/{job.pk}/{job.file_id}/"
    assert (response.status_code, response.data) == (202, {"download": download})


@pytest.mark.parametrize("body", [b"", b"{}", b'{"sheet": null, "only": null}'])
def test_without_a_wish_all_tickets_are_printed_on_pages_of_their_own(api, url, store_batch, body):
    response = api.post(f"{url}{store_batch().pk}/render/", body, content_type="application/json")
    assert (response.status_code, list(response.data), Job.objects.get().request) == (202, ["download"], {})


def test_the_download_is_a_pdf_with_a_telling_name(make_batch, layout, render):
    batch = make_batch()
    response = render(batch)
    assert response.status_code == 200
    headers = ("Content-Type", "Content-Disposition", "X-Content-Type-Options", "Cache-Control")
    assert {name: response[name] for name in headers} == {
        "Content-Type": "application/pdf",
        "Content-Disposition": f'attachment; filename="night-offlinesales-{batch.pk}.pdf"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    content = b"".join(response.streaming_content)
    assert (content[:4], len(content)) == (b"%PDF", int(response["Content-Length"]))


def test_there_is_a_page_for_each_ticket_in_their_order(make_batch, layout, render):
    batch = make_batch(amount=4)
    printed = pages(render(batch))
    codes = [ticket.order.code for ticket in batch.tickets.all()]
    assert [[code for code in codes if code in page] for page in printed] == [[code] for code in codes]


def test_canceled_tickets_are_not_printed(api, event, make_batch, layout, render):
    batch = make_batch(amount=4)
    codes = [ticket.order.code for ticket in batch.tickets.all()]
    orders = f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/orders/"
    api.post(f"{orders}{codes[1]}/mark_canceled/", {"send_email": False}, format="json")
    printed = pages(render(batch))
    assert [[code for code in codes if code in page] for page in printed] == [
        [code] for code in codes if code != codes[1]
    ]


def test_nothing_left_to_print_is_a_failure(api, event, make_batch, layout, render):
    batch = make_batch(amount=1)
    orders = f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/orders/"
    api.post(f"{orders}{batch.tickets.get().order.code}/mark_canceled/", {"send_email": False}, format="json")
    response = render(batch)
    assert (response.status_code, response.data) == (
        410,
        {
            "status": "failed",
            "message": "There is nothing to print, because all tickets of this batch have been canceled or split off.",
        },
    )


def test_a_batch_without_a_layout_is_printed_as_the_event_would(make_batch, render):
    batch = make_batch()
    assert batch.layout is None
    assert len(pages(render(batch))) == 3


def test_each_request_prints_anew(api, url, make_batch, layout, render):
    batch = make_batch()
    render(batch)
    render(batch)
    assert len(set(Job.objects.filter(kind=PRINT.identifier).values_list("file__file", flat=True))) == 2


def test_the_same_idempotency_key_prints_once(api, url, store_batch):
    batch = store_batch()
    first, again = (api.post(f"{url}{batch.pk}/render/", headers={"X-Idempotency-Key": "a"}) for _ in range(2))
    assert (again.status_code, again.json(), Job.objects.count()) == (202, first.json(), 1)


# Which tickets, and on what


@pytest.fixture
def small(event):
    """A layout of which four tickets fit on a sheet of 100 × 60 mm."""
    layout = event.ticket_layouts.create(name="Small", default=True, layout=json.dumps([text("order", left="2")]))
    layout.background.save("background.pdf", ContentFile(background_pdf(size=(40 * mm, 20 * mm))))
    return layout


SHEET = {"paper": [100, 60], "margin": 5, "gutter": 3}


def codes_of(batch):
    return [ticket.order.code for ticket in batch.tickets.order_by("number")]


def printed_codes(response, codes):
    return [[code for code in codes if code in page] for page in pages(response)]


def test_a_range_of_tickets(make_batch, small, render):
    batch = make_batch(amount=5)
    codes = codes_of(batch)
    assert printed_codes(render(batch, tickets="2-3, 5"), codes) == [[codes[1]], [codes[2]], [codes[4]]]
    assert Job.objects.get(kind=PRINT.identifier).request == {"tickets": "2-3, 5"}


def test_only_tickets_that_were_never_printed(make_batch, small, render, api, url):
    batch = make_batch(amount=4)
    codes = codes_of(batch)
    assert len(pages(render(batch, tickets="2"))) == 1
    assert printed_codes(render(batch, tickets="1-3", only="unprinted"), codes) == [[codes[0]], [codes[2]]]
    assert printed_codes(render(batch, only="unprinted"), codes) == [[codes[3]]]
    response = api.post(f"{url}{batch.pk}/render/", {"only": "unprinted"}, format="json")
    assert (response.status_code, response.data) == (400, {"only": ["There is nothing to print among these tickets."]})


def test_only_tickets_that_are_valid(make_batch, small, render):
    batch = make_batch(amount=3)
    codes = codes_of(batch)
    Order.objects.filter(code=codes[0]).update(status=Order.STATUS_PENDING)
    Order.objects.filter(code=codes[1]).update(status=Order.STATUS_CANCELED)
    assert printed_codes(render(batch, only="valid"), codes) == [[codes[2]]]
    assert printed_codes(render(batch), codes) == [[codes[0]], [codes[2]]]


def test_several_tickets_on_a_sheet(make_batch, small, render):
    batch = make_batch(amount=6)
    codes = codes_of(batch)
    assert printed_codes(render(batch, sheet=SHEET), codes) == [codes[:4], codes[4:]]
    stack = printed_codes(render(batch, tickets="1-5", sheet={**SHEET, "order": "stack"}), codes)
    assert stack == [[codes[0], codes[2], codes[4]], [codes[1], codes[3]]]


def test_what_was_chosen_is_fixed_when_it_is_asked_for(api, url, event, make_batch, small, worker):
    batch = make_batch(amount=6)
    codes = codes_of(batch)
    with worker():
        response = api.post(f"{url}{batch.pk}/render/", {"sheet": SHEET}, format="json")
        Order.objects.filter(code=codes[1]).update(status=Order.STATUS_CANCELED)
    printed = printed_codes(api.get(response.data["download"]), codes)
    assert printed == [[codes[0], codes[2], codes[3]], codes[4:]]


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"ticket": "1"}, {"ticket": ["There is no such field."]}),
        ({"tickets": "x"}, {"tickets": ["“x” is not a range of ticket numbers."]}),
        ({"tickets": 5}, {"tickets": ["Not a valid string."]}),
        ({"tickets": "2-5, 9"}, {"tickets": ["This batch has no tickets with these numbers: 4-5, 9"]}),
        ({"only": "some"}, {"only": ["\"some\" is not a valid choice."]}),
        ({"sheet": "A4"}, {"sheet": ["This must be an object with the key “paper”."]}),
        ({"sheet": {}}, {"sheet": {"paper": ["This field is required."]}}),
        (
            {"sheet": {"paper": "A4", "margin": -1, "glue": 1}},
            {"sheet": {"margin": ["This must be a number from 0 to 5000."], "glue": ["There is no such field."]}},
        ),
        ({"sheet": {**SHEET, "columns": 2}}, {"sheet": {"rows": ["Columns and rows are only given together."]}}),
        (
            {"sheet": {**SHEET, "columns": 3, "rows": 2}},
            {"sheet": {"columns": ["At most 2 × 2 tickets of 40 × 20 mm fit on this sheet."]}},
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_key(api, url, make_batch, small, body, answer):
    response = api.post(f"{url}{make_batch(amount=3).pk}/render/", body, format="json")
    assert (response.status_code, response.json()) == (400, answer)
    assert not Job.objects.filter(kind=PRINT.identifier).exists()


@pytest.mark.parametrize("body", [b"not json", b"[]", b'"A4"', b"5"])
def test_a_body_that_is_no_object_is_refused(api, url, store_batch, body):
    response = api.post(f"{url}{store_batch().pk}/render/", body, content_type="application/json")
    assert (response.status_code, Job.objects.count()) == (400, 0)


def test_a_layout_that_cannot_be_used_is_refused_for_sheets(api, url, make_batch, small):
    batch = make_batch()
    small.layout = json.dumps([{"type": "barcodearea"}])
    small.save()
    response = api.post(f"{url}{batch.pk}/render/", {"sheet": SHEET}, format="json")
    message = (
        "QR Code “Ticket code (barcode content)” on page 1 of the layout “Small” cannot be drawn. Please check its "
        "size and what it shows."
    )
    assert (response.status_code, response.json()) == (400, {"sheet": [message]})


# Waiting for it


@pytest.fixture
def printing(store_batch, store_job):
    """``printing(state)``: a printing job, and the path of its download below the batches' address."""

    def printing(state=Job.State.SUCCEEDED, **values):
        job = store_job(store_batch(), kind=PRINT, state=state, **values)
        return job, f"{job.batch_id}/download/{job.pk}/{job.file_id}/"

    return printing


@pytest.mark.parametrize("state", ["waiting", "running"])
def test_a_job_that_is_not_done_asks_to_come_back_in_a_second(api, url, printing, state):
    job, path = printing(state)
    with locked(job):
        response = api.get(url + path)
    assert (response.status_code, response.data, response["Retry-After"]) == (409, {"status": state}, "1")


def test_a_job_that_failed_says_why(api, url, printing):
    job, path = printing(Job.State.FAILED, message="The dog ate it.")
    response = api.get(url + path)
    assert (response.status_code, response.data) == (410, {"status": "failed", "message": "The dog ate it."})


@pytest.mark.parametrize(("age", "status"), [(timedelta(hours=23, minutes=59), 200), (timedelta(hours=24), 404)])
def test_files_live_24_hours(api, url, printing, age, status):
    job, path = printing(finished=now() - age)
    assert api.get(url + path).status_code == status


def test_a_file_that_the_host_has_cleaned_up_is_not_found(api, url, printing):
    job, path = printing()
    CachedFile.objects.all().delete()
    assert api.get(url + path).status_code == 404


@pytest.mark.parametrize("wrong", ["batch", "job", "file"])
@pytest.mark.parametrize("value", [uuid.UUID(int=1), "x", "%00", "0", "9" * 5000])
def test_an_unknown_address_is_not_found(api, url, printing, wrong, value):
    job, path = printing()
    parts = {"batch": job.batch_id, "job": job.pk, "file": job.file_id} | {wrong: value}
    assert api.get(url + "{batch}/download/{job}/{file}/".format(**parts)).status_code == 404


@pytest.mark.parametrize("wrong", ["batch", "job", "file"])
def test_parts_of_different_prints_do_not_mix(api, url, printing, wrong):
    (job, _path), (other, _path) = printing(), printing()
    parts, others = ({"batch": one.batch_id, "job": one.pk, "file": one.file_id} for one in (job, other))
    parts[wrong] = others[wrong]
    assert api.get(url + "{batch}/download/{job}/{file}/".format(**parts)).status_code == 404


def test_an_issuing_job_can_not_be_downloaded(api, url, store_batch, store_job, printing):
    job, path = printing()
    issuing = store_job(job.batch, file=job.file)
    assert api.get(f"{url}{job.batch_id}/download/{issuing.pk}/{job.file_id}/").status_code == 404


def test_another_events_file_is_not_found(api, organizer, series, printing):
    job, path = printing()
    url = f"/api/v1/organizers/{organizer.slug}/events/{series.slug}/offlinesalesbatches/"
    assert api.get(url + path).status_code == 404


def test_a_file_of_the_batch_that_is_in_the_making_is_not_found(api, url, printing):
    job, path = printing()
    job.batch.completed = None
    job.batch.save()
    assert api.get(url + path).status_code == 404


def test_a_client_may_accept_nothing_but_a_pdf(api, url, printing):
    _job, path = printing()
    response = api.get(url + path, headers={"Accept": "application/pdf"})
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")


def test_a_file_that_the_storage_has_lost_is_not_there(api, url, printing):
    job, path = printing()
    job.file.file.storage.delete(job.file.file.name)
    assert api.get(url + path).status_code == 404
