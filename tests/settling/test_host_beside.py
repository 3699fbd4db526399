"""
What staff and customers do to a ticket's order with the host's own pages, API and services: before its seller has said
anything, when it is sold, when it is on a statement, and when that is settled. A table of all that, for paper on
consignment and other paper: what is said of the ticket, what the host says of the order, and what the next statement
says of it.
"""

from decimal import Decimal

import pytest
from django.db.models import F, OuterRef, Subquery, Sum
from django.utils.timezone import now
from pretix.base.models import GiftCard, Order, Transaction
from pretix.base.services.cancelevent import cancel_event

from pretix_offlinesales.kinds import DECLARE_SOLD
from pretix_offlinesales.sellers.accounts import accounts
from pretix_offlinesales.sellers.statements import look
from pretix_offlinesales.settling.paying import state
from pretix_offlinesales.tickets.state import state_of_ticket, with_state
from tests.support.after_sale import deal_with
from tests.support.consignment import paid
from tests.support.jobs import run
from tests.support.returning import orders, position
from tests.support.sellers import NOBODY, handed_over, make_seller

pytestmark = pytest.mark.django_db

#: Of the tickets 1 to 4, of which each costs 23.00, less 10 % for the seller.
STAGES = ("held", "sold", "stated", "settled")


class Host:
    """What the host offers for one order, in a few words."""

    def __init__(self, order, api, client):
        self.order, self.event, self.api, self.client = order, order.event, api, client
        self.url = f"/api/v1/organizers/museum/events/night/orders/{order.code}/"
        self.page = f"/control/event/museum/night/orders/{order.code}/transition"
        self.shop = f"/museum/night/order/{order.code}/{order.secret}/"
        self.position = position(order)

    def post(self, what, **values):
        return self.api.post(self.url + what, values, format="json")

    def change(self, **values):
        answer = self.post("change/", **values)
        assert answer.status_code == 200, answer.data

    def reprice(self, **values):
        self.change(patch_positions=[{"position": self.position.pk, "body": values}])

    def submit(self, status, **values):
        assert self.client.post(self.page, {"status": status, **values}).status_code == 302

    def cancel_as_customer(self):
        assert self.client.post(self.shop + "cancel/do").status_code == 302


def cancel(host):
    host.submit("c")


def cancel_and_keep_a_fee(host):
    host.submit("c", cancellation_fee="3.00")


def refund(host):
    host.post("payments/1/refund/", amount="23.00")


def refund_and_cancel(host):
    host.post("payments/1/refund/", amount="23.00", mark_canceled=True)


def refund_and_mark_as_paid(host):
    host.post("payments/1/refund/", amount="23.00")
    host.post("mark_paid/")


def raise_the_price(host):
    host.reprice(price="30.00")


def lower_the_price(host):
    host.reprice(price="20.00")


def change_the_product(host):
    other = host.event.items.create(name="Other", default_price=Decimal("15.00"))
    host.event.quotas.get().items.add(other)
    host.reprice(item=other.pk, price="15.00")


def add_something(host):
    host.change(create_positions=[{"item": host.position.item_id, "price": "4.00", "variation": None}])


def add_something_and_split_it_off(host):
    add_something(host)
    host.change(split_positions=[{"position": host.order.positions.last().pk}])


def add_something_and_split_off_the_ticket(host):
    add_something(host)
    host.change(split_positions=[{"position": host.position.pk}])


def extend(host):
    if Order.objects.get(pk=host.order.pk).status == Order.STATUS_PENDING:
        host.post("extend/", expires="2026-12-31")


def mark_as_paid(host):
    host.post("mark_paid/")


def mark_as_paid_by_force(host):
    host.submit("p", amount="23.00", payment_date="2027-05-01", force="on")


def mark_as_paid_in_part(host):
    host.submit("p", amount="10.00", payment_date="2027-05-01")


def mark_as_pending(host):
    host.post("mark_pending/")


def mark_as_expired(host):
    host.post("mark_expired/")


