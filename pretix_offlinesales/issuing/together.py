"""May several batches be made, all of them? Asked before anything is made; nothing is locked."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _
from pretix.base.models import Event, Quota, Seat

from ..host.quotas import places, taken_by
from ..models import JobFailed, OfflineSalesBatch, Seller
from ..sellers.exposure import exposures
from ..sellers.handing_over import NotHandedOver, check_seller
from ..tickets.figures import Tally
from .blueprint import Blueprint, simulate
from .product import check
from .request import IssueRequest, batch_of
from .seats import next_free

#: What a batch is made of.
PARTS = ("item", "variation", "subevent", "sales_channel", "layout")


@dataclass(frozen=True)
class Problem:
    #: Which of the batches it is about, counted from 0; the first of those, if it is about several.
    place: int
    #: Of ``IssueRequest``, without ``_id``.
    field: str
    message: str


@dataclass(frozen=True)
class Line:
    """A batch that is asked for."""

    #: Unsaved.
    batch: OfflineSalesBatch
    #: Who gets it; none, if it stays in stock.
    seller: Seller | None
    #: Of one ticket; none, if it can't be said.
    price: Decimal | None

    @property
    def tally(self) -> Tally:
        return Tally(self.batch.amount, self.batch.amount * (self.price or Decimal("0.00")))


@dataclass(frozen=True)
class Share:
    """What is asked for of one quota."""

    quota: Quota
    needed: int
    #: None, if there is no limit.
    left: int | None

    @property
    def suffices(self) -> bool:
        return self.left is None or self.needed <= self.left


@dataclass(frozen=True)
class Allotment:
    """What a seller would get."""

    seller: Seller
    more: Tally
    #: What she would hold or owe then.
    value: Decimal

    @property
    def is_too_much(self) -> bool:
        return self.seller.credit_limit is not None and self.value > self.seller.credit_limit


@dataclass
class Together:
    """What would be made."""

    lines: list[Line] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)
    allotments: list[Allotment] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def total(self) -> Tally:
        return sum((line.tally for line in self.lines), Tally())


def check_together(event: Event, requests: Sequence[IssueRequest]) -> Together:
    """
    Each as ``product.check`` does, quotas and seats for all of them, and what each seller would hold. The host is asked
    once for each product, so it takes as long for many sellers as for one.
    """
    batches = _batches(event, requests)
    sellers = _sellers(event, requests)
    together = Together()
    blueprints = dict(_blueprints(together, event, requests, batches))
    for place, (request, batch) in enumerate(zip(requests, batches, strict=True)):
        blueprint = blueprints.get(place)
        seller = sellers.get(request.seller_id) if request.seller_id else None
        together.lines.append(Line(batch, seller, blueprint.order.total if blueprint else None))
        if request.seller_id and not seller:
            together.problems.append(Problem(place, "seller", _("This seller does not exist any more.")))
        if request.seller_id and request.testmode:
            together.problems.append(Problem(place, "testmode", _("Tickets of test mode cannot be handed over.")))
    _share_quotas(together, blueprints)
    _allot(together, event, over_limit={request.seller_id for request in requests if request.over_limit})
    together.problems.sort(key=lambda problem: problem.place)
    return together


def _batches(event: Event, requests: Sequence[IssueRequest]) -> list[OfflineSalesBatch]:
    """Those that have the same product have the same object."""
    batches = [batch_of(request, event, {}) for request in requests]
    prefetch_related_objects(batches, *PARTS)
    for batch in batches:
        if batch.subevent_id and batch.subevent:
            batch.subevent.event = event
    return batches


def _sellers(event: Event, requests: Sequence[IssueRequest]) -> dict[int, Seller]:
    keys = {request.seller_id for request in requests if request.seller_id}
    return Seller.objects.filter(organizer=event.organizer).in_bulk(keys) if keys else {}


def _blueprints(
    together: Together, event: Event, requests: Sequence[IssueRequest], batches: Sequence[OfflineSalesBatch]
) -> Iterator[tuple[int, Blueprint]]:
    """One ticket of each batch that can be made by itself, by the batch's place."""
    seats = dict(_seats(together, event, requests, batches))
    checked: dict[tuple, bool] = {}
    simulated: dict[tuple, Blueprint | None] = {}
    for place, (request, batch) in enumerate(zip(requests, batches, strict=True)):
        of_batch = seats.get(place, [])
        whole = _key(request, seller_id=None, comment="", seats=tuple(seat.pk for seat in of_batch[:1]))
        if whole not in checked:
            checked[whole] = _is_sound(together, place, batch, request, of_batch)
        if not checked[whole]:
            continue
        one = _key(request, seller_id=None, comment="", amount=1, first_number=None, book_size=None, seats=())
        if one not in simulated:
            simulated[one] = _simulated(together, place, batch, of_batch[:1])
        if blueprint := simulated[one]:
            yield place, blueprint


