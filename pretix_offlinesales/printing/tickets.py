"""Fetches the tickets of a batch that are printed, with everything that layouts may show of them, in few queries."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from hashlib import blake2b
from itertools import chain, islice
from typing import NamedTuple, TypeVar

from django.db.models import Prefetch, prefetch_related_objects
from pretix.base.models import (
    Checkin,
    Event,
    EventMetaValue,
    ItemMetaValue,
    ItemVariation,
    ItemVariationMetaValue,
    OrderPosition,
    SubEventMetaValue,
)

from ..db.queries import first, unscoped
from ..models import TICKET_POSITION, OfflineSalesBatch
from ..tickets.state import LIVE, the_ticket
from .fetching import FetchedTogether

#: Tickets that are in memory at the same time, and that share their queries.
CHUNK_SIZE = 500

P = TypeVar("P")

#: Called with how many tickets are done, and of how many.
Report = Callable[[int, int], None]


class ValidTickets:
    """Of the tickets of a batch with these numbers those that are neither canceled nor split off, in this order."""

    def __init__(self, batch: OfflineSalesBatch, numbers: Sequence[int]):
        self.event = _event(batch.event_id)
        found = dict(
            batch.tickets.filter(number__range=(min(numbers, default=0), max(numbers, default=0)))
            .alias(canceled_alone=first(the_ticket(), "canceled"))
            .filter(LIVE, canceled_alone=False)
            .values_list("number", "order")
        )
        self._orders = {number: found[number] for number in numbers if number in found}

    def __len__(self) -> int:
        return len(self._orders)

    def __contains__(self, number: int) -> bool:
        return number in self._orders

    def __iter__(self) -> Iterator[tuple[int, list[OrderPosition]]]:
        """The number of each ticket and its positions to print; none, if it was canceled or split off meanwhile."""
        tickets = iter(self._orders.items())
        while chunk := list(islice(tickets, CHUNK_SIZE)):
            # An order may have been deleted, or may have lost its ticket.
            positions = _positions(self.event, [pk for _number, pk in chunk])
            for number, pk in chunk:
                yield number, positions_to_print(positions[pk], _is_ticket) if _has_ticket(positions[pk]) else []


class Printed(NamedTuple):
    """A position that is on paper, or in a file."""

    #: Primary key.
    position: int
    #: Of its ticket.
    number: int
    #: Tells whether what is there is still valid. See ``fingerprint``.
    codes: str

    @classmethod
    def of(cls, number: int, position: OrderPosition) -> "Printed":
        order = position.order
        return cls(position.pk, number, fingerprint(position.secret, position.web_secret, order.secret))


def fingerprint(secret: str, web_secret: str, order_secret: str) -> str:
    """A digest of the secrets that a layout can show of a position. It does not give them away."""
    return blake2b("\0".join((secret, web_secret, order_secret)).encode(), digest_size=8).hexdigest()


class PositionKind(NamedTuple):
    """What the host's choice whether to make a ticket for a position depends on."""

    item: int
    is_addon: bool


def kinds_of_positions(batch: OfflineSalesBatch, numbers: Collection[int]) -> dict[int, list[PositionKind]]:
    """
    The positions of each ticket with these numbers, by number, in few queries. Canceled positions are left out; if the
    ticket itself is one of them, or was split off, all are.
    """
    kinds = {number: [] for number in numbers}
    tickets = batch.tickets.order_by().values_list("order", "number")
    orders = {order: number for order, number in tickets if number in kinds}
    # By key: to join them, PostgreSQL may compare each with each.
    positions = unscoped(OrderPosition.objects).filter(order__in=orders).order_by("positionid")
    there = set()
    for order, positionid, item, addon_to in positions.values_list("order", "positionid", "item", "addon_to"):
        kinds[orders[order]].append(PositionKind(item, addon_to is not None))
        if positionid == TICKET_POSITION:
            there.add(orders[order])
    return {number: of_ticket if number in there else [] for number, of_ticket in kinds.items()}


