"""The papers of a batch, to download."""

from django.http import HttpResponse
from django.views.generic import View

from .. import documents
from ..downloads import as_private_file
from .views import BatchMixin


class PaperDownload(BatchMixin, View):
    """One of the papers as a PDF."""

    #: What it is called in the file's name, and who makes it.
    name = None
    make = None
    content_type = "application/pdf"
    extension = "pdf"

    def get(self, request, *args, **kwargs):
        response = HttpResponse(self.make(self.batch), content_type=self.content_type)
        filename = f"{request.event.slug}-offlinesales-{self.batch.pk}-{self.name}.{self.extension}"
        return as_private_file(response, filename)


class DeliveryNote(PaperDownload):
    name = "delivery"
    make = staticmethod(documents.delivery_note)


class Statement(PaperDownload):
    name = "statement"
    make = staticmethod(documents.statement)


class StatementExport(Statement):
    make = staticmethod(documents.statement_csv)
    content_type = "text/csv; charset=utf-8"
    extension = "csv"