def make_it_invalid_until_it_is_paid(host):
    assert host.api.patch(host.url, {"valid_if_pending": False}, format="json").status_code == 200


def cancel_as_customer(host):
    host.cancel_as_customer()


def cancel_as_customer_where_that_is_allowed(host):
    host.event.settings.cancel_allow_user_paid = True
    host.cancel_as_customer()


def cancel_all(host, **options):
    values = {"subevent": None, "auto_refund": True, "keep_fee_fixed": "0.00"}
    values |= {"keep_fee_per_ticket": "", "keep_fee_percentage": "", **options}
    assert cancel_event.apply(kwargs={"event": host.event.pk, **values}).get()["failed"] == 0


def cancel_the_event(host):
    cancel_all(host)


def cancel_the_event_and_keep_a_fee(host):
    cancel_all(host, keep_fee_fixed="3.00")


def cancel_the_event_and_refund_as_gift_card(host):
    cancel_all(host, refund_as_giftcard=True)


def cancel_the_event_and_refund_nothing(host):
    cancel_all(host, auto_refund=False)


#: Of tickets that are paid from the beginning.
UNCHANGED = "held p 0.00 0.00 | sold p 0.00 20.70 | sold p 0.00 0.00 | settled p 0.00 0.00"

#: For each action what comes of tickets on consignment, and of others: by stage, what is said of the ticket; what the
#: host says of its order, and what is open there; and how much more the seller is to pay by the next statement.
TABLE = {
    cancel: (
        "canceled c 0.00 0.00 | canceled c 0.00 0.00 | canceled c 0.00 -20.70 | canceled c -23.00 -20.70",
        "canceled c -23.00 0.00 | canceled c -23.00 0.00 | canceled c -23.00 -20.70 | canceled c -23.00 -20.70",
    ),
    cancel_and_keep_a_fee: (
        "canceled n 3.00 0.00 | canceled n 3.00 0.00 | canceled n 3.00 -20.70 | canceled p -20.00 -20.70",
        "canceled p -20.00 0.00 | canceled p -20.00 0.00 | canceled p -20.00 -20.70 | canceled p -20.00 -20.70",
    ),
    refund: (
        "held n 23.00 0.00 | sold n 23.00 20.70 | sold n 23.00 0.00 | sold n 23.00 0.00",
        "held n 23.00 0.00 | sold n 23.00 20.70 | sold n 23.00 0.00 | sold n 23.00 0.00",
    ),
    refund_and_cancel: (
        "held n 23.00 0.00 | sold n 23.00 20.70 | sold n 23.00 0.00 | canceled c 0.00 -20.70",
        "canceled c 0.00 0.00 | canceled c 0.00 0.00 | canceled c 0.00 -20.70 | canceled c 0.00 -20.70",
    ),
    refund_and_mark_as_paid: (
        "settled p 0.00 0.00 | settled p 0.00 0.00 | settled p 0.00 -20.70 | settled p 0.00 -20.70",
        "held p 0.00 0.00 | sold p 0.00 0.00 | sold p 0.00 -20.70 | settled p 0.00 -20.70",
    ),
    raise_the_price: (
        "held n 30.00 0.00 | sold n 30.00 27.00 | sold n 30.00 6.30 | sold n 7.00 6.30",
        "held n 7.00 0.00 | sold n 7.00 27.00 | sold n 7.00 6.30 | sold n 7.00 6.30",
    ),
    lower_the_price: (
        "held n 20.00 0.00 | sold n 20.00 18.00 | sold n 20.00 -2.70 | settled p -3.00 -2.70",
        "held p -3.00 0.00 | sold p -3.00 18.00 | sold p -3.00 -2.70 | settled p -3.00 -2.70",
    ),
    change_the_product: (
        "held n 15.00 0.00 | sold n 15.00 13.50 | sold n 15.00 -7.20 | settled p -8.00 -7.20",
        "held p -8.00 0.00 | sold p -8.00 13.50 | sold p -8.00 -7.20 | settled p -8.00 -7.20",
    ),
    add_something: (
        "held n 27.00 0.00 | sold n 27.00 24.30 | sold n 27.00 3.60 | sold n 4.00 3.60",
        "held n 4.00 0.00 | sold n 4.00 24.30 | sold n 4.00 3.60 | sold n 4.00 3.60",
    ),
    add_something_and_split_it_off: (
        "held n 23.00 0.00 | sold n 23.00 20.70 | sold n 23.00 0.00 | settled p 0.00 0.00",
        UNCHANGED,
    ),
    add_something_and_split_off_the_ticket: (
        "canceled n 4.00 0.00 | canceled n 4.00 0.00 | canceled n 4.00 -20.70 | canceled p 0.00 -20.70",
        "canceled p 0.00 0.00 | canceled p 0.00 0.00 | canceled p 0.00 -20.70 | canceled p 0.00 -20.70",
    ),
    extend: (
        "held n 23.00 0.00 | sold n 23.00 20.70 | sold n 23.00 0.00 | settled p 0.00 0.00",
        UNCHANGED,
    ),
    mark_as_paid: (
        "settled p 0.00 0.00 | settled p 0.00 0.00 | settled p 0.00 -20.70 | settled p 0.00 0.00",
        UNCHANGED,
    ),
    mark_as_paid_by_force: (
        "settled p 0.00 0.00 | settled p 0.00 0.00 | settled p 0.00 -20.70 | settled p 0.00 0.00",
        UNCHANGED,
    ),
    mark_as_paid_in_part: (
        "held n 13.00 0.00 | sold n 13.00 20.70 | sold n 13.00 0.00 | settled p 0.00 0.00",
        UNCHANGED,
    ),
    mark_as_pending: (
        "held n 23.00 0.00 | sold n 23.00 20.70 | sold n 23.00 0.00 | sold n 0.00 0.00",
        "held n 0.00 0.00 | sold n 0.00 20.70 | sold n 0.00 0.00 | sold n 0.00 0.00",
    ),
    mark_as_expired: (
        "canceled e 23.00 0.00 | canceled e 23.00 0.00 | canceled e 23.00 -20.70 | settled p 0.00 0.00",
        UNCHANGED,
    ),
    make_it_invalid_until_it_is_paid: (
        "held n 23.00 0.00 | sold n 23.00 20.70 | sold n 23.00 0.00 | settled p 0.00 0.00",
        UNCHANGED,
    ),
    cancel_as_customer: (
        "canceled c 0.00 0.00 | canceled c 0.00 0.00 | canceled c 0.00 -20.70 | settled p 0.00 0.00",
        UNCHANGED,
    ),
    cancel_as_customer_where_that_is_allowed: (
        "canceled c 0.00 0.00 | canceled c 0.00 0.00 | canceled c 0.00 -20.70 | canceled c 0.00 -20.70",
        "canceled c 0.00 0.00 | canceled c 0.00 0.00 | canceled c 0.00 -20.70 | canceled c 0.00 -20.70",
    ),
    cancel_the_event: (
        "canceled c 0.00 0.00 | canceled c 0.00 0.00 | canceled c 0.00 -20.70 | canceled c 0.00 -20.70",
        "canceled c 0.00 0.00 | canceled c 0.00 0.00 | canceled c 0.00 -20.70 | canceled c 0.00 -20.70",
    ),
    cancel_the_event_and_keep_a_fee: (
        "canceled c 0.00 0.00 | canceled c 0.00 0.00 | canceled c 0.00 -20.70 | canceled p 0.00 -20.70",
        "canceled p 0.00 0.00 | canceled p 0.00 0.00 | canceled p 0.00 -20.70 | canceled p 0.00 -20.70",
    ),
    cancel_the_event_and_refund_as_gift_card: (
        "canceled c 0.00 0.00 | canceled c 0.00 0.00 | canceled c 0.00 -20.70 | canceled c 0.00 -20.70",
        "canceled c 0.00 0.00 | canceled c 0.00 0.00 | canceled c 0.00 -20.70 | canceled c 0.00 -20.70",
    ),
    cancel_the_event_and_refund_nothing: (
        "canceled c 0.00 0.00 | canceled c 0.00 0.00 | canceled c 0.00 -20.70 | canceled c -23.00 -20.70",
        "canceled c -23.00 0.00 | canceled c -23.00 0.00 | canceled c -23.00 -20.70 | canceled c -23.00 -20.70",
    ),
}


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer, "Kiosk", commission_percent=10)


