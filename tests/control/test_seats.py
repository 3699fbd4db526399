"""Seats, named by the organizer or chosen for her."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pretix_offlinesales.models import Job
from tests.support.pages import alerts, errors, shown, soup


@pytest.fixture
def hall(event, item, quota):
    """Two rows of four seats, of which the second is the first in the plan."""
    event.seat_category_mappings.create(layout_category="Stalls", product=item)
    return [
        event.seats.create(
            seat_number=str(x), row_name=row, seat_guid=f"{row}{x}", product=item, sorting_rank=rank * 10 + x
        )
        for rank, row in enumerate("BA")
        for x in range(1, 5)
    ]


def taken(batch):
    return [ticket.order.positions.get().seat.seat_guid for ticket in batch.tickets.order_by("number")]


def test_the_next_free_ones_are_taken_in_the_order_of_the_plan(make, hall):
    assert taken(make(amount=3)) == ["B1", "B2", "B3"]
    assert taken(make(amount=2)) == ["B4", "A1"]


def test_seats_are_named_as_in_the_plan_or_by_their_guid(make, hall):
    named = "  Row A,  Seat 4\r\n\r\nB2\r\nRow B, Seat 1"
    assert taken(make(amount=3, seats=named)) == ["A4", "B2", "B1"]
    assert taken(make(amount=2)) == ["B3", "B4"]


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"amount": 1, "seats": "Row C, Seat 1"}, {"seats": ["The seat “Row C, Seat 1” does not exist."]}),
        (
            {"amount": 3, "seats": "A1\nA2"},
            {"seats": ["This product requires a seat for each ticket: please name as many seats as tickets."]},
        ),
        ({"amount": 2, "seats": "A1\nRow A, Seat 1"}, {"seats": ["Please name each seat only once."]}),
        ({"amount": 9}, {"amount": ["There are only 8 free seats left for this product."]}),
    ],
)
def test_nonsense_is_refused_at_its_field(anna, pages, filled_in, hall, values, wrong):
    assert errors(anna.post(f"{pages}add", filled_in | values)) == wrong
    assert not Job.objects.exists()


def test_names_of_two_seats_are_refused(anna, pages, event, item, filled_in, hall):
    event.seats.create(seat_number="1", row_name="A", seat_guid="balcony", product=item)
    values = filled_in | {"amount": "1", "seats": "Row A, Seat 1"}
    assert errors(anna.post(f"{pages}add", values)) == {"seats": ["“Row A, Seat 1” could be two different seats."]}


def test_a_product_without_seats_takes_none(anna, pages, event, filled_in, hall):
    standing = event.items.create(name="Standing", default_price=5)
    event.quotas.get().items.add(standing)
    values = filled_in | {"itemvar": str(standing.pk), "amount": "1"}
    assert errors(anna.post(f"{pages}add", values | {"seats": "A1"})) == {"seats": ["This product has no seats."]}
    assert errors(anna.post(f"{pages}add", values)) == {}


def test_events_without_seats_are_not_asked_for_them(anna, pages, quota):
    assert soup(anna.get(f"{pages}add")).select("[name=seats]") == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_preview_names_them(anna, pages, filled_in, hall, method):
    def preview(**values):
        return getattr(anna, method)(f"{pages}preview", filled_in | values)

    assert shown(preview(amount=2))["Seats"] == "Row B, Seat 1; Row B, Seat 2"
    assert shown(preview(amount=2, seats="A2\nB3"))["Seats"] == "Row A, Seat 2; Row B, Seat 3"
    assert shown(preview(amount=8))["Seats"].endswith("Row A, Seat 2 and 2 more")
    assert alerts(preview(amount=9)) == ["Number of tickets: There are only 8 free seats left for this product."]
    assert alerts(preview(seats="C1")) == ["Seats: The seat “C1” does not exist."]


def test_a_specimen_of_a_ticket_with_a_seat(anna, pages, filled_in, hall, layout):
    response = anna.post(f"{pages}specimen", filled_in | {"layout": str(layout.pk)})
    assert response["Content-Type"] == "application/pdf"


def test_a_double_click_makes_one_batch(anna, pages, filled_in, hall, worker):
    token = soup(anna.get(f"{pages}add")).select_one("[name=token]")["value"]
    for _click in range(2):
        with worker():
            response = anna.post(f"{pages}add", filled_in | {"amount": "8", "token": token})
        assert response.status_code == 302
    assert Job.objects.count() == 1


def test_whoever_tries_again_finds_the_seats(anna, pages, filled_in, hall):
    for seats, again in (("B3\nA1", "Row B, Seat 3\nRow A, Seat 1"), ("", "")):
        anna.post(f"{pages}add", filled_in | {"amount": "2", "seats": seats})
        Job.objects.update(state=Job.State.FAILED)
        form = soup(anna.get(f"{pages}add", {"again": Job.objects.latest("created").pk}))
        assert form.select_one("[name=seats]").text.strip() == again


def test_as_many_queries_for_many_seats(anna, pages, event, item, filled_in, hall):
    def queries(amount, seats):
        with CaptureQueriesContext(connection) as captured:
            anna.get(f"{pages}preview", filled_in | {"amount": amount, "seats": seats})
        return len(captured)

    queries(2, "")
    few = queries(2, ""), queries(2, "A1\nA2")
    for number in range(60):
        event.seats.create(seat_number=str(number), row_name="Z", seat_guid=f"Z{number}", product=item, sorting_rank=99)
    assert (queries(60, ""), queries(60, "\n".join(f"Z{number}" for number in range(60)))) == few
