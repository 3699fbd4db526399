"""
Paper that is lost or stolen: its tickets are blocked as the host itself blocks a position, thousands at once, and stay
in the books.

The host is the oracle: it blocks the positions of an order of the same batch by itself, by our block's name.
"""

import logging
from decimal import Decimal
from importlib import import_module

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from freezegun import freeze_time
from pretix.base.models import CachedTicket, Checkin, Order
from pretix.base.models.orders import BlockedTicketSecret
from pretix.base.services.checkin import CheckInError, perform_checkin
from pretix.base.services.orders import OrderChangeManager, cancel_order, reactivate_order
from pretix.base.signals import order_changed

from pretix_offlinesales.after_sale import attempt, kind as after_sale
from pretix_offlinesales.jobs import runner
from pretix_offlinesales.jobs.registry import checkpoint_of
from pretix_offlinesales.kinds import REPLACE, REPORT_LOST, UNDO_LOST
from tests.support.jobs import done, run, skipped
from tests.support.oracle import balance, picture
from tests.support.receiving import receiving_server
from tests.support.returning import (
    OF_EACH_TICKET,
    actions,
    asked,
    codes,
    dealt_with,
    details,
    orders,
    position,
    returned,
    secrets,
    undone,
)
from tests.support.sold import KINDS, LEFT_ALONE, bundle
from tests.support.workers import Killed, Other, die

lost = import_module("pretix_offlinesales.returning.lost")

pytestmark = pytest.mark.django_db

BLOCK = "offlinesales:lost"


def report(batch, selection=None, **values):
    """What becomes of the tickets that are reported lost, as those who asked are told."""
    return returned(batch, selection, job_kind=REPORT_LOST, **values)


def found(batch, selection=None, **values):
    """The same, where that is undone."""
    return returned(batch, selection, job_kind=UNDO_LOST, **values)


def again(order):
    """As the database has it."""
    return Order.objects.get(pk=order.pk)


def change_as_the_host(order, how, name=BLOCK, user=None):
    """``how``: ``add_block`` or ``remove_block``"""
    manager = OrderChangeManager(again(order), user=user, notify=False, reissue_invoice=False)
    for each in order.positions.order_by("pk"):
        getattr(manager, how)(each, name)
    manager.commit()


def blocks(order):
    return [each.blocked for each in order.all_positions.order_by("pk")]


def listed(order):
    """Which codes of an order scanners carry with them as blocked, or blocked before: its present ones, or others."""
    present = {each.secret for each in order.all_positions.all()}
    rows = BlockedTicketSecret.objects.filter(position__order=order).order_by("position", "pk")
    return [(row.secret in present, row.blocked, row.updated, row.event_id) for row in rows]


# As the host does it


def compare(batch, user, ours, how):
    first, second, third = orders(batch)
    with freeze_time("2027-05-01 12:00:00"):
        assert ours(batch, {"tickets": "1-2"}, user=user) == (codes(batch)[:2], [])
        change_as_the_host(third, how, user=user)
    pictures = [picture(order, OF_EACH_TICKET) for order in orders(batch)]
    assert pictures == [pictures[2]] * 3
    assert [details(order) for order in (first, second)] == [_of(third, order) for order in (first, second)]
    assert [who_wrote(order) for order in (first, second)] == [who_wrote(third)] * 2
    assert [listed(order) for order in (first, second)] == [listed(third)] * 2
    assert [balance(order) for order in orders(batch)] == [balance(third)] * 3


def _of(theirs, order):
    """What the history of their order says, with the positions of ours."""
    ids = [(each.pk, theirs.all_positions.get(positionid=each.positionid).pk) for each in order.all_positions.all()]
    said = []
    for action, text, event, organizer in details(theirs):
        for ours, their in ids:
            text = text.replace(f'"position": {their},', f'"position": {ours},')
        said.append((action, text, event, organizer))
    return sorted(said)


