"""
A batch's tickets as data, for a print shop that renders them itself: a table, and on request a picture of each code.

What a layout says about a ticket is read by the same code that renders it.
"""

import re
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from io import TextIOWrapper
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Self

from defusedcsv import csv
from django.db.models import TextChoices
from django.utils.formats import get_format
from django.utils.translation import gettext as _, gettext_lazy, pgettext
from pretix.base.models import Event, Order, OrderPosition
from pretix.plugins.ticketoutputpdf.models import TicketLayout
from reportlab.lib.units import mm

from ..host.helpers import defused
from ..host.rendering import ObjectRenderer, get_variables
from ..host.spreadsheets import write_workbook
from ..jobs.registry import Stored
from ..models import JobFailed, OfflineSalesBatch
from ..tickets.origin import Origin
from . import qrcode
from .choice import nothing_to_print, numbers_of
from .code_pictures import png, svg
from .document import TicketDocument
from .faults import blamed_on, the_layout, the_object
from .renderer import QUIET_ZONE, code_content, modules_of
from .tickets import Printed, Report, ValidTickets

if TYPE_CHECKING:
    from .look import Look

#: Where the pictures are in the archive.
PICTURES = "codes"

#: Placeholders that say what has a column anyway.
COLUMNS = ("secret", "order")

#: Texts that can't do anything in a spreadsheet, not even behind a sign that makes them a formula.
_HARMLESS = re.compile(r"[A-Za-z0-9+/=_-]+")

#: As the host finds them in the texts of a layout.
_PLACEHOLDER = re.compile(r"\{([-a-zA-Z0-9:_]+)\}")


class Format(TextChoices):
    """The host's, in its words."""

    XLSX = "xlsx", gettext_lazy("Excel (.xlsx)")
    CSV = "csv", gettext_lazy("CSV (with commas)")
    SEMICOLON = "semicolon", gettext_lazy("CSV (with semicolons)")

    @property
    def suffix(self) -> str:
        return "xlsx" if self == self.XLSX else "csv"

    @property
    def delimiter(self) -> str:
        return ";" if self == self.SEMICOLON else ","


class Pictures(TextChoices):
    NONE = "", gettext_lazy("No pictures")
    SVG = "svg", gettext_lazy("SVG (vector graphics)")
    PNG = "png", gettext_lazy("PNG (pixels)")


