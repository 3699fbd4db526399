"""
Papers that go with a batch: a delivery note when its tickets are handed over, and a statement when it is settled.

``contents`` collects what they say, ``paper`` puts it on the organizer's ``letterhead``. All is said in the event's
language and timezone, whoever asks.
"""

from contextlib import contextmanager
from io import BytesIO, StringIO

from defusedcsv import csv
from django.utils.timezone import override
from pretix.base.i18n import language
from pretix.base.models import Event

from ..models import OfflineSalesBatch
from .contents import Delivery, Statement
from .paper import DeliveryNotePaper, StatementPaper

__all__ = ["delivery_note", "statement", "statement_csv"]


def delivery_note(batch: OfflineSalesBatch) -> bytes:
    """A PDF that lists the outstanding tickets, to be signed by both sides."""
    return _print(DeliveryNotePaper(batch, Delivery.of(batch)))


def statement(batch: OfflineSalesBatch) -> bytes:
    """A PDF that says what has become of all tickets, and what is due with which taxes."""
    return _print(StatementPaper(batch, Statement.of(batch)))


def statement_csv(batch: OfflineSalesBatch) -> str:
    """The same as a table: a row for each figure, and one for each tax rate of what is due."""
    output = StringIO()
    with _spoken(batch.event):
        writer = csv.writer(output, quoting=csv.QUOTE_NONNUMERIC, delimiter=",")
        writer.writerows(Statement.of(batch).rows())
    return output.getvalue()


def _print(paper) -> bytes:
    output = BytesIO()
    with _spoken(paper.event):
        paper.build(output)
    return output.getvalue()


@contextmanager
def _spoken(event: Event):
    with language(event.settings.locale, event.settings.region), override(event.timezone):
        yield