def who_wrote(order):
    entries = order.all_logentries().exclude(action_type__startswith="pretix_offlinesales")
    return sorted((entry.action_type, entry.user_id or 0, entry.webhook_type is None) for entry in entries)


@pytest.mark.parametrize("name", [name for name in KINDS if "gift_card" not in name])
def test_equals_the_hosts_own_block_and_its_end(name, event, item, quota, user, make_batch):
    batch = make_batch(**(KINDS[name](event, item) or {}))
    before = [balance(order) for order in orders(batch)]
    compare(batch, user, report, "add_block")
    assert {tuple(map(tuple, blocks(order))) for order in orders(batch)} == {
        ((BLOCK,),) * orders(batch)[0].positions.count()
    }
    assert [balance(order) for order in orders(batch)] == before
    compare(batch, user, found, "remove_block")
    assert {each for order in orders(batch) for each in map(str, blocks(order))} == {"None"}
    assert list(batch.tickets.values_list("lost", flat=True)) == [None] * 3


def block_all(batch, name):
    with freeze_time("2027-04-01 12:00:00"):
        for order in orders(batch):
            change_as_the_host(order, "add_block", name)


@pytest.mark.parametrize("earlier", ["admin", "api:chip"])
def test_what_others_have_blocked_stays_blocked(make_batch, earlier, user):
    """Whatever was first, and whoever ends it first."""
    batch = make_batch(amount=3)
    block_all(batch, earlier)
    compare(batch, user, report, "add_block")
    assert [blocks(order) for order in orders(batch)] == [[[earlier, BLOCK]]] * 3
    block_all(batch, "later")
    compare(batch, user, found, "remove_block")
    assert [blocks(order) for order in orders(batch)] == [[[earlier, "later"]]] * 3
    assert [row[:2] for order in orders(batch) for row in listed(order)] == [(True, True)] * 3

    report(batch)
    for order in orders(batch):
        change_as_the_host(order, "remove_block", earlier)
        change_as_the_host(order, "remove_block", "later")
    assert [blocks(order) for order in orders(batch)] == [[[BLOCK]]] * 3


def test_reported_and_undone_again_and_again(make_batch):
    batch = make_batch(amount=2)
    for _turn in range(3):
        assert report(batch) == (codes(batch), [])
        assert report(batch) == ([], [])
        assert found(batch) == (codes(batch), [])
        assert found(batch) == ([], [])
    assert [row[:2] for order in orders(batch) for row in listed(order)] == [(True, False)] * 2
    changes = [action for action in actions(orders(batch)[0]) if "block" in action or ".order.lost" in action]
    assert changes == 3 * [
        "pretix.event.order.changed.add_block",
        "pretix_offlinesales.order.lost",
        "pretix.event.order.changed.remove_block",
    ]


def test_files_that_were_drawn_for_the_order_are_forgotten(make_batch):
    batch = make_batch(amount=2)
    for order in orders(batch):
        CachedTicket.objects.create(order_position=position(order), provider="pdf", type="x", extension="pdf")
    report(batch, {"tickets": "1"})
    assert [each.order_position.order for each in CachedTicket.objects.all()] == orders(batch)[1:]


def test_the_place_stays_taken_and_the_books_do_not_change(quota, make_batch):
    batch = make_batch(amount=3)
    left = quota.availability()
    books = [picture(order, {"last_modified"}) for order in orders(batch)]
    report(batch)
    assert quota.availability() == left
    for order, before in zip(orders(batch), books, strict=True):
        after = picture(order, {"last_modified"})
        for each in after["positions"]:
            each["blocked"] = None
        assert after == before


# At the door


