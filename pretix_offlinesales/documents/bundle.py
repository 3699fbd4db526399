"""Documents of which each has been drawn, as one file: to be printed at once, or sent one by one."""

import zipfile
from collections.abc import Iterable
from contextlib import ExitStack
from io import BytesIO
from typing import BinaryIO

import pikepdf
from django.utils.text import slugify

from ..models import Document
from .kept import pdf


def merge(documents: Iterable[Document], output: BinaryIO) -> None:
    """One PDF, with a bookmark for each."""
    with ExitStack() as opened, pikepdf.new() as whole:
        first_pages = []
        for document in documents:
            one = opened.enter_context(pikepdf.open(BytesIO(content(document))))
            first_pages.append((_title(document), len(whole.pages)))
            whole.pages.extend(one.pages)
        with whole.open_outline() as outline:
            outline.root.extend(pikepdf.OutlineItem(title, page, "Fit") for title, page in first_pages)
        whole.save(output)


def archive(documents: Iterable[Document], output: BinaryIO) -> None:
    """A ZIP archive with a PDF for each."""
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as zipped:
        for document in documents:
            zipped.writestr(f"{slugify(_title(document))}.pdf", content(document))


def content(document: Document) -> bytes:
    """
    Its PDF.

    :raises FileNotFoundError: if the storage has lost it
    """
    with pdf(document).open() as file:
        return file.read()


def _title(document: Document) -> str:
    seller = document.seller
    return f"{document}: {seller.name}" if seller and seller.name else str(document)
