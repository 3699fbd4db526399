"""
Sheets of paper that several tickets lie on: what can be asked for, how many fit, and where each of them lies.

Lengths are in millimetres, places are counted from the lower left corner of the paper.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from functools import partial
from itertools import islice

from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy, pgettext_lazy

Pair = tuple[float, float]

#: How many fields that there are not are named at once.
MAX_UNKNOWN = 20

#: Width and height, as they are called.
PAPERS: dict[str, Pair] = {
    "A3": (297, 420),
    "A4": (210, 297),
    "A5": (148, 210),
    "SRA3": (320, 450),
    "Letter": (215.9, 279.4),
    "Legal": (215.9, 355.6),
    "Tabloid": (279.4, 431.8),
}

#: What a sheet may measure. (A page of a PDF can be a little larger.)
MIN_PAPER, MAX_PAPER = 20, 5_000

#: Columns, and rows.
MAX_COLUMNS = 100

#: Printers are not further off than this.
MAX_OFFSET = 50

#: A ticket may be larger by so much than the place that it has, since its size in the layout is mostly one that was
#: rounded to whole points, of 0.35 mm: what is called A6 must fit on A4 four times.
TOLERANCE = 0.2


class SheetOrder(TextChoices):
    """Which ticket lies where."""

    READING = "reading", gettext_lazy("row by row")
    #: The piles that a stack is cut into, laid on each other, are in the order of the numbers.
    STACK = "stack", gettext_lazy("for cutting in a stack")


class Duplex(TextChoices):
    """The edge on which the printer turns a sheet, to print backs on it."""

    LONG = "long", pgettext_lazy("paper", "long edge")
    SHORT = "short", pgettext_lazy("paper", "short edge")


@dataclass(frozen=True)
class Sheet:
    """What is asked for. Made by ``parse``, which checks it."""

    #: A name in ``PAPERS``, or width and height.
    paper: str | Pair
    #: The longer side of the paper is at the bottom. Otherwise, it lies as it is given.
    landscape: bool = False
    #: Without both, as many as fit.
    columns: int | None = None
    rows: int | None = None
    #: What is free at the edges at least: left and right, top and bottom. What is left over lies evenly around.
    margin: Pair = (0, 0)
    #: What is free between tickets, horizontally and vertically.
    gutter: Pair = (0, 0)
    #: The place that a ticket has, if it is not as large as the ticket itself: a label, in the middle of which it lies.
    cell: Pair | None = None
    #: Whether tickets are turned by 90°. Without, they are where more fit then.
    rotate: bool | None = None
    crop_marks: bool = False
    #: Which sheet of which batch it is, where there is room at the edge.
    running_text: bool = True
    order: str = SheetOrder.READING
    #: The second page of a ticket is its back, and the edge on which the printer turns the sheet is this one.
    duplex: str | None = None
    #: All is moved to the right and upwards by so much, because the printer moves it to the other side.
    offset: Pair = (0, 0)

    @classmethod
    def parse(cls, data) -> "Sheet":
        """
        :param data: as JSON knows it, by the names of the fields; all but ``paper`` can be left out. For lengths that
            are pairs, one number is both.
        :raises ValidationError: with messages for people by key
        """
        if not isinstance(data, dict):
            raise ValidationError(_("This must be an object with the key “paper”."))
        names = [field.name for field in fields(cls)]
        unknown = (key for key in data if key not in names)
        errors = {str(key): _("There is no such field.") for key in islice(unknown, MAX_UNKNOWN)}
        values = {}
        for name in names:
            try:
                if name in data:
                    values[name] = READ[name](data[name])
            except ValueError as error:
                errors[name] = str(error)
        if "paper" not in data:
            errors["paper"] = _("This field is required.")
        if (values.get("columns") is None) != (values.get("rows") is None) and not errors.keys() & {"columns", "rows"}:
            missing = "rows" if values.get("rows") is None else "columns"
            errors[missing] = _("Columns and rows are only given together.")
        if not errors:
            sheet = cls(**values)
            if min(sheet.free) <= 0:
                errors["margin"] = _("These margins leave nothing of the paper.")
        if errors:
            raise ValidationError(errors)
        return sheet

    @property
    def data(self) -> dict:
        """As ``parse`` takes it, to be stored as JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @property
    def size(self) -> Pair:
        """Of the paper, as it lies."""
        width, height = PAPERS[self.paper] if isinstance(self.paper, str) else self.paper
        return (max(width, height), min(width, height)) if self.landscape else (width, height)

    @property
    def free(self) -> Pair:
        """What the margins leave of the paper."""
        width, height = self.size
        return width - 2 * self.margin[0], height - 2 * self.margin[1]