@pytest.fixture
def at_each_stage(event, kiosk, make_batch):
    """``at_each_stage(consignment=True)``: a batch with a ticket at each of the stages."""

    def at_each_stage(**values):
        batch = make_batch(amount=4, **values)
        handed_over(batch, kiosk, "1-4")
        deal_with(batch, "4", DECLARE_SOLD)
        for job in paid(state(kiosk, [event], now(), NOBODY)[0]):
            run(job)
        deal_with(batch, "3", DECLARE_SOLD)
        state(kiosk, [event], now(), NOBODY)
        deal_with(batch, "2", DECLARE_SOLD)
        return batch

    return at_each_stage


def said(batch, kiosk):
    tickets = with_state(batch.tickets.order_by("number").select_related("order", "seller", "batch"))
    return [
        f"{state_of_ticket(ticket)} {ticket.order.status} {ticket.order.pending_sum:.2f} {more_due(kiosk, ticket):.2f}"
        for ticket in tickets
    ]


def more_due(kiosk, ticket):
    return look(kiosk, [ticket.batch.event], now(), only=[ticket.pk]).due


def ledgers(batch):
    """Of each order: what the host's transactions add up to, and its total, as long as it is not canceled."""
    sums = Transaction.objects.filter(order=OuterRef("pk")).order_by().values("order")
    found = Order.objects.filter(offline_sales_ticket__batch=batch).annotate(
        ledger=Subquery(sums.values(sum=Sum(F("count") * F("price"))))
    )
    return [(order.ledger, order.total if order.status in "np" else 0) for order in found]


