"""“The next 50 of each product”: what one takes from the pile without looking."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from pretix.base.models import Event, SubEvent

from ..db.queries import planned_plainly, unscoped
from ..models import MAX_AMOUNT, OfflineSalesBatch, OfflineSalesTicket, Seller
from ..tickets.lines import too_many
from ..tickets.state import IN_STATE, State, with_state

#: What tickets have in common that lie on one pile.
PILE = ("batch__item", "batch__variation", "batch__subevent")


@dataclass
class Pile:
    """Tickets of one product, at one date."""

    #: One of its batches.
    batch: OfflineSalesBatch
    #: Of each batch, the numbers that come next, in ascending order.
    numbers: dict[OfflineSalesBatch, list[int]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(map(len, self.numbers.values()))


def next_ones(
    event: Event,
    source: Seller | None,
    each: int | None,
    products: Collection[tuple[int, int | None]] = (),
    subevent: SubEvent | None = None,
) -> list[Pile]:
    """
    The next tickets of each product and date that can be handed over by a seller or (None) from stock, oldest batch
    first. Products of which there is nothing have an empty pile. Two queries, however many there are.

    :param each: how many of each; all, if None
    :param products: the keys of products and variations that are meant; all, if empty
    :param subevent: the date that is meant; all, if None
    :raises ValueError: with a message for people, if these are more tickets than one may ask about
    """
    batches = _batches(event, products, subevent)
    by_key = {batch.pk: batch for batch in batches}
    piles: dict[tuple, Pile] = {}
    for batch in batches:
        piles.setdefault(_pile_of(batch), Pile(batch))
    found: dict[int, list[int]] = defaultdict(list)
    with planned_plainly():
        rows = list(_tickets(by_key, source, each).values_list("batch", "number")[: MAX_AMOUNT + 1])
    if len(rows) > MAX_AMOUNT:
        raise too_many()
    for pk, number in rows:
        found[pk].append(number)
    for pk in sorted(found):
        piles[_pile_of(by_key[pk])].numbers[by_key[pk]] = sorted(found[pk])
    return list(piles.values())


def _batches(
    event: Event, products: Collection[tuple[int, int | None]], subevent: SubEvent | None
) -> list[OfflineSalesBatch]:
    batches = OfflineSalesBatch.objects.filter(event=event, completed__isnull=False, testmode=False)
    if products:
        conditions = [Q(item=item, variation=variation) for item, variation in products]
        batches = batches.filter(Q(*conditions, _connector=Q.OR))
    if subevent:
        batches = batches.filter(subevent=subevent)
    found = list(batches.select_related("item", "variation", "subevent").order_by("item__position", "item", "pk"))
    for batch in found:
        batch.event = event
        if batch.subevent:
            batch.subevent.event = event
    return found


def _pile_of(batch: OfflineSalesBatch) -> tuple:
    return batch.item_id, batch.variation_id, batch.subevent_id


def _tickets(batches: Collection[int], source: Seller | None, each: int | None) -> QuerySet[OfflineSalesTicket]:
    there = IN_STATE[State.HELD if source else State.STOCK]
    tickets = unscoped(OfflineSalesTicket.objects).filter(batch__in=batches, seller=source)
    tickets = with_state(tickets).filter(there).order_by()
    if each is None:
        return tickets
    place = Window(RowNumber(), partition_by=[F(name) for name in PILE], order_by=["batch", "number"])
    return tickets.annotate(place=place).filter(place__lte=each)
