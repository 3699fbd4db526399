"""The papers of a batch, to download."""

from django.http import HttpResponse
from django.views.generic import View

from ..documents import make
from ..downloads import as_private_file, table
from .views import BatchMixin


class PaperDownload(BatchMixin, View):
    """One of the papers as a PDF."""

    #: What it is called in the file's name, and who makes it.
    name = None
    make = None

    def get(self, request, *args, **kwargs):
        response = HttpResponse(self.make(self.batch), content_type="application/pdf")
        return as_private_file(response, self.filename("pdf"))

    def filename(self, extension: str) -> str:
        return f"{self.request.event.slug}-offlinesales-{self.batch.pk}-{self.name}.{extension}"


class DeliveryNote(PaperDownload):
    name = "delivery"
    make = staticmethod(make.delivery_note)


class Statement(PaperDownload):
    name = "statement"
    make = staticmethod(make.statement)


class StatementExport(Statement):
    """The same as a table."""

    def get(self, request, *args, **kwargs):
        return table(make.statement_rows(self.batch), self.filename("csv"))
