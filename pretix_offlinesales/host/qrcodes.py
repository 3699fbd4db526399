"""ReportLab's encoder of QR codes, which the host draws with."""

from functools import lru_cache

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


def host_version(content: str, level: str) -> int:
    """
    How large the code of this ASCII text is: its side has 17 modules, and 4 more for each version.

    :raises ValueError: if this is more than a code can hold
    """
    kind = next((kind for kind in (QRNumber, QRAlphaNum) if kind.valid(content)), QR8bitByte)
    return _version(kind, len(content), level)


@lru_cache
def _version(kind: type[QR], length: int, level: str) -> int:
    """The same for all texts of a kind that are equally long."""
    code = QRCode(None, getattr(QRErrorCorrectLevel, level))
    code.addData(kind("0" * length))
    return code.calculate_version()
