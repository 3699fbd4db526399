"""The payment of a ticket: named in the order, never a way to pay."""

import json
from decimal import Decimal

import pytest
from django.test import RequestFactory
from pretix.base.models import Event, Order, OrderPayment

from pretix_offlinesales.tickets.payment import OfflineSalesPayment

WITHOUT = "pretix.plugins.ticketoutputpdf,pretix.plugins.banktransfer"
WITH = f"{WITHOUT},pretix_offlinesales"


@pytest.fixture(params=[WITHOUT, WITH], ids=["plugin off", "plugin on"])
def shop(request, event, item, quota):
    """A shop where one can pay by bank transfer, with our plugin and without it."""
    event.organizer.plugins = "pretix.plugins.banktransfer"
    event.organizer.save()
    event.plugins = request.param
    event.save()
    event.settings.payment_banktransfer__enabled = True
    event.settings.payment_banktransfer_bank_details_type = "other"
    event.settings.payment_banktransfer_bank_details = {"en": "Account 1"}
    return event


@pytest.fixture
def provider(event):
    return event.get_payment_providers()["offlinesales"]


@pytest.fixture
def payment(make_batch):
    return make_batch(amount=2).tickets.get(number=2).order.payments.get()


def identifiers(providers):
    return [provider.identifier for provider in providers]


# Never a way to pay


def test_nobody_can_choose_it(event, provider):
    order = Order(event=event, total=Decimal("23.00"))
    request = RequestFactory().get("/")
    assert isinstance(provider, OfflineSalesPayment)
    assert {
        "enabled": provider.is_enabled,
        "allowed": [provider.is_allowed(request, total) for total in (None, Decimal("0.00"), Decimal("23.00"))],
        "change": [provider.order_change_allowed(order), provider.order_change_allowed(order, request)],
        "session": provider.payment_is_valid_session(request),
        "settings": provider.settings_form_fields,
    } == {"enabled": False, "allowed": [False] * 3, "change": [False] * 2, "session": False, "settings": {}}


def test_not_even_where_somebody_has_switched_it_on_in_the_database(event, provider):
    event.settings.payment_offlinesales__enabled = True
    assert not event.get_payment_providers()["offlinesales"].is_enabled


def test_the_checkout_offers_the_same_with_and_without_the_plugin(client, shop, item):
    address = f"/{shop.organizer.slug}/{shop.slug}/"
    client.post(f"{address}cart/add", {f"item_{item.pk}": "1"}, follow=True)
    client.post(f"{address}checkout/questions/", {"email": "anna@example.org"}, follow=True)
    page = client.get(f"{address}checkout/payment/")
    assert page.status_code == 200
    assert identifiers(choice["provider"] for choice in page.context["providers"]) == ["banktransfer"]
    assert "offlinesales" not in page.content.decode()


def test_an_order_can_be_changed_to_the_same_with_and_without_the_plugin(api, client, shop, item):
    orders = f"/api/v1/organizers/{shop.organizer.slug}/events/{shop.slug}/orders/"
    unpaid = {"email": "a@example.org", "locale": "en", "positions": [{"item": item.pk}], "payment_provider": None}
    order = Order.objects.get(code=api.post(orders, unpaid, format="json").data["code"])
    page = client.get(f"/{shop.organizer.slug}/{shop.slug}/order/{order.code}/{order.secret}/pay/change")
    assert page.status_code == 200
    assert identifiers(choice["provider"] for choice in page.context["providers"]) == ["banktransfer"]


def test_the_payment_settings_are_the_same_with_and_without_the_plugin(client, user, team, shop):
    client.force_login(user)
    page = client.get(f"/control/event/{shop.organizer.slug}/{shop.slug}/settings/payment")
    assert page.status_code == 200
    assert set(identifiers(page.context["providers"])) == {"banktransfer", "giftcard"}


def test_a_settings_page_of_its_own_would_be_empty_as_that_of_the_box_office(client, user, team, event):
    client.force_login(user)
    settings = f"/control/event/{event.organizer.slug}/{event.slug}/settings/payment"
    pages = [client.get(f"{settings}/{identifier}") for identifier in ("offlinesales", "boxoffice")]
    assert [(page.status_code, list(page.context["form"].fields)) for page in pages] == [(200, [])] * 2


