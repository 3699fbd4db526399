"""What has become of tickets, counted."""

from decimal import Decimal

import pytest
from django.utils.timezone import now
from pretix.base.models import Checkin, Order

from pretix_offlinesales.figures import Figures, figures, with_state
from pretix_offlinesales.models import OfflineSalesBatch


def check_in(order, position=None, **values):
    position = position or order.positions.get()
    values = {"datetime": now(), "type": Checkin.TYPE_ENTRY, "successful": True} | values
    checkin_list, _new = order.event.checkin_lists.get_or_create(name="All", all_products=True)
    position.all_checkins.create(list=checkin_list, **values)


def test_a_fresh_batch_is_valid(make_batch):
    batch = make_batch(amount=3)
    assert figures([batch]) == {batch.pk: Figures(issued=3, valid=3, canceled=0, checked_in=0, value=Decimal("69.00"))}


def test_canceled_in_whole_or_by_position(make_batch):
    batch = make_batch(amount=4)
    first, second, third, _fourth = [ticket.order for ticket in batch.tickets.all()]
    Order.objects.filter(pk=first.pk).update(status=Order.STATUS_CANCELED)
    second.positions.update(canceled=True)
    Order.objects.filter(pk=third.pk).update(status=Order.STATUS_EXPIRED)
    assert figures([batch])[batch.pk] == Figures(issued=4, valid=1, canceled=2, checked_in=0, value=Decimal("23.00"))


@pytest.fixture
def drink(event, item, quota):
    """Comes with each ticket, as part of its price."""
    drink = event.items.create(name="Drink", default_price=Decimal("4.00"))
    quota.items.add(drink)
    item.bundles.create(bundled_item=drink, count=1, designated_price=Decimal("3.00"))
    return drink


def test_a_ticket_is_not_in_when_its_drink_is_served(drink, make_batch):
    batch = make_batch(amount=2)
    order = batch.tickets.first().order
    check_in(order, order.positions.get(item=drink))
    assert figures([batch])[batch.pk].checked_in == 0
    assert with_state(batch.tickets).first().entered is None
    check_in(order, order.positions.get(addon_to=None))
    assert figures([batch])[batch.pk].checked_in == 1


def test_a_ticket_is_its_main_position(drink, make_batch):
    batch = make_batch(amount=3)
    first, second, _third = [ticket.order for ticket in batch.tickets.all()]
    first.positions.filter(addon_to=None).update(canceled=True)
    second.positions.filter(item=drink).update(canceled=True)
    assert figures([batch])[batch.pk] == Figures(issued=3, valid=2, canceled=1, checked_in=0, value=Decimal("43.00"))


def test_only_entries_count_and_each_ticket_once(make_batch):
    batch = make_batch(amount=4)
    first, second, third, _fourth = [ticket.order for ticket in batch.tickets.all()]
    check_in(first)
    check_in(first)
    check_in(second, successful=False, error_reason="unpaid")
    check_in(third, type=Checkin.TYPE_EXIT)
    assert figures([batch])[batch.pk].checked_in == 1


def test_the_first_entry_is_remembered(make_batch):
    batch = make_batch(amount=1)
    order = batch.tickets.get().order
    earlier, later = now().replace(hour=10), now().replace(hour=11)
    check_in(order, datetime=later, gate=batch.event.organizer.gates.create(name="South"))
    check_in(order, datetime=earlier, gate=batch.event.organizer.gates.create(name="North"))
    ticket = with_state(batch.tickets).get()
    assert (ticket.entered, ticket.entered_list, ticket.entered_gate) == (earlier, "All", "North")


def test_each_batch_has_its_own_figures_in_one_query(make_batch, django_assert_num_queries):
    first, second = make_batch(amount=1), make_batch(amount=2)
    empty = OfflineSalesBatch(pk=0)
    with django_assert_num_queries(1):
        found = figures([first, second, empty])
    assert {pk: one.issued for pk, one in found.items()} == {first.pk: 1, second.pk: 2, 0: 0}
