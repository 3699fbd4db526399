"""Tickets go from hand to hand."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from django.utils.translation import override
from i18nfield.strings import LazyI18nString
from pretix.base.models import LogEntry, Organizer

from pretix_offlinesales.documents.notes import Note
from pretix_offlinesales.kinds import REPLACE, REPORT_LOST, UNDO_RETURN
from pretix_offlinesales.models import Document, Movement, OfflineSalesTicket
from pretix_offlinesales.sellers.handing_over import NotHandedOver, hand_over, look
from pretix_offlinesales.tickets.selection import By, Selection, choose
from tests.support.after_sale import deal_with, report_lost, take_back
from tests.support.door import check_in
from tests.support.sellers import NOBODY, handed_over, held, make_seller

pytestmark = pytest.mark.django_db


def ledger():
    columns = ("document__kind", "document__number", "document__source__name", "document__target__name", "numbers")
    return list(Movement.objects.values_list(*columns))


def refused(batch, seller, numbers):
    """By which field, and each ticket with its reason; nothing is handed over."""
    before = Document.objects.count()
    with pytest.raises(NotHandedOver) as caught:
        handed_over(batch, seller, numbers)
    assert Document.objects.count() == before
    return caught.value.field, str(caught.value), [(choice.value, reason) for choice, reason in caught.value.refused]


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer)


@pytest.fixture
def office(organizer):
    return make_seller(organizer, "Tourist office")


def test_delivery_transfer_and_taking_back(kiosk, office, make_batch):
    batch = make_batch(amount=10)
    delivery = handed_over(batch, kiosk, "1-6, 8")
    assert (delivery.count, delivery.value, delivery.currency) == (7, Decimal("161.00"), "EUR")
    handed_over(batch, office, "2-3")
    handed_over(batch, None, "8")
    assert held(kiosk, batch) == [1, 4, 5, 6]
    assert held(office, batch) == [2, 3]
    assert held(None, batch) == [7, 8, 9, 10]
    assert ledger() == [
        ("delivery", 1, None, "Kiosk", [[1, 6], [8, 8]]),
        ("transfer", 1, "Kiosk", "Tourist office", [[2, 3]]),
        ("take_back", 1, "Kiosk", None, [[8, 8]]),
    ]
    by = dict(batch.tickets.values_list("number", "document__kind"))
    assert (by[1], by[2], by[8]) == ("delivery", "transfer", None)


def test_what_is_not_at_one_place_is_not_handed_over_at_all(kiosk, office, make_batch):
    batch = make_batch(amount=5)
    handed_over(batch, kiosk, "2-3")
    assert refused(batch, office, "1-5, 9") == (
        "tickets",
        f"Some of these tickets cannot be handed over: #{batch.pk}: 2–3 (somewhere else); 9 (unknown)",
        [("2", "held_elsewhere"), ("3", "held_elsewhere"), ("9", "unknown")],
    )
    assert held(office, batch) == []


def test_each_ticket_that_can_not_change_hands_says_why(event, kiosk, office, make_batch):
    batch = make_batch(amount=6)
    handed_over(batch, kiosk, "6")
    take_back(batch, "1", "unsold")
    report_lost(batch, "2")
    check_in(batch.tickets.get(number=3).order)
    batch.tickets.filter(number=4).update(sold=now())
    reasons = ["already_canceled", "lost", "checked_in", "sold", "held_elsewhere"]
    assert [reason for _value, reason in refused(batch, office, "1-6")[2]] == [*reasons[:4], "held_elsewhere"]
    assert refused(batch, kiosk, "6")[2] == [("6", "already_there")]
    assert refused(make_batch(amount=1, testmode=True), kiosk, "1")[2] == [("1", "test_mode")]


def test_a_plan_says_what_would_happen_and_who_has_the_others(event, kiosk, office, make_batch):
    batch = make_batch(amount=5)
    handed_over(batch, kiosk, "4")
    plan = look(event, office, choose(event, batch, Selection.numbered("1-4")))
    assert (plan.kind, plan.source, plan.target, plan.total.count) == ("delivery", None, office, 3)
    assert [(group.batch, group.price, group.numbers) for group in plan.moved()] == [
        (batch, Decimal("23.00"), [1, 2, 3])
    ]
    [(choice, reason)] = plan.refused
    assert (choice.value, reason, plan.places) == ("4", "held_elsewhere", {choice.ticket.order_id: kiosk})


def test_what_is_named_twice_is_handed_over_once(event, kiosk, make_batch):
    batch = make_batch(amount=2)
    code = batch.tickets.get(number=1).order.code
    choices = choose(event, batch, Selection(By.EACH, ("1-2", code)))
    assert len(choices) == 3
    assert hand_over(event, kiosk, choices, NOBODY).count == 2


def test_nothing_is_not_handed_over(event, kiosk, make_batch):
    with pytest.raises(NotHandedOver, match="Please say which tickets are handed over"):
        hand_over(event, kiosk, [], NOBODY)


def test_what_is_gone_since_it_was_chosen_is_unknown(event, kiosk, make_batch):
    batch = make_batch(amount=2)
    choices = choose(event, batch, Selection.numbered("1-2"))
    OfflineSalesTicket.objects.filter(batch=batch, number=2).delete()
    with pytest.raises(NotHandedOver) as caught:
        hand_over(event, kiosk, choices, NOBODY)
    assert [(choice.value, reason) for choice, reason in caught.value.refused] == [("2", "unknown")]


def test_what_has_moved_since_it_was_shown_stays_there(event, kiosk, office, make_batch):
    """Who was shown a delivery from stock does not make a transfer of it."""
    batch = make_batch(amount=2)
    handed_over(batch, kiosk, "1-2")
    with pytest.raises(NotHandedOver) as caught:
        hand_over(event, office, choose(event, batch, Selection.numbered("1-2")), NOBODY, source=None)
    assert [reason for _choice, reason in caught.value.refused] == ["held_elsewhere"] * 2
    assert hand_over(event, office, choose(event, batch, Selection.numbered("1")), NOBODY, source=kiosk).count == 1


def test_whatever_becomes_of_a_ticket_it_stays_where_it_is(kiosk, make_batch):
    batch = make_batch(amount=4)
    handed_over(batch, kiosk, "1-3")
    take_back(batch, "1", "unsold")
    deal_with(batch, "1", UNDO_RETURN)
    deal_with(batch, "2", REPLACE)
    deal_with(batch, "3", REPORT_LOST)
    assert held(kiosk, batch) == [1, 2, 3]


# Whom tickets can be handed to:


def test_who_is_not_active_gets_nothing_but_gives_back(kiosk, make_batch):
    batch = make_batch(amount=3)
    handed_over(batch, kiosk, "1")
    kiosk.active = False
    kiosk.save()
    assert refused(batch, kiosk, "2") == ("seller", "This seller is not active.", [])
    assert handed_over(batch, None, "1").kind == "take_back"


def test_the_first_hand_over_says_in_which_currency_she_sells(organizer, kiosk, make_batch, event):
    batch = make_batch(amount=3)
    handed_over(batch, kiosk, "1")
    kiosk.refresh_from_db()
    assert (kiosk.currency, kiosk.last_movement) == ("EUR", Document.objects.get().created)
    batch.event.currency = "CHF"
    batch.event.save()
    field, message, _refused = refused(batch, kiosk, "2")
    assert (field, message) == (
        "seller",
        "This seller sells in EUR, and the tickets of this event are sold in CHF.",
    )


def test_nobody_gets_more_than_the_credit_limit_allows(kiosk, make_batch):
    kiosk.credit_limit = Decimal("46.00")
    kiosk.save()
    batch = make_batch(amount=4)
    handed_over(batch, kiosk, "1")
    assert refused(batch, kiosk, "2-3")[:2] == (
        "seller",
        "The seller would hold or owe €69.00, and the credit limit is €46.00.",
    )
    handed_over(batch, kiosk, "2")
    report_lost(batch, "2")
    assert refused(batch, kiosk, "3")[0] == "seller"  # owes what is lost
    take_back(batch, "1", "unsold")
    handed_over(batch, kiosk, "3")


def test_what_is_bought_is_sold_and_does_not_come_back(kiosk, office, make_batch):
    kiosk.firm = True
    kiosk.save()
    batch = make_batch(amount=3)
    document = handed_over(batch, kiosk, "1-2")
    assert set(batch.tickets.filter(seller=kiosk).values_list("sold", flat=True)) == {document.created}
    assert refused(batch, None, "1")[2] == [("1", "sold")]
    assert refused(batch, office, "2")[2] == [("2", "sold")]
    assert document.terms["firm"] is True


def test_nobody_hands_anything_over_to_another_organizers_seller(make_batch):
    other = make_seller(Organizer.objects.create(name="Theatre", slug="theatre"))
    assert refused(make_batch(amount=1), other, "1")[:2] == ("seller", "This seller does not exist any more.")


def test_a_seller_who_was_deleted_meanwhile_gets_nothing(kiosk, make_batch):
    batch = make_batch(amount=1)
    type(kiosk).objects.filter(pk=kiosk.pk).delete()
    assert refused(batch, kiosk, "1")[0] == "seller"


# What is written:


def test_the_terms_of_that_moment_are_kept(kiosk, item, make_batch):
    kiosk.commission_percent = 10
    kiosk.save()
    kiosk.product_commissions.create(item=item, commission_percent=5)
    document = handed_over(make_batch(amount=1), kiosk, "1")
    kiosk.product_commissions.all().delete()
    document.refresh_from_db()
    assert document.terms["rate"]["percent"] == "10.00"
    assert document.terms["rates"] == {str(item.pk): {"percent": "5.00", "fixed": "0.00"}}


def test_a_note_is_in_the_language_of_the_event(event, item, kiosk, make_batch):
    event.settings.locale = "en"
    item.name = LazyI18nString({"en": "Ticket", "de": "Karte"})
    item.save()
    batch = make_batch(amount=2)
    with override("de"):
        document = handed_over(batch, kiosk, "1-2", comment="for May")
    note = Note.from_json(document.snapshot)
    assert [(line.product, line.numbers, line.value) for line in note.lines] == [("Ticket", "1–2", Decimal("46.00"))]
    assert (note.target.name, note.source, note.comment) == ("Kiosk", None, "for May")


def test_the_histories_of_event_and_sellers_say_it(event, kiosk, office, user, make_batch):
    batch = make_batch(amount=3)
    handed_over(batch, kiosk, "1-3")
    choices = choose(event, batch, Selection.numbered("1"))
    document = hand_over(event, office, choices, NOBODY | {"user": user})
    entry = event.all_logentries().get(action_type="pretix_offlinesales.handed_over", user=user)
    assert entry.parsed_data == {
        "document": document.pk,
        "kind": "transfer",
        "number": 1,
        "amount": 1,
        "source": kiosk.pk,
        "target": office.pk,
    }
    assert entry.display() == "1 ticket has been handed over (Transfer note 1)."

    def history(seller):
        return [each.display() for each in LogEntry.objects.filter(object_id=seller.pk, event=None).order_by("pk")]

    assert history(kiosk) == [
        "3 tickets have been handed over to the seller (Delivery note 1).",
        "1 ticket has been taken from the seller (Transfer note 1).",
    ]
    assert history(office) == ["1 ticket has been handed over to the seller (Transfer note 1)."]


def test_numbers_count_by_kind_and_organizer_and_go_back_with_what_is_not_done(event, kiosk, make_batch):
    batch = make_batch(amount=4)
    handed_over(batch, kiosk, "1")
    refused(batch, kiosk, "1-2")
    numbers = [handed_over(batch, *values).number for values in ((kiosk, "2"), (None, "1"), (kiosk, "3"), (None, "2"))]
    assert numbers == [2, 1, 3, 2]


def test_the_ledger_is_never_changed(kiosk, make_batch):
    handed_over(make_batch(amount=1), kiosk, "1")
    with pytest.raises(TypeError):
        Movement.objects.get().save()


def test_many_tickets_take_as_many_queries_as_few(event, kiosk, make_batch):
    few, many = make_batch(amount=2), [make_batch(amount=20) for _ in range(3)]

    def queries(batches):
        lines = tuple(f"#{batch.pk}: 1-{batch.amount}" for batch in batches)
        choices = choose(event, None, Selection(By.LINES, lines))
        with CaptureQueriesContext(connection) as captured:
            hand_over(event, kiosk, choices, NOBODY)
        return len(captured)

    queries([make_batch(amount=1)])  # settings and types are known from here on
    assert queries([few]) == queries(many)
