"""What was printed is in the host's print log, and in the history of the orders."""

import json
from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from hierarkey.proxy import dirty_cache_keys
from pretix.base.models import Event, LogEntry, Order, TeamAPIToken, User
from pretix.base.models.orders import PrintLog
from rest_framework.test import APIClient

from pretix_offlinesales.jobs import runner
from pretix_offlinesales.kinds import PRINT
from pretix_offlinesales.models import Job
from pretix_offlinesales.printing.choice import choose, count_printed
from pretix_offlinesales.printing.request import EVERYTHING, PrintRequest
from pretix_offlinesales.printing.sheets import Sheet
from tests.support.layouts import code, make_blank
from tests.support.printing import tickets


@pytest.fixture
def card(make_layout):
    return make_layout([code(left="5", bottom="5", size="30")], make_blank((80, 50)))


@pytest.fixture
def print_job():
    """``print_job(batch, request)``: do such a job, and return it."""

    def print_job(batch, request=EVERYTHING, **requested_by):
        job = PRINT.ask(batch, requested_by, request)
        runner.run(Event.objects.get(pk=batch.event_id), job.pk)
        job.refresh_from_db()
        assert (job.state, job.message) == (Job.State.SUCCEEDED, "")
        return job

    return print_job


def entries(order):
    return order.all_logentries().filter(action_type="pretix.event.order.print")


def test_it_is_what_the_host_writes_when_one_of_its_apps_prints(event, token, make_batch, card, print_job):
    batch = make_batch(2, card)
    ours, hosts = tickets(batch)
    job = print_job(batch, PrintRequest.of(batch, [1]), api_token=token)
    ours_log = PrintLog.objects.get()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token.token}")
    response = client.post(
        f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/orderpositions/{hosts.pk}/printlog/",
        {
            "successful": True,
            "datetime": ours_log.datetime.isoformat(),
            "source": "pretix-offlinesales",
            "type": "ticket",
            "info": {"batch": batch.pk, "job": str(job.pk)},
        },
        format="json",
    )
    assert response.status_code == 201
    hosts_log = PrintLog.objects.get(position=hosts)

    def row(log):
        own = ("id", "position_id", "created", "api_token_id")
        return {f.attname: getattr(log, f.attname) for f in PrintLog._meta.concrete_fields if f.attname not in own}

    assert (ours_log.position, row(ours_log)) == (ours, row(hosts_log))
    # The host could not delete the token any more.
    assert (ours_log.api_token, hosts_log.api_token) == (None, token)
    our_entry, host_entry = entries(ours.order).get(), entries(hosts.order).get()
    assert our_entry.api_token == host_entry.api_token == token
    assert our_entry.display() == host_entry.display()
    data, host_data = json.loads(our_entry.data), json.loads(host_entry.data)
    assert data.pop("position") == ours.pk
    assert host_data.pop("position") == hosts.pk
    moments = [datetime.fromisoformat(one.pop("datetime")) for one in (data, host_data)]
    assert (data, moments[0]) == (host_data, ours_log.datetime)
    assert abs(moments[1] - moments[0]) < timedelta(milliseconds=1)  # that is all that the host writes down


def test_every_printed_position_once_and_nothing_else(event, item, make_batch, make_order, card, print_job):
    drink = event.items.create(name="Drink", default_price=2, generate_tickets=False)
    orders = [make_order([item, item, drink]), make_order(), make_order(), make_order(status=Order.STATUS_CANCELED)]
    batch = make_batch(orders, card)
    sheet = Sheet.parse({"paper": "A4", "order": "stack", "columns": 1, "rows": 2})
    data = PrintRequest.of(batch, choose(batch, "1-2, 4"), sheet)
    print_job(batch, data)
    wanted = [(orders[0].pk, 1), (orders[0].pk, 2), (orders[1].pk, 1)]
    logged = PrintLog.objects.order_by("position__order_id", "position__positionid")
    assert [(log.position.order_id, log.position.positionid) for log in logged] == wanted
    assert [entries(order).count() for order in orders] == [2, 1, 0, 0]
    [entry] = batch.all_logentries().filter(action_type="pretix_offlinesales.batch.printed")
    assert entry.parsed_data == {"amount": 2, "sheet": sheet.data}


