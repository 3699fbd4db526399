"""
Where tickets are: all numbers of batches as ranges of neighbours that are in the same state, with the same seller.

There may be as many ranges as tickets, after an event of which every other ticket was let in. So the database finds
them, they are read one by one, and those too small to be told apart in a picture become one ``Stretch`` of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, pairwise
from typing import NamedTuple, Self

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from ..db.queries import planned_plainly, unscoped
from ..host.sql import as_sql
from ..models import Document, OfflineSalesBatch, OfflineSalesTicket, Seller
from ..tickets.state import State, state_of, with_facts

#: What neighbours of a run have in common, as columns. Numbers less their places among all that have the same in common
#: are the same as long as there is no gap.
ALIKE = "batch_id, fate, seller_id, sale, checked_in"
RUNS = f"""
    SELECT {ALIKE}, MIN(number) AS first, MAX(number) AS last
    FROM (
        SELECT {ALIKE}, number, number - ROW_NUMBER() OVER (PARTITION BY {ALIKE} ORDER BY number) AS run
        FROM (%s) AS tickets
    ) AS numbered
    GROUP BY {ALIKE}, run
    ORDER BY batch_id, first
"""


class Place(NamedTuple):
    """Where tickets are."""

    state: State
    #: Who holds them, or answers for them: the key of a seller. None is the stock.
    seller: int | None


class Range(NamedTuple):
    """Tickets of a batch, from the first number to the last one without a gap, that are all in the same place."""

    batch: int
    first: int
    last: int
    place: Place

    @property
    def amount(self) -> int:
        return self.last - self.first + 1


@dataclass
class Stretch:
    """Neighbours that are shown as one: a range, or some that are too small to be told apart."""

    #: Batch and number of the first ticket, and of the last one.
    first: tuple[int, int]
    last: tuple[int, int]
    count: int
    #: How many of them are in each place.
    places: dict[Place, int] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Range) -> Self:
        batch, first, last, place = found
        return cls((batch, first), (batch, last), found.amount, {place: found.amount})

    def add(self, following: "Stretch") -> None:
        self.last = following.last
        self.count += following.count
        for place, count in following.places.items():
            self.places[place] = self.places.get(place, 0) + count

    @property
    def is_mixed(self) -> bool:
        return len(self.places) > 1

    @property
    def batch(self) -> int | None:
        """The one that all of them are of."""
        return self.first[0] if self.first[0] == self.last[0] else None


@dataclass
class Line:
    """All numbers of a product, or of a batch that has numbers of its own."""

    batches: Sequence[OfflineSalesBatch]
    stretches: list[Stretch] = field(default_factory=list)

    @property
    def amount(self) -> int:
        """How many tickets were issued: of those of test mode, some may have been deleted."""
        return sum(batch.amount for batch in self.batches)

    @property
    def places(self) -> dict[Place, int]:
        found: dict[Place, int] = defaultdict(int)
        for stretch in self.stretches:
            for place, count in stretch.places.items():
                found[place] += count
        return dict(found)


def ranges(tickets: QuerySet[OfflineSalesTicket]) -> Iterator[Range]:
    """By batches, in the order of numbers; in one query, whatever there is."""
    columns = ("batch_id", "number", "fate", "seller_id", "sale", "checked_in")
    sql, parameters = as_sql(with_facts(tickets).order_by().values_list(*columns))
    place_of = cache(_place)
    with planned_plainly(), connection.cursor() as cursor:
        cursor.execute(RUNS % sql, parameters)
        found = None
        for batch, fate, seller, sale, checked_in, first, last in cursor:
            place = place_of(fate, seller, sale, bool(checked_in))
            if found and found.batch == batch and found.last == first - 1 and found.place == place:
                # Different for the database, but not for people: let in, or sold as its holder says.
                found = found._replace(last=last)
                continue
            if found:
                yield found
            found = Range(batch, first, last, place)
        if found:
            yield found


def _place(fate, seller, sale, checked_in):
    return Place(state_of(fate, seller is not None, sale, checked_in), seller)


def lines(batches: Iterable[OfflineSalesBatch]) -> list[Line]:
    """
    A line for each product, with its batches in the order of their numbers. Where a number is there more than once,
    each batch has a line of its own.
    """
    by_product: dict[int, list[OfflineSalesBatch]] = defaultdict(list)
    for batch in batches:
        by_product[batch.item_id].append(batch)
    found = []
    for ordered in by_product.values():
        ordered.sort(key=lambda batch: (batch.numbers[0], batch.pk))
        goes_on = all(before.numbers[-1] < after.numbers[0] for before, after in pairwise(ordered))
        found += [Line(ordered)] if goes_on else [Line([batch]) for batch in ordered]
    return found


def fill_in(some_lines: Sequence[Line], most: int) -> None:
    """
    Let lines know their stretches, in one query.

    :param most: how many stretches of the same length there may be on a line before they can't be told apart
    """
    # How many tickets it takes to be seen, by batch.
    least = {batch.pk: line.amount / most for line in some_lines for batch in line.batches}
    found: dict[int, list[Stretch]] = defaultdict(list)
    if least:
        tickets = unscoped(OfflineSalesTicket.objects).filter(batch__in=list(least))
        for each in ranges(tickets):
            _add(found[each.batch], Stretch.of(each), least[each.batch])
    for line in some_lines:
        for stretch in chain.from_iterable(found[batch.pk] for batch in line.batches):
            # Of small batches, nothing can be told apart either.
            _add(line.stretches, stretch, line.amount / most)


def _add(stretches: list[Stretch], more: Stretch, least: float) -> None:
    if stretches and stretches[-1].count < least and more.count < least:
        stretches[-1].add(more)
    else:
        stretches.append(more)


def got_some(documents: QuerySet[Document]) -> QuerySet[Seller]:
    """Whom these documents gave tickets to, by name. Nobody needs to look at tickets for that."""
    return Seller.objects.filter(Exists(documents.filter(target=OuterRef("pk")).order_by())).order_by("name", "pk")
