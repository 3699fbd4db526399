"""The page of a batch."""

import csv
import json
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pikepdf
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pretix.base.models import Order
from pretix.base.models.orders import PrintLog

from pretix_offlinesales.jobs.lock import locked
from pretix_offlinesales.kinds import PRINT
from pretix_offlinesales.models import Job, OfflineSalesBatch
from tests.support.after_sale import cancel, check_in
from tests.support.pages import alerts, figures_shown, rows, shown, soup, words


@pytest.fixture
def batch(make):
    return make(amount=4, first_number=101)


@pytest.fixture
def page(anna, pages, batch):
    """``page(query="…")``: Anna opens the page of the batch."""

    def page(**query):
        response = anna.get(f"{pages}{batch.pk}/", query)
        assert response.status_code == 200
        return response

    return page


def tickets(batch):
    return list(batch.tickets.order_by("number"))


def note_print(ticket, when=None, **values):
    """As the host notes what its apps print."""
    values = {"type": PrintLog.TYPE_TICKET, "source": "pretixPRINT", "datetime": when or now()} | values
    return PrintLog.objects.create(position=ticket.order.all_positions.get(), **values)


def numbers(response):
    return [int(row[0]) for row in rows(response)]


# Everything about it


def test_details_and_figures(page, batch, layout, user):
    user.fullname = "Anna"
    user.save()
    OfflineSalesBatch.objects.update(creation=datetime(2027, 3, 1, 12, 30, tzinfo=UTC), layout=layout)
    first, second, third, _fourth = tickets(batch)
    cancel(first)
    check_in(second)
    assert words(soup(page()).h1) == f"Offline sales batch #{batch.pk}"
    assert shown(page()) == {
        "Product": "Ticket",
        "Ticket numbers": "101 – 104",
        "Sales channel": "Online shop",
        "Ticket layout": "Paper",
        "Creation date": "2027-03-01 13:30",
        "Created by": "Anna",
    }
    assert figures_shown(page())[:10] == [
        ["Issued", "4", "€92.00"],
        ["Returned: unsold", "0", "€0.00"],
        ["Returned: lost or stolen", "0", "€0.00"],
        ["Returned: damaged", "0", "€0.00"],
        ["Canceled", "1", "€23.00"],
        ["Lost or stolen", "0", "€0.00"],
        ["Outstanding", "3", "€69.00"],
        ["Checked in", "1", "€23.00"],
        ["Due", "3", "€69.00"],
        ["Due besides: returned, but let in", "0", "€0.00"],
    ]


def test_the_chart_of_entries_is_also_a_table(page, batch):
    assert soup(page()).select("#offlinesales-entries, script[src*='offlinesales/charts']") == []
    first, second, third, fourth = tickets(batch)
    for ticket, minute in ((first, 1), (second, 3), (third, 12)):
        check_in(ticket, datetime(2027, 5, 8, 16, minute, tzinfo=UTC))
    response = page()
    expected = [["2027-05-08 18:00", "2"], ["2027-05-08 18:05", "0"], ["2027-05-08 18:10", "1"]]
    assert figures_shown(response)[10:] == expected
    data = json.loads(soup(response).select_one("#offlinesales-entries-data").text)
    assert [[entry["time"], str(entry["count"])] for entry in data] == expected
    check_in(fourth, datetime(2027, 7, 10, 12, 0, tzinfo=UTC))
    shown_now = [entry for entry in figures_shown(page())[10:] if entry[1] != "0"]
    assert shown_now == [["2027-05-08", "3"], ["2027-07-10", "1"]]


def test_the_history_says_who_did_what(anna, page, pages, batch, user, worker):
    user.fullname = "Anna"
    user.save()
    with worker():
        anna.post(f"{pages}{batch.pk}/print")
    anna.post(f"{pages}{batch.pk}/comment", {"comment": "Kiosk"})
    entries = [
        (words(entry.select_one(".meta")).split()[-1], words(entry.select("p")[1]))
        for entry in soup(page()).select(".logentry")
    ]
    assert entries == [
        ("Anna", "The comment has been changed."),
        ("Anna", "4 tickets have been printed."),
        ("Anna", "4 tickets have been issued for offline sales."),
    ]


def test_only_tickets_that_still_exist_have_been_issued(page, batch):
    tickets(batch)[0].delete()
    assert figures_shown(page())[0] == ["Issued", "3", "€69.00"]


def test_a_batch_that_is_not_complete_is_on_the_list(anna, pages, batch):
    OfflineSalesBatch.objects.update(completed=None)
    response = anna.get(f"{pages}{batch.pk}/")
    assert (response.status_code, response["Location"]) == (302, pages)


