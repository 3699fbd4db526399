"""Several decide over the same tickets at the same moment, on PostgreSQL: one after the other, and each ticket once."""

import pytest
from django.db import transaction
from django.utils.timezone import now
from pretix.base.models import Event, Order

from pretix_offlinesales.after_sale.kind import AfterSale
from pretix_offlinesales.kinds import REPLACE, REPORT_LOST, RETURN, UNDO_RETURN
from pretix_offlinesales.models import Document, Job, Movement, OfflineSalesTicket
from pretix_offlinesales.sellers import handing_over
from pretix_offlinesales.sellers.handing_over import NotHandedOver, hand_over
from pretix_offlinesales.tickets.locking import lock_tickets
from pretix_offlinesales.tickets.selection import Selection, choose
from tests.support.at_once import at_once, no_deadlock  # noqa: F401 - a fixture
from tests.support.jobs import done, run, skipped
from tests.support.sellers import NOBODY, handed_over, held, make_seller
from tests.support.workers import Other

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

ROUNDS, AMOUNT = 6, 30
ALL = list(range(1, AMOUNT + 1))


@pytest.fixture
def batch(issued, event, item, quota, layout):
    quota.size = None
    quota.save()
    return issued(event, item, amount=AMOUNT).batch


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer)


@pytest.fixture
def office(organizer):
    return make_seller(organizer, "Tourist office")


def giving(batch, target, numbers=f"1-{AMOUNT}", **values):
    """To hand these over; what is chosen is known before."""
    event = Event.objects.get(pk=batch.event_id)
    choices = choose(event, batch, Selection.numbered(numbers))
    return lambda: hand_over(event, target, choices, NOBODY, **values)


def doing(batch, kind: AfterSale, numbers=f"1-{AMOUNT}", **request):
    """A worker's job."""
    job = kind.ask(batch.event, Selection.numbered(numbers), NOBODY, batch, **request)
    return lambda: run(job)


def winner(results):
    """Who got them; the others are told which they did not get."""
    [document] = [result for result in results if isinstance(result, Document)]
    for refusal in results:
        if refusal is not document:
            assert isinstance(refusal, NotHandedOver), repr(refusal)
            assert [choice.ticket.number for choice, _reason in refusal.refused]
            assert "somewhere else" in str(refusal) or "already there" in str(refusal)
    return document


def test_of_several_who_deliver_the_same_tickets_one_gets_them(batch, organizer):
    sellers = [make_seller(organizer, name) for name in ("Kiosk", "Office", "Bookshop")]
    for number in range(1, ROUNDS + 1):
        document = winner(at_once(*(giving(batch, seller, source=None) for seller in sellers)))
        assert held(document.target, batch) == ALL
        assert document.number == number
        handed_over(batch, None, f"1-{AMOUNT}")


def test_who_wants_some_of_them_gets_all_of_these_or_none(batch, kiosk, office):
    for _round in range(ROUNDS):
        document = winner(
            at_once(giving(batch, kiosk, "1-20", source=None), giving(batch, office, "11-30", source=None))
        )
        assert held(document.target, batch) == (ALL[:20] if document.target == kiosk else ALL[10:])
        handed_over(batch, None, "1-20" if document.target == kiosk else "11-30")


def test_who_gives_to_each_other_does_not_wait_for_each_other(batch, kiosk, office):
    handed_over(batch, kiosk, "1-15")
    handed_over(batch, office, "16-30")
    for number in range(1, ROUNDS + 1):
        there, back = ("1-15", "16-30") if number % 2 else ("16-30", "1-15")
        results = at_once(giving(batch, office, there), giving(batch, kiosk, back))
        assert {result.kind for result in results} == {"transfer"}
        assert {result.number for result in results} == {2 * number - 1, 2 * number}
    assert (held(kiosk, batch), held(office, batch)) == (ALL[:15], ALL[15:])


def test_the_same_tickets_go_there_and_back_one_after_the_other(batch, kiosk, office):
    """Both have been shown what was so then; whoever is second is told that it is not so any more."""
    handed_over(batch, kiosk, f"1-{AMOUNT}")
    for _round in range(ROUNDS):
        results = at_once(giving(batch, office, source=kiosk), giving(batch, kiosk, source=office))
        there, back = (isinstance(result, Document) for result in results)
        assert there  # now or before the other
        assert (held(kiosk, batch), held(office, batch)) == ((ALL, []) if back else ([], ALL))
        if not back:
            handed_over(batch, kiosk, f"1-{AMOUNT}")


