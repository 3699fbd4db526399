"""A batch is handed over to a seller as it is made."""

from decimal import Decimal

import pytest
from pretix.base.models import LogEntry, Organizer
from rest_framework.test import APIClient

from pretix_offlinesales.issuing import insert
from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.kinds import ISSUE
from pretix_offlinesales.models import READ_SELLERS, Document, Movement, OfflineSalesBatch, OfflineSalesTicket
from tests.support.jobs import run
from tests.support.sellers import NOBODY, held, make_seller

pytestmark = pytest.mark.django_db


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer)


@pytest.fixture
def asked(event, item, quota, web, kiosk):
    """A job that waits, which was checked before."""

    def asked(amount=3, **values):
        batch = OfflineSalesBatch(event=event, item=item, amount=amount, sales_channel=web, **values)
        return ISSUE.create(event, IssueRequest.of(batch, seller=kiosk), NOBODY)

    return asked


def test_the_seller_has_all_of_it_with_a_document_and_a_line_in_the_ledger(kiosk, make_batch):
    batch = make_batch(amount=5, first_number=11, seller=kiosk.pk, book_size=2)
    document = Document.objects.get()
    assert held(kiosk, batch) == [11, 12, 13, 14, 15]
    assert (batch.book_size, set(batch.tickets.values_list("document", "sold"))) == (2, {(document.pk, None)})
    assert (document.kind, document.number, document.count, document.value) == ("delivery", 1, 5, Decimal("115.00"))
    movement = Movement.objects.get()
    assert (movement.document, movement.batch, movement.numbers) == (document, batch, [[11, 15]])
    assert LogEntry.objects.get(action_type="pretix_offlinesales.handed_over").parsed_data["document"] == document.pk
    kiosk.refresh_from_db()
    assert (kiosk.currency, kiosk.last_movement) == ("EUR", document.created)


def test_what_she_buys_is_sold_at_once(kiosk, make_batch):
    kiosk.firm = True
    kiosk.save()
    batch = make_batch(seller=kiosk.pk)
    assert set(batch.tickets.values_list("sold", flat=True)) == {Document.objects.get().created}


def test_without_a_seller_it_is_in_stock(make_batch):
    batch = make_batch(amount=3)
    assert (held(None, batch), Document.objects.count()) == ([1, 2, 3], 0)


def test_the_resource_has_no_more_fields(api, url, kiosk, make_batch):
    batch = make_batch(seller=kiosk.pk, book_size=1)
    assert {"seller", "book_size"}.isdisjoint(api.get(f"{url}{batch.pk}/").data)


@pytest.mark.parametrize(
    "changed, values, message",
    [
        ({"active": False}, {}, "This seller is not active."),
        ({"currency": "CHF"}, {}, "This seller sells in CHF, and the tickets of this event are sold in EUR."),
        ({"credit_limit": 68}, {}, "The seller would hold or owe €69.00, and the credit limit is €68.00."),
        ({}, {"testmode": True}, "Tickets of test mode cannot be handed over."),
    ],
)
def test_who_can_not_get_it_is_named(ask, kiosk, changed, values, message):
    type(kiosk).objects.filter(pk=kiosk.pk).update(**changed)
    answer = ask(seller=kiosk.pk, **values)
    assert (answer.status_code, answer.json()) == (400, {"seller": [message]})


def test_a_seller_of_another_organizer_does_not_exist(ask):
    other = make_seller(Organizer.objects.create(name="Theatre", slug="theatre"))
    answer = ask(seller=other.pk)
    assert (answer.status_code, answer.json()) == (
        400,
        {"seller": [f'Invalid pk "{other.pk}" - object does not exist.']},
    )


@pytest.mark.parametrize("size", [0, 4, "many"])
def test_a_book_has_no_more_tickets_than_there_are(ask, size):
    answer = ask(amount=3, book_size=size)
    assert (answer.status_code, list(answer.json())) == (400, ["book_size"])


def test_who_may_not_read_sellers_can_not_name_one(ask, team, kiosk):
    team.all_organizer_permissions = False
    team.save()
    assert ask(seller=kiosk.pk).status_code == 400
    team.limit_organizer_permissions = {READ_SELLERS: True}
    team.save()
    assert ask(seller=kiosk.pk).status_code == 202


def test_a_device_can(organizer, url, wanted, kiosk, worker):
    device = organizer.devices.create(
        name="Scanner", all_events=True, api_token="secret", initialized="2027-01-01T00:00Z"
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Device {device.api_token}")
    with worker():
        assert client.post(url, wanted | {"seller": kiosk.pk}, format="json").status_code == 202
    assert OfflineSalesTicket.objects.filter(seller=kiosk).count() == 3


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda kiosk: type(kiosk).objects.update(active=False), "This seller is not active."),
        (lambda kiosk: type(kiosk).objects.all().delete(), "This seller does not exist any more."),
    ],
    ids=["inactive", "deleted"],
)
def test_the_job_looks_again(asked, kiosk, change, message):
    job = asked()
    change(kiosk)
    run(job)
    assert (job.state, job.message) == ("failed", message)
    assert (OfflineSalesBatch.objects.count(), Document.objects.count()) == (0, 0)


def test_all_of_it_or_nothing(asked, quota, monkeypatch):
    """Nothing is handed over of what is not made, and no number is lost."""
    quota.size = 2
    quota.save()
    assert run(asked()).state == "failed"
    monkeypatch.setattr(insert.Delivery, "write", lambda self: 1 / 0)
    quota.size = 10
    quota.save()
    assert run(asked()).state == "failed"
    monkeypatch.undo()
    assert (OfflineSalesBatch.objects.count(), OfflineSalesTicket.objects.count()) == (0, 0)
    assert run(asked()).state == "succeeded"
    assert Document.objects.get().number == 1
