"""May this product be sold offline? One check for the API, the form, and the job that makes the tickets."""

from collections import defaultdict
from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from pretix.base.media import MEDIA_TYPES
from pretix.base.models import Event, Item, SalesChannel
from pretix.base.services.pricing import get_listed_price
from pretix.plugins.ticketoutputpdf.models import TicketLayout
from pretix.plugins.ticketoutputpdf.ticketoutput import PdfTicketOutput

from ..models import MAX_AMOUNT, OfflineSalesBatch

NEW_MEDIUM_POLICIES = (Item.MEDIA_POLICY_NEW, Item.MEDIA_POLICY_REUSE_OR_NEW, Item.MEDIA_POLICY_APPEND_OR_NEW)


def usual_layout(event: Event, item: Item, sales_channel: SalesChannel) -> TicketLayout | None:
    """The layout that the host would use for this product and channel; none, where the event has no layouts."""
    output = PdfTicketOutput(event)
    layouts = output.layout_map
    layout = (
        layouts.get((item.pk, sales_channel.identifier))
        or layouts.get((item.pk, "web"))
        or output.default_layout
    )
    return layout if layout.pk else None


def check(batch: OfflineSalesBatch) -> None:
    """
    Raise a ``ValidationError`` that names each field of the request (an unsaved batch) that is not valid by itself.

    What the organizer decides by asking is not checked: sale periods, amounts per order, vouchers, approval and hidden
    products. How many tickets are left is not checked either; only the insert, under the host's locks, can know.
    """
    errors = defaultdict(list)
    for field, message in _problems(batch):
        errors[field].append(message)
    if errors:
        raise ValidationError(errors)


def _problems(batch: OfflineSalesBatch) -> Iterator[tuple[str, str]]:
    """Yield ``(field, message)`` pairs. Later checks rely on earlier ones, so a misfit ends the questions."""
    if not 1 <= batch.amount <= MAX_AMOUNT:
        yield "amount", _("A batch has between 1 and {max} tickets.").format(max=MAX_AMOUNT)
    if batch.testmode and not batch.sales_channel.type_instance.testmode_supported:
        yield "testmode", _("This sales channel does not provide support for test mode.")

    misfits = [*_date_misfits(batch), *_variation_misfits(batch)]
    yield from misfits
    if not misfits:
        yield from _unavailable(batch)
        yield from _unfit_for_strangers(batch)


def _date_misfits(batch):
    if batch.event.has_subevents:
        if not batch.subevent:
            yield "subevent", _("Tickets of an event series need a date.")
        elif not batch.subevent.active:
            yield "subevent", _("This date is not active.")
    elif batch.subevent:
        yield "subevent", _("This event is not a series, its tickets have no date.")


def _variation_misfits(batch):
    if not batch.item.has_variations:
        if batch.variation:
            yield "variation", _("This product has no variations.")
    elif not batch.variation:
        yield "variation", _("This product is sold in variations, please choose one.")
    elif batch.variation.item_id != batch.item.pk:
        yield "variation", _("This variation does not belong to the product.")


def _unavailable(batch):
    """Switched off, on this date or on this channel."""
    subevent, channel = batch.subevent, batch.sales_channel
    sold = {"item": batch.item, "variation": batch.variation}
    overrides = {}
    if subevent:
        overrides = {"item": subevent.item_overrides, "variation": subevent.var_overrides}

    for field, product in sold.items():
        if not product:
            continue
        if not product.active:
            yield field, _("This product is not active.")
        override = overrides.get(field, {}).get(product.pk)
        if override and override.disabled:
            yield field, _("This product is not available on this date.")
        if not product.all_sales_channels and channel not in product.limit_sales_channels.all():
            yield "sales_channel", _("This product is not sold through this sales channel.")

    if not (batch.variation or batch.item).quotas.filter(subevent=subevent).exists():
        yield "item", _("This product is not assigned to a quota.")


def _unfit_for_strangers(batch):
    """What a ticket needs that nobody can give who isn't there."""
    item = batch.item
    if item.category and item.category.is_addon:
        yield "item", _("This product is only sold as an add-on to another one.")
    if item.require_bundling:
        yield "item", _("This product is only sold as part of a bundle.")
    if item.bundles.exists():
        yield "item", _("This product comes with bundled products, which can't be issued yet.")
    if item.addons.filter(min_count__gt=0).exists():
        yield "item", _("This product requires add-on products to be chosen.")
    if item.require_membership or (batch.variation and batch.variation.require_membership):
        yield "item", _("This product requires a membership.")
    if item.seat_category_mappings.filter(subevent=batch.subevent).exists():
        yield "item", _("This product requires a seat to be chosen.")
    if item.media_policy in (Item.MEDIA_POLICY_REUSE, Item.MEDIA_POLICY_APPEND) or (
        item.media_policy in NEW_MEDIUM_POLICIES and not MEDIA_TYPES[item.media_type].medium_created_by_server
    ):
        yield "item", _("This product requires a physical medium to be presented.")
    if batch.event.currency == "XXX" and get_listed_price(item, batch.variation, batch.subevent):
        yield "item", _("This event has no currency, so that only free products can be issued.")
