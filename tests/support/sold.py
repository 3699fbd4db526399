"""Kinds of tickets that come back, and what staff may have done to one before."""

from decimal import Decimal

from pretix.base.models import Order
from pretix.base.services.checkin import perform_checkin
from pretix.base.services.orders import OrderChangeManager, _cancel_order

from .returning import position

KINDS = {}


def kind(function):
    KINDS[function.__name__] = function
    return function


@kind
def plain(event, item):
    pass


@kind
def with_tax_rounded_over_the_order(event, item):
    event.settings.tax_rounding = "sum_by_net"


@kind
def free(event, item):
    item.default_price = Decimal("0.00")
    item.save()


@kind
def bundle(event, item):
    drink = event.items.create(name="Drink", default_price=Decimal("3.00"))
    event.quotas.create(name="Bar", size=100).items.add(drink)
    item.bundles.create(bundled_item=drink, count=2, designated_price=Decimal("2.50"))


@kind
def gift_card(event, item):
    item.issue_giftcard, item.admission, item.tax_rule = True, False, None
    item.save()


@kind
def bundled_gift_card(event, item):
    card = event.items.create(name="Card", default_price=Decimal("10.00"), issue_giftcard=True)
    event.quotas.create(name="Cards", size=100).items.add(card)
    item.bundles.create(bundled_item=card, count=1, designated_price=Decimal("10.00"))


@kind
def medium(event, item):
    event.organizer.settings.reusable_media_type_barcode = True
    item.media_policy, item.media_type = "new", "barcode"
    item.save()


@kind
def signed(event, item):
    event.settings.ticket_secret_generator = "pretix_sig1"


@kind
def signed_bundle(event, item):
    signed(event, item)
    bundle(event, item)


@kind
def signed_gift_card(event, item):
    signed(event, item)
    gift_card(event, item)


@kind
def variation(event, item):
    child = item.variations.create(value="Child", default_price=Decimal("7.50"))
    event.quotas.get().variations.add(child)
    return {"variation": child.pk}


@kind
def in_test_mode(event, item):
    return {"testmode": True}


def check_in(order, gate):
    perform_checkin(position(order), gate, {})


def change_price(order, gate):
    change(order, lambda manager, position: manager.change_price(position, Decimal("20.00")))


def change_product(order, gate):
    other = order.event.items.create(name="Other", default_price=Decimal("23.00"))
    order.event.quotas.get().items.add(other)
    change(order, lambda manager, position: manager.change_item(position, other, None))


def add_position(order, gate):
    change(order, lambda manager, position: manager.add_position(position.item, None, Decimal("1.00")))


def add_fee(order, gate):
    from pretix.base.models import OrderFee

    fee = OrderFee(order=order, fee_type="other", value=Decimal("2.00"), tax_rate=0, tax_value=0)
    change(order, lambda manager, position: manager.add_fee(fee))


def cancel_position(order, gate):
    change(order, lambda manager, position: manager.add_position(position.item, None, Decimal("23.00")))
    change(order, lambda manager, position: manager.cancel(position))


def cancel_with_fee(order, gate):
    _cancel_order(order, send_mail=False, cancellation_fee=Decimal("2.00"))


def cancel_plainly(order, gate):
    _cancel_order(order, send_mail=False)


def change(order, how):
    order = Order.objects.get(pk=order.pk)
    manager = OrderChangeManager(order, notify=False)
    how(manager, position(order))
    manager.commit()


LEFT_ALONE = {
    check_in: "checked_in",
    change_price: "changed",
    change_product: "changed",
    add_position: "changed",
    add_fee: "changed",
    cancel_position: "changed",
    cancel_with_fee: "already_canceled",
    cancel_plainly: "already_canceled",
}
