"""Products that are valid for a time from when they are bought: paper is bought later than it is issued."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils.timezone import now
from freezegun import freeze_time
from pretix.base.models import Order, OrderPosition

from pretix_offlinesales.issuing.product import valid_from_purchase
from pretix_offlinesales.jobs import runner
from pretix_offlinesales.models import Job, OfflineSalesBatch
from tests.support.after_sale import take_back
from tests.support.pages import errors, shown, soup

#: Midnight at the event.
NEW_YEAR = "2027-01-01T00:00:00+01:00"


@pytest.fixture
def day_ticket(item):
    """Valid for a day, from any moment that one chooses."""
    return dynamic(item)


def dynamic(item, **values):
    defaults = {"validity_dynamic_duration_days": 1, "validity_dynamic_start_choice": True}
    for name, value in {"validity_mode": "dynamic", **defaults, **values}.items():
        setattr(item, name, value)
    item.save()
    return item


@pytest.fixture
def refusal(ask):
    """``refusal(valid_from=…)``: which field is wrong with that, and why. Nothing is made."""

    def refusal(**values):
        response = ask(**values)
        assert (response.status_code, Order.objects.count(), Job.objects.count()) == (400, 0, 0), response.data
        return {field: [str(message) for message in messages] for field, messages in response.data.items()}

    return refusal


UNKNOWN_START = (
    "The validity of this product begins when it is bought, and may be over before the paper is sold. Please say when "
    "it shall begin."
)


def test_without_a_beginning_they_are_refused(day_ticket, refusal):
    assert refusal() == refusal(valid_from=None) == {"item": [UNKNOWN_START]}


def test_with_one_they_are_valid_from_then_on(day_ticket, make_batch):
    batch = make_batch(valid_from=NEW_YEAR)
    assert set(OrderPosition.objects.values_list("valid_from", "valid_until")) == {
        (datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 1, 1, 22, 59, 59, tzinfo=UTC))
    }
    assert batch.valid_from == datetime(2026, 12, 31, 23, tzinfo=UTC)


def test_the_documented_batch_does_not_show_it(api, url, day_ticket, make_batch):
    assert "valid_from" not in api.get(f"{url}{make_batch(valid_from=NEW_YEAR).pk}/").data


def test_it_is_kept_until_a_worker_comes(api, url, wanted, day_ticket, event):
    api.post(url, wanted | {"valid_from": NEW_YEAR}, format="json")
    job = Job.objects.get()
    assert job.request["valid_from"] == "2026-12-31T23:00:00+00:00"
    runner.run(event, job.pk)
    assert OrderPosition.objects.filter(valid_from=datetime(2026, 12, 31, 23, tzinfo=UTC)).count() == 3


@pytest.mark.parametrize("generator", ["random", "pretix_sig1"])
def test_replacing_and_undoing_keep_it(event, day_ticket, make_batch, api, url, worker, generator):
    event.settings.ticket_secret_generator = generator
    batch = make_batch(valid_from=NEW_YEAR)
    validity = set(OrderPosition.objects.values_list("valid_from", "valid_until"))
    secrets = set(OrderPosition.objects.values_list("secret", flat=True))
    with worker():
        check = api.post(f"{url}{batch.pk}/replace/", {"all": True}, format="json").data["check"]
    assert len(api.get(check).data["replaced"]) == 3
    assert secrets.isdisjoint(OrderPosition.objects.values_list("secret", flat=True))
    assert set(OrderPosition.objects.values_list("valid_from", "valid_until")) == validity
    if generator == "random":
        take_back(batch, "1", "unsold")
        with worker():
            api.post(f"{url}{batch.pk}/undo/", {"tickets": "1"}, format="json")
        assert set(OrderPosition.objects.values_list("valid_from", "valid_until")) == validity


# What the host would do otherwise, without a word


@pytest.mark.parametrize("mode", [None, "fixed"])
def test_other_products_take_none(item, refusal, mode):
    dynamic(item, validity_mode=mode, validity_fixed_from=now())
    said = "The validity of this product does not depend on when it is bought."
    assert refusal(valid_from=NEW_YEAR) == {"valid_from": [said]}


def test_where_nobody_can_choose_the_beginning(item, refusal):
    dynamic(item, validity_dynamic_start_choice=False)
    said = (
        "The validity of the product “Ticket” begins when it is bought, and may be over before the paper is sold. The "
        "product does not let anybody choose another moment."
    )
    assert refusal() == {"item": [said]}
    assert valid_from_purchase(item.event) == []  # so nobody is asked for it
    assert refusal(valid_from=NEW_YEAR) == {
        "valid_from": ["The product “Ticket” does not let anybody choose when its validity begins."]
    }


@freeze_time("2026-12-01 12:00:00")
def test_later_than_the_product_allows(item, refusal, make_batch):
    dynamic(item, validity_dynamic_start_choice_day_limit=31)
    late = {"valid_from": ["The validity of the product “Ticket” can not begin that late."]}
    assert refusal(valid_from="2027-01-01T12:00:01Z") == late
    assert make_batch(valid_from="2027-01-01T12:00:00Z").tickets.count() == 3


def test_the_end_of_all_time(day_ticket, refusal):
    late = {"valid_from": ["The validity of the product “Ticket” can not begin that late."]}
    dynamic(day_ticket, validity_dynamic_duration_days=400)
    assert refusal(valid_from="9999-06-01T00:00:00Z") == late


def test_over_before_it_is_issued(day_ticket, refusal, make_batch):
    over = {"valid_from": ["The validity of the product “Ticket” would be over already."]}
    assert refusal(valid_from=(now() - timedelta(days=2)).isoformat()) == over
    assert make_batch(valid_from=now().isoformat()).tickets.count() == 3


def test_what_is_bundled_begins_with_it(event, item, quota, refusal, make_batch):
    drink = dynamic(event.items.create(name="Locker", default_price=Decimal("3.00")))
    quota.items.add(drink)
    item.bundles.create(bundled_item=drink, count=1, designated_price=Decimal("3.00"))
    assert refusal() == {"item": [UNKNOWN_START]}
    make_batch(valid_from=NEW_YEAR, amount=1)
    assert list(OrderPosition.objects.order_by("positionid").values_list("item__name", "valid_from")) == [
        ("Ticket", None),
        ("Locker", datetime(2026, 12, 31, 23, tzinfo=UTC)),
    ]


# The form


@pytest.fixture
def pages(client, user, team, event):
    client.force_login(user)
    return f"/control/event/{event.organizer.slug}/{event.slug}/offlinesales/"


@pytest.fixture
def filled_in(item, quota, web):
    return {"itemvar": str(item.pk), "amount": "3", "sales_channel": str(web.pk)}


CHOSEN = {"valid_from_0": "2027-01-01", "valid_from_1": "00:00:00"}


def test_the_form_asks_for_it(client, pages, day_ticket, filled_in, worker):
    assert errors(client.post(f"{pages}add", filled_in)) == {"itemvar": [UNKNOWN_START]}
    with worker():
        client.post(f"{pages}add", filled_in | CHOSEN)
    batch = OfflineSalesBatch.objects.get()
    assert batch.valid_from == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert shown(client.get(f"{pages}{batch.pk}/"))["Valid from"] == "2027-01-01 00:00"


def test_whoever_tries_again_need_not_choose_it_again(client, pages, event, day_ticket, filled_in, quota):
    client.post(f"{pages}add", filled_in | CHOSEN)
    quota.size = 1
    quota.save()
    job = Job.objects.get()
    runner.run(event, job.pk)
    form = soup(client.get(f"{pages}add?again={job.pk}"))
    assert [form.select_one(f"[name={name}]")["value"] for name in CHOSEN] == ["2027-01-01", "00:00:00"]


def test_the_preview_says_what_is_wrong_with_it(client, pages, day_ticket, event, quota, filled_in):
    plain = event.items.create(name="Plain", default_price=5)
    quota.items.add(plain)
    page = client.get(f"{pages}preview", filled_in | CHOSEN | {"itemvar": plain.pk})
    assert "Valid from: The validity of this product does not depend on when it is bought." in page.content.decode()