def test_orders_were_modified_then_as_scanners_ask_for_it(make_batch, card, print_job):
    batch = make_batch(2, card)
    before = now() - timedelta(hours=1)
    Order.objects.update(last_modified=before)
    print_job(batch, PrintRequest.of(batch, [2]))
    modified = [position.order.last_modified for position in tickets(batch)]
    assert (modified[0], modified[1] > before) == (before, True)


def test_a_print_that_failed_is_in_no_log(make_batch, card):
    batch = make_batch(1, card)
    Order.objects.update(status=Order.STATUS_CANCELED)
    job = PRINT.ask(batch, {})
    runner.run(Event.objects.get(pk=batch.event_id), job.pk)
    assert (PrintLog.objects.count(), LogEntry.objects.filter(action_type__contains="print").count()) == (0, 0)


def test_who_asked_can_still_be_deleted(user, team, token, make_batch, card, print_job):
    batch = make_batch(1, card)
    print_job(batch, user=user)
    print_job(batch, api_token=token)
    fields = {PrintLog._meta.get_field(name).attname for name in ("user", "device", "api_token", "oauth_application")}
    assert [{getattr(log, name) for name in fields} for log in PrintLog.objects.all()] == [{None}] * 2
    assert entries(tickets(batch)[0].order).filter(user=user).exists()
    LogEntry.all.all().delete()  # which the host keeps as long as it keeps who is named in it
    TeamAPIToken.objects.all().delete()
    User.objects.filter(pk=user.pk).delete()
    assert Job.objects.filter(user=None, api_token=None).count() == 2


def test_the_number_of_queries_does_not_grow(make_batch, card, print_job):
    counts = []
    print_job(make_batch(1, card))  # for which the background is copied
    for amount in (2, 9):
        batch = make_batch(amount, card)
        dirty_cache_keys.set(set())
        with CaptureQueriesContext(connection) as queries:
            print_job(batch)
        counts.append(len(queries))
    assert counts[0] == counts[1]


# Choice


def test_tickets_are_known_to_be_printed_whoever_printed_them(make_batch, card, print_job):
    batch = make_batch(4, card)
    print_job(batch, PrintRequest.of(batch, [1]))
    _first, second, third, _fourth = tickets(batch)
    PrintLog.objects.create(position=second, type="ticket", source="pretixSCAN")
    PrintLog.objects.create(position=third, type="badge", source="pretixSCAN")
    PrintLog.objects.create(position=third, type="ticket", successful=False, source="pretixSCAN")
    assert choose(batch, only="unprinted") == [3, 4]
    assert choose(batch, "2-3", only="unprinted") == [3]
    assert [count_printed(batch, numbers) for numbers in ([1, 2, 3, 4], [2, 3], [4])] == [2, 1, 0]


def test_numbers_of_a_batch_that_goes_on_where_another_ended(make_batch, card):
    batch = make_batch(3, card)
    batch.tickets.filter(number__lte=3).update(number=F("number") + 100)
    batch.first_number = 101
    batch.save()
    assert choose(batch, "102-103") == [102, 103]
    with pytest.raises(ValidationError) as refused:
        choose(batch, "1-2, 103")
    assert refused.value.message_dict == {"tickets": ["This batch has no tickets with these numbers: 1-2"]}


def test_all_that_was_chosen_is_canceled(make_batch, card):
    batch = make_batch(2, card)
    Order.objects.filter(offline_sales_ticket__number=1).update(status=Order.STATUS_CANCELED)
    assert choose(batch) == [2]
    with pytest.raises(ValidationError) as refused:
        choose(batch, "1")
    assert refused.value.message_dict == {"tickets": ["There is nothing to print among these tickets."]}
