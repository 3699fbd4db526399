"""The report on the host's export page."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO, StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from openpyxl import load_workbook
from pretix.base.exporter import MultiSheetListExporter
from pretix.base.models import Checkin, Event, Order, Organizer, ScheduledEventExport, User
from pretix.base.services.export import init_event_exporters, init_organizer_exporters, scheduled_event_export

from pretix_offlinesales.exporters import OfflineSalesExporter
from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.jobs import runner
from pretix_offlinesales.kinds import ISSUE
from pretix_offlinesales.models import OfflineSalesBatch
from tests.support.after_sale import take_back

pytestmark = pytest.mark.django_db


def export(events, sheet="batches", organizer=None, **form_data) -> list[dict]:
    """The rows of a sheet, as CSV has them, by their headers."""
    exporter = OfflineSalesExporter(events, organizer or events.organizer)
    _name, _type, content = exporter.render({"_format": f"{sheet}:default", **form_data})
    return list(csv.DictReader(StringIO(content.decode())))


def batches(rows):
    return [int(row["Batch"]) for row in rows]


def issue(event, item, web, amount=2, **values):
    batch = OfflineSalesBatch(event=event, item=item, amount=amount, sales_channel=web, **values)
    job = ISSUE.create(event, IssueRequest.of(batch), {})
    runner.run(event, job.pk)
    job.refresh_from_db()
    return job.batch


def check_in(ticket):
    checkin_list, _new = ticket.batch.event.checkin_lists.get_or_create(name="Main entrance", all_products=True)
    position = ticket.order.positions.get()
    Checkin.objects.create(position=position, list=checkin_list, datetime=datetime(2027, 5, 8, 17, 0, tzinfo=UTC))
    return position


@pytest.fixture
def batch(make_batch):
    """Of five tickets, of which one came back and one is lost."""
    batch = make_batch(amount=5, comment="=HYPERLINK()")
    take_back(batch, "1", "unsold")
    take_back(batch, "5", "lost")
    OfflineSalesBatch.objects.update(creation=datetime(2027, 3, 1, 12, 30, tzinfo=UTC))
    return batch


def test_a_row_a_batch_with_all_figures(event, batch):
    check_in(batch.tickets.get(number=2))
    assert export(event) == [
        {
            "Event slug": "night",
            "Event": "Long Night",
            "Batch": str(batch.pk),
            "Product": "Ticket",
            "Variation": "",
            "Date": "",
            "Sales channel": "Online shop",
            "Creation date": "2027-03-01 13:30:00",
            "Created by": "Integration",
            "Test mode": "No",
            "Consignment": "No",
            "First ticket number": "1",
            "Last ticket number": "5",
            "Issued": "5",
            "Returned: unsold": "1",
            "Returned: lost or stolen": "1",
            "Returned: damaged": "0",
            "Canceled": "0",
            "Lost or stolen": "0",
            "Outstanding": "3",
            "Checked in": "1",
            "Due": "3",
            "Due besides: returned, but let in": "0",
            "In stock": "2",
            "Held by a seller": "0",
            "Sold": "1",
            "Settled": "0",
            "Issued (value)": "115.00",
            "Returned: unsold (value)": "23.00",
            "Returned: lost or stolen (value)": "23.00",
            "Returned: damaged (value)": "0.00",
            "Canceled (value)": "0.00",
            "Lost or stolen (value)": "0.00",
            "Outstanding (value)": "69.00",
            "Checked in (value)": "23.00",
            "Due (value)": "69.00",
            "Due besides: returned, but let in (value)": "0.00",
            "In stock (value)": "46.00",
            "Held by a seller (value)": "0.00",
            "Sold (value)": "23.00",
            "Settled (value)": "0.00",
            "Currency": "EUR",
            "Internal comment": "'=HYPERLINK()",
        }
    ]


def test_a_row_a_ticket(event, batch):
    position = check_in(batch.tickets.get(number=2))
    for successful, hour in ((True, 9), (True, 10), (False, 11)):
        moment = datetime(2027, 3, 2, hour, 0, tzinfo=UTC)
        position.print_logs.create(type="ticket", source="x", successful=successful, datetime=moment)
    returned = datetime(2027, 4, 1, 8, 0, tzinfo=UTC)
    batch.tickets.filter(number=1).update(returned=returned)
    Order.objects.filter(offline_sales_ticket__batch=batch, status="c").update(cancellation_date=returned)
    batch.tickets.filter(number=5).update(returned=returned)
    check_in(batch.tickets.get(number=5))  # all the same
    rows = export(event, "tickets")
    codes = [ticket.order.code for ticket in batch.tickets.order_by("number")]
    told = ("Order code", "Status", "Returned", "Printed", "Checked in", "Check-in list")
    assert [[row["Ticket number"], *(row[name] for name in told)] for row in rows][:3] == [
        ["1", codes[0], "Returned: unsold", "2027-04-01 10:00:00", "", "", ""],
        ["2", codes[1], "Sold", "", "2027-03-02 11:00:00", "2027-05-08 19:00:00", "Main entrance"],
        ["3", codes[2], "In stock", "", "", "", ""],
    ]
    money = ("Status", "Price", "Currency", "Due", "Due besides: returned, but let in")
    assert [[row[name] for name in money] for row in (rows[1], rows[4])] == [
        ["Sold", "23.00", "EUR", "23.00", "0.00"],
        ["Returned: lost or stolen", "23.00", "EUR", "0.00", "23.00"],
    ]


def test_a_workbook_with_both_sheets(event, batch):
    name, _type, content = OfflineSalesExporter(event, event.organizer).render({"_format": "xlsx"})
    book = load_workbook(BytesIO(content))
    assert name == "night_offlinesales.xlsx"
    assert [(sheet.title, sheet.max_row) for sheet in book] == [("Batches", 2), ("Tickets", 6)]
    header, row = book["Batches"].values
    assert (row[header.index("Due (value)")], row[header.index("Due")]) == (69, 3)


NASTY = "=1+1", "#N/A", "  spaces ", "bell \x07", "two\nlines", "\ud800", "=", "", "1", "é&<>\x85"


@pytest.mark.parametrize(
    "format", ["xlsx", *(f"{sheet}:{kind}" for sheet in ("batches", "tickets") for kind in ("default", "semicolon"))]
)
def test_files_are_as_the_host_writes_them(event, item, make_batch, format):
    for text in NASTY:
        if format == "xlsx" or text.isprintable():  # what the database and CSV can hold
            make_batch(amount=2, comment=text.replace("\ud800", "\ufffe"))
    check_in(OfflineSalesBatch.objects.first().tickets.get(number=2))
    event.checkin_lists.update(name="=entrance")
    exporter = OfflineSalesExporter(event, event.organizer)
    ours, hosts = exporter.render({"_format": format}), MultiSheetListExporter.render(exporter, {"_format": format})
    assert ours[:2] == hosts[:2]
    if format == "xlsx":
        assert cells(ours[2]) == cells(hosts[2])
    else:
        assert ours[2] == hosts[2]


def cells(content: bytes) -> dict[str, list]:
    """By sheet, what stands in each and of what kind that is."""
    return {
        sheet.title: [[(cell.value, cell.value is not None and cell.data_type) for cell in row] for row in sheet]
        for sheet in load_workbook(BytesIO(content))
    }


def test_progress(event, make_batch):
    for _number in range(30):
        make_batch(amount=1)
    shown = []
    OfflineSalesExporter(event, event.organizer, progress_callback=shown.append).render({"_format": "xlsx"})
    assert shown == pytest.approx([50 / 3, 100 / 3, 50, 200 / 3, 250 / 3, 100])


def test_filters(event, item, quota, organizer, make_batch):
    kiosk = organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api", position=9)
    other = event.items.create(name="Other", default_price=Decimal("5.00"))
    quota.items.add(other)
    plain, product, channel, test = (
        make_batch(amount=1),
        make_batch(amount=1, item=other.pk),
        make_batch(amount=1, sales_channel="api.kiosk"),
        make_batch(amount=1, testmode=True),
    )
    OfflineSalesBatch.objects.filter(pk=plain.pk).update(creation=datetime(2026, 3, 1, 12, 30, tzinfo=UTC))
    assert batches(export(event)) == [plain.pk, product.pk, channel.pk, test.pk]
    for filters, expected in (
        ({"no_testmode": True}, [plain, product, channel]),
        ({"items": [other.pk]}, [product]),
        ({"sales_channels": [kiosk.pk]}, [channel]),
        ({"date_range": "2026-03-01/2026-03-01"}, [plain]),
        ({"date_range": "/2026-02-28"}, []),
    ):
        assert batches(export(event, **filters)) == [batch.pk for batch in expected]
        assert batches(export(event, "tickets", **filters)) == [batch.pk for batch in expected]


def test_of_a_series_by_the_dates_themselves(series, series_item, subevent, web):
    batch = issue(series, series_item, web, subevent=subevent)
    assert [row["Date"] for row in export(series)] == ["Morning 2027-05-08 08:00:00"]
    assert batches(export(series, event_date_range="2027-05-08/2027-05-08")) == [batch.pk]
    assert batches(export(series, event_date_range="2027-05-09/")) == []


def test_batches_that_are_being_made_are_not_there(event, batch):
    OfflineSalesBatch.objects.update(completed=None)
    assert export(event) == export(event, "tickets") == []


def ours(exporters):
    return [exporter for exporter in exporters if exporter.identifier == "offlinesales"]


def test_an_organizer_gets_the_events_that_use_it(event, batch, series, series_item, subevent, web, organizer, user):
    elsewhere = issue(series, series_item, web, subevent=subevent)
    other = Organizer.objects.create(name="Other", slug="other", plugins="pretix_offlinesales")
    Event.objects.create(organizer=other, name="x", slug="x", date_from=now(), plugins="pretix_offlinesales")
    [exporter] = ours(init_organizer_exporters(organizer, user=user))

    def rows():
        return export(exporter.events, organizer=organizer)

    assert [(row["Event slug"], int(row["Batch"])) for row in rows()] == [
        ("night", batch.pk),
        ("tours", elsewhere.pk),
    ]
    series.plugins = ""
    series.save()
    assert batches(rows()) == [batch.pk]
    event.plugins = ""
    event.save()
    assert rows() == []
    assert ours(init_organizer_exporters(organizer, user=user)) == []


def test_only_with_permission_to_read_orders(event, batch, series, organizer):
    user = User.objects.create_user("ron@example.org", "correct horse battery staple 1")
    team = organizer.teams.create(name="Door", all_events=True, limit_event_permissions={"event.orders:checkin": True})
    team.members.add(user)
    assert ours(init_event_exporters(event, user=user)) == ours(init_organizer_exporters(organizer, user=user)) == []
    team.limit_event_permissions = {"event.orders:read": True}
    team.all_events = False
    team.save()
    team.limit_events.set([series])
    user = User.objects.get(pk=user.pk)
    assert ours(init_event_exporters(event, user=user)) == []
    [exporter] = ours(init_organizer_exporters(organizer, user=user))
    assert export(exporter.events, organizer=organizer) == []
    team.limit_events.add(event)
    [exporter] = ours(init_organizer_exporters(organizer, user=User.objects.get(pk=user.pk)))
    assert batches(export(exporter.events, organizer=organizer)) == [batch.pk]


@pytest.mark.parametrize("place", ["event/museum/night/orders/export/", "organizer/museum/export/"])
def test_it_is_on_the_export_page(client, user, team, event, place):
    client.force_login(user)
    page = client.get(f"/control/{place}", {"identifier": "offlinesales"})
    assert page.status_code == 200
    content = page.content.decode()
    assert "If none are selected, all sales channels are included." in content


def test_the_api_runs_it(api, event, batch, worker, monkeypatch):
    # It belongs to the test here, and not to a worker.
    monkeypatch.setattr("pretix.base.services.export.close_old_connections", lambda: None)
    base = "/api/v1/organizers/museum/events/night/exporters/offlinesales/run/"
    with worker():
        answer = api.post(base, {"_format": "batches:default", "items": [batch.item_id]}, format="json")
    assert answer.status_code == 202, answer.data
    content = b"".join(api.get(answer.data["download"]).streaming_content).decode()
    assert batches(csv.DictReader(StringIO(content))) == [batch.pk]


def test_it_can_be_scheduled(event, batch, user, team, worker, mailoutbox):
    schedule = ScheduledEventExport.objects.create(
        event=event,
        owner=user,
        export_identifier="offlinesales",
        export_form_data={"_format": "xlsx", "items": [batch.item_id], "no_testmode": True},
        locale="en",
        mail_subject="Report",
        mail_template="See there",
        schedule_rrule="DTSTART:20230118T000000\nRRULE:FREQ=DAILY",
        schedule_rrule_time="04:00:00",
        schedule_next_run=now() - timedelta(minutes=5),
    )
    with worker():
        scheduled_event_export.apply_async(kwargs={"event": event.pk, "schedule": schedule.pk})
    [mail] = mailoutbox
    assert [name for name, _content, _type in mail.attachments] == ["night_offlinesales.xlsx"]


@pytest.mark.parametrize("sheet", ["batches", "tickets"])
def test_no_query_for_each_batch_or_ticket(event, make_batch, sheet):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            export(Event.objects.get(pk=event.pk), sheet)
        return len([query for query in captured if "settingsstore" not in query["sql"]])

    make_batch(amount=2)
    few = queries()
    make_batch(amount=10)
    make_batch(amount=1)
    assert queries() == few
