"""The page on which a data file is made, and where that is found later."""

import csv
import zipfile
from datetime import timedelta
from io import BytesIO, StringIO

import pytest
from django.utils.timezone import now

from pretix_offlinesales.jobs import queries, runner
from pretix_offlinesales.kinds import MAKE_DATA
from pretix_offlinesales.models import Job
from pretix_offlinesales.printing.data import DataOptions
from tests.support.after_sale import cancel
from tests.support.pages import alerts, errors, soup, words


@pytest.fixture
def batch(make):
    return make(amount=2)


@pytest.fixture
def order_data(anna, pages, batch, worker):
    """``order_data(format="csv")``: fill in the form, and let a worker make the file."""

    def order_data(**values):
        with worker():
            return anna.post(f"{pages}{batch.pk}/data", {"format": "csv"} | values)

    return order_data


@pytest.fixture
def waiting_job(batch, user):
    return MAKE_DATA.ask(batch, DataOptions(), {"user": user})


def content(response) -> bytes:
    return b"".join(response.streaming_content)


def test_the_file_is_downloaded_when_it_is_made(anna, order_data, batch):
    response = anna.get(order_data(placeholders=["event_name", "price"])["Location"], follow=True)
    assert response["Content-Type"] == "text/csv"
    assert response["Content-Disposition"] == f'attachment; filename="night-offlinesales-{batch.pk}.csv"'
    assert response["Cache-Control"] == "private, no-store"
    titles, *rows = csv.reader(StringIO(content(response).decode("utf-8-sig")))
    assert titles[-2:] == ["Event name", "Price (as printed)"]
    assert [row[2] for row in rows] == [ticket.order.code for ticket in batch.tickets.order_by("number")]


def test_some_of_the_tickets(anna, pages, make, worker):
    batch = make(amount=5)
    first, second, *_others = batch.tickets.order_by("number")
    cancel(second)
    first.order.positions.get().print_logs.create(successful=True, type="ticket", source="pretix")
    with worker():
        response = anna.post(f"{pages}{batch.pk}/data", {"format": "csv", "tickets": "1-3, 5", "only": "unprinted"})
    _titles, *rows = csv.reader(StringIO(content(anna.get(response["Location"], follow=True)).decode("utf-8-sig")))
    assert [row[0] for row in rows] == ["3", "5"]
    [entry] = batch.all_logentries().filter(action_type="pretix_offlinesales.batch.data")
    assert (entry.parsed_data["amount"], entry.parsed_data["tickets"]) == (2, "3, 5")


def test_with_pictures_it_is_an_archive(anna, order_data):
    response = anna.get(order_data(format="xlsx", pictures="svg")["Location"], follow=True)
    assert response["Content-Type"] == "application/zip"
    names = zipfile.ZipFile(BytesIO(content(response))).namelist()
    assert names == ["codes/0001.svg", "codes/0002.svg", "tickets.xlsx"]


def test_the_batch_says_who_made_it_and_offers_it_again(anna, pages, order_data, batch, user):
    user.fullname = "Anna"
    user.save()
    order_data()
    page = soup(anna.get(f"{pages}{batch.pk}/"))
    job = Job.objects.get(kind=MAKE_DATA.identifier)
    [link] = page.select("[data-offlinesales-refresh=data] a")
    assert (words(link), link["href"]) == (
        "Download the data file that was made last",
        f"{pages}{batch.pk}/download/{job.pk}",
    )
    assert "A data file of 2 tickets has been made." in words(page.select_one("[data-offlinesales-refresh=history]"))
    entry = batch.all_logentries().get(action_type="pretix_offlinesales.batch.data")
    assert (entry.user, entry.parsed_data["format"]) == (user, "csv")


def test_it_is_offered_for_a_day(anna, pages, order_data, batch):
    order_data()
    job = Job.objects.get(kind=MAKE_DATA.identifier)
    assert job.file.expires - now() > timedelta(hours=23)
    Job.objects.filter(pk=job.pk).update(finished=now() - timedelta(hours=25))
    assert soup(anna.get(f"{pages}{batch.pk}/")).select("[data-offlinesales-refresh=data] a") == []
    assert anna.get(f"{pages}{batch.pk}/download/{job.pk}").status_code == 404


def test_what_the_layout_shows_is_ticked(anna, pages, make, layout):
    layout.layout = '[{"type": "textarea", "content": "event_name"}, {"type": "textarea", "content": "price"}]'
    layout.save()
    batch = make(layout=layout.pk)
    page = soup(anna.get(f"{pages}{batch.pk}/data"))
    assert [box["value"] for box in page.select("[name=placeholders][checked]")] == ["price", "event_name"]


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"format": "pdf"}, {"format"}),
        ({"pictures": "gif"}, {"pictures"}),
        ({"placeholders": ["event_name", "secret"]}, {"placeholders"}),
        ({"tickets": "5-2"}, {"tickets"}),
        ({"tickets": "3"}, {"tickets"}),  # of two
        ({"only": "sold"}, {"only"}),
    ],
)
def test_nonsense_is_refused_at_its_field(order_data, values, wrong):
    assert set(errors(order_data(**values))) == wrong
    assert not Job.objects.filter(kind=MAKE_DATA.identifier).exists()


def test_too_many_unfinished_jobs(order_data, make_job, monkeypatch):
    monkeypatch.setattr(queries, "MAX_UNFINISHED", 1)
    make_job()
    [message] = [text for text in alerts(order_data()) if "unfinished" in text]
    assert message.endswith("There are too many unfinished jobs of this event. Please wait for some.")


def test_where_nothing_is_left_that_is_said_before(order_data, batch):
    for ticket in batch.tickets.all():
        cancel(ticket)
    assert errors(order_data()) == {"tickets": ["There is nothing to print among these tickets."]}


def test_a_failure_is_told_on_the_page_of_the_batch(anna, pages, event, batch, waiting_job):
    for ticket in batch.tickets.all():
        cancel(ticket)
    runner.run(event, waiting_job.pk)
    response = anna.get(f"{pages}{batch.pk}/data", {"async_id": str(waiting_job.pk)}, follow=True)
    message = "There is nothing to print, because all tickets of this batch have been canceled or split off."
    assert alerts(response) == [message]


def test_while_it_waits_it_can_be_canceled(anna, pages, batch, waiting_job):
    page = soup(anna.get(f"{pages}{batch.pk}/"))
    assert "The data file waits to be made" in words(page.select_one("[data-offlinesales-refresh=data]"))
    response = anna.post(f"{pages}jobs/{waiting_job.pk}/cancel", follow=True)
    assert response.redirect_chain == [(f"{pages}{batch.pk}/", 302)]
    assert alerts(response) == ["The data file will not be made."]
    waiting_job.refresh_from_db()
    assert waiting_job.state == Job.State.FAILED


def test_readers_have_no_link(ron, pages, batch):
    assert f"{pages}{batch.pk}/data" not in ron.get(f"{pages}{batch.pk}/").content.decode()


def test_jobs_of_another_batch_are_not_found(anna, pages, make, waiting_job):
    other = make()
    assert anna.get(f"{pages}{other.pk}/data", {"async_id": str(waiting_job.pk)}).status_code == 404