@pytest.mark.parametrize("generator", ["random", "pretix_sig1"])
def test_lost_paper_is_refused_until_it_is_found(event, make_batch, gate, api, generator):
    event.settings.ticket_secret_generator = generator
    batch = make_batch(amount=2)
    [order, _other] = orders(batch)
    report(batch, {"tickets": "1"})
    with pytest.raises(CheckInError) as refused:
        perform_checkin(position(order), gate, {})
    assert refused.value.code == "blocked"
    url = f"/api/v1/organizers/{event.organizer.slug}/checkinrpc/redeem/"
    answer = api.post(url, {"secret": position(order).secret, "lists": [gate.pk]}, format="json")
    assert (answer.status_code, answer.data["status"], answer.data["reason"]) == (400, "error", "blocked")
    assert position(order).blocked_reasons == {BLOCK: "Reported lost or stolen"}
    found(batch)
    perform_checkin(position(order), gate, {})
    assert position(order).checkins.count() == 1


@pytest.fixture
def blocked_codes(event, api):
    """What the host's scanners are told: ``blocked_codes(since)``, by code whether it is blocked."""

    def blocked_codes(since=None):
        url = f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/blockedsecrets/"
        answer = api.get(url, {"updated_since": since.isoformat()} if since else {})
        assert answer.data["next"] is None
        return {row["secret"]: row["blocked"] for row in answer.data["results"]}

    return blocked_codes


@pytest.mark.parametrize("generator", ["random", "pretix_sig1"])
def test_scanners_are_told_which_codes_are_blocked(event, item, quota, make_batch, blocked_codes, generator):
    event.settings.ticket_secret_generator = generator
    bundle(event, item)
    batch = make_batch(amount=2)
    first, second = ([each.secret for each in order.positions.all()] for order in orders(batch))
    assert blocked_codes() == {}
    report(batch, {"tickets": "1"})
    assert blocked_codes() == dict.fromkeys(first, True)
    since = now()
    report(batch, {"tickets": "2"})
    assert blocked_codes(since) == dict.fromkeys(second, True)
    since = now()
    found(batch, {"tickets": "1"})
    assert blocked_codes(since) == dict.fromkeys(first, False)
    assert blocked_codes() == dict.fromkeys(first, False) | dict.fromkeys(second, True)


@pytest.mark.parametrize("turn", [report, found])
def test_scanners_hear_of_it_after_it_could_be_seen(make_batch, monkeypatch, turn):
    batch = make_batch()
    if turn == found:
        report(batch)
    with freeze_time("2027-05-01 12:00:00") as clock:
        log = lost._log

        def take_a_while(*args):
            clock.tick(10)
            return log(*args)

        monkeypatch.setattr(lost, "_log", take_a_while)
        turn(batch)
    assert {order.last_modified.isoformat() for order in orders(batch)} == {"2027-05-01T12:00:10+00:00"}
    rows = BlockedTicketSecret.objects.values_list("updated", flat=True)
    assert {row.isoformat() for row in rows} == {"2027-05-01T12:00:10+00:00"}


@pytest.mark.django_db(transaction=True)
def test_who_is_scanned_while_the_ticket_is_being_reported_is_not_let_in(on_postgresql, make_batch, gate, monkeypatch):
    batch = make_batch(amount=2)
    [order, _other] = orders(batch)
    block, scans = lost.block, []

    def block_while_scanned(*args):
        scans.append(Other(lambda: perform_checkin(position(order), gate, {})))
        assert scans[0].waits_for_a_lock()
        return block(*args)

    monkeypatch.setattr(lost, "block", block_while_scanned)
    assert report(batch) == (codes(batch), [])
    scans[0].join()
    assert isinstance(scans[0].result, CheckInError)
    assert (scans[0].result.code, Checkin.objects.count()) == ("blocked", 0)


@pytest.mark.django_db(transaction=True)
def test_whose_check_in_comes_first_is_in_and_the_ticket_is_left_alone(on_postgresql, make_batch, gate):
    batch = make_batch(amount=2)
    [order, other] = orders(batch)
    with transaction.atomic():
        perform_checkin(position(order), gate, {})
        reported = Other(lambda: report(batch))
        assert reported.waits_for_a_lock()
    reported.join()
    assert reported.result == ([other.code], [(order.code, "1", "checked_in")])


