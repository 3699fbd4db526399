"""
Says what is wrong with a layout: which of its objects can't be drawn, or why its background can't be used.

Tickets are rendered in the language of their order. Somebody else reads what is said here, so it is put into words when
they read it.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePath

import pikepdf
from django.utils.formats import number_format
from django.utils.functional import Promise, lazy
from django.utils.text import Truncator
from django.utils.translation import gettext as _, gettext_lazy, gettext_noop
from i18nfield.strings import LazyI18nString
from pretix.plugins.ticketoutputpdf.models import TicketLayout

from ..host.rendering import ObjectRenderer
from ..jobs.interruptions import is_interruption
from ..models import JobFailed, JobLost
from .background import Background

logger = logging.getLogger(__name__)

#: Of what an object shows, so much is quoted.
QUOTED = 40

#: The objects of a layout, as the host's editor calls them.
OBJECTS = {
    "barcodearea": gettext_lazy("QR Code"),
    "imagearea": gettext_lazy("Dynamic image"),
    "poweredby": gettext_lazy("pretix Logo"),
    "textarea": gettext_lazy("Text box"),
    "textcontainer": gettext_lazy("Text box"),
}

NO_PAGES = gettext_noop("The background “{file}” of the layout “{layout}” has no pages.")
GONE = gettext_noop("The background “{file}” of the layout “{layout}” does not exist any more. Please upload it again.")
PROTECTED = gettext_noop(
    "The background “{file}” of the layout “{layout}” is protected with a password. Please upload it without one."
)
EMPTY_PAGE = gettext_noop("Page {page} of the background “{file}” of the layout “{layout}” has no size.")
UNDRAWABLE = gettext_noop("The background “{file}” of the layout “{layout}” cannot be drawn.")
UNREADABLE = gettext_noop("The background “{file}” of the layout “{layout}” is no PDF file that can be read.")


def _say(message: str, **values) -> str:
    numbers = {name: number_format(value, force_grouping=True) for name, value in values.items() if type(value) is int}
    return _(message).format(**values | numbers)


def _quote(text) -> str:
    return Truncator(str(text)).chars(QUOTED)


#: A text with its values filled in, once it is read.
say = lazy(_say, str)

#: The beginning of a text, once it is read.
quote = lazy(_quote, str)


@contextmanager
def blamed_on(describe: Callable[[], Promise]) -> Iterator[None]:
    """
    Where something of a layout is looked at. The host does not check everything before it stores it (whether an object
    has a size), and can't know the rest (whether a code holds what it shall say). Broken files make its libraries raise
    anything.

    :raises JobFailed: with the description, instead of such errors
    """
    try:
        yield
    except (JobFailed, JobLost, MemoryError):
        raise
    except Exception as e:
        if is_interruption(e):
            raise
        message = describe()
        logger.exception("A layout can't be drawn: %s", message)
        raise JobFailed(message) from e


def the_layout(layout: TicketLayout) -> Promise:
    return say(
        gettext_noop("The tickets could not be drawn with the layout “{layout}”. Please check it and its background."),
        layout=name_of(layout),
    )


def the_background(layout: TicketLayout, file: str, background: Background) -> Promise:
    """:param file: its name"""
    return of_background(layout, file, _fault(background))


def of_background(layout: TicketLayout, file: str, message: str, **values) -> Promise:
    """:param message: that names ``file`` and ``layout``"""
    return say(message, file=PurePath(file).name, layout=name_of(layout), **values)


def _fault(background: Background) -> str:
    if isinstance(background.error, pikepdf.PasswordError):
        return PROTECTED
    if background.error:
        return UNREADABLE
    return UNDRAWABLE if background.pages else NO_PAGES


def the_object(layout: TicketLayout, renderer: ObjectRenderer, o: dict) -> Promise:
    values = {
        "type": OBJECTS.get(o.get("type"), o.get("type")),
        "page": o.get("page", 1),
        "layout": name_of(layout),
    }
    shown = quote(_shown(renderer, o))
    if str(shown):
        return say(
            gettext_noop(
                "{type} “{content}” on page {page} of the layout “{layout}” cannot be drawn. Please check its size and "
                "what it shows."
            ),
            content=shown,
            **values,
        )
    return say(
        gettext_noop("{type} on page {page} of the layout “{layout}” cannot be drawn. Please check its size."), **values
    )


def _shown(renderer: ObjectRenderer, o: dict) -> str | Promise | LazyI18nString:
    """What the object says, as the host's editor calls it."""
    if o.get("type") == "poweredby":
        return ""
    content = o.get("content", "secret" if o.get("type") == "barcodearea" else "")
    if content == "other":
        return o.get("text", "")
    if content == "other_i18n":
        return LazyI18nString(o.get("text_i18n", {}))
    known = {**renderer.images, **renderer.variables}
    return known[content]["label"] if content in known else content


def name_of(layout: TicketLayout) -> str | Promise:
    return layout.name or gettext_lazy("Default")
