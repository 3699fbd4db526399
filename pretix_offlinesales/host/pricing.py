"""What something costs, by the functions that the shop's cart asks."""

from collections.abc import Iterable
from decimal import Decimal

from pretix.base.models import CartPosition, Discount, Event, Item, ItemBundle, ItemVariation, SalesChannel, SubEvent
from pretix.base.services.pricing import apply_discounts, get_line_price, get_listed_price

__all__ = ["get_listed_price", "in_order_of_cart", "price_in_cart"]


def price_in_cart(
    event: Event,
    channel: SalesChannel,
    item: Item,
    variation: ItemVariation | None,
    subevent: SubEvent | None,
    bundled_sum: Decimal,
) -> tuple[Decimal, Discount | None]:
    """
    What is left of a product's gross price for itself when it comes with bundled ones, and the discount that it was
    reduced by, if it is alone in the cart.

    :param bundled_sum: what the bundled products cost
    """
    price = get_line_price(
        price_after_voucher=get_listed_price(item, variation, subevent),
        custom_price_input=None,
        custom_price_input_is_net=False,
        tax_rule=item.tax_rule,
        invoice_address=None,
        bundled_sum=bundled_sum,
    ).gross
    date_from = subevent.date_from if subevent else None
    line = (item.pk, subevent.pk if subevent else None, date_from, price, None, False, Decimal("0.00"))
    [(price, discount)] = apply_discounts(event, channel, [line])
    return price, discount


def in_order_of_cart(bundles: Iterable[ItemBundle]) -> list[ItemBundle]:
    """As the cart sorts the bundled products, and the order has its positions."""

    def sort_key(bundle: ItemBundle) -> tuple:
        return CartPosition(
            item=bundle.bundled_item, variation=bundle.bundled_variation, price=bundle.designated_price
        ).sort_key

    return sorted(bundles, key=sort_key)
