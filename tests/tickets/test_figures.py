"""What has become of tickets, counted."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pretix.base.models import Checkin
from pretix.base.services.orders import OrderChangeManager, cancel_order, mark_order_expired, reactivate_order

from pretix_offlinesales.models import OfflineSalesBatch, OfflineSalesTicket
from pretix_offlinesales.tickets.figures import Figures, Tally, figures, tally, tickets_of, total
from pretix_offlinesales.tickets.state import with_state

from ..support.after_sale import take_back
from ..support.door import check_in

#: What is told apart among the outstanding ones.
PLACES = {"stock", "held", "sold"}


def tallies(batch):
    """Only what there is something to say about."""
    found = total(batch.tickets.all())
    names = [name for name in (*Figures.__dataclass_fields__, "issued", "returned", "due") if name not in PLACES]
    all_of_them = {name: getattr(found, name) for name in names}
    return {name: (found.count, str(found.value)) for name, found in all_of_them.items() if found.count}


def orders(batch):
    return [ticket.order for ticket in batch.tickets.order_by("number")]


def test_of_a_fresh_batch_all_are_outstanding(make_batch):
    everything = (3, "69.00")
    assert tallies(make_batch(amount=3)) == {"outstanding": everything, "issued": everything, "due": everything}


def test_returned_ones_by_kind_are_not_due(make_batch):
    batch = make_batch(amount=10)
    take_back(batch, "1-3", "unsold")
    take_back(batch, "4-5", "lost")
    take_back(batch, "6", "damaged")
    assert tallies(batch) == {
        "issued": (10, "230.00"),
        "unsold": (3, "69.00"),
        "lost": (2, "46.00"),
        "damaged": (1, "23.00"),
        "returned": (6, "138.00"),
        "outstanding": (4, "92.00"),
        "due": (4, "92.00"),
    }


def test_an_undone_return_is_none(make_batch):
    batch = make_batch(amount=2)
    take_back(batch, "1-2", "unsold")
    for order in orders(batch):
        reactivate_order(order, force=True)
    assert tallies(batch) == dict.fromkeys(("issued", "outstanding", "due"), (2, "46.00"))


def test_canceled_by_the_host_in_whole_or_by_position_or_expired(make_batch):
    batch = make_batch(amount=4)
    first, second, third, _fourth = orders(batch)
    cancel_order(first)
    cancel_order(second, cancellation_fee=Decimal("5.00"))
    mark_order_expired(third)
    assert tallies(batch) == {
        "issued": (4, "92.00"),
        "canceled": (3, "69.00"),
        "outstanding": (1, "23.00"),
        "due": (2, "28.00"),  # with the fee
    }
    assert [ticket.valid for ticket in with_state(batch.tickets)] == [False, False, False, True]


@pytest.fixture
def drink(event, item, quota):
    """Comes with each ticket, as part of its price."""
    drink = event.items.create(name="Drink", default_price=Decimal("4.00"))
    quota.items.add(drink)
    item.bundles.create(bundled_item=drink, count=1, designated_price=Decimal("3.00"))
    return drink


def test_a_ticket_is_not_in_when_its_drink_is_served(drink, make_batch):
    batch = make_batch(amount=2)
    order = orders(batch)[0]
    check_in(order, order.positions.get(item=drink))
    assert "checked_in" not in tallies(batch)
    assert with_state(batch.tickets).first().entered is None
    check_in(order, order.positions.get(addon_to=None))
    assert tallies(batch)["checked_in"] == (1, "23.00")


def change(position, **values):
    manager = OrderChangeManager(position.order, notify=False)
    if values:
        manager.change_price(position, **values)
    else:
        manager.cancel(position)
    manager.commit()


def test_a_ticket_is_its_main_position(drink, make_batch):
    batch = make_batch(amount=3)
    first, second, _third = orders(batch)
    cancel_order(first, cancellation_fee=Decimal("5.00"))  # and the drink with it
    change(second.positions.get(item=drink))
    assert tallies(batch) == {
        "issued": (3, "66.00"),
        "canceled": (1, "23.00"),
        "outstanding": (2, "43.00"),
        "due": (3, "48.00"),  # with the fee
    }


def test_each_costs_what_it_was_sold_for(make_batch):
    batch = make_batch(amount=3)
    change(orders(batch)[0].positions.get(), price=Decimal("7.50"))
    batch.item.default_price = 99
    batch.item.save()
    assert tallies(batch)["due"] == (3, "53.50")


def test_only_entries_count_and_each_ticket_once(make_batch):
    batch = make_batch(amount=4)
    first, second, third, _fourth = orders(batch)
    check_in(first)
    check_in(first)
    check_in(second, successful=False, error_reason="unpaid")
    check_in(third, type=Checkin.TYPE_EXIT)
    assert tallies(batch)["checked_in"] == (1, "23.00")


def test_the_first_entry_is_remembered(make_batch):
    batch = make_batch(amount=1)
    [order] = orders(batch)
    earlier, later = now().replace(hour=10), now().replace(hour=11)
    check_in(order, datetime=later, gate=batch.event.organizer.gates.create(name="South"))
    check_in(order, datetime=earlier, gate=batch.event.organizer.gates.create(name="North"))
    ticket = with_state(batch.tickets).get()
    assert (ticket.entered, ticket.entered_list, ticket.entered_gate) == (earlier, "All", "North")


def test_each_batch_has_its_own_figures_in_one_query(make_batch):
    first, second = make_batch(amount=1), make_batch(amount=2)
    empty = OfflineSalesBatch(pk=0)
    with CaptureQueriesContext(connection) as captured:
        found = figures(tickets_of([first, second, empty]), by="batch")
    assert len([query for query in captured if "offlinesalesticket" in query["sql"]]) == 1
    assert [found[batch.pk].issued.count for batch in (first, second, empty)] == [1, 2, 0]
    assert sum(found.values(), Figures()).issued == Tally(3, Decimal("69.00"))


@pytest.fixture
def batches(event, item, quota, make_batch):
    """Two of a product, and one of another."""
    poster = event.items.create(name="Poster", default_price=Decimal("5.00"))
    quota.items.add(poster)
    return [make_batch(amount=1), make_batch(amount=2), make_batch(amount=4, item=poster.pk)]


def test_of_all_tickets_by_what_one_asks(event, item, batches):
    take_back(batches[1], "1", "damaged")
    tickets = OfflineSalesTicket.objects.filter(batch__event=event)
    poster = batches[2].item
    found = figures(tickets, by="batch__item")
    assert {pk: (one.issued.count, one.due.value) for pk, one in found.items()} == {
        item.pk: (3, Decimal("46.00")),
        poster.pk: (4, Decimal("20.00")),
    }
    assert tally(tickets, by="batch__item") == {
        item.pk: Tally(3, Decimal("69.00")),
        poster.pk: Tally(4, Decimal("20.00")),
    }
    assert total(tickets) == sum(found.values(), Figures())


def test_a_group_without_tickets_has_empty_figures(make_batch):
    batch = make_batch(amount=1)
    assert figures(batch.tickets.none(), by="batch")[batch.pk] == Figures()
    assert tally(batch.tickets.none(), by="batch") == {}
    assert total(batch.tickets.none()) == Figures()
