"""Tickets on consignment: who hears of them, and what can't be sold like this. What the orders are, the oracle says."""

from decimal import Decimal

import pytest
from django.core import mail
from pretix.base.models import NotificationSetting, Order
from pretix.base.signals import order_paid, order_placed

from pretix_offlinesales.issuing.announce import announce
from pretix_offlinesales.issuing.making import Making
from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.issuing.several import SeveralRequest
from pretix_offlinesales.issuing.together import check_together
from pretix_offlinesales.jobs import runner
from pretix_offlinesales.kinds import ISSUE_SEVERAL
from pretix_offlinesales.models import OfflineSalesBatch
from tests.support.oracle import history
from tests.support.products import product
from tests.support.receiving import receiving_server
from tests.support.sellers import make_seller

pytestmark = pytest.mark.django_db

CARD = "This product is a gift card, and there is none before it is paid."
FREE = "This product is free, so that there is nothing to be paid."
PLACED = "pretix.event.order.placed"


def codes(job):
    return list(job.batch.tickets.order_by("number").values_list("order__code", flat=True))


# Who hears of it


def test_each_order_is_placed_and_none_is_paid(issued, event, item, quota, hear):
    heard = []
    hear(order_placed, lambda signal, sender, order, bulk, **kwargs: heard.append(("placed", order.code, bulk)))
    hear(order_paid, lambda signal, sender, order, **kwargs: heard.append(("paid", order.code)))
    job = issued(event, item, consignment=True)
    assert heard == [("placed", code, True) for code in codes(job)]


def test_webhooks_are_sent_for_placed_only(issued, worker, event, item, quota, settings):
    settings.ALLOW_HTTP_TO_PRIVATE_NETWORKS = True
    with receiving_server() as (url, received):
        webhook = event.organizer.webhooks.create(target_url=url, enabled=True, all_events=True)
        for action in (PLACED, "pretix.event.order.payment.confirmed", "pretix.event.order.paid"):
            webhook.listeners.create(action_type=action)
        with worker():
            job = issued(event, item, consignment=True)
    assert sorted((call["code"], call["action"]) for call in received) == [
        (code, PLACED) for code in sorted(codes(job))
    ]


def test_what_is_paid_before_all_have_heard_of_it_is_told_once(issued, worker, event, item, quota, settings):
    """By whoever has paid it: the job that goes on after that tells of its own."""
    settings.ALLOW_HTTP_TO_PRIVATE_NETWORKS = True
    with worker():
        job = issued(event, item, amount=1, consignment=True)
    with receiving_server() as (url, received):
        webhook = event.organizer.webhooks.create(target_url=url, enabled=True, all_events=True)
        webhook.listeners.create(action_type="pretix.event.order.paid")
        with worker():
            order = Order.objects.get(code=codes(job)[0])
            order.payments.create(provider="manual", amount=order.total).confirm()
        with worker():
            job.row.update(state="running", checkpoint={"announced": 0})
            job.refresh_from_db()
            announce(Making(job))
    assert [call["action"] for call in received] == ["pretix.event.order.paid"]


def test_no_mail_is_sent(issued, worker, event, item, quota, team, user):
    NotificationSetting.objects.create(user=user, event=event, action_type=PLACED, method="mail", enabled=True)
    with worker():
        issued(event, item, consignment=True)
    assert mail.outbox == []


def test_no_invoice_is_made(issued, event, item, quota):
    event.settings.invoice_generate = "True"
    job = issued(event, item, consignment=True)
    assert sum(ticket.order.invoices.count() for ticket in job.batch.tickets.all()) == 0
    assert [[action for action, _data in history(ticket.order)] for ticket in job.batch.tickets.all()] == [
        [PLACED, "pretix_offlinesales.order.issued"]
    ] * 3


# What cannot be


def gift_card(event, item):
    item.issue_giftcard = True


def medium(event, item):
    event.organizer.settings.reusable_media_type_barcode = True
    item.media_policy, item.media_type = "new", "barcode"


def membership(event, item):
    item.grant_membership_type = event.organizer.membership_types.create(name="Friends")


IMPOSSIBLE = {
    gift_card: CARD,
    medium: "This product comes with a reusable medium, and there is none before it is paid.",
    membership: "This product grants a membership, and there is none before it is paid.",
}


@pytest.fixture
def refusal(api, url, wanted):
    def refusal(**values):
        response = api.post(url, wanted | {"consignment": True} | values, format="json")
        assert response.status_code == 400
        return response.data

    return refusal


