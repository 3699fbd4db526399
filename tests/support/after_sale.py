"""What is done with tickets that others sold."""

from datetime import UTC, datetime

from pretix.base.models import Checkin, Order
from pretix.base.services.orders import OrderChangeManager

from pretix_offlinesales.kinds import REPORT_LOST, RETURN
from pretix_offlinesales.tickets.selection import Selection

from .jobs import run


def take_back(batch, tickets, kind):
    """``take_back(batch, "1-3, 7", "unsold")``: a worker returns these tickets."""
    deal_with(batch, tickets, RETURN, kind=kind)


def report_lost(batch, tickets):
    """A worker blocks them."""
    deal_with(batch, tickets, REPORT_LOST)


def deal_with(batch, tickets, kind, /, **request):
    """A worker does such a job, which is returned as it is then."""
    return run(kind.ask(batch.event, Selection.from_json({"tickets": tickets}), {}, batch, **request))


def change(order, *steps):
    """Staff changes an order: each step is given the host's manager of that, which is returned."""
    manager = OrderChangeManager(Order.objects.get(pk=order.pk), notify=False)
    for step in steps:
        step(manager)
    manager.commit()
    return manager


def check_in(ticket, when=None):
    position = ticket.order.positions.get()
    checkin_list, _new = position.order.event.checkin_lists.get_or_create(name="Main entrance", all_products=True)
    return Checkin.objects.create(
        position=position, list=checkin_list, datetime=when or datetime(2027, 5, 8, 19, 0, tzinfo=UTC)
    )


def cancel(ticket):
    Order.objects.filter(pk=ticket.order_id).update(status=Order.STATUS_CANCELED)
