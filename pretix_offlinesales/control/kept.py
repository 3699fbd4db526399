"""Documents that are kept: by which tickets went from hand to hand. They are the organizer's, over all events."""

from django.http import Http404
from django.views.generic import DetailView
from django.views.generic.detail import BaseDetailView

from ..documents.kept import pdf
from ..documents.notes import Note
from ..downloads import as_private_file
from ..host.helpers import ChunkBasedFileResponse
from ..models import REQUESTER, Document, DocumentKind
from ..tickets.figures import Tally
from .organizer_pages import OrganizerPageMixin


class DocumentMixin(OrganizerPageMixin):
    """Pages of one document."""

    pk_url_kwarg = "document"

    def get_queryset(self):
        documents = Document.objects.filter(organizer=self.request.organizer)
        return documents.exclude(kind=DocumentKind.STATEMENT).select_related("event", "source", "target", *REQUESTER)


class DocumentDetail(DocumentMixin, DetailView):
    template_name = "pretix_offlinesales/control/document.html"
    context_object_name = "document"

    def get_context_data(self, **kwargs):
        note = Note.from_json(self.object.snapshot)
        return super().get_context_data(**kwargs) | {
            "note": note,
            "total": Tally(self.object.count, self.object.value),
            "has_dates": any(line.subevent for line in note.lines),
            "batches_url": self._url_in_event("list"),
            "print_url": self._url_in_event("print_for_sellers", "event.orders:write") if self.object.target else "",
        }

    def _url_in_event(self, name: str, *permissions: str) -> str:
        """A page of its event, for whoever has these permissions there, and that to read, which all pages take."""
        organizer, event, user = self.request.organizer, self.object.event, self.request.user
        needed = ("event.orders:read", *permissions)
        if not event or not all(user.has_event_permission(organizer, event, each, self.request) for each in needed):
            return ""
        return self.url(name, event=event.slug)


class DocumentPDF(DocumentMixin, BaseDetailView):
    """As it was written, to look at and print."""

    def render_to_response(self, context):
        try:
            response = ChunkBasedFileResponse(pdf(self.object), content_type="application/pdf")
        except FileNotFoundError as error:
            raise Http404 from error
        name = f"{self.request.organizer.slug}-{self.object.kind}-{self.object.number}.pdf"
        return as_private_file(response, name, disposition="inline")