@pytest.mark.parametrize("kind", [RETURN, REPORT_LOST, REPLACE], ids=["return", "lost", "replace"])
def test_tickets_are_handed_over_before_or_after_what_else_is_done(issued, event, item, quota, kiosk, kind):
    """What comes back or is lost at first is not handed over; what is handed over at first is no less done with."""
    quota.size = None
    quota.save()
    for _round in range(ROUNDS):
        batch = issued(event, item, amount=AMOUNT).batch
        handed, job = at_once(giving(batch, kiosk), doing(batch, kind))
        assert (job.state, len(done(job)), skipped(job)) == ("succeeded", AMOUNT, [])
        if isinstance(handed, Document):
            assert held(kiosk, batch) == ALL
        else:
            assert kind is not REPLACE
            assert isinstance(handed, NotHandedOver), repr(handed)
            reason = {RETURN: "already_canceled", REPORT_LOST: "lost"}[kind]
            assert [each for _choice, each in handed.refused] == [reason] * AMOUNT
            assert held(None, batch) == ALL


def test_a_hand_over_goes_by_what_others_have_decided_meanwhile(batch, kiosk):
    with transaction.atomic():
        lock_tickets(batch.tickets.values_list("order", flat=True))
        other = Other(giving(batch, kiosk, source=None))
        assert other.waits_for_a_lock()
        batch.tickets.filter(number=7).update(sold=now())
    other.join()
    assert [(choice.value, reason) for choice, reason in other.result.refused] == [("7", "sold")]


@pytest.mark.parametrize(
    "kind, change, reason",
    [
        (REPLACE, {"lost": now()}, "lost"),
        (REPORT_LOST, {"lost": now()}, "already_lost"),
        (UNDO_RETURN, {"returned": None}, "not_returned"),
    ],
    ids=["replace", "lost", "undo"],
)
def test_a_job_goes_by_what_others_have_decided_meanwhile(batch, kind, change, reason):
    if kind is UNDO_RETURN:
        run(RETURN.ask(batch.event, Selection.numbered("7"), NOBODY, batch))
    work = doing(batch, kind, "7")
    with transaction.atomic():
        lock_tickets(batch.tickets.values_list("order", flat=True))
        other = Other(work)
        assert other.waits_for_a_lock()
        batch.tickets.filter(number=7).update(**change)
    other.join()
    assert [line["reason"] for line in skipped(other.result)] == [reason]


def test_all_of_it_at_once(batch, kiosk, office):
    """Whatever comes first, each ticket is at one place, and the ledger says where."""
    for _round in range(ROUNDS // 2):
        results = at_once(
            giving(batch, kiosk, "1-20"),
            giving(batch, office, "11-30"),
            doing(batch, RETURN, "5-15"),
            doing(batch, REPORT_LOST, "10-25"),
            doing(batch, REPLACE, "1-30"),
        )
        assert {type(result) for result in results} <= {Document, NotHandedOver, Job}
        assert places_by_ledger(batch) == dict(batch.tickets.values_list("number", "seller"))
        run(UNDO_RETURN.ask(batch.event, Selection.numbered("1-30"), NOBODY, batch))
        assert not Order.objects.filter(offline_sales_ticket__batch=batch, status="c").exists()
    numbers = list(Document.objects.filter(kind="delivery").order_by("pk").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def places_by_ledger(batch):
    places = dict.fromkeys(ALL)
    for movement in Movement.objects.filter(batch=batch).order_by("document__created", "pk").select_related("document"):
        for first, last in movement.numbers:
            places |= dict.fromkeys(range(first, last + 1), movement.document.target_id)
    return places


def test_numbers_have_no_gaps_when_others_fail_in_between(issued, event, item, quota, kiosk, monkeypatch):
    """Some fail after they have got a number."""
    quota.size = None
    quota.save()
    batches = [issued(event, item, amount=3).batch for _ in range(16)]
    doomed, log = {batch.pk for batch in batches[::3]}, handing_over._log

    def fail(document, *others):
        if document.movements.get().batch_id in doomed:
            raise ZeroDivisionError
        return log(document, *others)

    monkeypatch.setattr(handing_over, "_log", fail)
    results = at_once(*(giving(batch, kiosk, "1-3") for batch in batches))
    assert sum(isinstance(result, ZeroDivisionError) for result in results) == len(doomed)
    numbers = sorted(Document.objects.values_list("number", flat=True))
    assert numbers == list(range(1, len(batches) - len(doomed) + 1))
    assert OfflineSalesTicket.objects.filter(seller=kiosk).count() == 3 * len(numbers)
