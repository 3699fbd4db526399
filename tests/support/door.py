"""What happens at the door."""

from django.utils.timezone import now
from pretix.base.models import Checkin


def check_in(order, position=None, **values):
    """Somebody is let in with an order's ticket, unless ``values`` say that it was otherwise."""
    position = position or order.positions.get()
    values = {"datetime": now(), "type": Checkin.TYPE_ENTRY, "successful": True} | values
    checkin_list, _new = order.event.checkin_lists.get_or_create(name="All", all_products=True)
    position.all_checkins.create(list=checkin_list, **values)
