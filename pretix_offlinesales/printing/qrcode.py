"""
Encodes and draws QR codes as the host does: the same content, error correction, size in modules and quiet zone. Only
the mask may be another one, because finding the same takes the host's encoder 5 to 25 ms, and scanners do not care.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache, lru_cache

import zxingcpp

from ..host.qrcodes import host_modules, host_version
from .masks import DARK, LIGHT, Masks

#: The side of an eye, in modules.
EYE = 7

_RUN = re.compile(DARK + b"+")


def error_correction(content: str) -> str:
    """The host's choice: codes that hold more are protected less, so that their modules do not get too small."""
    if len(content) <= 32:
        return "H"
    return "M" if len(content) <= 128 else "L"


def encode(content: str) -> list[bytes]:
    """The code's rows from top to bottom, a byte a module, without quiet zone."""
    level = error_correction(content)
    if not content.isascii():
        # The host stores such text as plain UTF-8. The native encoder would declare the encoding, for which there may
        # be no room, or choose another one.
        return [b"".join(DARK if dark else LIGHT for dark in row) for row in host_modules(content, level)]

    # The native encoder packs tighter, and would sometimes make the code smaller than the host does.
    version = host_version(content, level)
    return _masks(level, version).best(_encode(content, level, version, mask=0))


def _encode(content: str, level: str, version: int, mask: int) -> bytes:
    code = zxingcpp.create_barcode(
        content, zxingcpp.BarcodeFormat.QRCode, ec_level=level, version=version, dataMask=mask
    )
    return memoryview(code.to_image(scale=1, add_quiet_zones=False)).tobytes()


@lru_cache(maxsize=16)
def _masks(level: str, version: int) -> Masks:
    return Masks(17 + 4 * version, [_encode("0", level, version, mask) for mask in range(8)])


def runs(modules: bytes) -> Iterator[re.Match]:
    """Of dark modules."""
    return _RUN.finditer(modules)


def path(rows: list[bytes]) -> str:
    """
    PDF code that fills the dark modules as one path, so that no light shines through between them; all but the eyes.

    Runs of modules in a row are one rectangle each. Those that are equally long come together, since they compress
    better so.
    """
    places = _places(len(rows))
    by_length = defaultdict(list)
    start = 0
    # With a light module at the end of each row, no run goes on in the next.
    for run in LIGHT.join(rows).split(LIGHT):
        if run and (place := places[start]):
            by_length[len(run)].append(place)
        start += len(run) + 1
    rectangles = [f" {length} 1 re ".join([*run, ""]) for length, run in by_length.items()]
    return f"{''.join(rectangles)}f"


def eyes(modules: int) -> str:
    """PDF code that fills the three squares by which scanners find a code, the same in all with so many modules."""
    return " ".join(
        # The inner rectangles show, because rectangles in rectangles are cut out of them by the even-odd rule.
        f"{x} {y} 7 7 re {x + 1} {y + 1} 5 5 re {x + 2} {y + 2} 3 3 re f*"
        for x, y in _corners(modules)
    )


@cache
def _places(modules: int) -> list[str | None]:
    """Where modules are, by their index in the rows from top to bottom with a byte between them. Not those of eyes."""
    in_eyes = {(left + x, bottom + y) for left, bottom in _corners(modules) for x in range(EYE) for y in range(EYE)}
    return [None if (x, y) in in_eyes else f"{x} {y}" for y in reversed(range(modules)) for x in range(modules + 1)]


def _corners(modules: int) -> list[tuple[int, int]]:
    far = modules - EYE
    return [(0, 0), (0, far), (far, far)]
