"""A sketch: a small drawing in PDF's language, which becomes a form of a file."""

from collections.abc import Sequence

from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream
from reportlab.lib.rl_accel import fp_str

from .geometry import Box

#: How far the handles of a curve must be pulled so that four of them are a circle.
ROUND = 0.5523

#: Operators that choose the color to fill with, by the number of its components.
_FILL = {1: "g", 3: "rg", 4: "k"}

#: Steps that all annotations of a file may take together that don't say how they look: points of lines, or some letters
#: of a text. Each takes up to 20 µs. Whatever writes so many of them also writes what they look like.
MOST_STEPS = 50_000

Point = tuple[float, float]


def chosen(color: Sequence[float]) -> bytes:
    """What chooses this color to fill with."""
    return f"{fp_str(*color)} {_FILL[len(color)]}".encode()


class TooMuch(Exception):
    """It would take longer to draw this than anybody may wait."""


class Allowance:
    def __init__(self):
        self._left = MOST_STEPS

    def spend(self, steps: int) -> None:
        """:raises TooMuch: if there aren't so many left; these stay for others"""
        if steps > self._left:
            raise TooMuch(f"{steps} steps, of {self._left} that are left")
        self._left -= steps


class Sketch:
    def __init__(self, pdf: Pdf, allowance: Allowance):
        """
        :param pdf: whose form it becomes
        :param allowance: from which is spent what takes long, before it is done
        """
        self.pdf, self.spend = pdf, allowance.spend
        self._code: list[bytes] = []
        self._fonts: dict[str, Object] = {}

    def add(self, operator: str, *operands: float) -> None:
        self._code.append(f"{fp_str(*operands)} {operator}".encode())

    def fill_with(self, color: Sequence[float]) -> None:
        self._code.append(chosen(color))

    def stroke_with(self, color: Sequence[float], width: float, dash: Sequence[float] = ()) -> None:
        self._code.append(chosen(color).upper())
        self.add("w", width)
        if dash:
            self._code.append(f"[{fp_str(*dash)}] 0 d".encode())

    def rectangle(self, box: Box) -> None:
        left, bottom, right, top = box
        self.add("re", left, bottom, right - left, top - bottom)

    def ellipse(self, box: Box) -> None:
        left, bottom, right, top = box
        x, y = (left + right) / 2, (bottom + top) / 2
        dx, dy = ROUND * (right - left) / 2, ROUND * (top - bottom) / 2
        self.add("m", left, y)
        self.add("c", left, y + dy, x - dx, top, x, top)
        self.add("c", x + dx, top, right, y + dy, right, y)
        self.add("c", right, y - dy, x + dx, bottom, x, bottom)
        self.add("c", x - dx, bottom, left, y - dy, left, y)

    def lines(self, points: Sequence[Point], close: bool = False) -> None:
        first, *others = points
        self.add("m", *first)
        for point in others:
            self.add("l", *point)
        if close:
            self._code.append(b"h")

    def paint(self, fill: bool, stroke: bool) -> None:
        """What was outlined."""
        self._code.append({(True, True): b"B", (True, False): b"f", (False, True): b"S"}.get((fill, stroke), b"n"))

    def clip(self, box: Box) -> None:
        self.rectangle(box)
        self._code.append(b"W n")

    def text(self, font: Object, size: float, color: bytes, lines: Sequence[tuple[Point, bytes]]) -> None:
        """
        :param color: as it is chosen in PDF's language
        :param lines: where they begin, and what is shown in the font's own encoding
        """
        name = f"/F{len(self._fonts)}"
        self._fonts[name] = font
        self._code += [b"q BT", color, f"{name} {fp_str(size)} Tf".encode()]
        for point, shown in lines:
            self._code.append(f"1 0 0 1 {fp_str(*point)} Tm <{shown.hex()}> Tj".encode())
        self._code.append(b"ET Q")

    def form(self, box: Box, opacity: float = 1, blend: str = "/Normal") -> Stream | None:
        """Nothing, if nothing was drawn."""
        if not self._code:
            return None
        code, resources = self._code, {"/Font": Dictionary(self._fonts)}
        if opacity != 1 or blend != "/Normal":
            code = [b"/T gs", *code]
            resources["/ExtGState"] = Dictionary(T=Dictionary(CA=opacity, ca=opacity, BM=Name(blend)))
        return self.pdf.make_stream(
            b"\n".join(code),
            Type=Name.XObject,
            Subtype=Name.Form,
            BBox=Array(box),
            Resources=Dictionary(resources),
        )