@dataclass(frozen=True)
class DataOptions(Stored):
    format: Format = Format.XLSX
    #: With pictures, the file is an archive (ZIP).
    pictures: Pictures = Pictures.NONE
    #: Placeholders of layouts that get a column each, by the names that layouts know them by.
    placeholders: tuple[str, ...] = ()
    #: Numbers and ranges; all, if empty.
    tickets: str = ""

    @classmethod
    def read(cls, data: dict) -> Self:
        """:param data: as in ``data``"""
        values = {"format": Format, "pictures": Pictures, "placeholders": tuple, "tickets": str}
        return cls(**{name: values[name](value) for name, value in data.items()})

    @property
    def suffix(self) -> str:
        return "zip" if self.pictures else self.format.suffix

    @property
    def mime_type(self) -> str:
        return {
            "zip": "application/zip",
            "csv": "text/csv",
            "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }[self.suffix]


def placeholders(event: Event) -> dict[str, str]:
    """What layouts can say about a ticket, as the layout editor offers it: name → what people call it."""
    variables = get_variables(event).items()
    found = {name: str(variable["label"]) for name, variable in variables if name not in COLUMNS}
    for prefix, title, properties in (
        ("meta", _("Event attribute: {name}"), event.organizer.meta_properties.all()),
        ("itemmeta", _("Item attribute: {name}"), event.item_meta_properties.all()),
    ):
        found |= {f"{prefix}:{each.name}": title.format(name=each.name) for each in properties}
    return found


def used_placeholders(event: Event, layout: TicketLayout) -> set[str]:
    used = set()
    for o in TicketReader(event, layout).objects(layout):
        texts = [o.get("text", ""), *o.get("text_i18n", {}).values()]
        used |= {o.get("content"), *_PLACEHOLDER.findall(" ".join(map(str, texts)))}
    return used


def write_data(
    batch: OfflineSalesBatch,
    options: DataOptions,
    output: BinaryIO,
    report: Report = lambda done, total: None,
    look: "Look | None" = None,
) -> list[Printed]:
    """
    Write the tickets that are not canceled, in the order of their numbers, and return which positions these are. Each
    code has a row of its own: a ticket has several where what is bundled with it is a ticket, too.

    ``report(done, total)`` is called after each ticket.

    :param look: without it, layouts say what they say now

    :raises JobFailed: if there is nothing to write, or if the layout can't be used
    """
    tickets = ValidTickets(batch, numbers_of(batch, options.tickets))
    if not len(tickets):
        raise JobFailed(nothing_to_print(chosen=bool(options.tickets)))
    table = _Table(batch, tickets, options, report, look)
    if not options.pictures:
        _write_table(table.rows(), options.format, output)
        return table.written
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as table.archive, tempfile.TemporaryFile() as content:
        _write_table(table.rows(), options.format, content)
        content.seek(0)
        with table.archive.open(f"{_('tickets')}.{options.format.suffix}", "w") as file:
            while block := content.read(2**20):
                file.write(block)
    return table.written


class _Table:
    """Row by row, so that it is never in memory as a whole. Pictures are written meanwhile."""

    #: Where the pictures go to.
    archive: zipfile.ZipFile | None = None

    def __init__(self, batch, tickets: ValidTickets, options: DataOptions, report: Report, look: "Look | None"):
        self.batch, self.tickets, self.options, self.report = batch, tickets, options, report
        self.reader = TicketReader(tickets.event, batch.layout, options.placeholders, look)
        self.written: list[Printed] = []
        #: How many pictures the present ticket has so far.
        self.pictures = 0

    def rows(self) -> Iterator[list]:
        tickets = self._read()
        first = next(tickets, [])
        # All tickets have the codes of the first one, since they have the same layouts.
        codes = max((len(codes) for _position, codes, _texts in first), default=1) or 1
        yield self._titles(codes)
        for done, ticket in enumerate(chain([first], tickets), start=1):
            self.pictures = 0
            for position, of_ticket, texts in ticket:
                yield self._row(position, (of_ticket + [NO_CODE] * codes)[:codes], texts)
            self.report(done, len(self.tickets))

    def _read(self) -> Iterator[list]:
        for number, positions in self.tickets:
            self.written += (Printed.of(number, position) for position in positions)
            yield [(position, *self.reader.read(position)) for position in positions]

    def _titles(self, codes: int) -> list[str]:
        titles = [
            _("Ticket number"),
            _("Ticket number with leading zeros"),
            _("Order code"),
            _("Ticket secret"),
            *_numbered(_("Code content"), codes),
            *(_numbered(_("Picture of the code"), codes) if self.archive else ()),
            _("Product"),
            _("Variation"),
            pgettext("subevent", "Date"),
            _("Price"),
            _("Seat"),
        ]
        return titles + _distinct(self.options.placeholders, placeholders(self.batch.event), titles)

    def _row(self, position: OrderPosition, codes: list["LayoutCode"], texts: "Texts") -> list:
        origin = Origin.of(position.order)
        return [
            origin.number,
            origin.padded_number,
            position.order.code,
            Code(position.secret),
            *(Code(code.content) for code in codes),
            *([self._picture(origin, code) for code in codes] if self.archive else ()),
            texts.product,
            texts.variation,
            texts.date,
            position.price,
            texts.seat,
            *texts.placeholders,
        ]

    def _picture(self, origin: Origin, code: "LayoutCode") -> str:
        """The name of the file with the picture, which is the number of the ticket."""
        if not code.content:
            return ""
        self.pictures += 1
        another = f"-{self.pictures}" if self.pictures > 1 else ""
        name = f"{PICTURES}/{origin.padded_number}{another}.{self.options.pictures}"
        try:
            rows = qrcode.encode(code.content).rows
        except ValueError as e:
            raise JobFailed(
                _("The code of ticket {number} says more than a code can hold.").format(number=origin.number)
            ) from e
        side = len(rows) + 2 * QUIET_ZONE
        _quiet_zone, module = modules_of(code.o, len(rows))
        draw = svg if self.options.pictures == Pictures.SVG else png
        self.archive.writestr(name, draw(rows, side, side * module / mm))
        return name


class Code(str):
    """What is scanned at the door. A changed one is not let in."""


class LayoutCode(NamedTuple):
    content: str
    #: The object of the layout, which says how large it is.
    o: dict


NO_CODE = LayoutCode("", {})


@dataclass(frozen=True)
class Texts:
    """What a layout would show, in the language of the order."""

    product: str
    variation: str
    date: str
    seat: str
    placeholders: list[str]


class TicketReader(TicketDocument):
    """Reads what the host would render."""

    def __init__(
        self, event: Event, layout: TicketLayout | None, names: Iterable[str] = (), look: "Look | None" = None
    ):
        super().__init__(event, layout, look)
        self._names = names
        self._locale = None

    def read(self, position: OrderPosition) -> tuple[list[LayoutCode], Texts]:
        """The layout's codes, and what it would say elsewhere."""
        self.render(position)
        return self._read

    def draw_with(self, layout: TicketLayout, op: OrderPosition, order: Order) -> None:
        if order.locale != self._locale:
            # The host's placeholders keep what they once evaluated, in the language of that time.
            self._locale = order.locale
            self._renderers.clear()
        renderer = self.renderer(layout)
        codes = []
        for o in renderer.layout:
            with blamed_on(partial(the_object, layout, renderer, o)):
                if o["type"] == "barcodearea":
                    modules_of(o, 1)  # What is wrong with its size is said here.
                    codes.append(LayoutCode(code_content(renderer, op, order, o), o))
        self._read = codes, self._texts(renderer, op, order)

    def _texts(self, renderer: ObjectRenderer, op: OrderPosition, order: Order) -> Texts:
        def text(name: str) -> str:
            return str(renderer.text_of(op, order, {"content": name}) or "")

        return Texts(
            product=text("item"),
            variation=text("variation"),
            date=text("event_begin"),
            seat=text("seat") if op.seat_id else "",
            placeholders=[text(name) for name in self._names],
        )

    def _make_renderer(self, layout: TicketLayout) -> ObjectRenderer:
        with blamed_on(lambda: the_layout(layout)):
            return ObjectRenderer(self.event, self.objects(layout), None)


def _numbered(title: str, amount: int) -> list[str]:
    return [title, *(f"{title} {number}" for number in range(2, amount + 1))]


def _distinct(names: Iterable[str], labels: dict[str, str], taken: Collection[str]) -> list[str]:
    """Titles of columns for these placeholders, so that no two columns have the same."""
    titles = []
    for name in names:
        title = labels.get(name, name)
        if title in taken:
            title = _("{title} (as printed)").format(title=title)
        titles.append(f"{title} ({name})" if title in titles else title)
    return titles


def _write_table(rows: Iterable[list], format: Format, output: BinaryIO) -> None:
    if format == Format.XLSX:
        write_workbook([(_("Tickets"), rows)], output)
        return
    # With the mark at the beginning, Excel knows that it is UTF-8.
    with _text_file(output) as file:
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, delimiter=format.delimiter).writer
        for row in rows:
            writer.writerow([_exact_or_defused(_local(value, format)) for value in row])


@contextmanager
def _text_file(output: BinaryIO) -> Iterator[TextIOWrapper]:
    file = TextIOWrapper(output, encoding="utf-8-sig", newline="")
    yield file
    file.detach()


class LocalDecimal(Decimal):
    """Written as the present language does it."""

    def __str__(self) -> str:
        return super().__str__().replace(".", get_format("DECIMAL_SEPARATOR"))


def _local(value, format: Format):
    """Semicolons are for spreadsheets where numbers have commas. To these, a number with a point is a text."""
    return LocalDecimal(value) if format == Format.SEMICOLON and isinstance(value, Decimal) else value


def _exact_or_defused(value):
    """
    Signed secrets may begin with an equals sign. With the host's apostrophe before it, the printed code would be of no
    use, and without it, it does nothing but look wrong in a spreadsheet.
    """
    return str(value) if isinstance(value, Code) and _HARMLESS.fullmatch(value) else defused(value)
