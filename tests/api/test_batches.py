"""Batches through the REST API: asking for them, waiting for them, finding, showing and commenting them."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pretix.base.models import LogEntry, Order

from pretix_offlinesales.after_sale.kind import all_offered
from pretix_offlinesales.jobs.lock import locked
from pretix_offlinesales.jobs.queries import MAX_UNFINISHED
from pretix_offlinesales.kinds import PRINT
from pretix_offlinesales.models import Job, OfflineSalesBatch, OfflineSalesTicket
from tests.support.answers import HOST


def api_time(moment):
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def codes(batch):
    return [ticket.order.code for ticket in sorted(batch.tickets.all(), key=lambda ticket: ticket.number)]


def listed(batch):
    """What the list says about the batch."""
    return {
        "id": batch.pk,
        "creation": api_time(batch.creation),
        "testmode": batch.testmode,
        "sales_channel": batch.sales_channel.identifier,
        "layout": batch.layout_id,
        "subevent": batch.subevent_id,
        "item": batch.item_id,
        "variation": batch.variation_id,
        "amount": batch.amount,
        "comment": batch.comment,
    }


def ids(response):
    assert response.status_code == 200, response.data
    return [batch["id"] for batch in response.data["results"]]


# From the request to the batch


def test_asking_for_a_batch_answers_where_to_check_for_it(api, url, wanted):
    response = api.post(url, wanted, format="json")
    job = Job.objects.get()
    assert (response.status_code, response.data) == (202, {"check": f"{HOST}{url}check/{job.pk}/"})


def test_the_smallest_request_makes_a_batch_with_all_defaults(api, url, ask, item):
    check = ask(item=item.pk, amount=2, sales_channel="web").data["check"]
    response = api.get(check)
    batch = OfflineSalesBatch.objects.get()
    shown = {
        "id": batch.pk,
        "creation": api_time(batch.creation),
        "testmode": False,
        "sales_channel": "web",
        "layout": None,
        "subevent": None,
        "item": item.pk,
        "variation": None,
        "amount": 2,
        "comment": "",
    }
    assert (response.status_code, response.data) == (200, {**shown, "orders": codes(batch)})
    assert api.get(f"{url}{batch.pk}/").data == {**shown, "orders": codes(batch)}
    assert api.get(url).data == {"count": 1, "next": None, "previous": None, "results": [shown]}


def test_a_request_can_name_everything(api, organizer, series, series_item, subevent, worker):
    channel = organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api")
    layout = series.ticket_layouts.create(name="Paper")
    variation = series_item.variations.create(value="Child", default_price=5)
    subevent.quotas.get().variations.add(variation)
    url = f"/api/v1/organizers/{organizer.slug}/events/{series.slug}/offlinesalesbatches/"
    request = {
        "testmode": True,
        "sales_channel": channel.identifier,
        "layout": layout.pk,
        "subevent": subevent.pk,
        "item": series_item.pk,
        "variation": variation.pk,
        "amount": 4,
        "comment": "For the kiosk ✓",
    }
    with worker():
        check = api.post(url, request, format="json").data["check"]
    batch = OfflineSalesBatch.objects.get()
    assert api.get(check).data == {
        "id": batch.pk,
        "creation": api_time(batch.creation),
        **request,
        "orders": codes(batch),
    }


def test_orders_are_named_by_ticket_number_and_canceled_ones_too(api, url, event, make_batch):
    batch = make_batch(amount=5)
    everything = codes(batch)
    orders = f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/orders/"
    canceled = api.post(f"{orders}{everything[2]}/mark_canceled/", {"send_email": False}, format="json")
    assert canceled.data["status"] == Order.STATUS_CANCELED
    assert api.get(f"{url}{batch.pk}/").data["orders"] == everything


def test_an_event_in_test_mode_makes_no_test_tickets_by_itself(event, make_batch):
    event.testmode = True
    event.save()
    batch = make_batch()
    assert (batch.testmode, {ticket.order.testmode for ticket in batch.tickets.all()}) == (False, {False})


@pytest.mark.parametrize(
    ("assigned", "default", "request_layout", "expected"),
    [
        ({}, None, {}, None),
        ({}, "Default", {}, "Default"),
        ({"web": "Web"}, "Default", {}, "Web"),
        ({"web": "Web", "api.kiosk": "Kiosk"}, "Default", {}, "Kiosk"),
        ({"api.kiosk": "Kiosk"}, None, {}, "Kiosk"),
        ({"web": "Web"}, "Default", {"layout": None}, None),
        ({"web": "Web"}, "Default", {"layout": "Other"}, "Other"),
    ],
    ids=["no layouts", "default", "product", "product and channel", "no default", "null", "given"],
)
def test_the_layout_is_the_given_one_or_the_one_that_the_host_would_use(
    api, organizer, event, item, make_batch, assigned, default, request_layout, expected
):
    channel = organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api")
    names = {*assigned.values(), default, *request_layout.values()} - {None}
    layouts = {name: event.ticket_layouts.create(name=name, default=name == default) for name in names}
    for identifier, name in assigned.items():
        sales_channel = organizer.sales_channels.get(identifier=identifier)
        item.ticketlayout_assignments.create(layout=layouts[name], sales_channel=sales_channel)
    given = {key: name and layouts[name].pk for key, name in request_layout.items()}

    batch = make_batch(sales_channel=channel.identifier, **given)
    assert batch.layout == layouts.get(expected)


def test_the_same_idempotency_key_makes_one_batch(api, url, wanted):
    first, again = (api.post(url, wanted, format="json", headers={"X-Idempotency-Key": "a"}) for _ in range(2))
    other = api.post(url, wanted, format="json", headers={"X-Idempotency-Key": "b"})
    assert (again.status_code, again.json()) == (202, first.json())
    assert other.json() != first.json()
    assert Job.objects.count() == 2


@pytest.mark.parametrize(("unfinished", "status"), [(MAX_UNFINISHED - 1, 202), (MAX_UNFINISHED, 429)])
def test_an_event_has_only_so_many_jobs_at_once(api, url, wanted, store_batch, store_job, unfinished, status):
    batch = store_batch()
    for number in range(unfinished):
        store_job(batch, state=(Job.State.WAITING, Job.State.RUNNING)[number % 2])
    store_job(batch, state=Job.State.SUCCEEDED)
    answers = [api.post(url, wanted, format="json"), api.post(f"{url}{batch.pk}/render/")]
    assert answers[0].status_code == status
    assert answers[1].status_code == 429
    assert answers[1]["Retry-After"] == "60"
    assert Job.objects.count() == MAX_UNFINISHED + 1


# Waiting for it


@pytest.mark.parametrize("state", ["waiting", "running"])
def test_a_job_that_is_not_done_asks_to_come_back_in_a_second(api, url, store_batch, store_job, state):
    job = store_job(store_batch(completed=None), state=state)
    with locked(job):
        response = api.get(f"{url}check/{job.pk}/")
    assert (response.status_code, response.data, response["Retry-After"]) == (409, {"status": state}, "1")


def test_a_job_that_failed_says_why(api, url, store_batch, store_job):
    job = store_job(store_batch(), state=Job.State.FAILED, message="The dog ate it.")
    response = api.get(f"{url}check/{job.pk}/")
    assert (response.status_code, response.data) == (410, {"status": "failed", "message": "The dog ate it."})


@pytest.mark.parametrize("job", [uuid.uuid4(), "x", "1", "%00", "%F0%9F%8E%AB", "9" * 5000])
def test_an_unknown_job_is_not_found(api, url, job):
    assert api.get(f"{url}check/{job}/").status_code == 404


@pytest.mark.parametrize("state", [Job.State.SUCCEEDED, Job.State.FAILED])
@pytest.mark.parametrize(("age", "found"), [(timedelta(hours=23, minutes=59), True), (timedelta(hours=24), False)])
def test_results_live_24_hours(api, url, store_batch, store_job, state, age, found):
    job = store_job(store_batch(), state=state, finished=now() - age)
    assert (api.get(f"{url}check/{job.pk}/").status_code != 404) == found


def test_a_printing_job_can_not_be_checked(api, url, store_batch, store_job):
    job = store_job(store_batch(), kind=PRINT)
    assert api.get(f"{url}check/{job.pk}/").status_code == 404


def test_another_events_job_is_not_found(api, url, series, series_item, store_batch, store_job):
    job = store_job(store_batch(event=series, item=series_item))
    assert api.get(f"{url}check/{job.pk}/").status_code == 404


def test_a_batch_is_hidden_until_it_is_complete(api, url, store_batch):
    batch = store_batch(completed=None)
    assert api.get(url).data == {"count": 0, "next": None, "previous": None, "results": []}
    assert api.get(f"{url}{batch.pk}/").status_code == 404
    assert api.patch(f"{url}{batch.pk}/", {"comment": "x"}, format="json").status_code == 404
    assert api.post(f"{url}{batch.pk}/render/").status_code == 404


# Quotas


def quota_message(name):
    return f'There is not enough quota available on quota "{name}" to perform the operation.'


def everything_made():
    return [model.objects.count() for model in (OfflineSalesBatch, Order, LogEntry)]


def test_a_quota_too_small_by_one_makes_nothing(api, ask, quota):
    quota.size = 9
    quota.save()
    before = everything_made()
    response = api.get(ask(amount=10).data["check"])
    assert (response.status_code, response.data) == (410, {"status": "failed", "message": quota_message("House")})
    assert everything_made() == before
    assert quota.availability() == (100, 9)


def test_a_quota_that_just_suffices_is_used_up(api, ask, quota):
    quota.size = 9
    quota.save()
    response = api.get(ask(amount=9).data["check"])
    assert (response.status_code, len(response.data["orders"])) == (200, 9)
    assert quota.availability() == (0, 0)


def test_german_clients_read_german_messages(api, url, wanted, worker, quota):
    quota.size = 2
    quota.save()
    with worker():
        check = api.post(url, wanted, format="json", headers={"Accept-Language": "de"}).data["check"]
    message = 'Das Kontingent "House" hat nicht genug freie Kapazität für diese Änderung.'
    assert api.get(check).data == {"status": "failed", "message": message}


# The list


@pytest.fixture
def shelf(organizer, series, series_item, subevent):
    """Batches of an event that differ in everything that can be filtered by, by the number of their tickets."""
    evening = series.subevents.create(name="Evening", date_from=subevent.date_from + timedelta(hours=9), active=True)
    other_item = series.items.create(name="Concert", default_price=30)
    child = other_item.variations.create(value="Child")
    web, kiosk = (
        organizer.sales_channels.get(identifier="web"),
        organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api"),
    )
    paper = series.ticket_layouts.create(name="Paper")

    def batch(day, amount, **values):
        values = {"item": series_item, "subevent": subevent, "sales_channel": web} | values
        creation = datetime(2027, 1, day, 12, tzinfo=UTC)
        return OfflineSalesBatch.objects.create(
            event=series, creation=creation, completed=creation, amount=amount, **values
        )

    return {
        "plain": batch(1, 30),
        "evening": batch(3, 10, subevent=evening),
        "child": batch(2, 20, item=other_item, variation=child),
        "kiosk": batch(4, 20, sales_channel=kiosk, layout=paper),
        "test": batch(5, 10, testmode=True),
    }


@pytest.fixture
def shelf_url(organizer, series):
    return f"/api/v1/organizers/{organizer.slug}/events/{series.slug}/offlinesalesbatches/"


def test_the_list_names_all_fields_oldest_first(api, shelf_url, shelf):
    assert api.get(shelf_url).data == {
        "count": 5,
        "next": None,
        "previous": None,
        "results": [listed(batch) for batch in shelf.values()],
    }


@pytest.mark.parametrize(
    ("field", "of", "expected"),
    [
        ("item", "child", ["child"]),
        ("variation", "child", ["child"]),
        ("subevent", "evening", ["evening"]),
        ("layout", "kiosk", ["kiosk"]),
    ],
)
def test_the_list_can_be_filtered_by_ids(api, shelf_url, shelf, field, of, expected):
    value = getattr(shelf[of], f"{field}_id")
    assert ids(api.get(shelf_url, {field: value})) == [shelf[name].pk for name in expected]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sales_channel=api.kiosk", ["kiosk"]),
        ("sales_channel=unknown", []),
        ("testmode=true", ["test"]),
        ("testmode=false", ["plain", "evening", "child", "kiosk"]),
        ("testmode=yes", ["test"]),
        ("testmode=off", ["plain", "evening", "child", "kiosk"]),
        ("testmode=", ["plain", "evening", "child", "kiosk", "test"]),
        ("creation_since=2027-01-04T12:00:00Z", ["kiosk", "test"]),
        ("creation_before=2027-01-04T12:00:00Z", ["plain", "evening", "child"]),
        ("creation_since=2027-01-02T00:00:00%2B01:00&creation_before=2027-01-04T00:00:00Z", ["evening", "child"]),
        ("testmode=false&sales_channel=web&creation_since=2027-01-03T00:00:00Z", ["evening"]),
        ("ordering=id", ["plain", "evening", "child", "kiosk", "test"]),
        ("ordering=-id", ["test", "kiosk", "child", "evening", "plain"]),
        ("ordering=creation", ["plain", "child", "evening", "kiosk", "test"]),
        ("ordering=-creation", ["test", "kiosk", "evening", "child", "plain"]),
        ("ordering=amount,id", ["evening", "test", "child", "kiosk", "plain"]),
        ("ordering=-amount,-id", ["plain", "kiosk", "child", "test", "evening"]),
        ("ordering=comment", ["plain", "evening", "child", "kiosk", "test"]),
    ],
)
def test_the_list_can_be_filtered_and_ordered(api, shelf_url, shelf, query, expected):
    assert ids(api.get(f"{shelf_url}?{query}")) == [shelf[name].pk for name in expected]


@pytest.mark.parametrize("field", ["item", "variation", "subevent", "layout"])
@pytest.mark.parametrize("value", ["0", "x", "1" + "0" * 30, "1e400", "-1"])
def test_filtering_by_something_unknown_is_refused(api, shelf_url, field, value):
    response = api.get(shelf_url, {field: value})
    assert (response.status_code, list(response.data)) == (400, [field])


@pytest.mark.parametrize("field", ["creation_since", "creation_before"])
def test_filtering_by_no_time_is_refused(api, shelf_url, field):
    response = api.get(shelf_url, {field: "yesterday"})
    assert (response.status_code, list(response.data)) == (400, [field])


@pytest.mark.parametrize("value", ["maybe", "2", "unknown", "true, false"])
def test_filtering_by_neither_yes_nor_no_is_refused(api, shelf_url, shelf, value):
    response = api.get(shelf_url, {"testmode": value})
    assert (response.status_code, response.data) == (400, {"testmode": ["Must be a valid boolean."]})


@pytest.mark.parametrize(("asked", "length"), [(None, 50), (51, 51), (500, 500), (501, 500), ("x", 50)])
def test_a_page_has_up_to_500_of_each_list(api, url, event, make_batch, asked, length):
    batch = make_batch(amount=1)
    orders = [
        Order(
            event=event,
            organizer=event.organizer,
            code=f"P{number}",
            total=0,
            datetime=now(),
            expires=now(),
            sales_channel=batch.sales_channel,
        )
        for number in range(2, 502)
    ]
    tickets = enumerate(Order.objects.bulk_create(orders), start=2)
    batch.tickets.bulk_create(OfflineSalesTicket(batch=batch, order=order, number=number) for number, order in tickets)
    values = {"event": event, "item": batch.item, "sales_channel": batch.sales_channel, "amount": 1}
    OfflineSalesBatch.objects.bulk_create(OfflineSalesBatch(completed=now(), **values) for _ in range(500))
    Job.objects.bulk_create(Job(event=event, batch=batch, kind=PRINT.identifier, locale="en") for _ in range(500))
    page = {} if asked is None else {"page_size": asked}
    answers = [api.get(each, page).data for each in (url, f"{url}{batch.pk}/tickets/", f"{url}jobs/")]
    assert [(answer["count"], len(answer["results"])) for answer in answers] == [(501, length)] * 3


def test_the_list_has_pages(api, shelf_url, shelf):
    second = api.get(shelf_url, {"page_size": 2, "page": 2})
    assert second.data == {
        "count": 5,
        "next": f"{HOST}{shelf_url}?page=3&page_size=2",
        "previous": f"{HOST}{shelf_url}?page_size=2",
        "results": [listed(shelf[name]) for name in ("child", "kiosk")],
    }
    assert api.get(shelf_url, {"page_size": 2, "page": 4}).status_code == 404


def test_another_events_batches_are_not_found(api, url, shelf):
    assert ids(api.get(url)) == []
    for batch in shelf.values():
        assert api.get(f"{url}{batch.pk}/").status_code == 404
        assert api.patch(f"{url}{batch.pk}/", {"comment": "x"}, format="json").status_code == 404
        assert api.post(f"{url}{batch.pk}/render/").status_code == 404


@pytest.mark.parametrize("pk", ["0", "1" + "0" * 30, "9" * 5000, "x", "-1"])
def test_an_unknown_batch_is_not_found(api, url, pk):
    assert api.get(f"{url}{pk}/").status_code == 404


def queries(api, url):
    with CaptureQueriesContext(connection) as context:
        assert api.get(url).status_code == 200
    return len(context)


def test_a_longer_list_takes_no_more_queries(api, url, store_batch, layout):
    for _ in range(3):
        store_batch(layout=layout)
    few = queries(api, url)
    for _ in range(9):
        store_batch(layout=layout)
    assert len(ids(api.get(url))) == 12
    assert queries(api, url) == few


def test_a_larger_batch_takes_no_more_queries(api, url, make_batch):
    small, large = (make_batch(amount=amount) for amount in (3, 12))
    assert queries(api, f"{url}{small.pk}/") == queries(api, f"{url}{large.pk}/")


# Changing it


def test_the_comment_can_be_changed(api, url, token, make_batch):
    batch = make_batch(comment="For Anna")
    response = api.patch(f"{url}{batch.pk}/", {"comment": "For Bob"}, format="json")
    assert (response.status_code, response.data) == (
        200,
        {**listed(batch), "comment": "For Bob", "orders": codes(batch)},
    )
    entry = batch.all_logentries().get(action_type="pretix_offlinesales.batch.changed")
    assert (entry.parsed_data, entry.user, entry.api_token) == ({"comment": "For Bob"}, None, token)


def test_nothing_else_can_be_changed_and_what_is_sent_is_ignored(api, url, series_item, subevent, layout, make_batch):
    batch = make_batch()
    before = api.get(f"{url}{batch.pk}/").data
    attempt = {
        "id": 4711,
        "creation": "2020-01-01T00:00:00Z",
        "testmode": True,
        "sales_channel": "api.kiosk",
        "layout": layout.pk,
        "subevent": subevent.pk,
        "item": series_item.pk,
        "variation": 1,
        "amount": 99,
        "orders": [],
        "completed": None,
        "event": series_item.event_id,
    }
    response = api.patch(f"{url}{batch.pk}/", attempt, format="json")
    assert (response.status_code, response.data) == (200, before)
    assert api.get(f"{url}{batch.pk}/").data == before


def test_the_same_comment_again_is_no_change(api, url, store_batch):
    batch = store_batch(comment="For Anna")
    for body in ({"comment": "For Anna"}, {}):
        assert api.patch(f"{url}{batch.pk}/", body, format="json").status_code == 200
    assert list(batch.all_logentries()) == []


@pytest.mark.parametrize("comment", [None, [], {}, True, "\u0000", "\ud800"])
def test_what_is_no_comment_is_refused(api, url, store_batch, comment):
    batch = store_batch(comment="For Anna")
    response = api.patch(f"{url}{batch.pk}/", {"comment": comment}, format="json")
    batch.refresh_from_db()
    assert (response.status_code, list(response.data), batch.comment) == (400, ["comment"], "For Anna")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("", {"get", "post"}),
        ("{batch}/", {"get", "patch"}),
        ("{batch}/render/", {"post"}),
        ("{batch}/render", {"post"}),
        ("{batch}/download/{job}/{file}/", {"get"}),
        ("check/{job}/", {"get"}),
    ],
)
def test_other_methods_are_not_allowed(api, url, store_batch, store_job, path, allowed):
    batch = store_batch()
    job = store_job(batch, kind=PRINT)
    path = path.format(batch=batch.pk, job=job.pk, file=job.file_id)
    refused = {
        method
        for method in ("get", "post", "put", "patch", "delete")
        if getattr(api, method)(url + path).status_code == 405
    }
    assert refused == {"get", "post", "put", "patch", "delete"} - allowed
    assert OfflineSalesBatch.objects.count() == 1


@pytest.mark.parametrize(
    "path",
    ["", "{batch}/", "{batch}/render/", *sorted({f"{{batch}}/{kind.api_action}/" for kind in all_offered()})],
)
def test_options_are_answered(api, url, store_batch, path):
    assert api.options(url + path.format(batch=store_batch().pk)).status_code == 200


def test_a_moment_before_all_time_is_refused(api, url):
    response = api.get(url, {"creation_since": "0001-01-01T00:00:00+14:00"})
    assert (response.status_code, list(response.data)) == (400, ["creation_since"])
