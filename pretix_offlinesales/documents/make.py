"""The papers of a batch, of this moment."""

from io import BytesIO

from ..models import OfflineSalesBatch
from .contents import Delivery, Statement
from .paper import DeliveryNotePaper, Paper, StatementPaper


def delivery_note(batch: OfflineSalesBatch) -> bytes:
    """A PDF that lists the outstanding tickets, to be signed by both sides."""
    return _draw(DeliveryNotePaper(batch.event, Delivery.of(batch)))


def statement(batch: OfflineSalesBatch) -> bytes:
    """A PDF that says what has become of all tickets, and what is due with which taxes."""
    return _draw(StatementPaper(batch.event, Statement.of(batch)))


def statement_rows(batch: OfflineSalesBatch) -> list[list]:
    """The same as a table: its header, a row for each figure, and one for each tax rate of what is due."""
    contents = Statement.of(batch)
    with contents.heading.letter.spoken:
        return list(contents.rows())


def _draw(paper: Paper) -> bytes:
    output = BytesIO()
    paper.build(output)
    return output.getvalue()
