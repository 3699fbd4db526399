"""May this product be sold offline? One check for the API, the form, and the job that makes the tickets."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import F, Max, Q
from django.db.models.functions import Coalesce
from django.utils.timezone import now
from django.utils.translation import gettext as _
from pretix.base.media import MEDIA_TYPES
from pretix.base.models import Event, Item, Seat

from ..host.pricing import get_listed_price
from ..models import MAX_AMOUNT, MAX_NUMBER, JobFailed, OfflineSalesBatch
from .blueprint import simulate

#: Policies that a new medium satisfies. (The last one is newer than the oldest pretix that we support.)
POLICIES_WITH_NEW_MEDIUM = (Item.MEDIA_POLICY_NEW, Item.MEDIA_POLICY_REUSE_OR_NEW, "append_or_new")


def check(batch: OfflineSalesBatch, seats: Sequence[Seat] = ()) -> None:
    """
    Raise a ``ValidationError`` that names each field of the request that is not valid by itself.

    What the organizer decides by asking is not checked: sale periods, amounts per order, vouchers, approval and hidden
    products. What is left of quotas and seats is not checked either; only the insert, under the host's locks, can know.

    :param batch: unsaved, with the values asked for
    :param seats: one for each ticket, in the order of their numbers, where the product is seated
    """
    errors = defaultdict(list)
    for field, message in _problems(batch, seats):
        errors[field].append(message)
    if batch.consignment and not errors and _is_free(batch, seats):
        errors["consignment"].append(_("This product is free, so that there is nothing to be paid."))
    if errors:
        raise ValidationError(errors)


def _problems(batch: OfflineSalesBatch, seats: Sequence[Seat]) -> Iterator[tuple[str, str]]:
    """Yield ``(field, message)`` pairs. Later checks rely on earlier ones, so a misfit ends the questions."""
    if not 1 <= batch.amount <= MAX_AMOUNT:
        yield "amount", _("A batch has between 1 and {max} tickets.").format(max=MAX_AMOUNT)
    if batch.testmode and not batch.sales_channel.type_instance.testmode_supported:
        yield "testmode", _("This sales channel does not provide support for test mode.")

    if batch.book_size is not None and not 1 <= batch.book_size <= batch.amount:
        yield "book_size", _("A book has between 1 and {max} of these tickets.").format(max=batch.amount)

    yield from _number_misfits(batch)

    misfits = [*_date_misfits(batch), *_variation_misfits(batch)]
    yield from misfits
    if not misfits:
        yield from _unavailable(batch)
        yield from _not_sold_alone(batch)
        yield from _unfit_for_strangers(batch)
        yield from _unsaleable_bundle(batch)
        yield from _costly_without_currency(batch)
        yield from _validity_misfits(batch)
        yield from _seat_misfits(batch, seats)
        if batch.consignment:
            yield from _changed_when_paid(batch)


def _number_misfits(batch):
    if batch.first_number is None:
        return
    if not 1 <= batch.first_number <= MAX_NUMBER:
        yield "first_number", _("Ticket numbers are between 1 and {max}.").format(max=MAX_NUMBER)
    elif overlap := overlapping(batch):
        message = _("Some of these numbers are taken: batch {batch} of this product has tickets {first} to {last}.")
        yield "first_number", message.format(batch=overlap, first=overlap.numbers[0], last=overlap.numbers[-1])


def overlapping(batch: OfflineSalesBatch) -> OfflineSalesBatch | None:
    """A batch of the same product that has some of this one's numbers."""
    others = OfflineSalesBatch.objects.filter(event=batch.event, item=batch.item).alias(
        first=Coalesce("first_number", 1), end=Coalesce("first_number", 1) + F("amount")
    )
    return others.filter(first__lt=batch.numbers.stop, end__gt=batch.numbers.start).first()


def next_number(event: Event, item: Item) -> int:
    """The first number after those of all the product's batches."""
    ends = OfflineSalesBatch.objects.filter(event=event, item=item).annotate(
        end=Coalesce("first_number", 1) + F("amount")
    )
    return ends.aggregate(next=Max("end"))["next"] or 1


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
    overrides = {"item": subevent.item_overrides, "variation": subevent.var_overrides} if subevent else {}
    for field in ("item", "variation"):
        product = getattr(batch, field)
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


def _not_sold_alone(batch):
    if batch.item.category and batch.item.category.is_addon:
        yield "item", _("This product is only sold as an add-on to another one.")
    if batch.item.require_bundling:
        yield "item", _("This product is only sold as part of a bundle.")
    if batch.item.addons.filter(min_count__gt=0).exists():
        yield "item", _("This product requires add-on products to be chosen.")


def _unfit_for_strangers(batch):
    """What a ticket needs that nobody can give who isn't there."""
    item = batch.item
    if item.require_membership or (batch.variation and batch.variation.require_membership):
        yield "item", _("This product requires a membership.")
    if item.media_policy and not (
        item.media_policy in POLICIES_WITH_NEW_MEDIUM and MEDIA_TYPES[item.media_type].medium_created_by_server
    ):
        yield "item", _("This product requires a physical medium to be presented.")


