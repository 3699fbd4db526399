"""
What people type, scan or upload to say which tickets they mean, mixed as it comes: one a line, or several with commas.

An entry is an order code (with or without the event in front), what a scanner reads from the paper, or numbers: ``17``
or ``1-50`` on the page of a batch, ``#3: 1-50`` everywhere. A batch that was named holds for the rest of its line.
"""

import csv
import re
from dataclasses import dataclass

from django.utils.translation import gettext as _, pgettext
from pretix.base.models import Event

from ..models import OfflineSalesBatch
from ..ranges import parse_numbers

#: ``#3: 1-50``, and ``#3-17`` as a ticket is called on its order's page.
OF_BATCH = re.compile(r"#\s*(?P<batch>[0-9]{1,18})\s*[:\-–/]\s*(?P<rest>.*)")

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
    numbers: tuple[int, ...] = ()

    def name(self, number: int) -> str:
        """One of several numbers."""
        return f"#{self.batch}-{number}" if self.text.startswith("#") else str(number)


def as_lines(text: str) -> list[str]:
    """The single entries of a text, each with the batch that was named before it in its line. Nothing is left out."""
    entries = []
    for line in re.split(r"[\r\n]+", text):
        batch = ""
        for part in re.split(r"[,;\t]", line):
            entry = _clean(part)
            if match := OF_BATCH.fullmatch(entry):
                batch = match["batch"]
            elif batch and _numbers(entry):
                entry = f"#{batch}: {entry}"
            if entry:
                entries.append(entry)
    return entries


def from_file(content: bytes) -> str:
    """
    The text of an uploaded file. Where it is a table whose first line names a column for codes, only this one counts.

    :raises ValueError: with a message for people, if it is no text
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
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(text.splitlines(), delimiter=delimiter))
    except csv.Error:
        return text
    titles = [_clean(title).casefold() for title in rows[0]] if rows else []
    for name in _column_names():
        if name in titles:
            column = titles.index(name)
            return "\n".join(row[column] for row in rows[1:] if len(row) > column)
    return "\n".join(cell for row in rows for cell in row) if '"' in text else text


def _column_names():
    """What columns are called that say which ticket it is, in our own files and in the host's, best first."""
    texts = ("secret", "ticket secret", _("Ticket secret"), "barcode", pgettext("orderposition", "Ticket secret"))
    codes = ("order code", _("Order code"), "order", "code", "ticket")
    return [name.casefold() for name in (*texts, *codes)]


def read_line(text: str, event: Event, batch: OfflineSalesBatch | None) -> Line:
    """:param batch: whose numbers are meant where none is named"""
    if match := OF_BATCH.fullmatch(text):
        return Line(text, batch=int(match["batch"]), numbers=_numbers(match["rest"]))
    content = SYMBOLOGY.sub("", text, count=1) if SYMBOLOGY.match(text) else text
    code = content.upper().removeprefix(f"{event.slug.upper()}-")
    return Line(
        text,
        codes=(code,),
        secrets=tuple({text, content}),
        batch=batch.pk if batch else None,
        numbers=_numbers(content) if batch else (),
    )


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(parse_numbers(text))
    except ValueError:
        return ()


def _clean(text: str) -> str:
    """Without what scanners and spreadsheets put around it."""
    return "".join(character for character in text if character.isprintable()).strip().strip('"').strip()
