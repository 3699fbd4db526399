"""ReportLab's encoder of QR codes, which the host draws with."""

from functools import lru_cache
from typing import NamedTuple

from reportlab.graphics.barcode.qrencoder import QR, QR8bitByte, QRAlphaNum, QRCode, QRErrorCorrectLevel, QRNumber


def host_modules(content: str, level: str) -> list[list[bool]]:
    """
    The code's rows from top to bottom, dark modules are true. Text that is not ASCII is stored as plain UTF-8.

    :param level: of error correction: ``L``, ``M``, ``Q``, or ``H``
    :raises ValueError: if this is more than a code can hold
    """
    code = QRCode(None, getattr(QRErrorCorrectLevel, level))
    code.addData(content)
    code.make()
    return code.modules


class Size(NamedTuple):
    #: A side has 17 modules, and 4 more for each version.
    version: int
    #: Whether each letter is stored as a byte. Numbers and capitals are packed tighter, if there is nothing else.
    is_of_bytes: bool


def host_size(content: str, level: str) -> Size:
    """
    How large the code of this ASCII text is.

    :raises ValueError: if this is more than a code can hold
    """
    kind = next((kind for kind in (QRNumber, QRAlphaNum) if kind.valid(content)), QR8bitByte)
    return Size(_version(kind, len(content), level), kind is QR8bitByte)


@lru_cache
def _version(kind: type[QR], length: int, level: str) -> int:
    """The same for all texts of a kind that are equally long."""
    code = QRCode(None, getattr(QRErrorCorrectLevel, level))
    code.addData(kind("0" * length))
    return code.calculate_version()