def test_readers_have_no_buttons(ron, pages, batch, store_print):
    store_print(batch)
    page = soup(ron.get(f"{pages}{batch.pk}/")).select_one("#page-wrapper")
    assert [words(button) for button in page.select("button")] == ["×", "Filter"]
    assert page.select("form[method=post], textarea") == []


# The comment


def test_the_comment_can_be_changed(anna, pages, batch):
    response = anna.post(f"{pages}{batch.pk}/comment", {"comment": "Kiosk ✓"}, follow=True)
    batch.refresh_from_db()
    assert (response.redirect_chain, alerts(response)) == (
        [(f"{pages}{batch.pk}/", 302)],
        ["The comment has been updated."],
    )
    assert batch.comment == "Kiosk ✓"
    assert words(soup(response).textarea) == "Kiosk ✓"


def test_a_comment_that_can_not_be_stored_is_refused(anna, pages, batch):
    response = anna.post(f"{pages}{batch.pk}/comment", {"comment": "Kiosk\0"}, follow=True)
    assert (response.redirect_chain, alerts(response)) == (
        [(f"{pages}{batch.pk}/", 302)],
        ["Null characters are not allowed."],
    )
    batch.refresh_from_db()
    assert batch.comment == ""


def test_the_same_comment_is_no_change(anna, pages, batch):
    assert alerts(anna.post(f"{pages}{batch.pk}/comment", {"comment": ""}, follow=True)) == []
    assert batch.all_logentries().filter(action_type="pretix_offlinesales.batch.changed").count() == 0


# Its tickets


def test_each_ticket_says_what_became_of_it(page, batch, event):
    first, second, third, _fourth = tickets(batch)
    cancel(first)
    check_in(second, datetime(2027, 5, 8, 19, 0, tzinfo=UTC))
    check_in(second, datetime(2027, 5, 8, 18, 30, tzinfo=UTC))
    Order.objects.filter(pk=third.order_id).update(status=Order.STATUS_PENDING)
    note_print(third, datetime(2027, 3, 1, 8, 0, tzinfo=UTC))
    note_print(third, datetime(2027, 3, 2, 8, 0, tzinfo=UTC))
    codes = [ticket.order.code for ticket in tickets(batch)]
    assert rows(page()) == [
        ["101", codes[0], "Canceled", "", ""],
        ["102", codes[1], "Sold", "", "2027-05-08 20:30 · Main entrance"],
        ["103", codes[2], "In stock (not paid)", "2027-03-02 09:00", ""],
        ["104", codes[3], "In stock", "", ""],
    ]
    links = [link["href"] for link in soup(page()).select("#offlinesales-tickets tbody a")]
    assert links == [f"/control/event/museum/night/orders/{code}/" for code in codes]


def test_tickets_can_be_found_by_whether_they_were_printed(page, batch):
    first, second, third, _fourth = tickets(batch)
    note_print(second)
    note_print(first, successful=False)
    note_print(third, type=PrintLog.TYPE_BADGE)
    assert numbers(page(status="printed")) == [102]
    assert numbers(page(status="unprinted")) == [101, 103, 104]


def test_a_ticket_without_its_position_is_canceled(page, batch):
    first = tickets(batch)[0].order.positions.get()
    first.canceled = True
    first.save()
    assert [row[2] for row in rows(page())] == ["Canceled", *["In stock"] * 3]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (lambda ticket, position: "103", [103]),
        (lambda ticket, position: ticket.order.code, [103]),
        (lambda ticket, position: ticket.order.code.lower(), [103]),
        (lambda ticket, position: f"night-{ticket.order.code}", [103]),
        (lambda ticket, position: position.secret, [103]),
        (lambda ticket, position: position.pseudonymization_id, [103]),
        (lambda ticket, position: f" {position.secret} ", [103]),
        (lambda ticket, position: position.secret[:-1], []),
        (lambda ticket, position: "9" * 40, []),
        (lambda ticket, position: "%", []),
    ],
    ids=["number", "code", "lower case", "full code", "scan", "short scan", "spaces", "half a scan", "digits", "sign"],
)
def test_a_ticket_is_found(page, batch, query, expected):
    ticket = tickets(batch)[2]
    assert numbers_or_none(page(query=query(ticket, ticket.order.positions.get()))) == expected


def numbers_or_none(response):
    return [] if rows(response) == [["No ticket of this batch matches your search."]] else numbers(response)


