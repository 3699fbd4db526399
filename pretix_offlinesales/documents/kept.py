"""Documents on paper: drawn from their snapshots when somebody first asks for one, and kept ever since."""

from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.fields.files import FieldFile

from ..db.queries import unscoped
from ..models import Document, DocumentKind, Seller
from .note_paper import NotePaper
from .notes import Party
from .numbered_paper import NumberedPaper
from .statement_paper import SellerStatementPaper

PAPERS: dict[str, type[NumberedPaper]] = {
    DocumentKind.DELIVERY: NotePaper,
    DocumentKind.TAKE_BACK: NotePaper,
    DocumentKind.TRANSFER: NotePaper,
    DocumentKind.STATEMENT: SellerStatementPaper,
}


def pdf(document: Document) -> FieldFile:
    """Its PDF, which is drawn now if nobody has asked for it before. (Or since somebody's data was deleted from it.)"""
    row = unscoped(Document.objects).only("file").get(pk=document.pk)
    if not row.file:
        row = _drawn(document.pk)
    document.file = row.file
    return row.file


def forget(seller: Seller) -> None:
    """Empty all that is about a person in the documents that she is a party of. Numbers and sums stay."""
    forget_in(unscoped(Document.objects).filter(Q(source=seller) | Q(target=seller)), seller)


@transaction.atomic
def forget_in(documents: QuerySet[Document], seller: Seller | None = None) -> None:
    """
    Empty what is about sellers in these documents, or only what is about one of them, and comments, since they may say
    anything; and delete the files.
    """
    for document in documents.order_by("pk").select_for_update(of=("self",), no_key=True):
        _delete_file(document.file)
        document.file = None
        document.comment = ""
        document.snapshot = _forgotten(document.snapshot, seller.pk if seller else None)
        document.save(update_fields=["file", "comment", "snapshot"])


@transaction.atomic
def _drawn(pk: int) -> Document:
    """Whoever comes first draws it; the others wait."""
    rows = unscoped(Document.objects).select_for_update(of=("self",), no_key=True)
    document = rows.select_related("organizer", "event__organizer").get(pk=pk)
    if not document.file:
        paper = PAPERS[document.kind].of(document)
        document.file.save("document.pdf", ContentFile(paper.drawn()), save=False)
        try:
            document.save(update_fields=["file"])
        except Exception:
            document.file.delete(save=False)
            raise
    return document


def _delete_file(file: FieldFile) -> None:
    """Once it is certain that nobody needs it."""
    if name := file.name:
        transaction.on_commit(lambda: file.storage.delete(name))


def _forgotten(data: Any, seller: int | None) -> Any:
    """:param data: of a snapshot. All parties are emptied, or those of one seller."""
    if isinstance(data, list):
        return [_forgotten(each, seller) for each in data]
    if not isinstance(data, dict):
        return data
    if Party.is_in(data) and seller in (None, data["seller"]):
        return Party.forgotten(data["seller"]).to_json()
    emptied = {name: _forgotten(value, seller) for name, value in data.items()}
    return emptied | {"comment": ""} if "comment" in emptied else emptied
