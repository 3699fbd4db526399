"""
A sheet of paper that several tickets lie on: what can be asked for, and how that is read and checked.

Lengths are in millimetres.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from functools import partial
from itertools import islice

from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils.formats import number_format
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
            _("This must be a number from {min} to {max}.").format(min=plain_length(minimum), max=plain_length(maximum))
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


def plain_length(length: float) -> str:
    """As people write it: with one decimal at most."""
    length = round(length, 1)
    return number_format(int(length) if length == int(length) else length)
