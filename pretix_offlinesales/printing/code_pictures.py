"""Draws QR codes as pictures, for those who render tickets themselves."""

from io import BytesIO

from PIL import Image

from . import qrcode
from .renderer import QUIET_ZONE

#: Pixels of a code's module in a PNG. Larger pictures say no more: they can be scaled without loss.
PNG_SCALE = 10


def svg(rows: list[bytes], side: int, millimetres: float) -> str:
    """
    A module is one unit, the light border as wide as the host draws it.

    :param rows: of modules, as ``qrcode.Code`` has them
    :param side: of the picture, in modules
    :param millimetres: the same, as the layout has it; 0, if it has no size
    """
    size = f' width="{millimetres:.3f}mm" height="{millimetres:.3f}mm"' if millimetres > 0 else ""
    dark = "".join(
        f"M{QUIET_ZONE + run.start()} {QUIET_ZONE + y}h{len(run.group())}v1h-{len(run.group())}z"
        for y, row in enumerate(rows)
        for run in qrcode.runs(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg"{size} viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{dark}"/></svg>'
    )


def png(rows: list[bytes], side: int, millimetres: float) -> bytes:
    """A module is ``PNG_SCALE`` pixels. See ``svg``."""
    width, pixels = len(rows), side * PNG_SCALE
    code = Image.new("L", (side, side), 255)
    code.paste(Image.frombytes("L", (width, width), b"".join(rows)), (QUIET_ZONE, QUIET_ZONE))
    output = BytesIO()
    size = {"dpi": [25.4 * pixels / millimetres] * 2} if millimetres > 0 else {}
    code.resize((pixels, pixels), Image.Resampling.NEAREST).convert("1").save(output, "PNG", **size)
    return output.getvalue()