@pytest.mark.django_db(transaction=True)
def test_a_block_that_the_host_sets_at_the_same_time_is_not_lost(on_postgresql, make_batch, monkeypatch):
    monkeypatch.setattr(attempt, "BACK_OFF", (0.05,) * 100)
    batch = make_batch(amount=2)
    [order, _other] = orders(batch)
    with transaction.atomic():
        change_as_the_host(order, "add_block", "admin")
        reported = Other(lambda: report(batch))
        assert reported.waits_for_a_lock()
    reported.join()
    assert reported.result == (codes(batch), [])
    assert [blocks(order) for order in orders(batch)] == [[["admin", BLOCK]], [[BLOCK]]]


def test_a_scan_that_was_made_offline_is_recorded_as_the_host_records_it(make_batch, gate):
    batch = make_batch(amount=1)
    report(batch)
    perform_checkin(position(orders(batch)[0]), gate, {}, force=True)
    assert position(orders(batch)[0]).checkins.count() == 1


# What can't be


#: What may have happened to an order, and whether its paper can be reported lost.
REASONS = {
    "check_in": "checked_in",
    "cancel_plainly": "already_canceled",
    "cancel_with_fee": "already_canceled",
    "cancel_position": "changed",
}


@pytest.mark.parametrize("happens", LEFT_ALONE, ids=lambda happens: happens.__name__)
def test_what_happened_to_the_order_before(happens, gate, make_batch):
    batch = make_batch(amount=2)
    happens(orders(batch)[1], gate)
    before = picture(orders(batch)[1], {"last_modified"})
    reason = REASONS.get(happens.__name__)
    answer = (codes(batch), []) if not reason else (codes(batch)[:1], [(codes(batch)[1], "2", reason)])
    assert report(batch, {"tickets": "1-2"}, dry_run=True) == answer
    assert blocks(orders(batch)[0]) == [None]
    assert report(batch, {"tickets": "1-2"}) == answer
    if reason:
        assert picture(orders(batch)[1], {"last_modified"}) == before


def test_what_was_reported_or_returned_already_is_named(make_batch):
    batch = make_batch(amount=3)
    report(batch, {"tickets": "1"})
    returned(batch, {"tickets": "2"})
    first, second, third = codes(batch)
    before = again(orders(batch)[0]).offline_sales_ticket.lost
    answer = ([third], [(first, "1", "already_lost"), (second, "2", "already_canceled"), (None, "4", "unknown")])
    assert report(batch, {"tickets": "1-4"}) == answer
    assert again(orders(batch)[0]).offline_sales_ticket.lost == before


@pytest.mark.parametrize("name", ["gift_card", "bundled_gift_card"])
def test_the_code_of_a_gift_card_could_be_spent_all_the_same(event, item, quota, make_batch, name):
    KINDS[name](event, item)
    batch = make_batch(amount=1)
    assert report(batch, {"tickets": "1"}) == ([], [(codes(batch)[0], "1", "gift_card")])


def split_the_ticket_off(order):
    manager = OrderChangeManager(again(order), notify=False)
    manager.split(position(order))
    manager.commit()


def test_what_is_left_of_an_order_without_its_ticket_is_not_reported(event, item, quota, make_batch):
    batch = make_batch(amount=1)
    manager = OrderChangeManager(again(orders(batch)[0]), notify=False)
    manager.add_position(item, None, item.default_price)
    manager.commit()
    split_the_ticket_off(orders(batch)[0])
    assert report(batch, {"tickets": "1"}) == ([], [(codes(batch)[0], "1", "changed")])


@pytest.mark.parametrize("others", [[], ["admin"]])
def test_what_is_split_off_has_a_new_code_which_was_not_lost(event, item, quota, make_batch, gate, others):
    bundle(event, item)
    batch = make_batch(amount=1)
    [order] = orders(batch)
    report(batch)
    for name in others:
        change_as_the_host(order, "add_block", name)
    manager = OrderChangeManager(again(order), notify=False)
    drink, left = order.positions.filter(addon_to__isnull=False)
    manager.cancel(left)
    manager.split(drink)
    manager.commit()
    split_off = event.orders.get(offline_sales_ticket=None)
    assert (blocks(split_off), blocks(order)) == ([others or None], [[BLOCK, *others]] * 2)
    assert (actions(split_off).count("pretix.event.order.changed.remove_block"), found(batch)[0]) == (1, codes(batch))
    assert [each.blocked for each in order.positions.all()] == [others or None]


