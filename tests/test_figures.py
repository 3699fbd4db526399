"""What has become of tickets, counted."""

from decimal import Decimal

from django.utils.timezone import now
from pretix.base.models import Checkin, Order

from pretix_offlinesales.figures import Figures, figures, with_state
from pretix_offlinesales.models import OfflineSalesBatch


def check_in(order, **values):
    position = order.positions.first()
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