def examples(
    batch: OfflineSalesBatch, kinds: dict[int, list[PositionKind]]
) -> tuple[Event, dict[PositionKind, tuple[OrderPosition, bool]]]:
    """Their event, and for each kind a position of it, and whether the host would make a ticket for that."""
    numbers = {}
    for number, of_ticket in kinds.items():
        for kind in of_ticket:
            numbers.setdefault(kind, number)
    orders = dict(batch.tickets.filter(number__in=numbers.values()).values_list("order", "number"))
    event = _event(batch.event_id)
    found = {}
    for positions in _positions(event, list(orders)).values():
        for position in positions:
            found.setdefault(PositionKind(position.item_id, position.addon_to_id is not None), position)
    return event, {kind: (position, _is_ticket(position)) for kind, position in found.items()}


def positions_to_print(positions: list[P], is_ticket: Callable[[P], bool]) -> list[P]:
    """
    Of an order's positions those that the host makes a ticket for; if there is none, the main one: this ticket is sold
    on paper.
    """
    if len(positions) < 2:
        return positions
    return [position for position in positions if is_ticket(position)] or positions[:1]


def _has_ticket(positions: list[OrderPosition]) -> bool:
    return any(position.positionid == TICKET_POSITION for position in positions)


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
        _meta_values(EventMetaValue),
        "questions",
        "item_meta_properties",
    )
    return event


def _positions(event: Event, pks: list[int]) -> dict[int, list[OrderPosition]]:
    """
    The positions of these orders that are not canceled, by order, with all that the host's placeholders ask for.

    Querysets that begin at the event hand it down, so that its settings are loaded once.
    """
    orders = event.orders.select_related("invoice_address", "offline_sales_ticket").prefetch_related("sales_channel")
    orders = orders.in_bulk(pks)
    positions = {position.pk: position for position in unscoped(OrderPosition.all).filter(order__in=orders)}
    for position in positions.values():
        position.order = orders[position.order_id]
        position.addon_to = positions.get(position.addon_to_id)
    _fetch_references(event, positions.values())
    relations = _relations_of_positions()
    FetchedTogether(positions.values(), relations)
    FetchedTogether(orders.values(), {"all_positions": [_prefetch_positions(relations)]})

    by_order = defaultdict(list)
    for position in positions.values():
        if not position.canceled:
            by_order[position.order_id].append(position)
    return by_order


def _fetch_references(event: Event, positions: Collection[OrderPosition]) -> None:
    """Products and dates, each only once. The ``meta_values_cached`` are where ``meta_data`` looks first."""
    items = event.items.select_related("category").prefetch_related(
        _meta_values(ItemMetaValue),
        "program_times",
    )
    variations = ItemVariation.objects.prefetch_related(Prefetch("item", items), _meta_values(ItemVariationMetaValue))
    subevents = event.subevents.prefetch_related(_meta_values(SubEventMetaValue))
    for name, queryset in (("item", items), ("variation", variations), ("subevent", subevents), ("seat", None)):
        # Django would be slow to find out that there is nothing to fetch.
        prefetch_related_objects([p for p in positions if getattr(p, f"{name}_id")], Prefetch(name, queryset))


def _meta_values(model) -> Prefetch:
    return Prefetch("meta_values", model.objects.select_related("property"), to_attr="meta_values_cached")


def _relations_of_positions() -> dict[str, list]:
    """What placeholders may ask of a position, by the name that Django remembers it by."""
    return {
        "answers": ["answers", "answers__options", "answers__question"],
        "all_checkins": [Prefetch("checkins", unscoped(Checkin.objects).select_related("device"))],
        "linked_media": ["linked_media"],
        "addons": [Prefetch("addons", unscoped(OrderPosition.objects).select_related("item", "variation"))],
    }


def _prefetch_positions(relations: dict[str, list]) -> Prefetch:
    references = ("item", "variation", "subevent", "seat", "addon_to")
    return Prefetch(
        "positions",
        unscoped(OrderPosition.objects).select_related(*references).prefetch_related(*chain(*relations.values())),
    )