@pytest.mark.parametrize("change", IMPOSSIBLE)
def test_what_is_bundled_is_looked_at_too(event, item, quota, refusal, change):
    part = product(event, "Drink", "3.00")
    item.bundles.create(bundled_item=part, count=1, designated_price=Decimal("2.00"))
    change(event, part)
    part.save()
    assert refusal() == {"consignment": [f"Bundled product “Drink”: {IMPOSSIBLE[change]}"]}


def test_all_that_is_wrong_is_named(event, item, quota, refusal):
    for change in (gift_card, membership):
        change(event, item)
    item.save()
    quota.items.clear()
    assert refusal() == {
        "consignment": [CARD, IMPOSSIBLE[membership]],
        "item": ["This product is not assigned to a quota."],
    }


def free_on_that_date(series, subevent, item):
    subevent.subeventitem_set.create(item=item, price=Decimal("0.00"))


def discounted_to_nothing(series, subevent, item):
    series.discounts.create(
        internal_name="Gift",
        active=True,
        condition_all_products=True,
        condition_min_count=1,
        benefit_discount_matching_percent=100,
        position=1,
    )


@pytest.mark.parametrize("change", [free_on_that_date, discounted_to_nothing])
def test_what_is_free_in_the_end_is_free(api, series, subevent, series_item, change):
    """The host counts its order as paid."""
    change(series, subevent, series_item)
    response = api.post(
        "/api/v1/organizers/museum/events/tours/offlinesalesbatches/",
        {"item": series_item.pk, "subevent": subevent.pk, "amount": 1, "sales_channel": "web", "consignment": True},
        format="json",
    )
    assert (response.status_code, response.data) == (400, {"consignment": [FREE]})


def test_what_is_bundled_may_be_free(event, item, quota, make_batch):
    part = product(event, "Poster", "0.00")
    item.bundles.create(bundled_item=part, count=1, designated_price=Decimal("0.00"))
    assert make_batch(consignment=True, amount=1).tickets.get().order.total == Decimal("23.00")


def make_free(event, item):
    item.default_price = Decimal("0.00")


@pytest.mark.parametrize("change", [gift_card, make_free])
def test_the_job_looks_again(api, wanted, url, event, item, quota, change):
    response = api.post(url, wanted | {"consignment": True}, format="json")
    change(event, item)
    item.save()
    [job] = event.offline_sales_jobs.all()
    runner.run(event, job.pk)
    answer = api.get(response.data["check"])
    message = CARD if change is gift_card else FREE
    assert (answer.status_code, answer.data) == (410, {"status": "failed", "message": message})
    assert (event.orders.count(), OfflineSalesBatch.objects.count()) == (0, 0)


def test_several_are_looked_at_before(event, item, quota, web):
    card = product(event, "Card", "10.00", issue_giftcard=True)
    batches = [
        OfflineSalesBatch(event=event, item=each, amount=1, sales_channel=web, consignment=consignment)
        for each, consignment in ((item, True), (card, False), (card, True))
    ]
    found = check_together(event, [IssueRequest.of(batch) for batch in batches])
    assert [(problem.place, problem.field, problem.message) for problem in found.problems] == [(2, "consignment", CARD)]


# How else they are asked for


def test_several_batches_on_consignment(event, item, quota, web):
    sellers = [make_seller(event.organizer), make_seller(event.organizer, "Tourist office")]
    requests = [
        IssueRequest.of(
            OfflineSalesBatch(event=event, item=item, amount=2, sales_channel=web, consignment=True), seller=seller
        )
        for seller in sellers
    ]
    job = ISSUE_SEVERAL.create(event, SeveralRequest([each.data for each in requests]), {})
    runner.run(event, job.pk)
    assert [(batch.consignment, batch.tickets.count()) for batch in OfflineSalesBatch.objects.all()] == [(True, 2)] * 2
    assert set(event.orders.values_list("status", "valid_if_pending", "expires__year")) == {("n", True, 2028)}


def test_the_resource_does_not_say_it(api, url, make_batch):
    batch = make_batch(consignment=True)
    documented = {
        "id", "creation", "testmode", "sales_channel", "layout", "subevent", "item", "variation", "amount", "comment"
    }  # fmt: skip
    assert batch.consignment
    assert set(api.get(url).data["results"][0]) == documented
    assert set(api.get(f"{url}{batch.pk}/").data) == documented | {"orders"}
    assert api.patch(f"{url}{batch.pk}/", {"consignment": False}, format="json").status_code in (200, 400)
    batch.refresh_from_db()
    assert batch.consignment