def test_an_event_without_another_way_to_pay_still_complains(event, item, quota):
    complaint = "You have configured at least one paid product but have not enabled any payment methods."
    for plugins in (WITHOUT, WITH):
        event = Event.objects.get(pk=event.pk)
        event.plugins = plugins
        event.save()
        assert (event.has_payment_provider, event.live_issues) == (False, [complaint])


def test_it_can_not_be_paid_with(provider, payment):
    with pytest.raises(NotImplementedError):
        provider.execute_payment(RequestFactory().get("/"), payment)


# Refunded in the books only


def test_it_is_refunded_in_whole_or_in_part_but_not_by_itself(api, event, provider, payment):
    assert (provider.payment_refund_supported(payment), provider.payment_partial_refund_supported(payment)) == (
        True,
        True,
    )
    assert payment.order.propose_auto_refunds(Decimal("5.00")) == {payment: Decimal("5.00")}
    orders = f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/orders/"
    canceled = api.post(f"{orders}{payment.order.code}/mark_canceled/", {"send_email": False}, format="json")
    assert (canceled.status_code, canceled.data["status"], canceled.data["refunds"]) == (200, "c", [])


# Named in the order


def test_a_paid_ticket_has_one_confirmed_payment_with_it(payment, item):
    payments = OrderPayment.objects.values_list("provider", "state", "amount")
    assert sorted(payments) == 2 * [("offlinesales", OrderPayment.PAYMENT_STATE_CONFIRMED, item.default_price)]


def test_a_free_ticket_is_paid_as_the_host_pays_free_orders(make_batch, item):
    item.default_price = Decimal("0.00")
    item.save()
    make_batch(amount=1)
    payments = OrderPayment.objects.values_list("provider", "state", "amount")
    assert list(payments) == [("free", OrderPayment.PAYMENT_STATE_CONFIRMED, Decimal("0.00"))]


IN_THE_BOOKS = "<p>Refunds are only written into the books, nobody gets money from pretix.</p>"


def lines(html):
    return [line.strip() for line in html.splitlines() if line.strip()]


def test_the_order_page_says_which_batch_and_which_ticket(client, user, team, provider, payment):
    event, batch = payment.order.event, payment.order.offline_sales_ticket.batch
    address = f"/control/event/{event.organizer.slug}/{event.slug}/"
    details = provider.payment_control_render(RequestFactory().get("/"), payment)
    assert lines(details) == [
        '<dl class="dl-horizontal">',
        "<dt>Offline sales batch</dt>",
        f'<dd><a href="{address}offlinesales/{batch.pk}/">#{batch.pk}</a></dd>',
        "<dt>Ticket</dt>",
        "<dd>2 of 2</dd>",
        "</dl>",
        IN_THE_BOOKS,
    ]
    assert provider.payment_control_render_short(payment) == IN_THE_BOOKS[3:-4]

    client.force_login(user)
    page = client.get(f"{address}orders/{payment.order.code}/")
    assert page.status_code == 200
    shown = lines(page.content.decode())
    assert set(lines(details)) <= set(shown)


EVIL = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "mark",
    [
        None,
        {},
        [],
        "batch",
        {"batch": 1},
        {"batch": None, "number": None, "amount": None},
        {"batch": EVIL, "number": EVIL, "amount": EVIL},
    ],
    ids=json.dumps,
)
def test_an_order_whose_mark_is_not_ours_names_no_batch(provider, payment, mark):
    payment.order.meta_info = json.dumps({"offlinesales": mark})
    assert lines(provider.payment_control_render(RequestFactory().get("/"), payment)) == [IN_THE_BOOKS]


@pytest.mark.parametrize("meta_info", [None, "", "{}", '{"other": 1}'])
def test_an_order_that_has_lost_its_mark_names_none(provider, payment, meta_info):
    payment.order.meta_info = meta_info
    assert lines(provider.payment_control_render(RequestFactory().get("/"), payment)) == [IN_THE_BOOKS]
