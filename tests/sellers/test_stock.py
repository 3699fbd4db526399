"""Where tickets are, as ranges, and as what one sees of them."""

import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from pretix_offlinesales.models import OfflineSalesTicket
from pretix_offlinesales.sellers.history import movements_of
from pretix_offlinesales.sellers.stock import fill_in, lines, ranges
from pretix_offlinesales.tickets.state import State, state_of_ticket, with_state
from tests.support.after_sale import cancel, check_in, report_lost, take_back
from tests.support.sellers import handed_over, make_seller

pytestmark = pytest.mark.django_db


def found(*batches):
    """First and last number, state and seller of each range."""
    tickets = OfflineSalesTicket.objects.filter(batch__in=batches)
    return [(each.first, each.last, *each.place) for each in ranges(tickets)]


def test_neighbours_in_the_same_place_are_one_range(organizer, make_batch):
    batch = make_batch(amount=30)
    assert found(batch) == [(1, 30, State.STOCK, None)]
    kiosk, office = make_seller(organizer), make_seller(organizer, "Tourist office", firm=True)
    handed_over(batch, kiosk, "3-12")
    handed_over(batch, office, "13-14")
    tickets = {ticket.number: ticket for ticket in batch.tickets.all()}
    for number in (5, 14, 15):
        check_in(tickets[number])
    cancel(tickets[16])
    take_back(batch, "6-7, 20", "unsold")
    take_back(batch, "21", "damaged")
    report_lost(batch, "8, 22")
    tickets[28].delete()
    assert found(batch) == [
        (1, 2, State.STOCK, None),
        (3, 4, State.HELD, kiosk.pk),
        (5, 5, State.SOLD, kiosk.pk),
        (6, 7, State.RETURNED, kiosk.pk),
        (8, 8, State.LOST, kiosk.pk),
        (9, 12, State.HELD, kiosk.pk),
        (13, 14, State.SOLD, office.pk),
        (15, 15, State.SOLD, None),
        (16, 16, State.CANCELED, None),
        (17, 19, State.STOCK, None),
        (20, 21, State.RETURNED, None),
        (22, 22, State.LOST, None),
        (23, 27, State.STOCK, None),
        (29, 30, State.STOCK, None),
    ]


def test_they_say_of_each_ticket_what_is_said_of_it_elsewhere(organizer, make_batch):
    batches = [make_batch(amount=40), make_batch(amount=40, first_number=41)]
    sellers = [None, *(make_seller(organizer, name) for name in ("Kiosk", "Office"))]
    for ticket in OfflineSalesTicket.objects.filter(batch__in=batches):
        ticket.seller = random.choice(sellers)
        ticket.sold = random.choice((None, now())) if ticket.seller else None
        ticket.save()
        if random.random() < 0.2:
            check_in(ticket)
    tickets = OfflineSalesTicket.objects.filter(batch__in=batches)
    expected = [
        (each.batch_id, each.number, state_of_ticket(each), each.seller_id)
        for each in with_state(tickets).order_by("batch", "number")
    ]
    assert [
        (each.batch, number, *each.place) for each in ranges(tickets) for number in range(each.first, each.last + 1)
    ] == expected
    [line] = lines(batches)
    for most in (1, 7, 80):
        fill_in([line], most)
        assert sum(each.count for each in line.stretches) == 80
        assert sum(line.places.values()) == 80
        assert len(line.stretches) <= 2 * most + 1
        line.stretches = []


def test_what_can_not_be_told_apart_is_one_stretch(organizer, make_batch):
    batch = make_batch(amount=40)
    handed_over(batch, make_seller(organizer), "1, 3, 5, 7, 21-40")
    [line] = lines([batch])
    fill_in([line], 10)
    assert [(each.first[1], each.last[1], each.count, list(each.places.values())) for each in line.stretches] == [
        (1, 4, 4, [2, 2]),
        (5, 7, 3, [2, 1]),
        (8, 20, 13, [13]),
        (21, 40, 20, [20]),
    ]


def test_a_line_is_that_of_a_product_or_of_a_batch_whose_numbers_there_are_twice(event, quota, make_batch):
    other = event.items.create(name="Other", default_price=5)
    quota.items.add(other)
    second, first = make_batch(amount=3, first_number=11), make_batch(amount=3, first_number=1)
    twice = [make_batch(amount=2, item=other.pk), make_batch(amount=2, item=other.pk)]
    shown = [[batch.pk for batch in line.batches] for line in lines([second, *twice, first])]
    assert shown == [[first.pk, second.pk], [twice[0].pk], [twice[1].pk]]


def test_of_many_small_batches_nothing_can_be_told_apart(make_batch):
    batches = [make_batch(amount=1, first_number=number) for number in range(1, 5)]
    [line] = lines(batches)
    fill_in([line], 1)
    [stretch] = line.stretches
    assert (stretch.first, stretch.last, stretch.count) == ((batches[0].pk, 1), (batches[-1].pk, 4), 4)
    assert stretch.batch is None


def test_one_query_for_many_lines(organizer, make_batch):
    def queries(batches):
        with CaptureQueriesContext(connection) as captured:
            fill_in(lines(batches), 100)
        return [query["sql"] for query in captured if "ROW_NUMBER" in query["sql"]]

    batches = [make_batch(amount=3) for _ in range(4)]
    handed_over(batches[0], make_seller(organizer), "2")
    assert len(queries(batches[:1])) == len(queries(batches)) == 1
    assert queries([]) == []


def test_through_whose_hands_a_ticket_went(organizer, make_batch, django_assert_num_queries):
    batch, other = make_batch(amount=9), make_batch(amount=9)
    kiosk, office = make_seller(organizer), make_seller(organizer, "Tourist office")
    for seller, numbers in ((kiosk, "1-5, 8"), (office, "5"), (kiosk, "9"), (None, "5")):
        handed_over(batch, seller, numbers)
    handed_over(other, kiosk, "5")
    ticket = batch.tickets.get(number=5)
    with django_assert_num_queries(2):
        hands = [(str(each.document), each.document.source, each.document.target) for each in movements_of(ticket)]
    assert hands == [
        ("Delivery note 1", None, kiosk),
        ("Transfer note 1", kiosk, office),
        ("Take-back note 1", office, None),
    ]
    ticket = batch.tickets.get(number=7)
    with django_assert_num_queries(1):
        assert movements_of(ticket) == []
