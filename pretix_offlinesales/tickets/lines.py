"""
What people type, scan or upload to say which tickets they mean, mixed as it comes: one a line, or several with commas.

An entry is an order code (with or without the event in front), what a scanner reads from the paper, or numbers: ``17``
or ``1-50`` on the page of a batch, ``#3: 1-50`` everywhere. A batch that was named holds for the rest of its line.
Where a number can be, books can be, too: ``book 3``, ``#3: books 1-2``, and without the colon as well.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType

from django.utils.translation import gettext as _, pgettext
from pretix.base.models import Event

from ..models import MAX_AMOUNT, OfflineSalesBatch
from .books import numbers_of_books, parse_books
from .numbers import check_named, parse_range
from .origin import ticket_name

#: An entry begins with what is no blank, separator or quote; and the end of a line, with all blank ones after it. So
#: nothing is looked at that says nothing, however much of it there is.
TOKEN = re.compile(r"""(?P<end>[\r\n][\s,;"]*)|[^\s,;"][^,;\t\r\n]*""")

#: A line of a file, in any way of ending one.
FILE_LINE = re.compile(r"[^\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")

#: What has more columns than this is a list of codes in one line, and no table with titles.
MAX_COLUMNS = 1_000

#: ``#3: 1-50``, and ``#3-17`` as a ticket is called on its order's page.
OF_BATCH = re.compile(r"#\s*(?P<batch>[0-9]{1,18})\s*[:\-–/]\s*(?P<rest>.*)")

#: ``#3 book 1``: without anything in between, only books are meant.
BOOK_OF_BATCH = re.compile(r"#\s*(?P<batch>[0-9]{1,18})\s+(?P<rest>.*)")

#: What some scanners are set to send before the content: which kind of barcode it was (ISO/IEC 15424).
SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")


@dataclass(frozen=True)
class Line:
    """All that an entry could mean."""

    #: As it was given.
    text: str
    codes: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    #: Of the tickets of this batch.
    batch: int | None = None
    numbers: range = range(0)
    #: The numbers are those of books.
    books: bool = False

    @property
    def stored(self) -> str:
        """To be read again, in whatever language."""
        if not (self.books and self.numbers):
            return self.text
        named = f"#{self.batch}: " if self.text.startswith("#") else ""
        return f"{named}{self.numbers[0]}-{self.numbers[-1]}"

    def name(self, number: int) -> str:
        """One of several numbers."""
        if self.batch is not None and self.text.startswith("#"):
            return ticket_name(self.batch, number)
        return str(number)


def as_lines(text: str) -> list[str]:
    """
    The single entries of a text, each with the batch that was named before it in its line. Nothing is left out.

    :raises ValueError: with a message for people, if these are more than one may ask about
    """
    entries, batch = [], ""
    for token in _at_most(2 * MAX_AMOUNT + 1, TOKEN.finditer(text)):  # each entry may have a line of its own
        if token["end"]:
            batch = ""
            continue
        entry = _clean(token[0])
        if named := _named(entry):
            batch = named[0]
        elif batch and (_numbers(entry) or parse_books(entry)):
            entry = f"#{batch}: {entry}"
        if entry:
            entries.append(entry)
    return entries


def from_file(content: bytes) -> str:
    """
    The text of an uploaded file. Where it is a table whose first line names a column for codes, only this one counts.

    :raises ValueError: with a message for people, if it is no text, or more than one may ask about
    """
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            text = "\0"
    if "\0" in text:
        raise ValueError(_("This file is no text. Please upload a text or CSV file."))
    first = FILE_LINE.search(text)
    delimiter = max(",;\t", key=first[0].count) if first else ","
    if not first or first[0].count(delimiter) >= MAX_COLUMNS:
        return text
    rows = csv.reader((line[0] for line in FILE_LINE.finditer(text)), delimiter=delimiter)
    try:
        titles = next(rows)
        column = _column_of_codes(titles)
        if column is not None:
            cells = (row[column] for row in rows if len(row) > column)
        elif '"' in text:
            cells = (cell for row in chain([titles], rows) for cell in row)
        else:
            return text
        return "\n".join(_at_most(MAX_AMOUNT, filter(str.strip, cells)))
    except csv.Error:
        return text


def _column_of_codes(titles: list[str]) -> int | None:
    titles = [_clean(title).casefold() for title in titles]
    return next((titles.index(name) for name in _column_names() if name in titles), None)


def _at_most(amount: int, found: Iterable) -> Iterator:
    """:raises ValueError: with a message for people, as soon as there are more"""
    for number, each in enumerate(found, start=1):
        if number > amount:
            raise too_many()
        yield each


def _column_names():
    """What columns are called that say which ticket it is, in our own files and in the host's, best first."""
    texts = ("secret", "ticket secret", _("Ticket secret"), "barcode", pgettext("orderposition", "Ticket secret"))
    codes = ("order code", _("Order code"), "order", "code", "ticket")
    return [name.casefold() for name in (*texts, *codes)]


def read_lines(texts: Iterable[str], event: Event, batch: OfflineSalesBatch | None) -> list[Line]:
    """
    :param texts: of ``as_lines``
    :param batch: whose numbers are meant where none is named
    :raises ValueError: with a message for people, if these are more tickets than one may ask about
    """
    lines = read_each(texts, event, batch)
    check_named(sum(len(line.numbers) for line in lines))
    numbers = {(line.batch, number) for line in lines for number in line.numbers}
    if len(numbers) + sum(not line.numbers for line in lines) > MAX_AMOUNT:
        raise too_many()
    return lines


def too_many() -> ValueError:
    return ValueError(_("These are more than {max} tickets.").format(max=MAX_AMOUNT))


def read_each(texts: Iterable[str], event: Event, batch: OfflineSalesBatch | None) -> list[Line]:
    """
    As ``read_lines``, however many tickets these are. One query, if there are books of batches that were named.

    :param texts: of ``as_lines``
    """
    texts = list(texts)
    bound = {pk for pk in map(batch_with_books, texts) if pk is not None}
    batches = OfflineSalesBatch.objects.filter(event=event, pk__in=bound) if bound else ()
    by_key = {batch.pk: batch for batch in batches}
    return [_read(text, event, batch, by_key) for text in texts]


def _read(text: str, event: Event, batch: OfflineSalesBatch | None, batches: Mapping[int, OfflineSalesBatch]) -> Line:
    if named := read_name(text, batches):
        return Line(text, batch=named[0], numbers=named[1], books=batch_with_books(text) is not None)
    content = SYMBOLOGY.sub("", text, count=1) if SYMBOLOGY.match(text) else text
    code = content.upper().removeprefix(f"{event.slug.upper()}-")
    return Line(
        text,
        codes=(code,),
        secrets=tuple({text, content}),
        batch=batch.pk if batch else None,
        numbers=numbers_named(content, batch) if batch else range(0),
        books=bool(batch and parse_books(content)),
    )


def read_name(text: str, batches: Mapping[int, OfflineSalesBatch] = MappingProxyType({})) -> tuple[int, range] | None:
    """
    ``#3-17``, ``#3: 1-50`` or ``#3 book 1``: which batch, and which of its numbers, if any.

    :param batches: by their keys, those of ``batch_with_books``
    """
    if not (named := _named(text)):
        return None
    pk = int(named[0])
    return pk, numbers_named(named[1], batches.get(pk))


def batch_with_books(text: str) -> int | None:
    """The key of a batch, if the text names books of one."""
    named = _named(text)
    return int(named[0]) if named and parse_books(named[1]) else None


def _named(text: str) -> tuple[str, str] | None:
    """Which batch, and what is said of it."""
    if match := OF_BATCH.fullmatch(text):
        return match["batch"], match["rest"]
    match = BOOK_OF_BATCH.fullmatch(text)
    return (match["batch"], match["rest"]) if match and parse_books(match["rest"]) else None


def numbers_named(text: str, batch: OfflineSalesBatch | None) -> range:
    """
    ``17``, ``1-50`` or ``book 3``: which numbers; empty if it is anything else.

    :param batch: whose books are meant
    """
    if books := parse_books(text):
        return numbers_of_books(batch, books) if batch else range(0)
    return _numbers(text)


def _numbers(text: str) -> range:
    try:
        return parse_range(text).numbers
    except ValueError:
        return range(0)


def _clean(text: str) -> str:
    """Without what scanners and spreadsheets put around it."""
    if not text.isprintable():
        text = "".join(filter(str.isprintable, text))
    return text.strip().strip('"').strip()