def _key(request: IssueRequest, **same: object) -> tuple:
    """The same for two requests that differ in nothing but what is named."""
    return tuple(sorted((name, str(value)) for name, value in replace(request, **same).data.items()))  # type: ignore[arg-type]


def _seats(
    together: Together, event: Event, requests: Sequence[IssueRequest], batches: Sequence[OfflineSalesBatch]
) -> Iterator[tuple[int, list[Seat]]]:
    """For each batch that has some, by its place: those that are named, or the next free ones, as they come."""
    keys = [pk for request in requests for pk in request.seats]
    named = event.seats.in_bulk(keys) if keys else {}
    free: dict[tuple, list[int]] = defaultdict(list)
    for place, request in enumerate(requests):
        if request.next_seats:
            free[request.item_id, request.subevent_id, request.sales_channel_id].append(place)
        elif request.seats:
            yield place, [named[pk] for pk in request.seats if pk in named]
    for of_product in free.values():
        amount = sum(requests[place].amount for place in of_product)
        asked = replace(requests[of_product[0]], amount=amount)
        try:
            found = iter(next_free(batch_of(asked, event, {})))
        except ValidationError as error:
            together.problems += [Problem(of_product[0], "amount", message) for message in error.messages]
            continue
        for place in of_product:
            yield place, [next(found) for _number in range(requests[place].amount)]


def _is_sound(
    together: Together, place: int, batch: OfflineSalesBatch, request: IssueRequest, seats: Sequence[Seat]
) -> bool:
    if any(getattr(batch, f"{name}_id") and not getattr(batch, name) for name in PARTS):
        message = _("Something that this batch should have been made of has been deleted in the meantime.")
        together.problems.append(Problem(place, "item", message))
        return False
    if request.next_seats and not seats:
        return False  # as is said already
    try:
        check(batch, seats)
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            together.problems += [Problem(place, name, message) for message in messages]
        return False
    return True


def _simulated(together: Together, place: int, batch: OfflineSalesBatch, seats: Sequence[Seat]) -> Blueprint | None:
    try:
        return simulate(batch, seats)
    except JobFailed as error:
        together.problems.append(Problem(place, "item", str(error)))
        return None


def _share_quotas(together: Together, blueprints: Mapping[int, Blueprint]) -> None:
    """The batch with which it becomes too much is the one that is named."""
    taken: dict[int, Counter[Quota]] = {}  # by the id() of the blueprint
    needed: Counter[Quota] = Counter()
    reached: dict[Quota, list[tuple[int, int]]] = defaultdict(list)
    for place, blueprint in blueprints.items():
        if id(blueprint) not in taken:
            taken[id(blueprint)] = taken_by(blueprint.positions)
        for quota, number in taken[id(blueprint)].items():
            needed[quota] += number * together.lines[place].batch.amount
            reached[quota].append((place, needed[quota]))
    left = places(needed) if needed else {}
    for quota in sorted(needed, key=lambda quota: quota.pk):
        share = Share(quota, needed[quota], None if left[quota] is None else max(left[quota] or 0, 0))
        together.shares.append(share)
        if not share.suffices:
            place = next(place for place, number in reached[quota] if number > (share.left or 0))
            message = _("Quota “{quota}”: {needed} are needed for all batches together, and {left} are left.")
            text = message.format(quota=quota.name, needed=share.needed, left=share.left)
            together.problems.append(Problem(place, "amount", text))


def _allot(together: Together, event: Event, over_limit: Collection[int | None]) -> None:
    """
    The first batch of a seller who can't get all of hers is the one that is named.

    :param over_limit: the keys of those who may get more than their credit limit
    """
    more: dict[Seller, Tally] = defaultdict(Tally)
    first: dict[Seller, int] = {}
    for place, line in enumerate(together.lines):
        if line.seller:
            more[line.seller] += line.tally
            first.setdefault(line.seller, place)
    exposed = exposures(more)
    for seller, tally in more.items():
        together.allotments.append(Allotment(seller, tally, exposed[seller.pk] + tally.value))
        try:
            check_seller(seller, event, tally, exposed[seller.pk], over_limit=seller.pk in over_limit)
        except NotHandedOver as error:
            together.problems.append(Problem(first[seller], "seller", str(error)))