def _read_number(value, minimum: float, maximum: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError(_("A valid number is required."))
    if not minimum <= value <= maximum:
        raise ValueError(
            _("This must be a number from {min} to {max}.").format(min=_plain(minimum), max=_plain(maximum))
        )
    return value if isinstance(value, int) else float(value)


def _read_count(value) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(_("A valid integer is required."))
    return _read_number(value, 1, MAX_COLUMNS)


def _read_pair(value, minimum: float, maximum: float) -> Pair:
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise ValueError(_("These must be two numbers: horizontal and vertical."))
        return tuple(_read_number(each, minimum, maximum) for each in value)
    return (_read_number(value, minimum, maximum),) * 2


def _read_paper(value) -> str | Pair:
    if isinstance(value, list | tuple):
        return _read_pair(value, MIN_PAPER, MAX_PAPER)
    if isinstance(value, str) and value in PAPERS:
        return value
    raise ValueError(
        _("This must be one of {papers}, or width and height in millimetres.").format(papers=", ".join(PAPERS))
    )


def _read_truth(value) -> bool:
    if not isinstance(value, bool):
        raise ValueError(_("Must be a valid boolean."))
    return value


def _read_choice(value, choices: type[TextChoices]) -> str:
    if not isinstance(value, str) or value not in choices.values:
        raise ValueError(_("This must be one of {choices}.").format(choices=", ".join(choices.values)))
    return choices(value).value


def _or_none(read: Callable, value):
    return None if value is None else read(value)


#: How each field is read.
READ: dict[str, Callable] = {
    "paper": _read_paper,
    "landscape": _read_truth,
    "columns": partial(_or_none, _read_count),
    "rows": partial(_or_none, _read_count),
    "margin": partial(_read_pair, minimum=0, maximum=MAX_PAPER),
    "gutter": partial(_read_pair, minimum=0, maximum=MAX_PAPER),
    "cell": partial(_or_none, partial(_read_pair, minimum=1, maximum=MAX_PAPER)),
    "rotate": partial(_or_none, _read_truth),
    "crop_marks": _read_truth,
    "running_text": _read_truth,
    "order": partial(_read_choice, choices=SheetOrder),
    "duplex": partial(_or_none, partial(_read_choice, choices=Duplex)),
    "offset": partial(_read_pair, minimum=-MAX_OFFSET, maximum=MAX_OFFSET),
}


@dataclass(frozen=True)
class Place:
    """Where one side of a ticket lies, and how it is turned there, counterclockwise."""

    left: float
    bottom: float
    degrees: int


@dataclass(frozen=True)
class Grid:
    """The places of tickets of one size on a sheet, in rows from the top and from left to right. Made by ``impose``."""

    sheet: Sheet
    columns: int
    rows: int
    #: Width and height of a place, as it lies.
    cell: Pair
    #: Of a ticket, as it lies; not larger than its place.
    ticket: Pair
    #: The tickets are turned by 90°.
    rotated: bool

    def __len__(self) -> int:
        return self.columns * self.rows

    @property
    def lefts(self) -> list[float]:
        """Where the tickets of each column begin, from the left, before the offset."""
        return self._begins(0, self.columns)

    @property
    def bottoms(self) -> list[float]:
        """Where the tickets of each row begin, from the top, before the offset."""
        return self._begins(1, self.rows)[::-1]

    def _begins(self, axis: int, count: int) -> list[float]:
        cell, gutter = self.cell[axis], self.sheet.gutter[axis]
        used = count * cell + (count - 1) * gutter
        first = (self.sheet.size[axis] - used + cell - self.ticket[axis]) / 2
        return [first + number * (cell + gutter) for number in range(count)]

    def front(self, index: int) -> Place:
        row, column = divmod(index, self.columns)
        return Place(self.lefts[column], self.bottoms[row], 90 if self.rotated else 0)

    def back(self, index: int) -> Place:
        """
        On the other side of the paper, as you see it after it was turned: where it meets the front, and so that the
        ticket is turned like a page of a book, whichever way the printer turns the sheet.
        """
        width, height = self.sheet.size
        front = self.front(index)
        if (self.sheet.duplex == Duplex.LONG) == (height >= width):
            return Place(width - front.left - self.ticket[0], front.bottom, -front.degrees % 360)
        return Place(front.left, height - front.bottom - self.ticket[1], 180 - front.degrees)


def impose(sheet: Sheet, ticket: Pair) -> Grid:
    """
    Lay tickets of this size on the sheet.

    :raises ValidationError: by key, with a message that says what would fit
    """
    ways = [False, True] if sheet.rotate is None else [sheet.rotate]
    if sheet.cell:
        ways = [rotated for rotated in ways if _holds(sheet.cell, _turned(ticket, rotated))]
        if not ways:
            raise ValidationError({"cell": _too_large(ticket, sheet.cell)})
    most = {rotated: _most(sheet, sheet.cell or _turned(ticket, rotated)) for rotated in ways}
    if sheet.columns:
        fitting = [way for way in ways if most[way][0] >= sheet.columns and most[way][1] >= sheet.rows]
        if not fitting:
            raise ValidationError(_does_not_fit(sheet, ticket, most))
        rotated, counts = fitting[0], (sheet.columns, sheet.rows)
    else:
        rotated = max(ways, key=lambda way: most[way][0] * most[way][1])  # the first of several
        counts = most[rotated]
        if not all(counts):
            raise ValidationError(_does_not_fit(sheet, ticket, most))
    cell = _squeezed(sheet, sheet.cell or _turned(ticket, rotated), counts)
    lies = tuple(min(lengths) for lengths in zip(_turned(ticket, rotated), cell, strict=True))
    return Grid(sheet, *counts, cell=cell, ticket=lies, rotated=rotated)


def _turned(size: Pair, rotated: bool) -> Pair:
    return size[::-1] if rotated else size


def _holds(outer: Pair, inner: Pair) -> bool:
    return all(there + TOLERANCE >= wanted for there, wanted in zip(outer, inner, strict=True))


def _most(sheet: Sheet, cell: Pair) -> tuple[int, int]:
    """How many columns and rows fit."""
    return tuple(
        min(MAX_COLUMNS, int((free + gutter + 1e-9) // max(size + gutter - TOLERANCE, TOLERANCE)))
        for free, gutter, size in zip(sheet.free, sheet.gutter, cell, strict=True)
    )


def _squeezed(sheet: Sheet, cell: Pair, counts: tuple[int, int]) -> Pair:
    """The places, if there are so many of them: smaller where they fitted with some tolerance only."""
    return tuple(
        min(size, (free + gutter) / count - gutter)
        for size, free, gutter, count in zip(cell, sheet.free, sheet.gutter, counts, strict=True)
    )


def _does_not_fit(sheet: Sheet, ticket: Pair, most: dict[bool, tuple[int, int]]) -> dict[str, str]:
    """What would fit instead, by the key that is to blame."""
    columns, rows = max(most.values(), key=lambda counts: counts[0] * counts[1])
    if not columns * rows:
        return {"paper": _too_large(sheet.cell or ticket, sheet.free)}
    message = _("At most {columns} × {rows} tickets of {width} × {height} mm fit on this sheet.")
    width, height = sheet.cell or ticket
    message = message.format(width=_plain(width), height=_plain(height), columns=columns, rows=rows)
    wanted = {"columns": (sheet.columns, columns), "rows": (sheet.rows, rows)}
    return {key: message for key, (count, fits) in wanted.items() if count > fits} or {"columns": message}


def _too_large(ticket: Pair, free: Pair) -> str:
    message = _("Tickets of {width} × {height} mm do not fit. At most {free_width} × {free_height} mm do.")
    return message.format(
        width=_plain(ticket[0]),
        height=_plain(ticket[1]),
        free_width=_plain(free[0]),
        free_height=_plain(free[1]),
    )


def _plain(length: float) -> str:
    """As people write it: with one decimal at most."""
    length = round(length, 1)
    return number_format(int(length) if length == int(length) else length)


@dataclass(frozen=True)
class Preset:
    name: str | Promise
    sheet: Sheet


def _stock(paper: str, columns: int, rows: int, cell: Pair, margin: Pair = (0, 0), gutter: Pair = (0, 0)) -> Sheet:
    return Sheet(paper, columns=columns, rows=rows, cell=cell, margin=margin, gutter=gutter, running_text=False)


#: Only sheets whose measures add up.
PRESETS: dict[str, Preset] = {
    "avery-32010": Preset(
        gettext_lazy("Avery Zweckform 32010: 85 × 54 mm, 10 on A4"),
        _stock("A4", 2, 5, cell=(85, 54), margin=(15, 13.5), gutter=(10, 0)),
    ),
    "herma-4457": Preset(
        gettext_lazy("Herma 4457: 105 × 48 mm, 12 on A4"), _stock("A4", 2, 6, cell=(105, 48), margin=(0, 4.5))
    ),
    "herma-10809": Preset(
        gettext_lazy("Herma 10809: 105 × 148 mm, 4 on A4"), _stock("A4", 2, 2, cell=(105, 148), margin=(0, 0.5))
    ),
    "a4-halves": Preset(gettext_lazy("Halves of A4"), _stock("A4", 1, 2, cell=(210, 148.5))),
    "a4-quarters": Preset(gettext_lazy("Quarters of A4"), _stock("A4", 2, 2, cell=(105, 148.5))),
    "letter-halves": Preset(gettext_lazy("Halves of Letter"), _stock("Letter", 1, 2, cell=(215.9, 139.7))),
    "letter-quarters": Preset(gettext_lazy("Quarters of Letter"), _stock("Letter", 2, 2, cell=(107.95, 139.7))),
}
