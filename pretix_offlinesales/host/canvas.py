"""What ReportLab writes when something is drawn on its canvas, in PDF's language."""

from collections.abc import Callable

from reportlab.pdfbase.pdfmetrics import getFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas


class RecordingCanvas(Canvas):
    """A canvas that can say what was drawn on it."""

    #: All that was drawn on the page, in PDF's language.
    _code: list[str]

    def init_graphics_state(self):
        outer = getattr(self, "_extgstate", None)
        super().init_graphics_state()
        if outer:
            # The file has one list of named transparencies for all pages and forms. The host's canvas begins a new one.
            self._extgstate._c = outer._c

    def record(self, draw: Callable[[], None]) -> str:
        """Draw, and return what was drawn."""
        before = len(self._code)
        draw()
        return "\n".join(self._code[before:])

    def cut(self, draw: Callable[[], None]) -> str:
        """What is drawn, in the graphics state that a page begins with, and without a trace on the canvas."""
        outer, self._code = self._code, []
        self.push_state_stack()
        self.init_graphics_state()
        draw()
        self.pop_state_stack()
        cut, self._code = "\n".join(self._code), outer
        return cut


def has_all_letters(name: str) -> bool:
    """Whether this font's code of each ASCII character is the character itself, in whatever order they are used."""
    font = getFont(name)
    return isinstance(font, TTFont) and font._asciiReadable and all(n in font.face.charToGlyph for n in range(32, 127))
