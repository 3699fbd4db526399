"""
Every kind of product comes out as the host itself would sell it.

One row a kind: it sets the event up and says what is asked for. The host makes the same order, and both are compared
field by field. Where the host's order API does less than its shop (bundles), the shop makes it.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from freezegun import freeze_time
from pretix.base.models import Discount
from pretix.base.services.orders import send_download_reminders, send_expiry_warnings

from tests.support.oracle import balance, history, order_by_api, order_by_shop, picture
from tests.support.products import IN_SHOP, KINDS

pytestmark = pytest.mark.django_db

#: The shop knows its customer, and how far the payment has come.
PERSONAL = {"email", "attendee_name_cached", "info", "process_initiated"}


@pytest.fixture
def issue(api, django_capture_on_commit_callbacks):
    """Ask for a batch through the API, and get its orders."""

    def issue(event, item, amount=2, variation=None, subevent=None, **values):
        body = {
            "item": item.pk,
            "variation": variation and variation.pk,
            "subevent": subevent and subevent.pk,
            "sales_channel": "web",
            "amount": amount,
        }
        url = f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/offlinesalesbatches/"
        with django_capture_on_commit_callbacks(execute=True):
            response = api.post(url, {**body, **values}, format="json")
        assert response.status_code == 202, response.content
        response = api.get(response.data["check"])
        assert response.status_code == 200, response.content
        return [event.orders.get(code=code) for code in response.data["orders"]]

    return issue


@pytest.mark.parametrize("name", KINDS)
def test_equals_an_order_of_the_hosts_api(name, api, event, item, quota, issue):
    wanted = KINDS[name](event, item) or {}
    event.enable_plugin("pretix.plugins.manualpayment")
    event.save()

    with freeze_time("2026-12-01 23:30:00"):
        orders = issue(event, item, **wanted)
        position = {"item": item.pk}
        if variation := wanted.pop("variation", None):
            position["variation"] = variation.pk
        if valid_from := wanted.pop("valid_from", None):
            position["requested_valid_from"] = valid_from
        if item.default_price == 0 and not variation:
            wanted["payment_provider"] = None
        theirs = order_by_api(api, event, [position], **wanted)

    assert [picture(order) for order in orders] == [picture(theirs)] * 2
    assert [balance(order) for order in orders] == [(theirs.total, theirs.total, theirs.total, 0)] * 2
    assert [history(order)[:-1] for order in orders] == [history(theirs)] * 2
    assert [history(order)[-1][0] for order in orders] == ["pretix_offlinesales.order.issued"] * 2


#: What an order on consignment is to the host: not paid yet, and valid all the same. Ours does not expire.
ON_CONSIGNMENT = {"status": "n", "payment_provider": None, "valid_if_pending": True}

#: What nobody can have before it is paid, and what is said then.
ONLY_PAID = {
    "no_currency": "This product is free, so that there is nothing to be paid.",
    "default_price_of_zero": "This product is free, so that there is nothing to be paid.",
    "gift_card": "This product is a gift card, and there is none before it is paid.",
    "reusable_medium": "This product comes with a reusable medium, and there is none before it is paid.",
    "reusable_medium_or_new": "This product comes with a reusable medium, and there is none before it is paid.",
    "grants_membership": "This product grants a membership, and there is none before it is paid.",
}


@pytest.mark.parametrize("name", [name for name in KINDS if name not in ONLY_PAID])
def test_on_consignment_equals_a_pending_order_of_the_hosts_api(name, api, event, item, quota, issue):
    wanted = KINDS[name](event, item) or {}
    with freeze_time("2026-12-01 23:30:00"):
        orders = issue(event, item, consignment=True, **wanted)
        position = {"item": item.pk}
        if variation := wanted.pop("variation", None):
            position["variation"] = variation.pk
        if valid_from := wanted.pop("valid_from", None):
            position["requested_valid_from"] = valid_from
        expires = {"expires": "2028-05-08T18:00:00Z"}
        theirs = order_by_api(api, event, [position], **ON_CONSIGNMENT, **expires, **wanted)

    assert [picture(order) for order in orders] == [picture(theirs)] * 2
    assert [balance(order) for order in orders] == [(theirs.total, theirs.total, 0, theirs.total)] * 2
    assert [(order.status, order.valid_if_pending) for order in orders] == [("n", True)] * 2
    assert [(order.download_reminder_sent, order.expiry_reminder_sent) for order in orders] == [(True, True)] * 2
    assert [history(order)[:-1] for order in orders] == [history(theirs)] * 2
    assert [history(order)[-1][0] for order in orders] == ["pretix_offlinesales.order.issued"] * 2


@pytest.mark.parametrize("name", ONLY_PAID)
def test_what_there_is_only_when_it_is_paid_is_not_on_consignment(name, api, url, wanted, event, item, quota):
    KINDS[name](event, item)
    response = api.post(url, wanted | {"consignment": True}, format="json")
    assert (response.status_code, response.data) == (400, {"consignment": [ONLY_PAID[name]]})


@pytest.mark.parametrize("name", [name for name in IN_SHOP if name != "bundled_gift_card"])
def test_bundles_on_consignment_are_those_that_are_paid(name, event, item, quota, issue):
    """But for what is about being paid. The shop itself does not sell like this."""
    IN_SHOP[name](event, item)
    with freeze_time("2026-12-01 23:30:00"):
        [ours] = issue(event, item, amount=1, consignment=True)
        [paid] = issue(event, item, amount=1)
    about_money = {"status", "valid_if_pending", "expires"}
    assert picture(ours, about_money) == {**picture(paid, about_money), "payments": []}
    assert balance(ours) == (paid.total, paid.total, 0, paid.total)


def test_on_consignment_a_ticket_expires_a_year_after_its_date(series, subevent, series_item, issue):
    [order] = issue(series, series_item, amount=1, subevent=subevent, consignment=True)
    assert order.expires.isoformat() == "2028-05-08T08:00:00+00:00"
    subevent.date_to = subevent.date_from + timedelta(days=10)
    subevent.save()
    [order] = issue(series, series_item, amount=1, subevent=subevent, consignment=True)
    assert order.expires.isoformat() == "2028-05-18T08:00:00+00:00"


def test_equals_an_order_of_the_hosts_api_on_a_date(api, series, subevent, series_item, issue):
    child = series_item.variations.create(value="Child", default_price=Decimal("7.00"))
    adult = series_item.variations.create(value="Adult", default_price=Decimal("17.00"))
    series.quotas.get().variations.add(child, adult)
    plain = series.items.create(name="Walk", default_price=Decimal("12.00"), admission=True)
    series.quotas.get().items.add(plain)
    subevent.subeventitem_set.create(item=plain, price=Decimal("11.00"))
    subevent.subeventitemvariation_set.create(variation=adult, price=Decimal("15.00"))
    series.enable_plugin("pretix.plugins.manualpayment")
    series.save()

    for item, variation, price in (
        (plain, None, Decimal("11.00")),
        (series_item, child, Decimal("7.00")),
        (series_item, adult, Decimal("15.00")),
    ):
        with freeze_time("2026-12-01 23:30:00"):
            ours = issue(series, item, variation=variation, subevent=subevent)
            theirs = order_by_api(
                api, series, [{"item": item.pk, "variation": variation and variation.pk, "subevent": subevent.pk}]
            )
        assert theirs.total == price
        assert [picture(order) for order in ours] == [picture(theirs)] * 2


def test_a_bundle_equals_an_order_of_the_hosts_shop_on_a_date(series, subevent, series_item, issue):
    drink = series.items.create(name="Drink", default_price=Decimal("3.00"))
    series.quotas.get().items.add(drink)
    series_item.bundles.create(bundled_item=drink, count=2, designated_price=Decimal("2.50"))
    series.enable_plugin("pretix.plugins.manualpayment")
    series.save()
    with freeze_time("2026-12-01 23:30:00"):
        orders = issue(series, series_item, subevent=subevent)
        theirs = order_by_shop(series, series_item, subevent=subevent)
    assert [picture(order, PERSONAL) for order in orders] == [picture(theirs, PERSONAL)] * 2
    assert {position.subevent for order in orders for position in order.positions.all()} == {subevent}


@pytest.mark.parametrize("name", IN_SHOP)
def test_equals_an_order_of_the_hosts_shop(name, event, item, quota, issue):
    IN_SHOP[name](event, item)
    event.enable_plugin("pretix.plugins.manualpayment")
    event.save()

    with freeze_time("2026-12-01 23:30:00"):
        orders = issue(event, item)
        theirs = order_by_shop(event, item)

    assert [picture(order, PERSONAL) for order in orders] == [picture(theirs, PERSONAL)] * 2
    assert [balance(order) for order in orders] == [(theirs.total, theirs.total, theirs.total, 0)] * 2
    assert Discount.objects.count() == theirs.all_positions.exclude(discount=None).count()


@pytest.mark.parametrize("consignment", [False, True])
def test_the_host_reminds_nobody_and_touches_no_order_for_that(api, event, item, quota, issue, consignment):
    """It would touch each, once, and all scanners would load all of them again. Its own order shows that it is time."""
    event.enable_plugin("pretix.plugins.manualpayment")
    event.save()
    event.settings.mail_days_download_reminder = 2
    event.settings.ticket_download = True
    event.settings.ticketoutput_pdf__enabled = True
    with freeze_time("2027-05-01 12:00:00"):
        ours = issue(event, item, consignment=consignment)
        theirs = order_by_api(api, event, [{"item": item.pk}], **(ON_CONSIGNMENT if consignment else {}))
    before = [order.last_modified for order in (*ours, theirs)]
    with freeze_time("2027-05-07 12:00:00"):
        send_download_reminders(None)
        send_expiry_warnings(None)
    for order in (*ours, theirs):
        order.refresh_from_db()
    touched = [order.last_modified != moment for order, moment in zip((*ours, theirs), before, strict=True)]
    assert touched == [False, False, True]
    assert {(order.download_reminder_sent, order.expiry_reminder_sent) for order in ours} == {(True, True)}
