"""
The stock map: where the tickets of a batch, or of all batches of an event, are, as a picture and as a table that says
the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import ngettext

from ..after_sale.kind import AfterSale
from ..kinds import DECLARE_SOLD, REPORT_LOST, RETURN, UNDO_LOST, UNDO_RETURN, UNDO_SOLD
from ..models import OfflineSalesBatch, Seller
from ..sellers.stock import Line, Place, Stretch, fill_in, lines
from ..tickets.state import State, in_words

#: How many stretches of the same length are drawn on a line: on a desktop, each is about two pixels wide.
MOST = 500

#: How many lines are shown, how many stretches are drawn on all of them, and how many rows all tables have together.
MAX_LINES, MAX_STRETCHES, MAX_ROWS = 20, 2_000, 100

#: From which part of its line on a stretch has its name in it; on a phone, and elsewhere.
NAMED_ON_PHONE, NAMED = 0.3, 0.1

#: From which part of its line on a stretch has edges.
EDGED = 0.004

#: What can be done with tickets in a state.
ACTIONS: dict[State, tuple[AfterSale, ...]] = {
    State.STOCK: (DECLARE_SOLD, RETURN, REPORT_LOST),
    State.HELD: (DECLARE_SOLD, RETURN, REPORT_LOST),
    State.SOLD: (UNDO_SOLD, RETURN, REPORT_LOST),
    State.SETTLED: (RETURN, REPORT_LOST),
    State.LOST: (RETURN, UNDO_LOST),
    State.RETURNED: (UNDO_RETURN,),
    State.CANCELED: (),
}

#: How many colours and patterns there are for sellers. Beyond that, only names tell them apart.
COLOURS, PATTERNS = 6, 3


@dataclass(frozen=True)
class Kind:
    """What is drawn in one colour, and pattern."""

    label: str
    colour: str
    #: The key of an SVG pattern.
    pattern: str = ""


@dataclass
class Layer:
    """A part of a stretch, from top to bottom, in percent."""

    kind: Kind
    y: str
    height: str


@dataclass
class Drawn:
    """A stretch, in words and where it is on its line, in percent."""

    key: str
    numbers: str
    words: str
    #: The same where there is little room: of what is held, only by whom.
    short: str
    amount: str
    count: int
    x: str
    width: str
    layers: list[Layer]
    #: Whether there is room for its words: on a desktop, anywhere, or nowhere.
    named: str
    #: Whether its edges would be all that one sees.
    is_narrow: bool
    #: The batch that all of it is of, if it is one.
    batch: OfflineSalesBatch | None
    #: As it is understood where tickets are named.
    tickets: str
    #: Where it is, if all of it is in the same place.
    place: Place | None
    is_in_table: bool

    @property
    def title(self) -> str:
        return f"{self.numbers}: {self.words} ({self.amount})"

    @property
    def can_be_handed_over(self) -> bool:
        return self.place is not None and self.place.state in (State.STOCK, State.HELD)

    @property
    def can_be_taken_back(self) -> bool:
        return self.place is not None and self.place.state == State.HELD

    @property
    def kinds(self) -> tuple[AfterSale, ...]:
        return ACTIONS[self.place.state] if self.place else ()


@dataclass
class DrawnLine:
    batches: list[OfflineSalesBatch]
    title: str
    #: How many tickets it has.
    count: int
    first: int
    last: int
    stretches: list[Drawn]

    @property
    def rows(self) -> list[Drawn]:
        return [stretch for stretch in self.stretches if stretch.is_in_table]

    @property
    def more(self) -> int:
        return len(self.stretches) - len(self.rows)


@dataclass
class StockMap:
    lines: list[DrawnLine] = field(default_factory=list)
    #: Each kind, and how many tickets are of it.
    legend: list[tuple[Kind, int]] = field(default_factory=list)
    #: How many lines there are besides.
    more: int = 0


def stock_map(batches: Iterable[OfflineSalesBatch]) -> StockMap:
    """
    In two queries, however many tickets there are.

    :param batches: with product, variation and date
    """
    all_lines = lines(batches)
    shown = all_lines[:MAX_LINES]
    fill_in(shown, min(MOST, MAX_STRETCHES // max(len(shown), 1)))
    shown = [line for line in shown if line.stretches]
    counts: dict[Place, int] = {}
    for line in shown:
        for place, count in line.places.items():
            counts[place] = counts.get(place, 0) + count
    palette, rows, drawn = Palette(counts), MAX_ROWS, []
    for line in shown:
        drawn.append(_draw(line, palette, rows))
        rows -= len(drawn[-1].rows)
    return StockMap(drawn, palette.legend(counts), len(all_lines[MAX_LINES:]))


class Palette:
    """What each place is called, and drawn in."""

    STATES = {
        State.STOCK: ("in-stock", ""),
        State.SOLD: ("sold", ""),
        State.SETTLED: ("settled", ""),
        State.LOST: ("lost", "crossed"),
        State.RETURNED: ("returned", "hatched"),
        State.CANCELED: ("canceled", "dotted"),
    }

    def __init__(self, places: Iterable[Place]):
        keys = {place.seller for place in places if place.seller}
        sellers = Seller.objects.filter(pk__in=keys).order_by("name", "pk") if keys else Seller.objects.none()
        self.names = dict(sellers.values_list("pk", "name"))
        #: By name; the stock comes before all.
        self.order: dict[int | None, int] = {pk: index for index, pk in enumerate(self.names)}

    def rank(self, place: Place) -> tuple:
        """Stock first, then those who hold something, by name."""
        return list(State).index(place.state), self.order.get(place.seller, -1)

    def kind(self, place: Place) -> Kind:
        """Who answers for tickets that are not held any more is told by their words, not by their colour."""
        if place.state != State.HELD:
            return Kind(str(place.state.label), *self.STATES[place.state])
        pattern, colour = divmod(self.order[place.seller], COLOURS)
        patterns = ("", "held-hatched", "held-dotted")
        return Kind(self.words(place), f"held-{colour + 1}", patterns[pattern % PATTERNS])

    def words(self, place: Place) -> str:
        name = self.names[place.seller] if place.seller else ""
        words = in_words(place.state, name)
        return words if place.state == State.HELD or not name else f"{words} · {name}"

    def short(self, place: Place) -> str:
        return self.names[place.seller] if place.state == State.HELD and place.seller else self.words(place)

    def legend(self, counts: dict[Place, int]) -> list[tuple[Kind, int]]:
        found: dict[Kind, int] = {}
        for place in sorted(counts, key=self.rank):
            kind = self.kind(place)
            found[kind] = found.get(kind, 0) + counts[place]
        return list(found.items())


def _draw(line: Line, palette: Palette, rows: int) -> DrawnLine:
    """:param rows: how many its table may have"""
    batches = {batch.pk: batch for batch in line.batches}
    # Of test mode, tickets may have been deleted.
    total = sum(stretch.count for stretch in line.stretches)
    drawn, before = [], 0
    for index, stretch in enumerate(line.stretches):
        drawn.append(_draw_stretch(stretch, before / total, stretch.count / total, batches, palette, index < rows))
        before += stretch.count
    first, last = line.stretches[0], line.stretches[-1]
    return DrawnLine(list(line.batches), _title(line), total, first.first[1], last.last[1], drawn)


def _title(line: Line) -> str:
    """With variation and date, where all batches have the same."""
    first = line.batches[0]
    same = {(batch.variation_id, batch.subevent_id) for batch in line.batches}
    product = first.product if len({variation for variation, _date in same}) == 1 else str(first.item)
    date = first.date if len({date for _variation, date in same}) == 1 else ""
    return " · ".join(part for part in (product, date) if part)


def _draw_stretch(
    stretch: Stretch, x: float, width: float, batches: dict, palette: Palette, is_in_table: bool
) -> Drawn:
    places = sorted(stretch.places, key=palette.rank)
    parts = [(place, stretch.places[place]) for place in places]
    words = ", ".join(f"{palette.words(place)}: {count}" for place, count in parts)
    if not stretch.is_mixed:
        words = palette.words(places[0])
    short = palette.short(places[0])
    batch = batches[stretch.batch] if stretch.batch else None
    (first_batch, first), (last_batch, last) = stretch.first, stretch.last
    return Drawn(
        key=f"offlinesales-stock-{first_batch}-{first}",
        numbers=_numbers(first, last) if batch else f"#{first_batch}-{first} – #{last_batch}-{last}",
        words=words,
        short=short,
        amount=ngettext("{count} ticket", "{count} tickets", stretch.count).format(count=stretch.count),
        count=stretch.count,
        x=_percent(x),
        width=_percent(width),
        layers=list(_layers(parts, stretch.count, palette)),
        named="" if stretch.is_mixed or width < NAMED else "wide" if width < NAMED_ON_PHONE else "widest",
        is_narrow=width < EDGED,
        batch=batch,
        tickets=f"{first}-{last}" if first < last else str(first),
        place=None if stretch.is_mixed else places[0],
        is_in_table=is_in_table,
    )


def _layers(parts, total, palette):
    """As high as what they stand for is much."""
    y = 0.0
    for place, count in parts:
        height = count / total
        yield Layer(palette.kind(place), _percent(y), _percent(height))
        y += height


def _numbers(first: int, last: int) -> str:
    return f"{first}–{last}" if first < last else str(first)


def _percent(part: float) -> str:
    """As SVG wants it, in whatever language."""
    return f"{100 * part:.3f}%"
