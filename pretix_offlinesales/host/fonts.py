"""
Text in several scripts: where the font that was chosen lacks letters, others lend theirs. (The host takes another font
for a text as a whole, if there is one that has all of it, and prints boxes otherwise.)
"""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

import fontpkg
from django.utils.html import escape
from pretix.helpers.reportlab import normalize_text, register_ttf_font_if_new
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import getFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph

#: What comes with us, to lend letters: Greek, Cyrillic and Hebrew; Arabic, with the shapes that are set for it.
LENDING = ("Arimo", "Noto Sans Arabic")


def register_lending() -> None:
    for family in LENDING:
        register_ttf_font_if_new(family, fontpkg.path(family, style="normal"))


def prepared(text: str) -> str:
    """In the order in which it is drawn, without signs that only say how it is to be set."""
    return "".join(letter for letter in normalize_text(text) if unicodedata.category(letter) != "Cf")


def runs(text: str, fonts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """
    A text in parts, each with the first of the fonts that has its letters; the first of all where none has.

    :param text: prepared
    """
    for font, letters in groupby(text, key=_choice(text, fonts)):
        yield font, "".join(letters)


def _choice(text, fonts):
    """By letter. What is not drawn looks alike in all."""
    chosen = {}
    for letter in set(text):
        having = (font for font in fonts if _has(font, letter))
        chosen[letter] = next(having, fonts[0]) if letter.isprintable() else fonts[0]
    return chosen.__getitem__


def _has(name, letter):
    font = getFont(name)
    return not isinstance(font, TTFont) or ord(letter) in font.face.charToGlyph


def plain_paragraph(text: str, style: ParagraphStyle, lending: Sequence[str]) -> Paragraph:
    """
    Plain text, in whatever scripts. Its lines stay lines.

    :param lending: fonts that are asked for letters that the style's font does not have
    """
    fonts = (style.fontName, *lending)
    lines = prepared(text).strip().split("\n")
    return Paragraph("<br />\n".join(_marked_up(line, fonts) for line in lines), style)


def _marked_up(line, fonts):
    parts = ((font, escape(part)) for font, part in runs(line, fonts))
    return "".join(part if font == fonts[0] else f'<font name="{escape(font)}">{part}</font>' for font, part in parts)