def test_what_was_canceled_for_a_fee_since_is_not_undone(make_batch):
    """Nothing is left of the order that could be good again."""
    batch = make_batch(amount=1)
    report(batch)
    cancel_order(again(orders(batch)[0]), cancellation_fee=Decimal("5.00"))
    answer = ([], [(codes(batch)[0], "1", "already_canceled")])
    assert found(batch, {"tickets": "1"}, dry_run=True) == answer
    assert found(batch, {"tickets": "1"}) == answer


def test_what_was_not_reported_is_not_undone(make_batch):
    batch = make_batch(amount=3)
    report(batch, {"tickets": "1, 3"})
    returned(batch, {"tickets": "3"}, kind="lost")
    first, second, third = codes(batch)
    answer = ([first], [(second, "2", "not_lost"), (third, "3", "already_canceled"), (None, "4", "unknown")])
    assert found(batch, {"tickets": "1-4"}, dry_run=True) == answer
    assert found(batch, {"tickets": "1-4"}) == answer
    assert [blocks(order) for order in orders(batch)] == [[None], [None], [[BLOCK]]]


# Lost and returned


@pytest.mark.parametrize("kind", ["lost", "unsold", "damaged"])
def test_what_is_returned_is_as_lost_as_before_when_that_is_undone(make_batch, kind):
    """Each is undone by itself, in the opposite order, and nobody is let in on the way."""
    batch = make_batch(amount=2)
    report(batch, {"tickets": "1"})
    reported = [ticket.lost for ticket in batch.tickets.order_by("number")]
    assert returned(batch, {"tickets": "1"}, kind=kind) == (codes(batch)[:1], [])
    [order, _other] = orders(batch)
    assert (again(order).status, blocks(order), again(order).payment_refund_sum) == ("c", [[BLOCK]], 0)
    assert undone(batch.event, batch, number=1) == (codes(batch)[:1], {})
    assert [ticket.lost for ticket in batch.tickets.order_by("number")] == reported
    assert (again(order).status, blocks(order), again(order).pending_sum) == ("p", [[BLOCK]], 0)
    assert found(batch) == (codes(batch)[:1], [])
    assert (again(order).status, blocks(order)) == ("p", [None])


def test_all_that_are_still_out_are_without_those_that_are_lost(make_batch):
    batch = make_batch(amount=3)
    report(batch, {"tickets": "2"})
    assert returned(batch) == ([codes(batch)[0], codes(batch)[2]], [])
    assert [order.status for order in orders(batch)] == ["c", "p", "c"]


def test_what_the_host_makes_valid_again_is_still_lost(make_batch, gate):
    batch = make_batch(amount=1)
    report(batch)
    [order] = orders(batch)
    returned(batch, {"tickets": "1"}, kind="lost")
    reactivate_order(again(order), force=True)
    with pytest.raises(CheckInError) as refused:
        perform_checkin(position(order), gate, {})
    assert refused.value.code == "blocked"
    assert found(batch) == (codes(batch), [])


# Blocked and replaced


def replaced(batch, **numbers):
    return dealt_with(REPLACE, batch, **numbers)


def test_lost_paper_gets_no_new_code(make_batch):
    batch = make_batch(amount=2)
    report(batch, {"tickets": "1"})
    before = secrets(orders(batch)[0])
    first, second = codes(batch)
    assert replaced(batch) == ([second], {first: "lost"})
    assert secrets(orders(batch)[0]) == before
    found(batch)
    assert replaced(batch, number=1) == ([first], {})


