"""Files as answers to requests, of the API and of the backend."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from defusedcsv import csv
from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from pretix.base.models import CachedFile

from .documents import kept, statement_files
from .host.helpers import ChunkBasedFileResponse
from .models import Document

Response = TypeVar("Response", bound=HttpResponseBase)


def download(file: CachedFile) -> ChunkBasedFileResponse:
    """
    :raises Http404: if the storage has lost it
    """
    return _stored(file.file, file.type, file.filename)


def document_pdf(document: Document, disposition: str = "attachment") -> ChunkBasedFileResponse:
    """
    :param disposition: as in ``as_private_file``
    :raises Http404: if the storage has lost it
    """
    return _stored(kept.pdf(document), "application/pdf", _filename(document, "pdf"), disposition)


def statement_csv(document: Document) -> HttpResponse:
    """:param document: of the kind ``STATEMENT``"""
    return table(statement_files.rows(document), _filename(document, "csv"))


def statement_json(document: Document) -> JsonResponse:
    """:param document: of the kind ``STATEMENT``"""
    options = {"indent": 4, "ensure_ascii": False}
    response = JsonResponse(statement_files.content(document), json_dumps_params=options)
    return as_private_file(response, _filename(document, "json"))


def _filename(document: Document, extension: str) -> str:
    return f"{document.organizer.slug}-offlinesales-{document.kind}-{document.number}.{extension}"


def _stored(
    file: FieldFile, content_type: str, filename: str, disposition: str = "attachment"
) -> ChunkBasedFileResponse:
    try:
        return as_private_file(ChunkBasedFileResponse(file, content_type=content_type), filename, disposition)
    except FileNotFoundError as error:
        raise Http404 from error


def table(rows: Iterable[Sequence], filename: str) -> HttpResponse:
    """
    A CSV file, in which nothing is a formula, whoever opens it.

    :param rows: texts and numbers, with the header
    """
    response = as_private_file(HttpResponse(content_type="text/csv; charset=utf-8"), filename)
    csv.writer(response, quoting=csv.QUOTE_NONNUMERIC, delimiter=",").writerows(rows)
    return response


def as_private_file(response: Response, filename: str, disposition: str = "attachment") -> Response:
    """
    Let the client save the response, and nobody keep a copy on the way or guess what else it could be.

    :param disposition: ``inline`` for something to look at
    """
    response["Content-Disposition"] = f'{disposition}; filename="{filename}"'
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
