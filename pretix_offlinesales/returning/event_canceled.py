"""
A whole event or date is canceled, and the host shall refund everybody with a gift card. Nobody gets that for a paper
ticket, since the host does not know who has it: the card would be at the order, worth the price of a ticket that
perhaps was never sold, for whoever finds it. So what was paid is refunded in the books before.
"""

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from pretix.base.models import Event, LogEntry, Order, OrderPayment, OrderRefund, SubEvent

from ..tickets.origin import Origin
from ..tickets.payment import OfflineSalesPayment


def refund_in_place_of_gift_card(order: Order) -> None:
    """To be called when the host has canceled or changed an order: it looks only later what there is to refund."""
    ticket = getattr(order, "offline_sales_ticket", None) if Origin.of(order) else None
    if not ticket or ticket.returned or not _is_canceled(order) or not _refunds_with_gift_cards(order):
        return  # what a return has canceled is refunded already
    overpaid = -order.pending_sum
    ours = list(
        order.payments.filter(provider=OfflineSalesPayment.identifier, state=OrderPayment.PAYMENT_STATE_CONFIRMED)
    )
    if overpaid > 0 and ours:
        for payment, amount in order.propose_auto_refunds(overpaid, payments=ours).items():
            _refund(order, payment, amount)


def _is_canceled(order: Order) -> bool:
    """In part, at least."""
    return order.status == Order.STATUS_CANCELED or any(position.canceled for position in order.all_positions.all())


def _refunds_with_gift_cards(order: Order) -> bool:
    """Whether that is what was asked for when the event, or a date of this order, was canceled last."""
    dates = set(order.all_positions.values_list("subevent", flat=True)) - {None}
    types = ContentType.objects.get_for_models(Event, SubEvent)
    canceled = LogEntry.objects.filter(
        Q(content_type=types[Event], object_id=order.event_id, action_type="pretix.event.canceled")
        | Q(content_type=types[SubEvent], object_id__in=dates, action_type="pretix.subevent.canceled")
    )
    last = canceled.order_by("-pk").first()
    return bool(last and last.parsed_data.get("refund_as_giftcard"))


@transaction.atomic
def _refund(order, payment, amount):
    refund = order.refunds.create(
        payment=payment,
        source=OrderRefund.REFUND_SOURCE_ADMIN,
        state=OrderRefund.REFUND_STATE_CREATED,
        amount=amount,
        comment=_("Event canceled"),  # the host's own words, in the host's own translation
        provider=payment.provider,
    )
    order.log_action("pretix.event.order.refund.created", {"local_id": refund.local_id, "provider": refund.provider})
    payment.payment_provider.execute_refund(refund)
