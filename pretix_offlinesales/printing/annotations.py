"""
Draws the annotations of a background (stamps, fields of forms, notes), which readers draw above its pages: only those
that they would print, and as they look in their file. What doesn't say how it looks gets that from ``appearances``.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream
from reportlab.lib.rl_accel import fp_str

from ..jobs.interruptions import is_interruption
from .annotated import box_of, dictionary, integer, numbers
from .appearances import make_appearance
from .canvas import EVERYWHERE
from .geometry import Box, Matrix, is_empty, moved, upright
from .sketch import Allowance

logger = logging.getLogger(__name__)

#: Bits of what an annotation says of itself.
INVISIBLE, HIDDEN, PRINT = 1, 2, 4


def printed_annotations(page: pikepdf.Page) -> list[Object]:
    """Those that readers would print, in their order."""
    found = page.obj.get("/Annots")
    if not isinstance(found, Array):
        return []
    printed = []
    for annotation in found:
        with _left_out_if_broken():
            if isinstance(annotation, Dictionary) and _is_printed(annotation):
                printed.append(annotation)
    return printed


class Painter:
    """Of the annotations of one file."""

    def __init__(self, pdf: Pdf):
        self._pdf, self._allowance = pdf, Allowance()
        self._forms: dict[tuple[int, int], Stream] = {}

    def draw(self, annotations: Sequence[Object], matrix: Matrix) -> Object | None:
        """A form of this file that draws them, moved by the matrix; nothing, if there is nothing to see."""
        pictures, layers, code = {}, {}, []
        for number, annotation in enumerate(annotations):
            with _left_out_if_broken():
                picture = self._picture(annotation)
                if picture is None or not (placed := _placed(picture, annotation)):
                    continue
                drawn = f"q {placed} /A{number} Do Q"
                pictures[f"/A{number}"] = self._form(picture)
                if isinstance(annotation.get("/OC"), Dictionary):
                    layers[f"/L{number}"] = annotation.OC
                    drawn = f"/OC /L{number} BDC {drawn} EMC"
                code.append(drawn)
        if not code:
            return None
        return self._pdf.make_stream(
            "\n".join(code).encode(),
            Type=Name.XObject,
            Subtype=Name.Form,
            BBox=EVERYWHERE,
            Matrix=matrix,
            Resources=Dictionary(XObject=Dictionary(pictures), Properties=Dictionary(layers)),
        )

    def _picture(self, annotation: Object) -> Stream | None:
        normal = dictionary(annotation.get("/AP")).get("/N")
        if isinstance(normal, Dictionary) and not isinstance(normal, Stream):
            # One for each state, such as those of a check box. There may be none for the state where it is not checked.
            state = normal.get(f"/{str(annotation.get('/AS', 'Off')).removeprefix('/')}")
            return state if isinstance(state, Stream) else None
        return normal if isinstance(normal, Stream) else make_appearance(self._pdf, annotation, self._allowance)

    def _form(self, picture: Stream) -> Stream:
        """As all readers draw it where they are told to. Where it is an annotation, they look less closely."""
        if picture.get("/Subtype") == Name.Form and _bounds(picture) and len(numbers(picture.get("/Matrix"))) in (0, 6):
            return picture
        if picture.objgen not in self._forms:
            form = copy(picture)
            form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, _bounds(picture) or EVERYWHERE
            form.Matrix = _own_matrix(picture)
            self._forms[picture.objgen] = form
        return self._forms[picture.objgen]


@contextmanager
def _left_out_if_broken() -> Iterator[None]:
    """One annotation that nobody can make sense of is no reason not to print all the others."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as e:
        if is_interruption(e):
            raise
        logger.warning("An annotation of a background is left out", exc_info=True)


def _is_printed(annotation: Object) -> bool:
    flags = integer(annotation.get("/F"))
    # A pop-up shows the text of a note, if somebody clicks at it.
    return flags & PRINT and not flags & (HIDDEN | INVISIBLE) and annotation.get("/Subtype") != Name.Popup


def _placed(picture: Stream, annotation: Object) -> str | None:
    """What moves it to where the annotation is; nothing, if that is nowhere."""
    rectangle, bounds = box_of(annotation), _bounds(picture)
    around = moved(bounds or (0, 0, 0, 0), _own_matrix(picture))
    if not rectangle or bounds and is_empty(around):
        return None
    if not bounds:
        # It begins where the annotation does, as large as it is.
        left, bottom, right, top = rectangle
        clip = f"{fp_str(left, bottom, right - left, top - bottom)} re W n"
        return f"{clip} 1 0 0 1 {fp_str(left - around[0], bottom - around[1])} cm"
    x, y = ((rectangle[side + 2] - rectangle[side]) / (around[side + 2] - around[side]) for side in (0, 1))
    return f"{fp_str(x, 0, 0, y, rectangle[0] - x * around[0], rectangle[1] - y * around[1])} cm"


def _bounds(picture: Stream) -> Box | None:
    """Nothing, if it doesn't say them."""
    box = numbers(picture.get("/BBox"))
    return upright(box) if len(box) == 4 else None


def _own_matrix(picture: Stream) -> Matrix:
    matrix = numbers(picture.get("/Matrix"))
    return matrix if len(matrix) == 6 else (1, 0, 0, 1, 0, 0)
