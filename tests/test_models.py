"""Batches do not keep the host from deleting anything that it could delete without them."""

import pytest
from django.db import transaction
from django.db.models import ProtectedError
from django.utils.timezone import now
from pretix.api.models import OAuthApplication
from pretix.base.models import Device, Event, Item, ItemVariation, LogEntry, Order, SalesChannel, SubEvent, User
from pretix.plugins.ticketoutputpdf.models import TicketLayout

from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.kinds import ISSUE, PRINT
from pretix_offlinesales.models import Job, OfflineSalesBatch, OfflineSalesTicket


def path(event):
    return f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/"


def left():
    return [model.objects.count() for model in (OfflineSalesBatch, OfflineSalesTicket, Job)]


def delete_orders(api, batch):
    """Through the host: it only deletes test orders, one after the other."""
    for ticket in batch.tickets.all():
        response = api.delete(f"{path(batch.event)}orders/{ticket.order.code}/")
        assert response.status_code == 204


# Test orders


def test_a_ticket_goes_with_its_test_order(api, make_batch):
    batch = make_batch(testmode=True, amount=3)
    second = batch.tickets.get(number=2)
    assert api.delete(f"{path(batch.event)}orders/{second.order.code}/").status_code == 204
    assert [ticket.number for ticket in batch.tickets.all()] == [1, 3]
    assert left() == [1, 2, 1]


def test_a_batch_and_its_jobs_go_with_the_last_test_order(api, url, make_batch, layout):
    batch, other = make_batch(testmode=True, amount=3), make_batch(testmode=True, amount=2)
    PRINT.ask(batch, requested_by={})
    assert left() == [2, 5, 3]
    delete_orders(api, batch)
    assert left() == [1, 2, 1]
    assert list(OfflineSalesBatch.objects.all()) == [other]
    assert api.get(f"{url}{batch.pk}/").status_code == 404


def test_the_history_of_the_event_tells_of_a_batch_that_is_gone(api, make_batch):
    batch, other = make_batch(testmode=True, amount=2), make_batch(testmode=True, amount=2)
    delete_orders(api, batch)
    with transaction.atomic():
        other.tickets.first().order.gracefully_delete()
    entries = batch.event.all_logentries().filter(action_type="pretix_offlinesales.deleted")
    assert [(entry.parsed_data, entry.display()) for entry in entries] == [
        (
            {"batch": batch.pk, "amount": 2},
            f"The last order of offline sales batch #{batch.pk} has been deleted, and with it the batch.",
        )
    ]


@pytest.mark.skipif(
    not hasattr(Order, "gracefully_delete_bulk"), reason="this pretix deletes one order after the other"
)
def test_test_orders_can_be_deleted_all_at_once(make_batch):
    batch = make_batch(testmode=True, amount=3)
    with transaction.atomic():
        Order.gracefully_delete_bulk(batch.event, Order.objects.filter(event=batch.event))
    assert (Order.objects.count(), left()) == (0, [0, 0, 0])


def test_real_orders_still_can_not_be_deleted(api, make_batch):
    batch = make_batch(amount=1)
    response = api.delete(f"{path(batch.event)}orders/{batch.tickets.get().order.code}/")
    assert (response.status_code, left()) == (403, [1, 1, 1])


# What a batch is of


@pytest.fixture
def sold(api, organizer, series, series_item, subevent, worker):
    """A test batch with everything that a batch can be of."""
    kiosk = organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api")
    child, _adult = (series_item.variations.create(value=value, default_price=5) for value in ("Child", "Adult"))
    subevent.quotas.get().variations.add(child)
    layout = series.ticket_layouts.create(name="Paper")
    request = {
        "item": series_item.pk,
        "variation": child.pk,
        "subevent": subevent.pk,
        "sales_channel": kiosk.identifier,
        "layout": layout.pk,
        "amount": 2,
        "testmode": True,
    }
    with worker():
        api.post(f"{path(series)}offlinesalesbatches/", request, format="json")
    return OfflineSalesBatch.objects.get()


def address(thing, batch):
    events = path(batch.event)
    return {
        "event": events,
        "subevent": f"{events}subevents/{batch.subevent_id}/",
        "item": f"{events}items/{batch.item_id}/",
        "variation": f"{events}items/{batch.item_id}/variations/{batch.variation_id}/",
        "sales_channel": f"/api/v1/organizers/{batch.event.organizer.slug}/saleschannels/api.kiosk/",
    }[thing]