def _unsaleable_bundle(batch):
    """Each bundled product is looked at as if it were a batch of its own, but for what only concerns products alone."""
    bundles = batch.item.bundles.select_related("bundled_item", "bundled_variation")
    if 1 + sum(bundle.count for bundle in bundles) > settings.PRETIX_MAX_ORDER_SIZE:
        yield "item", _("This product comes with more bundled products than an order can have.")
    for bundle in bundles:
        part = OfflineSalesBatch(
            event=batch.event,
            sales_channel=batch.sales_channel,
            subevent=batch.subevent,
            item=bundle.bundled_item,
            variation=bundle.bundled_variation,
        )
        problems = [*_variation_misfits(part)] or [*_unavailable(part), *_unfit_for_strangers(part)]
        if is_seated(part):
            problems.append(("item", _("This product requires a seat to be chosen.")))
        for field, message in problems:
            yield (
                "sales_channel" if field == "sales_channel" else "item",
                _("Bundled product “{product}”: {problem}").format(product=part.item.name, problem=message),
            )


def valid_from_purchase(event: Event) -> list[Item]:
    """The products of which a batch has to say when their validity begins, and can."""
    dynamic = event.items.filter(validity_mode=Item.VALIDITY_MODE_DYNAMIC)
    items = event.items.filter(Q(pk__in=dynamic) | Q(bundles__bundled_item__in=dynamic))
    fixed = dynamic.filter(validity_dynamic_start_choice=False)
    can_not = Q(pk__in=fixed) | Q(bundles__bundled_item__in=fixed)
    return list(items.exclude(can_not).filter(active=True).distinct())


def _validity_misfits(batch):
    """
    What is valid from the moment when it is bought would be over before the paper is sold. The host lets the customer
    choose another moment, for some products, and takes the nearest one that it allows without a word.
    """
    bundles = batch.item.bundles.select_related("bundled_item")
    items = [batch.item, *(bundle.bundled_item for bundle in bundles)]
    items = [item for item in items if item.validity_mode == Item.VALIDITY_MODE_DYNAMIC]
    start = batch.valid_from
    fixed = next((item for item in items if not item.validity_dynamic_start_choice), None)
    if fixed and not start:
        yield (
            "item",
            _(
                "The validity of the product “{product}” begins when it is bought, and may be over before the paper is "
                "sold. The product does not let anybody choose another moment."
            ).format(product=fixed.name),
        )
    elif items and not start:
        yield (
            "item",
            _(
                "The validity of this product begins when it is bought, and may be over before the paper is sold. "
                "Please say when it shall begin."
            ),
        )
    if start and not items:
        yield "valid_from", _("The validity of this product does not depend on when it is bought.")
    for item in items if start else []:
        if problem := _refused_start(item, start, batch.event.timezone):
            yield "valid_from", problem.format(product=item.name)


def _refused_start(item: Item, start: datetime, timezone: tzinfo) -> str | None:
    limit = item.validity_dynamic_start_choice_day_limit
    if not item.validity_dynamic_start_choice:
        return _("The product “{product}” does not let anybody choose when its validity begins.")
    try:
        _from, until = item.compute_validity(requested_start=start, override_tz=timezone)
    except OverflowError:
        until = None
    if until is None or (limit is not None and start > now() + timedelta(days=limit)):
        return _("The validity of the product “{product}” can not begin that late.")
    return _("The validity of the product “{product}” would be over already.") if until <= now() else None


def _costly_without_currency(batch):
    prices = [get_listed_price(batch.item, batch.variation, batch.subevent)]
    prices += [bundle.designated_price for bundle in batch.item.bundles.all()]
    if batch.event.currency == "XXX" and any(prices):
        yield "item", _("This event has no currency, so that only free products can be issued.")


def _changed_when_paid(batch):
    """What the host makes of a ticket when it is paid. On consignment, that is after it was printed and sold."""
    for problem in _made_when_paid(batch.item):
        yield "consignment", problem
    for bundle in batch.item.bundles.select_related("bundled_item"):
        for problem in _made_when_paid(bundle.bundled_item):
            message = _("Bundled product “{product}”: {problem}")
            yield "consignment", message.format(product=bundle.bundled_item.name, problem=problem)


def _made_when_paid(item: Item) -> Iterator[str]:
    if item.issue_giftcard:
        yield _("This product is a gift card, and there is none before it is paid.")
    if item.media_policy:
        yield _("This product comes with a reusable medium, and there is none before it is paid.")
    if item.grant_membership_type_id:
        yield _("This product grants a membership, and there is none before it is paid.")


def _is_free(batch: OfflineSalesBatch, seats: Sequence[Seat]) -> bool:
    """The host counts such an order as paid. What it says against an order is said by whoever makes one."""
    try:
        return not simulate(batch, seats).order.total
    except JobFailed:
        return False


def is_seated(batch: OfflineSalesBatch) -> bool:
    """Does each ticket need a seat?"""
    return batch.item.seat_category_mappings.filter(subevent=batch.subevent).exists()


def _seat_misfits(batch, seats):
    if not is_seated(batch):
        if seats:
            yield "seats", _("This product has no seats.")
    elif len(seats) != batch.amount:
        yield "seats", _("This product requires a seat for each ticket: please name as many seats as tickets.")
    elif len(set(seats)) != len(seats):
        yield "seats", _("Please name each seat only once.")
    elif foreign := [seat for seat in seats if seat.product_id != batch.item_id]:
        yield "seats", _("The seat “{seat}” does not belong to this product.").format(seat=foreign[0].name)