def test_a_scanned_ticket_of_another_batch_is_not_here(page, make):
    secret = make().tickets.first().order.positions.get().secret
    assert rows(page(query=secret)) == [["No ticket of this batch matches your search."]]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("", [101, 102, 103, 104]),
        ("outstanding", [102, 103, 104]),
        ("canceled", [101]),
        ("in", [102]),
        ("out", [103, 104]),
        ("nonsense", [101, 102, 103, 104]),
    ],
)
def test_tickets_by_status(page, batch, status, expected):
    first, second, third, _fourth = tickets(batch)
    cancel(first)
    check_in(second)
    Order.objects.filter(pk=third.order_id).update(status=Order.STATUS_PENDING)
    assert numbers(page(status=status)) == expected


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [("number", [101, 102, 103, 104]), ("-number", [104, 103, 102, 101]), ("entered", [104, 103, 102, 101])],
)
def test_tickets_in_order(page, batch, ordering, expected):
    for hour, ticket in enumerate(reversed(tickets(batch)), start=12):
        check_in(ticket, datetime(2027, 5, 8, hour, tzinfo=UTC))
    assert numbers(page(ordering=ordering)) == expected


def test_tickets_have_pages(anna, pages, make, event):
    batch = make(amount=60)
    assert numbers(anna.get(f"{pages}{batch.pk}/")) == list(range(1, 26))
    assert numbers(anna.get(f"{pages}{batch.pk}/", {"page": 3})) == list(range(51, 61))


def test_more_tickets_need_no_more_queries(anna, pages, make):
    def queries(batch):
        for ticket in batch.tickets.all():
            check_in(ticket)
        with CaptureQueriesContext(connection) as captured:
            assert len(rows(anna.get(f"{pages}{batch.pk}/"))) == batch.amount
        return len(captured)

    queries(make(amount=1))  # fills what is remembered
    assert queries(make(amount=3)) == queries(make(amount=12))


# CSV


@pytest.fixture
def export(anna, pages, batch):
    def export(**query):
        response = anna.get(f"{pages}{batch.pk}/tickets.csv", query)
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        return list(csv.reader(response.content.decode().splitlines()))

    return export


def test_the_tickets_as_csv(export, batch, event):
    first, second, third, _fourth = tickets(batch)
    cancel(first)
    check_in(second, datetime(2027, 5, 8, 18, 30, tzinfo=UTC))
    note_print(third, datetime(2027, 3, 2, 8, 0, tzinfo=UTC))
    codes = [ticket.order.code for ticket in tickets(batch)]
    assert export() == [
        [
            *("Ticket number", "Order code", "Product", "Price", "Status"),
            *("Printed", "Checked in", "Check-in list", "Gate", "Seller"),
        ],
        ["101", codes[0], "Ticket", "23.00", "Canceled", "", "", "", "", ""],
        ["102", codes[1], "Ticket", "23.00", "Sold", "", "2027-05-08T20:30:00+02:00", "Main entrance", "", ""],
        ["103", codes[2], "Ticket", "23.00", "In stock", "2027-03-02T09:00:00+01:00", "", "", "", ""],
        ["104", codes[3], "Ticket", "23.00", "In stock", "", "", "", "", ""],
    ]


def test_csv_of_a_series_has_the_date(anna, organizer, series, series_item, subevent, web):
    subevent.name = "Morning"
    subevent.save()
    batch = OfflineSalesBatch.objects.create(
        event=series, item=series_item, subevent=subevent, sales_channel=web, amount=1, completed=now()
    )
    order = series.orders.create(
        total=12, status=Order.STATUS_PAID, datetime=now(), expires=now(), sales_channel=web, locale="en"
    )
    order.positions.create(item=series_item, subevent=subevent, price=12)
    batch.tickets.create(order=order, number=1)
    pages = f"/control/event/{organizer.slug}/{series.slug}/offlinesales/"
    response = anna.get(f"{pages}{batch.pk}/tickets.csv")
    titles, row = csv.reader(response.content.decode().splitlines())
    assert dict(zip(titles, row, strict=True))["Date"] == str(subevent)
    assert "Morning" in str(subevent)


def test_csv_of_what_the_filter_lets_through(export, batch):
    assert [row[0] for row in export(query="103")] == ["Ticket number", "103"]


def test_csv_holds_no_formulas(export, item):
    item.name = "=1+1"
    item.save()
    assert [row[2] for row in export()] == ["Product", *4 * ["'=1+1"]]


# Printing


def test_printing_ends_in_the_download(anna, pages, batch, layout, worker):
    with worker():
        answer = anna.post(f"{pages}{batch.pk}/print", {"ajax": "1"}).json()
    job = Job.objects.get(kind=PRINT.identifier)
    assert answer["check_url"] == f"{pages}{batch.pk}/print?async_id={job.pk}&ajax=1"
    redirect = anna.get(answer["check_url"]).json()["redirect"]
    response = anna.get(redirect, follow=True)
    content = b"".join(response.streaming_content)
    with pikepdf.open(BytesIO(content)) as pdf:
        assert len(pdf.pages) == 4
    assert {name: response[name] for name in ("Content-Type", "Content-Disposition", "X-Content-Type-Options")} == {
        "Content-Type": "application/pdf",
        "Content-Disposition": f'attachment; filename="night-offlinesales-{batch.pk}.pdf"',
        "X-Content-Type-Options": "nosniff",
    }
    assert response["Cache-Control"] == "private, no-store"


