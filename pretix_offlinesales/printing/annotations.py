"""
What readers draw above the pages of a file: stamps, fields of forms, notes. Only what they would print, and as it looks
in its file; what doesn't say how it looks is drawn by ``appearances``.
"""

from collections.abc import Sequence

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream
from reportlab.lib.rl_accel import fp_str

from .annotated import box_of
from .appearances import make_appearance
from .canvas import EVERYWHERE
from .geometry import Matrix, is_empty, moved, upright

#: Bits of what an annotation says of itself.
INVISIBLE, HIDDEN, PRINT = 1, 2, 4


def printed_annotations(page: pikepdf.Page) -> list[Object]:
    """Those that readers would print, in their order."""
    found = page.obj.get("/Annots")
    if not isinstance(found, Array):
        return []
    return [annotation for annotation in found if isinstance(annotation, Dictionary) and _is_printed(annotation)]


def draw_annotations(pdf: Pdf, annotations: Sequence[Object], matrix: Matrix) -> Object | None:
    """A form of this file that draws them, moved by the matrix; nothing, if there is nothing to see."""
    pictures, layers, code = {}, {}, []
    for number, annotation in enumerate(annotations):
        picture = _picture(pdf, annotation)
        if picture is None or not (placed := _placed(picture, annotation)):
            continue
        pictures[f"/A{number}"] = picture
        drawn = f"q {' '.join(map(fp_str, placed))} cm /A{number} Do Q"
        if "/OC" in annotation:
            layers[f"/L{number}"] = annotation.OC
            drawn = f"/OC /L{number} BDC {drawn} EMC"
        code.append(drawn)
    if not code:
        return None
    return pdf.make_stream(
        "\n".join(code).encode(),
        Type=Name.XObject,
        Subtype=Name.Form,
        BBox=EVERYWHERE,
        Matrix=matrix,
        Resources=Dictionary(XObject=Dictionary(pictures), Properties=Dictionary(layers)),
    )


def _is_printed(annotation: Object) -> bool:
    flags = int(annotation.get("/F", 0))
    # A pop-up shows the text of a note, if somebody clicks at it.
    return flags & PRINT and not flags & (HIDDEN | INVISIBLE) and annotation.get("/Subtype") != Name.Popup


def _picture(pdf: Pdf, annotation: Object) -> Stream | None:
    appearance = annotation.get("/AP")
    normal = appearance.get("/N") if isinstance(appearance, Dictionary) else None
    if isinstance(normal, Dictionary) and not isinstance(normal, Stream):
        # One for each state, such as those of a check box. There may be none for the state in which it is not checked.
        state = normal.get(str(annotation.get("/AS", "/Off")))
        return state if isinstance(state, Stream) else None
    return normal if isinstance(normal, Stream) else make_appearance(pdf, annotation)


def _placed(picture: Stream, annotation: Object) -> Matrix | None:
    """How it comes to lie where the annotation is; nothing, if that is nowhere."""
    rectangle, own = box_of(annotation), tuple(map(float, picture.get("/Matrix", (1, 0, 0, 1, 0, 0))))
    around = moved(upright(list(picture.get("/BBox", (0, 0, 0, 0)))), own)
    if not rectangle or is_empty(rectangle) or is_empty(around):
        return None
    x, y = ((rectangle[side + 2] - rectangle[side]) / (around[side + 2] - around[side]) for side in (0, 1))
    return x, 0, 0, y, rectangle[0] - x * around[0], rectangle[1] - y * around[1]
