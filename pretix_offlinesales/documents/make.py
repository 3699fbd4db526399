"""The papers of a batch, of this moment."""

from ..models import OfflineSalesBatch
from .batch_papers import DeliveryNotePaper, StatementPaper
from .contents import Delivery, Statement


def delivery_note(batch: OfflineSalesBatch) -> bytes:
    """A PDF that lists the outstanding tickets, to be signed by both sides."""
    return DeliveryNotePaper(batch.event, Delivery.of(batch)).drawn()


def statement(batch: OfflineSalesBatch) -> bytes:
    """A PDF that says what has become of all tickets, and what is due with which taxes."""
    return StatementPaper(batch.event, Statement.of(batch)).drawn()


def statement_rows(batch: OfflineSalesBatch) -> list[list]:
    """The same as a table: its header, a row for each figure, and one for each tax rate of what is due."""
    contents = Statement.of(batch)
    with contents.heading.letter.spoken:
        return list(contents.rows())