@pytest.mark.parametrize("name", ["admin", "api:chip"])
@pytest.mark.parametrize("generator", ["random", "pretix_sig1"])
def test_what_is_blocked_stays_blocked_with_its_new_code(
    event, item, quota, make_batch, gate, blocked_codes, name, generator
):
    event.settings.ticket_secret_generator = generator
    bundle(event, item)
    batch = make_batch(amount=2)
    [order, _other] = orders(batch)
    change_as_the_host(order, "add_block", name)
    old, since = [each.secret for each in order.positions.all()], now()
    assert replaced(batch) == (codes(batch), {})
    new = [each.secret for each in order.positions.all()]
    assert set(old).isdisjoint(new)
    told = blocked_codes(since)
    assert {code: told.get(code) for code in new} == dict.fromkeys(new, True)
    assert blocked_codes() == dict.fromkeys([*old, *new], True)
    assert blocks(order) == [[name]] * 3
    with pytest.raises(CheckInError) as refused:
        perform_checkin(position(order), gate, {})
    assert refused.value.code == "blocked"

    since = now()
    change_as_the_host(order, "remove_block", name)
    assert blocked_codes(since) == dict.fromkeys(new, False)
    perform_checkin(position(order), gate, {})


@pytest.mark.parametrize("name", ["admin", "api:chip"])
def test_what_is_blocked_and_returned_is_blocked_when_the_host_makes_it_valid_again(
    event, make_batch, blocked_codes, name
):
    """With signed codes, a return gives a new one, and takes the old one for dead."""
    event.settings.ticket_secret_generator = "pretix_sig1"
    batch = make_batch(amount=1)
    [order] = orders(batch)
    old = position(order).secret
    change_as_the_host(order, "add_block", name)
    returned(batch)
    reactivate_order(again(order), force=True)
    assert position(order).secret != old
    assert blocked_codes() == {old: True, position(order).secret: True}


# For many at once, each once


@pytest.fixture
def heard(settings):
    """What other plugins hear, the host's own way or ours."""
    settings.CORE_MODULES = {*settings.CORE_MODULES, "tests"}  # or they would be switched off
    heard = []

    def on_changed(sender, order, **kwargs):
        heard.append((order.code, blocks(order)))

    order_changed.connect(on_changed)
    yield heard
    order_changed.disconnect(on_changed)


def test_others_hear_of_each_order_what_the_host_tells_them(make_batch, heard):
    batch = make_batch(amount=2)
    report(batch)
    assert heard == [(code, [[BLOCK]]) for code in codes(batch)]
    heard.clear()
    found(batch)
    assert heard == [(code, [None]) for code in codes(batch)]


def test_what_was_undone_before_others_heard_of_it_is_not_told(make_batch, heard, monkeypatch):
    batch = make_batch(amount=2)
    announce = attempt.announce

    def undo_first(kind, job, dealt_with):
        if kind == REPORT_LOST and dealt_with and not checkpoint_of(job).announced:
            found(batch, {"tickets": "1"})
            heard.clear()
        announce(kind, job, dealt_with)

    monkeypatch.setattr(attempt, "announce", undo_first)
    report(batch)
    assert heard == [(codes(batch)[1], [[BLOCK]])]


def test_another_plugin_that_chokes_is_logged_and_holds_nobody_up(make_batch, heard, caplog):
    batch = make_batch(amount=2)

    def broken(sender, order, **kwargs):
        raise ValueError("broken plugin")

    order_changed.connect(broken)
    try:
        with caplog.at_level(logging.ERROR):
            assert report(batch) == (codes(batch), [])
    finally:
        order_changed.disconnect(broken)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [str(record.exc_info[1]) for record in errors] == ["broken plugin"] * 2


