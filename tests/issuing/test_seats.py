"""Seats are given to tickets in the order in which they were named: all of them, or nothing is made."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import now
from pretix.base.models import LogEntry, Order

from pretix_offlinesales.issuing import kinds
from pretix_offlinesales.issuing.insert import insert

pytestmark = pytest.mark.django_db


@pytest.fixture
def hall(event, item, quota):
    """A row of six seats, a metre apart."""
    event.seat_category_mappings.create(layout_category="Stalls", product=item)
    return [
        event.seats.create(seat_number=str(x), row_name="A", seat_guid=f"A{x}", product=item, x=float(x), y=0.0)
        for x in range(6)
    ]


def taken(job):
    """The seats of the job's tickets, by ticket number."""
    return [ticket.order.positions.get().seat.seat_guid for ticket in job.batch.tickets.order_by("number")]


def not_available(number):
    return ("failed", f'The selected seat "Row A, Seat {number}" is not available.')


def outcome(job):
    return (job.state, job.message)


def test_tickets_get_the_seats_in_the_order_of_their_numbers(issued, event, item, hall):
    job = issued(event, item, amount=3, seats=[hall[4], hall[0], hall[2]])
    assert outcome(job) == ("succeeded", "")
    assert taken(job) == ["A4", "A0", "A2"]


@pytest.mark.parametrize(
    ("seats", "message"),
    [
        ([], "This product requires a seat for each ticket: please name as many seats as tickets."),
        ([0], "This product requires a seat for each ticket: please name as many seats as tickets."),
        ([0, 0], "Please name each seat only once."),
    ],
)
def test_needs_a_seat_for_each_ticket(issued, event, item, hall, seats, message):
    with pytest.raises(ValidationError) as error:
        issued(event, item, amount=2, seats=[hall[index] for index in seats])
    assert error.value.message_dict == {"seats": [message]}


def test_a_seat_of_another_product_is_refused(issued, event, item, hall):
    hall[1].product = event.items.create(name="Box", default_price=50)
    hall[1].save()
    with pytest.raises(ValidationError) as error:
        issued(event, item, amount=2, seats=hall[:2])
    assert error.value.message_dict == {"seats": ["The seat “Row A, Seat 1” does not belong to this product."]}


def test_a_product_without_seats_takes_none(issued, event, item, hall):
    other = event.items.create(name="Standing", default_price=5)
    event.quotas.get().items.add(other)
    with pytest.raises(ValidationError) as error:
        issued(event, other, amount=1, seats=hall[:1])
    assert error.value.message_dict == {"seats": ["This product has no seats."]}


def test_one_taken_seat_makes_nothing(issued, event, item, hall):
    issued(event, item, amount=1, seats=[hall[3]])
    entries = LogEntry.objects.count()
    assert outcome(issued(event, item, amount=4, seats=hall[:4])) == not_available(3)
    assert (Order.objects.count(), LogEntry.objects.count()) == (1, entries)


def test_a_seat_in_a_cart_is_taken(issued, event, item, hall):
    event.cartposition_set.create(item=item, price=23, seat=hall[1], cart_id="c", expires=now() + timedelta(hours=1))
    assert outcome(issued(event, item, amount=3, seats=hall[:3])) == not_available(1)


def test_a_seat_of_a_voucher_is_taken(issued, event, item, hall):
    event.vouchers.create(item=item, seat=hall[2], code="SEAT")
    assert outcome(issued(event, item, amount=3, seats=hall[:3])) == not_available(2)


def test_a_seat_of_a_canceled_order_is_free_again(issued, event, item, hall):
    order = issued(event, item, amount=1, seats=[hall[0]]).batch.tickets.get().order
    order.status = Order.STATUS_CANCELED
    order.save(update_fields=["status"])
    assert taken(issued(event, item, amount=1, seats=[hall[0]])) == ["A0"]


def test_a_blocked_seat_is_taken_but_for_the_channels_that_may_sell_it(issued, event, item, hall):
    hall[1].blocked = True
    hall[1].save()
    assert outcome(issued(event, item, amount=2, seats=hall[:2])) == not_available(1)
    event.settings.seating_allow_blocked_seats_for_channel = ["web"]
    assert taken(issued(event, item, amount=2, seats=hall[:2])) == ["A0", "A1"]


def test_the_minimal_distance_to_others_counts(issued, event, item, hall):
    issued(event, item, amount=1, seats=[hall[3]])
    event.settings.seating_minimal_distance = 1.5
    assert outcome(issued(event, item, amount=2, seats=[hall[0], hall[2]])) == not_available(2)
    assert taken(issued(event, item, amount=2, seats=[hall[0], hall[5]])) == ["A0", "A5"]


def test_the_minimal_distance_counts_between_the_tickets_of_the_batch(issued, event, item, hall):
    event.settings.seating_minimal_distance = 1.5
    assert outcome(issued(event, item, amount=3, seats=[hall[0], hall[5], hall[4]])) == not_available(5)
    assert taken(issued(event, item, amount=3, seats=[hall[4], hall[0], hall[2]])) == ["A4", "A0", "A2"]


def test_the_minimal_distance_may_count_within_the_row_only(issued, event, item, hall):
    behind = event.seats.create(seat_number="0", row_name="B", seat_guid="B0", product=item, x=0.0, y=1.0)
    event.settings.seating_minimal_distance = 1.5
    assert outcome(issued(event, item, amount=2, seats=[hall[0], behind]))[0] == "failed"
    event.settings.seating_distance_within_row = True
    assert taken(issued(event, item, amount=2, seats=[hall[0], behind])) == ["A0", "B0"]


