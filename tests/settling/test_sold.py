"""Tickets that their holders say are sold: for the host, nothing changes."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pretix.base.models import Order
from pretix.base.models.orders import BlockedTicketSecret
from pretix.base.services.cancelevent import cancel_event
from pretix.base.services.orders import cancel_order
from pretix.base.signals import order_changed

from pretix_offlinesales.kinds import DECLARE_SOLD, REPORT_LOST, RETURN, UNDO_LOST, UNDO_RETURN, UNDO_SOLD
from pretix_offlinesales.models import Document, DocumentKind, OfflineSalesTicket, Statement
from pretix_offlinesales.sellers.accounts import accounts
from pretix_offlinesales.sellers.handing_over import NotHandedOver
from pretix_offlinesales.tickets.figures import Tally
from pretix_offlinesales.tickets.state import state_of_ticket, with_state
from tests.support.after_sale import check_in, deal_with
from tests.support.consignment import pay_directly
from tests.support.jobs import run
from tests.support.oracle import history, picture
from tests.support.plugins import receiver_of_a_plugin
from tests.support.returning import asked, codes, orders, returned
from tests.support.sellers import handed_over, make_seller
from tests.support.workers import Killed, die

pytestmark = pytest.mark.django_db


def declare(batch, numbers, **values):
    return returned(batch, {"tickets": numbers}, job_kind=DECLARE_SOLD, **values)


def undo(batch, numbers, **values):
    return returned(batch, {"tickets": numbers}, job_kind=UNDO_SOLD, **values)


def states(batch):
    return [str(state_of_ticket(ticket)) for ticket in with_state(batch.tickets.order_by("number"))]


def said(order):
    """What its history says of sales, in words."""
    entries = order.all_logentries().order_by("pk")
    return [entry.display() for entry in entries if entry.action_type.endswith(".sold")]


def state(ticket):
    """It is on a statement."""
    seller = ticket.seller
    document = Document.objects.create(
        organizer=seller.organizer,
        kind=DocumentKind.STATEMENT,
        number=1,
        source=seller,
        count=1,
        value=23,
        currency="EUR",
    )
    statement = Statement.objects.create(
        document=document, seller=seller, until=now(), total=23, commission=0, commission_tax=0, due=23
    )
    OfflineSalesTicket.objects.filter(pk=ticket.pk).update(statement=statement)
    return statement


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer)


def test_sold_and_not(make_batch, kiosk, user):
    batch = make_batch(amount=5)
    handed_over(batch, kiosk, "1-3")
    assert declare(batch, "2-4", user=user) == (codes(batch)[1:4], [])
    assert states(batch) == ["held", "sold", "sold", "sold", "stock"]
    assert accounts([kiosk])[kiosk.pk].sold == Tally(2, 46)
    assert undo(batch, "3", user=user) == (codes(batch)[2:3], [])
    assert states(batch) == ["held", "sold", "held", "sold", "stock"]
    sold, undone = orders(batch)[1:3]
    assert said(sold) == ["The ticket has been declared as sold."]
    assert said(undone) == ["The ticket has been declared as sold.", "The ticket is not declared as sold any more."]
    assert {entry.user for entry in sold.all_logentries().filter(action_type__endswith=".sold")} == {user}
    assert [entry.display().split(" <a")[0] for entry in batch.all_logentries()[:2]] == [
        "1 ticket is not declared as sold any more.",
        "3 tickets have been declared as sold.",
    ]


def test_for_the_host_nothing_changes(make_batch, settings):
    batch = make_batch(amount=3)
    before = [picture(order) for order in orders(batch)]
    modified = list(Order.objects.order_by("pk").values_list("last_modified", flat=True))
    heard = []

    def hear(sender, order, **kwargs):
        heard.append(order)

    with receiver_of_a_plugin(settings, order_changed, hear):
        declare(batch, "1-3")
        undo(batch, "2")
    assert heard == []
    assert [picture(order) for order in orders(batch)] == before
    assert list(Order.objects.order_by("pk").values_list("last_modified", flat=True)) == modified
    assert not BlockedTicketSecret.objects.exists()


def test_what_can_not_be_declared_as_sold(make_batch, kiosk):
    batch = make_batch(amount=9)
    handed_over(batch, kiosk, "1-7")
    check_in(batch.tickets.get(number=1))
    deal_with(batch, "2", REPORT_LOST)
    deal_with(batch, "3", RETURN)
    cancel_order(orders(batch)[3].pk, send_mail=False)
    Order.objects.filter(pk=orders(batch)[4].pk).update(status=Order.STATUS_EXPIRED)
    declare(batch, "6")
    OfflineSalesTicket.objects.filter(batch=batch, number=7).update(settled=now())
    done, skipped = declare(batch, "1-7, 99")
    assert done == codes(batch)[:1]  # whoever has let somebody in may say so as well
    assert [(value, reason) for _order, value, reason in skipped] == [
        ("2", "lost"),
        ("3", "already_canceled"),
        ("4", "already_canceled"),
        ("5", "already_canceled"),
        ("6", "sold"),
        ("7", "settled"),
        ("99", "unknown"),
    ]


def test_what_can_not_be_undone(make_batch, organizer, kiosk):
    batch, firm = make_batch(amount=8), make_seller(organizer, "Club", firm=True)
    handed_over(batch, kiosk, "1-6")
    handed_over(batch, firm, "7")
    check_in(batch.tickets.get(number=2))
    declare(batch, "3-6, 8")
    state(batch.tickets.get(number=3))
    OfflineSalesTicket.objects.filter(batch=batch, number=4).update(settled=now())
    deal_with(batch, "5", REPORT_LOST)
    deal_with(batch, "6", RETURN)
    expected = [
        ("1", "not_sold"),
        ("2", "checked_in"),
        ("3", "stated"),
        ("4", "settled"),
        ("5", "lost"),
        ("6", "already_canceled"),
        ("7", "firm"),
    ]
    before = states(batch)
    done, skipped = undo(batch, "1-7")
    assert (done, [(value, reason) for _order, value, reason in skipped]) == ([], expected)
    assert states(batch) == before
    done, skipped = returned(batch, {"all": True}, job_kind=UNDO_SOLD)
    assert (done, skipped) == (codes(batch)[7:8], [])


def test_all_that_are_not_sold_yet(make_batch, kiosk):
    batch = make_batch(amount=6)
    handed_over(batch, kiosk, "1-3")
    declare(batch, "1")
    deal_with(batch, "2", REPORT_LOST)
    deal_with(batch, "4", RETURN)
    check_in(batch.tickets.get(number=5))
    done, skipped = returned(batch, {"all": True}, job_kind=DECLARE_SOLD)
    assert (done, skipped) == ([codes(batch)[2], codes(batch)[4], codes(batch)[5]], [])


def test_a_ticket_of_another_order_is_no_ticket(make_batch):
    """It was split off: what is left of the order is not the ticket."""
    batch = make_batch(amount=1)
    orders(batch)[0].positions.update(positionid=2)
    assert declare(batch, "1")[1] == [(codes(batch)[0], "1", "changed")]
    assert undo(batch, "1")[1] == [(codes(batch)[0], "1", "changed")]


def test_what_was_meant_for_one_holder_is_left_alone_at_another(make_batch, organizer, kiosk):
    batch, office = make_batch(amount=3), make_seller(organizer, "Office")
    handed_over(batch, kiosk, "1-2")
    handed_over(batch, office, "2")
    for dry_run in (True, False):
        done, skipped = declare(batch, "1-3", sellers=[kiosk.pk], dry_run=dry_run)
        assert done == codes(batch)[:1]
        assert [reason for *_ticket, reason in skipped] == ["held_elsewhere", "held_elsewhere"]
    assert states(batch) == ["sold", "held", "stock"]


def test_a_dry_run_changes_nothing(make_batch):
    batch = make_batch(amount=2)
    assert declare(batch, "1-2", dry_run=True) == (codes(batch), [])
    assert states(batch) == ["stock", "stock"]
    assert [said(order) for order in orders(batch)] == [[], []]


def test_a_worker_that_dies_declares_each_once(make_batch, monkeypatch):
    batch = make_batch(amount=6)
    monkeypatch.setattr("pretix_offlinesales.after_sale.kind.CHUNK", 2)
    job = asked(batch, job_kind=DECLARE_SOLD)
    seen = []

    def killed(self, order):
        seen.append(order)
        if len(seen) == 3:
            raise Killed
        return True

    monkeypatch.setattr(type(DECLARE_SOLD), "is_still_so", killed)
    assert die(job) == "waiting"
    run(job)
    assert job.state == "succeeded"
    assert states(batch) == ["sold"] * 6
    assert [len(said(order)) for order in orders(batch)] == [1] * 6


def test_it_takes_as_many_queries_for_many(make_batch, kiosk):
    def queries(batch):
        handed_over(batch, kiosk, f"1-{batch.amount}")
        found = []
        for kind in (DECLARE_SOLD, UNDO_SOLD):
            with CaptureQueriesContext(connection) as captured:
                returned(batch, job_kind=kind)
            found.append(len(captured))
        return found

    few = queries(make_batch(amount=2))
    assert queries(make_batch(amount=20)) == few


def test_webhooks_tell_of_it(organizer, make_batch, monkeypatch, django_capture_on_commit_callbacks):
    batch = make_batch(amount=2)
    actions = [DECLARE_SOLD.action, UNDO_SOLD.action]
    hook = organizer.webhooks.create(enabled=True, target_url="http://127.0.0.1:1/", all_events=True)
    for action in actions:
        hook.listeners.create(action_type=action)
    told = []
    monkeypatch.setattr(
        "pretix_offlinesales.host.webhooks.notify_webhooks.apply_async", lambda args, **kwargs: told.extend(args[0])
    )
    declare(batch, "1-2")
    undo(batch, "1-2")
    entries = batch.all_logentries().filter(action_type__in=actions).order_by("pk")
    assert told == [entry.pk for entry in entries]
    assert [entry.action_type for entry in entries] == actions


# What is stated does not change hands:


def test_what_is_on_a_statement_can_not_be_handed_over(make_batch, kiosk):
    """Though its loss, for which it was stated, has been undone."""
    batch = make_batch(amount=2)
    handed_over(batch, kiosk, "1-2")
    deal_with(batch, "1", REPORT_LOST)
    state(batch.tickets.get(number=1))
    deal_with(batch, "1", UNDO_LOST)
    assert states(batch) == ["held", "held"]
    with pytest.raises(NotHandedOver, match="on a statement") as refused:
        handed_over(batch, None, "1-2")
    assert [(choice.value, reason) for choice, reason in refused.value.refused] == [("1", "stated")]


# Whoever pays has bought it:


def test_paid_on_consignment_is_sold_and_settled(make_batch, kiosk):
    batch = make_batch(amount=3, consignment=True)
    handed_over(batch, kiosk, "1-2")
    order = pay_directly(orders(batch)[0])
    assert (order.status, states(batch)) == ("p", ["settled", "held", "stock"])
    ticket = batch.tickets.get(number=1)
    assert now() - timedelta(minutes=1) < ticket.sold <= now()
    assert said(order) == ["The order has been paid, so the ticket counts as sold."]
    assert undo(batch, "1")[1] == [(order.code, "1", "settled")]
    assert declare(batch, "1")[1] == [(order.code, "1", "settled")]


def test_when_it_was_sold_is_not_changed_by_the_payment(make_batch):
    batch = make_batch(amount=1, consignment=True)
    declare(batch, "1")
    sold = batch.tickets.get().sold
    order = pay_directly(orders(batch)[0])
    assert (batch.tickets.get().sold, len(said(order))) == (sold, 1)


def test_who_pays_for_lost_paper_has_not_bought_it(make_batch):
    batch = make_batch(amount=1, consignment=True)
    deal_with(batch, "1", REPORT_LOST)
    pay_directly(orders(batch)[0])
    assert (batch.tickets.get().sold, states(batch)) == (None, ["lost"])


def test_of_other_orders_nothing_is_asked_when_they_are_paid(make_batch, event, item, django_assert_num_queries):
    from pretix_offlinesales.settling.sold import note_payment

    [order] = orders(make_batch(amount=1))
    order = Order.objects.get(pk=order.pk)
    with django_assert_num_queries(0):
        note_payment(order)
    assert said(order) == []


# What the host does beside us:


def test_a_canceled_event_takes_sales_back(event, make_batch, kiosk):
    batch = make_batch(amount=3, consignment=True)
    handed_over(batch, kiosk, "1-2")
    declare(batch, "1, 3")
    assert accounts([kiosk])[kiosk.pk].owed == 23
    cancel_event(
        event.pk,
        subevent=None,
        auto_refund=True,
        keep_fee_fixed="0.00",
        keep_fee_percentage="0.00",
        keep_fee_per_ticket="0.00",
        send=False,
        send_subject={},
        send_message={},
        send_waitinglist=False,
        send_waitinglist_subject={},
        send_waitinglist_message={},
        user=None,
    )
    assert states(batch) == ["canceled"] * 3
    assert (accounts([kiosk])[kiosk.pk].sold, accounts([kiosk])[kiosk.pk].owed) == (Tally(), 0)
    assert declare(batch, "1-3")[0] == []


def test_what_was_sold_is_sold_again_when_its_return_is_undone(make_batch, kiosk):
    batch = make_batch(amount=2)
    handed_over(batch, kiosk, "1-2")
    declare(batch, "1")
    deal_with(batch, "1-2", RETURN)
    assert (states(batch), accounts([kiosk])[kiosk.pk].sold) == (["returned", "returned"], Tally())
    deal_with(batch, "1-2", UNDO_RETURN)
    assert (states(batch), accounts([kiosk])[kiosk.pk].sold) == (["sold", "held"], Tally(1, 23))
    assert history(orders(batch)[0])
