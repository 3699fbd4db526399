"""Finds letters that the fonts of a layout do not have: boxes would be printed in their place."""

import logging
import unicodedata
from dataclasses import dataclass

from reportlab.pdfbase.pdfmetrics import getFont
from reportlab.pdfbase.ttfonts import TTFont

from ..models import JobFailed, OfflineSalesBatch
from ..tickets.state import LIVE
from .document import TicketDocument
from .limits import Preview
from .tickets import ValidTickets

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MissingLetters:
    font: str
    #: Each once, in the order in which they come.
    letters: str


def missing_letters(batch: OfflineSalesBatch) -> list[MissingLetters]:
    """
    In the first of the batch's tickets that is valid, as it would be printed now. All others say the same, but for
    codes and numbers.

    :raises JobFailed: if the layout can't be used, or if it is too large to look at while somebody waits
    """
    valid = batch.tickets.filter(LIVE).order_by("number")
    tickets, found = ValidTickets(batch, valid.values_list("number", flat=True)[:1]), {}
    document = TicketDocument(tickets.event, batch.layout, preview=Preview())
    try:
        for _number, positions in tickets:
            for position in positions:
                document.render(position)
    except JobFailed:
        raise
    except Exception:  # of a plugin that chooses layouts; printing will say it
        logger.exception("A ticket of batch %s could not be looked at", batch)
        return []
    for font, text in document.texts:
        found[font] = found.get(font, "") + text
    missing = {font: _missing(font, text) for font, text in found.items()}
    return [MissingLetters(font, letters) for font, letters in missing.items() if letters]


def _missing(name: str, text: str) -> str:
    """Spaces, and signs that only guide how a text is set, are not drawn."""
    font = getFont(name)
    if not isinstance(font, TTFont):
        return ""
    drawn = (letter for letter in dict.fromkeys(text) if unicodedata.category(letter)[0] not in "ZC")
    return "".join(letter for letter in drawn if ord(letter) not in font.face.charToGlyph)