def last_file(response):
    return [words(piece) for piece in soup(response).select("[data-offlinesales-refresh=print] p")]


def test_the_last_printed_file_stays_as_long_as_it_lives(anna, ron, pages, page, batch, user, store_print):
    user.fullname = "Anna"
    user.save()
    assert last_file(page()) == []
    store_print(batch, finished=now() - timedelta(hours=25))
    store_print(batch, state=Job.State.FAILED)
    assert last_file(page()) == []
    store_print(batch, finished=now() - timedelta(hours=3))
    newest = store_print(batch)
    store_print(batch, state=Job.State.RUNNING, finished=None)
    for browser in (anna, ron):
        response = browser.get(f"{pages}{batch.pk}/")
        [text] = last_file(response)
        assert text.startswith("Download the file that was printed last ")
        assert text.endswith(" · Anna")
        [link] = soup(response).select("[data-offlinesales-refresh=print] a")
        assert link["href"] == f"{pages}{batch.pk}/download/{newest.pk}"
        assert b"".join(browser.get(link["href"]).streaming_content) == b"%PDF-1.7"


def printing(response):
    """What one reads about prints that go on or have failed, and what a screen reader would be told about them."""
    panel = soup(response).select_one("[data-offlinesales-refresh=print]")
    return words(soup(response).select_one("[data-offlinesales-refresh=print-status]")), words(panel)


def test_a_print_that_waits_can_be_canceled(anna, pages, page, batch, store_print):
    job = store_print(batch, state=Job.State.WAITING, finished=None)
    assert printing(page()) == (f"Waiting to be printed · {job.user.email}", "Cancel")
    assert len(soup(page()).select("[data-offlinesales-working]")) == 1
    response = anna.post(f"{pages}jobs/{job.pk}/cancel", follow=True)
    assert response.redirect_chain == [(f"{pages}{batch.pk}/", 302)]
    assert alerts(response) == ["The tickets will not be printed."]
    assert printing(response) == ("", "")
    job.refresh_from_db()
    assert job.state == Job.State.FAILED


def test_a_print_that_goes_on_shows_how_far_it_is(page, batch, store_print):
    with locked(store_print(batch, state=Job.State.RUNNING, finished=None, progress=40)) as _check:
        response = page()
    assert printing(response)[0].startswith("Being printed …")
    assert soup(response).select_one("[data-offlinesales-working] [role=progressbar]")["aria-valuenow"] == "40"


def test_readers_can_not_cancel_a_print(ron, pages, batch, store_print):
    store_print(batch, state=Job.State.WAITING, finished=None)
    assert "Cancel" not in printing(ron.get(f"{pages}{batch.pk}/"))[1]


def test_the_page_says_if_the_last_print_has_failed(page, batch, store_print):
    store_print(batch, state=Job.State.FAILED, message="No paper.", finished=now() - timedelta(hours=25))
    assert alerts(page()) == []
    store_print(batch, state=Job.State.FAILED, message="No ink.", finished=now() - timedelta(hours=2))
    assert alerts(page()) == ["No ink."]
    store_print(batch, finished=now() - timedelta(hours=1))
    assert alerts(page()) == []
    assert printing(page())[0] == "The tickets have been printed."


def test_what_screen_readers_are_told_has_no_buttons(page, batch, store_print):
    store_print(batch, state=Job.State.WAITING, finished=None)
    assert soup(page()).select("[role=status] :is(a, button, input)") == []


def test_readers_are_told_that_there_is_no_file(ron, pages, batch):
    assert last_file(ron.get(f"{pages}{batch.pk}/")) == ["There is no file that was printed in the last 24 hours."]


@pytest.mark.parametrize("values", [{"state": Job.State.FAILED}, {"finished": now() - timedelta(hours=25)}])
def test_files_that_do_not_live_are_not_found(anna, pages, batch, store_print, values):
    job = store_print(batch, **values)
    assert anna.get(f"{pages}{batch.pk}/download/{job.pk}").status_code == 404


def test_files_of_another_batch_are_not_found(anna, pages, batch, make, store_print):
    job = store_print(make())
    assert anna.get(f"{pages}{batch.pk}/download/{job.pk}").status_code == 404
