"""The host as the oracle: orders that it makes itself, and what there is to compare about an order."""

from pretix.base.models import Event, LogEntry, Order
from pretix.base.services.cart import CartManager
from pretix.base.services.orders import _perform_order

#: What differs between any two orders, whoever makes them, even when time stands still.
OF_EACH_ORDER = {
    "id",
    "order_id",
    "code",
    "secret",
    "internal_secret",
    "web_secret",
    "pseudonymization_id",
    "meta_info",
    "addon_to_id",
}

#: An order that was issued has no address that could be reminded, so that issuing takes this for done.
REMINDERS = {"download_reminder_sent", "expiry_reminder_sent"}


def order_by_api(api, event, positions, **values) -> Order:
    """The order that ``POST …/orders/`` makes, paid, with the event's rounding mode."""
    body = {
        "status": "p",
        "payment_provider": "manual",
        "locale": event.settings.locale,
        "sales_channel": "web",
        "tax_rounding_mode": event.settings.tax_rounding,
        "positions": positions,
    }
    response = api.post(
        f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/orders/", {**body, **values}, format="json"
    )
    assert response.status_code == 201, response.content
    return event.orders.get(code=response.data["code"])


def order_by_shop(event, item, variation=None, subevent=None) -> Order:
    """The order that a customer makes in the web shop, paid by hand."""
    event = Event.objects.get(pk=event.pk)  # as a request has it: nothing remembered from before
    web = event.organizer.sales_channels.get(identifier="web")
    cart = CartManager(event=event, cart_id="customer", sales_channel=web)
    cart.add_new_items(
        [
            {
                "item": item.pk,
                "variation": variation.pk if variation else None,
                "subevent": subevent.pk if subevent else None,
                "count": 1,
            }
        ]
    )
    cart.commit()
    positions = event.cartposition_set.filter(cart_id="customer")
    total = sum(position.price for position in positions)
    payment = {
        "id": "1",
        "provider": "manual" if total else "free",
        "max_value": None,
        "min_value": None,
        "multi_use_supported": False,
        "info_data": {},
    }
    result = _perform_order(
        event, [payment], [position.pk for position in positions], "customer@example.org", event.settings.locale, None
    )
    order = event.orders.get(pk=result["order_id"])
    for payment in order.payments.exclude(state="confirmed"):
        payment.confirm(send_mail=False)
    order.refresh_from_db()
    return order


def picture(order: Order, without: set = frozenset()) -> dict:
    """All that can be compared about an order and everything that hangs on it."""
    return {
        "order": _values(order, without),
        "positions": [
            _values(position, without)
            | {
                "addon_to": position.addon_to and position.addon_to.positionid,
                "gift_cards": [
                    (card.value, card.secret == position.secret) for card in position.issued_gift_cards.all()
                ],
                "media": [(medium.type, medium.active) for medium in position.linked_media.all()],
                "memberships": [membership.canceled for membership in position.granted_memberships.all()],
            }
            for position in order.all_positions.all()
        ],
        "fees": [_values(fee, without) for fee in order.all_fees.all()],
        "payments": [_values(payment, {"provider", *without}) for payment in order.payments.all()],
        "refunds": [_values(refund, without) for refund in order.refunds.all()],
        "transactions": [_values(transaction, without) for transaction in order.transactions.all()],
        "invoices": order.invoices.count(),
    }


def _values(instance, without):
    names = (field.attname for field in instance._meta.concrete_fields)
    return {name: getattr(instance, name) for name in names if name not in OF_EACH_ORDER | REMINDERS | set(without)}


def balance(order: Order) -> tuple:
    """Total, what its transactions and payments add up to, and what is still to be paid."""
    return (
        order.total,
        sum(transaction.full_price for transaction in order.transactions.all()),
        sum(payment.amount for payment in order.payments.all()),
        order.pending_sum,
    )


def history(order: Order) -> list[tuple[str, dict]]:
    """What happened to an order, and what was written down about it, but for the way it was paid."""
    entries = LogEntry.objects.filter(content_type__model="order", object_id=order.pk).order_by("pk")
    return [
        (entry.action_type, {key: value for key, value in entry.parsed_data.items() if key != "provider"})
        for entry in entries
    ]