THINGS = {
    "event": Event,
    "subevent": SubEvent,
    "item": Item,
    "variation": ItemVariation,
    "sales_channel": SalesChannel,
}


@pytest.mark.parametrize("thing", THINGS)
def test_the_host_keeps_what_orders_are_of(api, sold, thing):
    assert (api.delete(address(thing, sold)).status_code, left()) == (403, [1, 2, 1])


@pytest.mark.parametrize("thing", THINGS)
def test_the_host_can_delete_it_when_the_test_orders_are_gone(api, sold, thing):
    url, pk = address(thing, sold), getattr(sold, f"{thing}_id")
    delete_orders(api, sold)
    assert api.delete(url).status_code == 204
    assert (THINGS[thing].objects.filter(pk=pk).count(), left()) == (0, [0, 0, 0])


@pytest.mark.parametrize("thing", THINGS)
def test_what_has_no_orders_is_deleted_with_it(api, organizer, series, series_item, subevent, thing):
    """Nothing of ours protects what it refers to: a batch whose orders are gone, and jobs that made nothing."""
    kiosk = organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api")
    child, _adult = (series_item.variations.create(value=value) for value in ("Child", "Adult"))
    batch = OfflineSalesBatch.objects.create(
        event=series, item=series_item, variation=child, subevent=subevent, sales_channel=kiosk, amount=2
    )
    waiting = ISSUE.create(series, IssueRequest.of(batch), requested_by={})
    PRINT.ask(batch, requested_by={})
    assert api.delete(address(thing, batch)).status_code == 204
    assert list(OfflineSalesBatch.objects.all()) == []
    assert list(Job.objects.all()) == ([] if thing == "event" else [waiting])


def test_a_batch_outlives_its_layout(api, url, make_batch, layout, client, user, team):
    batch = make_batch(layout=layout.pk)
    client.force_login(user)
    page = f"/control/event/{batch.event.organizer.slug}/{batch.event.slug}/pdfoutput/{layout.pk}/delete"
    assert client.post(page).status_code == 302
    assert (TicketLayout.objects.count(), api.get(f"{url}{batch.pk}/").data["layout"]) == (0, None)


# Who asked

NOBODY = {"user": None, "api_token": None, "device": None, "oauth_application": None}


@pytest.fixture
def asker(organizer):
    user = User.objects.create_user("bob@example.org", "a long enough passphrase")
    return {
        "user": user,
        "api_token": organizer.teams.create(name="Volunteers").tokens.create(name="Integration"),
        "device": Device.objects.create(organizer=organizer, name="Till", initialized=now()),
        "oauth_application": OAuthApplication.objects.create(name="App", redirect_uris="https://e.org", user=user),
    }


@pytest.mark.parametrize("who", NOBODY)
def test_batches_and_jobs_outlive_who_asked_for_them(asker, event, item, web, who):
    one = NOBODY | {who: asker[who]}
    batch = OfflineSalesBatch.objects.create(event=event, item=item, sales_channel=web, amount=2, **one)
    job = PRINT.ask(batch, requested_by=one)
    assert (batch.requested_by, job.requested_by) == (one, one)
    asker[who].delete()
    for thing in (batch, job):
        thing.refresh_from_db()
    assert (batch.requested_by, job.requested_by) == (NOBODY, NOBODY)


def test_a_team_can_be_deleted_with_the_token_that_asked(api, organizer, asker, event, item, web):
    token = asker["api_token"]
    batch = OfflineSalesBatch.objects.create(event=event, item=item, sales_channel=web, amount=2, api_token=token)
    assert api.delete(f"/api/v1/organizers/{organizer.slug}/teams/{token.team_id}/").status_code == 204
    batch.refresh_from_db()
    assert batch.api_token is None


def test_the_host_keeps_who_is_named_in_its_log(make_batch, token):
    """That is the host's own rule; it has switched the token off instead of deleting it."""
    make_batch()
    with pytest.raises(ProtectedError) as refusal:
        token.delete()
    assert {type(thing) for thing in refusal.value.protected_objects} == {LogEntry}
