"""The file of a part: its pages, and what they refer to, until the last worker merges it with the other parts."""

import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import BinaryIO, NamedTuple, Self

import pikepdf

from .geometry import Box

#: What is in it: a PDF with one page, that refers to all that pages of the part refer to; and of each of these pages
#: which tickets are on it, how large it is, and its content.
RESOURCES, TICKETS, PAGES, CONTENTS = "resources.pdf", "tickets.json", "pages.json", "contents"


class CompressedPage(NamedTuple):
    """A rendered page, ready to be written."""

    size: tuple[float, float]
    trim: Box
    bleed: Box
    #: Compressed.
    content: bytes


def write_part(
    output: BinaryIO,
    resources: pikepdf.Pdf,
    pages: Sequence[CompressedPage],
    tickets: Sequence[tuple[int, ...]],
    versions: Iterable[str],
) -> None:
    """
    :param tickets: the numbers of those on each page
    :param versions: of PDF, that readers must understand
    """
    pdf = BytesIO()
    resources.save(pdf, min_version=max(versions, default=""))
    with zipfile.ZipFile(output, "w") as archive:
        archive.writestr(RESOURCES, pdf.getvalue())
        archive.writestr(TICKETS, json.dumps(tickets))
        archive.writestr(PAGES, json.dumps([[*boxes, len(content)] for *boxes, content in pages]))
        archive.writestr(CONTENTS, b"".join(page.content for page in pages))


class Part:
    """What ``write_part`` has written. To be used in ``with``."""

    def __init__(self, file: BinaryIO):
        """:param file: can be read from any place, as long as this is used"""
        self._archive = zipfile.ZipFile(file)
        self.resources = pikepdf.open(BytesIO(self._archive.read(RESOURCES)))
        self.tickets = [tuple(numbers) for numbers in json.loads(self._archive.read(TICKETS))]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.resources.close()

    @property
    def version(self) -> str:
        """Of PDF, that readers must understand."""
        return self.resources.pdf_version

    def pages(self) -> Iterator[CompressedPage]:
        """To be written one by one: they are too many to be in memory."""
        with self._archive.open(CONTENTS) as contents:
            for size, trim, bleed, length in json.loads(self._archive.read(PAGES)):
                yield CompressedPage(tuple(size), tuple(trim), tuple(bleed), contents.read(length))
