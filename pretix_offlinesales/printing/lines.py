"""
Draws plain text in one line, such as codes and numbers, by a pattern: what changes on every ticket is mostly that.

The host prepares any text for anything (markup, line breaks, right-to-left scripts, shrinking until it fits), which
takes most of the time of a page. But once it has drawn a line, it draws all others like it in the same way, except for
the letters and the indentation.
"""

import re

from reportlab.lib.enums import TA_CENTER, TA_LEFT, TA_RIGHT
from reportlab.lib.rl_accel import fp_str
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Paragraph

from ..host.canvas import has_all_letters
from .patterns import Pattern

#: ASCII without what the host or PDF would escape; one space between words, hyphens only inside of them.
_LETTERS = r"[!#-%*-,./0-;=?-\[\]-~]+"
_WORD = rf"{_LETTERS}(?:-{_LETTERS})*"
_PLAIN = re.compile(rf"{_WORD}(?: {_WORD})*")

#: Points that a line must be shorter than the space that it has, because ReportLab squeezes those that almost fit.
_TOLERANCE = 0.01

#: How much of the space beside a line comes before it.
_INDENT = {TA_LEFT: 0, TA_CENTER: 0.5, TA_RIGHT: 1}


class LinePattern:
    """What the host drew for a line, with blanks to fill in for others."""

    def __init__(self, text: str, drawn: str, paragraph: Paragraph):
        """
        :param drawn: the host's drawing of this text
        :param paragraph: that it drew
        :raises ValueError: if this is not a drawing that another text can be filled in
        """
        style = paragraph.style
        self._font, self._size, self._width = style.fontName, style.fontSize, paragraph.width
        self._indent = _INDENT[style.alignment]
        if not has_all_letters(self._font) or len(paragraph.blPara.lines) != 1:
            raise ValueError("Not a plain line")
        self._pattern = Pattern(drawn, self._values(text))

    def fill_in(self, text: str) -> str:
        """:raises ValueError: if the host would draw this text in another way"""
        return self._pattern.fill_in(self._values(text))

    def _values(self, text: str) -> list[str]:
        """What is drawn for this text, and not for others."""
        if not _PLAIN.fullmatch(text):
            raise ValueError("Not plain")
        space = self._width - stringWidth(text, self._font, self._size)
        if space < _TOLERANCE:
            raise ValueError("Too long")
        # The host would allow to break the line after a hyphen, so what follows is shown apart.
        values = [f"({text.replace('-', '-) Tj (')}) Tj"]
        if self._indent:
            x = self._indent * space
            values += [f" {fp_str(x)} 0 Td", f" {fp_str(-x)} 0 Td"]
        return values


def kind(text: str) -> int:
    """Lines are drawn alike if they have as many hyphens."""
    return text.count("-")