@pytest.fixture
def act(api, client, team, user, worker):
    """``act(batch, cancel)``: do this to each of its orders."""

    def act(batch, *actions):
        client.force_login(user)
        with worker():
            for action in actions:
                for order in orders(batch):
                    action(Host(order, api, client))

    return act


@pytest.mark.parametrize("action", TABLE)
def test_on_consignment(action, at_each_stage, kiosk, act):
    batch = at_each_stage(consignment=True)
    act(batch, action)
    assert said(batch, kiosk) == TABLE[action][0].split(" | ")
    check(batch, kiosk)


@pytest.mark.parametrize("action", [action for action in TABLE if TABLE[action][1] != UNCHANGED])
def test_paid_from_the_beginning(action, at_each_stage, kiosk, act):
    batch = at_each_stage()
    act(batch, action)
    assert said(batch, kiosk) == TABLE[action][1].split(" | ")
    check(batch, kiosk)


def test_what_is_nothing_to_orders_that_are_paid_from_the_beginning(at_each_stage, kiosk, act):
    batch = at_each_stage()
    act(batch, *[action for action in TABLE if TABLE[action][1] == UNCHANGED])
    assert said(batch, kiosk) == UNCHANGED.split(" | ")
    check(batch, kiosk)


def check(batch, kiosk):
    """The books are right, and once the next statement is made, all is said."""
    event = batch.event
    assert all(ledger == total for ledger, total in ledgers(batch))
    assert GiftCard.objects.count() == 0
    draft = look(kiosk, [event], now())
    assert accounts([kiosk])[kiosk.pk].unstated == draft.due
    if draft.changes:
        state(kiosk, [event], now(), NOBODY)
    assert accounts([kiosk])[kiosk.pk].unstated == 0
    assert not look(kiosk, [event], now()).changes
