"""Where tickets are, as ranges."""

import pytest

from pretix_offlinesales.models import OfflineSalesTicket
from pretix_offlinesales.sellers.stock import ranges
from pretix_offlinesales.tickets.state import State
from tests.support.after_sale import cancel, check_in, report_lost, take_back
from tests.support.sellers import handed_over, make_seller

pytestmark = pytest.mark.django_db


def found(*batches):
    """First and last number, state and seller of each range."""
    tickets = OfflineSalesTicket.objects.filter(batch__in=batches)
    return [(each.first, each.last, each.place.state, each.place.seller) for each in ranges(tickets)]


def test_neighbours_in_the_same_place_are_one_range(organizer, make_batch):
    batch = make_batch(amount=30)
    assert found(batch) == [(1, 30, State.STOCK, None)]
    kiosk, office = make_seller(organizer), make_seller(organizer, "Tourist office", firm=True)
    handed_over(batch, kiosk, "3-12")
    handed_over(batch, office, "13-14")
    tickets = {ticket.number: ticket for ticket in batch.tickets.all()}
    check_in(tickets[5])
    check_in(tickets[15])
    cancel(tickets[16])
    take_back(batch, "6-7, 20", "unsold")
    take_back(batch, "21", "damaged")
    report_lost(batch, "8, 22")
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
        (23, 30, State.STOCK, None),
    ]
