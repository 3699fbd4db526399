"""
Limits how much is rendered while somebody waits for a page: for a specimen, for the picture of a sheet, and for what
must be known of tickets before they are laid on sheets. Such work keeps a thread of the web server busy, and whoever
types starts it again and again. Printing itself is a job, and knows none of these limits.

What is just below one of them takes a few seconds at most on a small server; what people print is far below.
"""

from collections.abc import Sequence

from django.template.defaultfilters import filesizeformat
from django.utils.functional import Promise, lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_noop
from pretix.plugins.ticketoutputpdf.models import TicketLayout

from ..models import JobFailed
from .background import Background
from .faults import name_of, of_background, say

#: Of the file of a background, in bytes. It is in memory ten times before a specimen is ready.
MAX_FILE = 32 * 2**20

#: Pages of a background. Each is parsed and written in Python: 2 ms.
MAX_PAGES = 200

#: Annotations and fields of forms on all pages of a background, of half a millisecond each.
MAX_ANNOTATIONS = 1_000

#: What pages of a background draw that have it in several streams, in bytes. It is unpacked and packed again: 30 ms for
#: each million.
MAX_JOINED = 32 * 2**20

#: Objects of a layout, and those of them that are pictures: each is made smaller for itself, in 25 ms.
MAX_OBJECTS, MAX_PICTURES = 1_000, 50

#: Places on a sheet that is rendered.
MAX_PLACES = 500

#: Objects that are drawn on all tickets together, in 0.1 to 0.4 ms each.
MAX_DRAWN = 5_000

#: Characters of texts that are set for themselves. Long ones are set up to 25 times, until they fit: 40 µs.
MAX_CHARACTERS = 50_000

#: Places in the picture of a sheet. It is sent after each pause in typing, 150 bytes for each of them, and what is
#: smaller can't be told apart anyway.
MAX_PICTURED = 200

PICTURES = ("imagearea", "poweredby")

_size = lazy(filesizeformat, str)


class Preview:
    """
    Counts what is rendered for one answer. What is too large is found out before it is rendered, and before it is read
    where that is possible.
    """

    def __init__(self):
        self._objects = self._characters = 0

    def check_file(self, layout: TicketLayout, file: str, size: int) -> None:
        """
        :param file: name of the background
        :param size: in bytes
        :raises JobFailed: if it is too large
        """
        if size > MAX_FILE:
            message = gettext_noop("The background “{file}” of the layout “{layout}” has {size}.")
            raise _too_large(of_background(layout, file, message, size=_size(size)), _size(MAX_FILE))

    def check_background(self, layout: TicketLayout, file: str, background: Background) -> None:
        """:raises JobFailed: if it has too many pages or annotations, or too much is drawn on them"""
        pages, annotations = background.pages, background.annotations
        if pages > MAX_PAGES:
            message = gettext_noop("The background “{file}” of the layout “{layout}” has {amount} pages.")
            raise _too_large(of_background(layout, file, message, amount=pages), MAX_PAGES)
        if annotations > MAX_ANNOTATIONS:
            message = gettext_noop("The background “{file}” of the layout “{layout}” has {amount} annotations.")
            raise _too_large(of_background(layout, file, message, amount=annotations), MAX_ANNOTATIONS)
        if background.joins_more_than(MAX_JOINED):
            message = gettext_noop("The background “{file}” of the layout “{layout}” draws too much on its pages.")
            raise _too_large(of_background(layout, file, message), _size(MAX_JOINED))

    def check_objects(self, layout: TicketLayout, objects: Sequence[dict]) -> None:
        """:raises JobFailed: if these are too many"""
        if len(objects) > MAX_OBJECTS:
            message = gettext_noop("The layout “{layout}” has {amount} objects.")
            raise _too_large(say(message, layout=name_of(layout), amount=len(objects)), MAX_OBJECTS)
        pictures = sum(o.get("type") in PICTURES for o in objects)
        if pictures > MAX_PICTURES:
            message = gettext_noop("The layout “{layout}” has {amount} images.")
            raise _too_large(say(message, layout=name_of(layout), amount=pictures), MAX_PICTURES)

    def check_sheet(self, places: int) -> None:
        """:raises JobFailed: if there are too many on a sheet that is rendered"""
        if places > MAX_PLACES:
            message = gettext_noop(
                "{amount} tickets lie on a sheet. The first sheet is shown with at most {limit}; you can print it."
            )
            raise JobFailed(say(message, amount=places, limit=MAX_PLACES))

    def add_objects(self, objects: int) -> None:
        """
        :param objects: so many more are rendered
        :raises JobFailed: if these are too many
        """
        self._objects += objects
        if self._objects > MAX_DRAWN:
            message = gettext_noop(
                "All tickets of the first sheet have more than {limit} objects, so it is not shown; you can print it."
            )
            raise JobFailed(say(message, limit=MAX_DRAWN))

    def add_text(self, layout: TicketLayout, text: str) -> None:
        """
        :param text: that is set next
        :raises JobFailed: if that is too much
        """
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            message = gettext_noop("The texts of the layout “{layout}” are too long.")
            limit = say(gettext_noop("{amount} characters"), amount=MAX_CHARACTERS)
            raise _too_large(say(message, layout=name_of(layout)), limit)


def _too_large(fact: Promise, limit: int | Promise) -> JobFailed:
    """:param fact: a sentence that says what is too large"""
    message = gettext_noop(
        "Previews and sheets are made with at most {limit}; you can print each ticket on a page of its own."
    )
    return JobFailed(format_lazy("{} {}", fact, say(message, limit=limit)))