def test_nobody_gets_a_mail_but_webhooks_are_sent(event, user, team, make_batch, mailoutbox, settings, worker):
    settings.ALLOW_HTTP_TO_PRIVATE_NETWORKS = True
    told = ["pretix.event.order.changed.*", "pretix_offlinesales.batch.lost", "pretix_offlinesales.batch.undone.lost"]
    user.notification_settings.create(
        action_type="pretix.event.order.changed.*", event=None, method="mail", enabled=True
    )
    batch = make_batch(amount=2)
    with receiving_server() as (url, received):
        webhook = event.organizer.webhooks.create(target_url=url, enabled=True, all_events=True)
        for action in told:
            webhook.listeners.create(action_type=action)
        with worker():
            report(batch)
            found(batch)
    heard = [(call["action"], call.get("code", call.get("batch"))) for call in received]
    blocked, lost, unblocked, undone = heard[:2], heard[2], heard[3:5], heard[5:]
    assert sorted(blocked) == [("pretix.event.order.changed.add_block", code) for code in sorted(codes(batch))]
    assert lost == ("pretix_offlinesales.batch.lost", batch.pk)
    assert sorted(unblocked) == [("pretix.event.order.changed.remove_block", code) for code in sorted(codes(batch))]
    assert undone == [("pretix_offlinesales.batch.undone.lost", batch.pk)]
    assert mailoutbox == []


def test_the_histories_say_it(make_batch, user):
    batch = make_batch(amount=2)
    report(batch, user=user)
    found(batch, {"tickets": "1"}, user=user)
    entries = [*orders(batch)[0].all_logentries()[:4], *batch.all_logentries()[:2]]
    assert [(entry.display().partition(" <a")[0], entry.user) for entry in entries] == [
        ("The ticket is not reported lost any more.", user),
        ("The order has been changed: A block has been removed for position #1.", user),
        ("The ticket has been reported lost or stolen.", user),
        ("The order has been changed: A block has been added for position #1.", user),
        ("1 ticket is not reported lost any more.", user),
        ("2 tickets have been reported lost or stolen.", user),
    ]


@pytest.mark.parametrize("what", [REPORT_LOST, UNDO_LOST], ids=lambda kind: kind.identifier)
def test_an_interrupted_job_does_each_ticket_once(make_batch, monkeypatch, what):
    batch = make_batch(amount=5)
    if what == UNDO_LOST:
        report(batch)
    monkeypatch.setattr(after_sale, "CHUNK", 2)
    fetch, calls = attempt.fetch, []

    def fetch_twice(*args, **kwargs):
        calls.append(args)
        if len(calls) == 2:
            raise Killed
        return fetch(*args, **kwargs)

    monkeypatch.setattr(attempt, "fetch", fetch_twice)
    job = asked(batch, job_kind=what)
    assert die(job) == "waiting"
    assert (done(job), runner.cancel(job)) == (codes(batch)[:2], False)
    run(job)
    assert (job.state, done(job), skipped(job)) == ("succeeded", codes(batch), [])
    action = {REPORT_LOST: "add_block", UNDO_LOST: "remove_block"}[what]
    written = [actions(order).count(f"pretix.event.order.changed.{action}") for order in orders(batch)]
    assert written == [1] * 5
    entry = batch.all_logentries().first()
    assert (entry.action_type, entry.parsed_data["amount"]) == (what.action, 5)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["plain", "bundle", "signed_bundle"])
@pytest.mark.parametrize("turn", [REPORT_LOST, UNDO_LOST, REPLACE], ids=lambda kind: kind.identifier)
def test_queries_do_not_grow_with_the_amount(name, event, item, quota, make_batch, turn):
    KINDS[name](event, item)

    def queries(amount):
        batch = make_batch(amount=amount)
        if turn == UNDO_LOST:
            report(batch)
        if turn == REPLACE:
            for order in orders(batch):
                change_as_the_host(order, "add_block", "admin")
        job = asked(batch, job_kind=turn)
        with CaptureQueriesContext(connection) as captured:
            run(job)
        assert done(job) == codes(batch)
        return [query["sql"] for query in captured if query["sql"] not in ("BEGIN", "COMMIT")]

    queries(1)  # fills caches
    few, many = queries(2), queries(12)
    assert len(many) == len(few), many
