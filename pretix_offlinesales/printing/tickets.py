"""Which tickets of a batch are printed, with everything that a layout may show of them, in few queries."""

from collections.abc import Iterator
from itertools import islice

from django.db.models import Exists, OuterRef, Prefetch, prefetch_related_objects
from pretix.base.models import (
    Checkin,
    Event,
    EventMetaValue,
    ItemMetaValue,
    ItemVariation,
    ItemVariationMetaValue,
    Order,
    OrderPosition,
    SubEventMetaValue,
)

from ..models import OfflineSalesBatch

#: Tickets that are in memory at the same time, and that share their queries.
CHUNK_SIZE = 500


class ValidTickets:
    """The tickets of a batch that are not canceled, in their order; each as the list of its positions to print."""

    def __init__(self, batch: OfflineSalesBatch):
        self.event = _event(batch.event_id)
        self._orders = list(
            batch.tickets.exclude(order__status=Order.STATUS_CANCELED)
            .filter(Exists(OrderPosition.objects.filter(order=OuterRef("order"))))
            .order_by("number")
            .values_list("order", flat=True)
        )

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[list[OrderPosition]]:
        ids = iter(self._orders)
        while chunk := list(islice(ids, CHUNK_SIZE)):
            orders = _orders(self.event).in_bulk(chunk)
            # An order may have been deleted, or its last position canceled, since we counted.
            for pk in chunk:
                yield _positions_to_print(orders.pop(pk)) if pk in orders else []


def _positions_to_print(order: Order) -> list[OrderPosition]:
    """The positions that the host makes a ticket for; if there is none, the main one: this ticket is sold on paper."""
    positions = list(order.positions.all())
    return [position for position in positions if _is_ticket(position)] or positions[:1]


def _is_ticket(position: OrderPosition) -> bool:
    """Whether the host would make a ticket for this position, if it were not blocked: it may be unblocked later."""
    blocked, position.blocked = position.blocked, None
    try:
        return position.generate_ticket
    finally:
        position.blocked = blocked


def _event(pk: int) -> Event:
    """An instance of our own, because what we prefetch to it would be out of date when somebody else uses it later."""
    event = Event.objects.select_related("organizer").get(pk=pk)
    prefetch_related_objects([event.organizer], "meta_properties")
    prefetch_related_objects(
        [event],
        Prefetch("meta_values", EventMetaValue.objects.select_related("property"), to_attr="meta_values_cached"),
        "questions",
        "item_meta_properties",
    )
    return event


def _orders(event: Event):
    """
    Orders with all that the host's placeholders ask for. Querysets that begin at the event hand it down, so that its
    settings are loaded once. The ``meta_values_cached`` are where the host's ``meta_data`` properties look first.
    """
    items = event.items.select_related("category").prefetch_related(
        Prefetch("meta_values", ItemMetaValue.objects.select_related("property"), to_attr="meta_values_cached"),
        "program_times",
    )
    variations = ItemVariation.objects.prefetch_related(
        Prefetch("item", items),
        Prefetch(
            "meta_values", ItemVariationMetaValue.objects.select_related("property"), to_attr="meta_values_cached"
        ),
    )
    subevents = event.subevents.prefetch_related(
        Prefetch("meta_values", SubEventMetaValue.objects.select_related("property"), to_attr="meta_values_cached"),
    )
    answers = ("answers", "answers__options", "answers__question")
    positions = OrderPosition.objects.select_related("seat", "addon_to", "addon_to__seat").prefetch_related(
        Prefetch("item", items),
        Prefetch("variation", variations),
        Prefetch("subevent", subevents),
        Prefetch("addons", OrderPosition.objects.select_related("item", "variation")),
        Prefetch("checkins", Checkin.objects.select_related("device")),
        "linked_media",
        *answers,
        *(f"addon_to__{lookup}" for lookup in answers),
    )
    return event.orders.select_related("invoice_address").prefetch_related(
        "sales_channel", Prefetch("positions", positions)
    )