@pytest.mark.parametrize("distance", [0, 1.5])
def test_agrees_with_the_host_about_every_seat(issued, event, item, hall, distance):
    """What the host's own check says about each seat of a hall with some of everything, we say too."""
    issued(event, item, amount=1, seats=[hall[0]])
    event.vouchers.create(item=item, seat=hall[2], code="SEAT")
    hall[5].blocked = True
    hall[5].save()
    event.settings.seating_minimal_distance = distance
    theirs = [seat.is_available() for seat in event.seats.order_by("x")]

    ours = []
    for seat in event.seats.order_by("x"):
        job = issued(event, item, amount=1, seats=[seat], testmode=True)
        ours.append(job.state == "succeeded")
        for ticket in job.batch.tickets.all() if job.batch else ():
            ticket.order.gracefully_delete()

    assert ours == theirs


def test_seats_of_other_dates_and_other_rows_are_others(issued, series, subevent, series_item):
    """The same seat exists on each date; and what is near is so in both directions of the plan."""
    evening = series.subevents.create(name="Evening", date_from=now(), active=True)
    quota = series.quotas.create(name="Evening group", size=50, subevent=evening)
    quota.items.add(series_item)
    for date in (subevent, evening):
        series.seat_category_mappings.create(layout_category="Stalls", product=series_item, subevent=date)
        for x, y in ((0, 0), (0, 9), (9, 9)):
            series.seats.create(subevent=date, seat_guid=f"{x}{y}", product=series_item, x=x, y=y)
    series.settings.seating_minimal_distance = 2

    def on(date, *guids):
        seats = [series.seats.get(subevent=date, seat_guid=guid) for guid in guids]
        return issued(series, series_item, amount=len(guids), subevent=date, seats=seats)

    assert taken(on(subevent, "00", "09", "99")) == ["00", "09", "99"]
    assert taken(on(evening, "09", "00")) == ["09", "00"]
    assert on(evening, "09").state == "failed"


def test_a_product_that_is_seated_on_other_dates_needs_no_seat_here(issued, series, subevent, series_item):
    evening = series.subevents.create(name="Evening", date_from=now(), active=True)
    series.seat_category_mappings.create(layout_category="Stalls", product=series_item, subevent=evening)
    assert outcome(issued(series, series_item, subevent=subevent)) == ("succeeded", "")


def test_blocked_seats_are_for_the_channel_that_is_asked_for(issued, event, item, hall, organizer):
    kiosk = organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api")
    hall[1].blocked = True
    hall[1].save()
    event.settings.seating_allow_blocked_seats_for_channel = ["api.kiosk"]
    assert outcome(issued(event, item, amount=1, seats=[hall[1]])) == not_available(1)
    assert taken(issued(event, item, amount=1, seats=[hall[1]], sales_channel=kiosk)) == ["A1"]


# Nobody has named any


def test_the_next_free_ones_are_chosen_when_the_batch_is_made(issued, event, item, hall):
    issued(event, item, amount=1, seats=[hall[1]])
    hall[3].blocked = True
    hall[3].save()
    assert taken(issued(event, item, amount=3, next_seats=True)) == ["A0", "A2", "A4"]
    assert outcome(issued(event, item, amount=2, next_seats=True)) == (
        "failed",
        "There is only 1 free seat left for this product.",
    )


def test_the_next_free_ones_keep_their_distance(issued, event, item, hall):
    issued(event, item, amount=1, seats=[hall[0]])
    event.settings.seating_minimal_distance = 1.5
    assert taken(issued(event, item, amount=2, next_seats=True)) == ["A2", "A4"]


def test_the_next_free_ones_may_be_close_in_another_row(issued, event, item, hall):
    for x in range(2):
        event.seats.create(seat_number=str(x), row_name="B", seat_guid=f"B{x}", product=item, x=x, y=1.0)
    event.settings.seating_minimal_distance = 1.5
    assert taken(issued(event, item, amount=3, next_seats=True)) == ["A0", "A2", "A4"]
    event.orders.update(status=Order.STATUS_CANCELED)
    event.settings.seating_distance_within_row = True
    assert taken(issued(event, item, amount=4, next_seats=True)) == ["A0", "A2", "A4", "B0"]


@pytest.mark.parametrize(("sold", "ends"), [(1, "succeeded"), (9, "failed")])
def test_where_somebody_is_faster_others_are_chosen(issued, event, item, hall, monkeypatch, sold, ends):
    """Each time that the batch is about to be inserted, the shop sells the first of its seats."""
    sales = []

    def slow(making, batch, blueprint, seats):
        if len(sales) < sold:
            sales.append(seats[0])
            event.cartposition_set.create(item=item, price=23, seat=seats[0], cart_id="c", expires=now() + timedelta(1))
        insert(making, batch, blueprint, seats)

    monkeypatch.setattr(kinds, "insert", slow)
    job = issued(event, item, amount=2, next_seats=True)
    assert job.state == ends
    if ends == "succeeded":
        assert taken(job) == ["A1", "A2"]


def test_seats_that_were_named_are_not_exchanged(issued, event, item, hall):
    issued(event, item, amount=1, seats=[hall[0]])
    assert outcome(issued(event, item, amount=1, seats=[hall[0]])) == not_available(0)
