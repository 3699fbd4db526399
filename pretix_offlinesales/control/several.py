"""The pages on which several batches are issued at once: some products for some sellers."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import ngettext
from django.views.generic import FormView, TemplateView, View

from ..documents.bundle import merge
from ..downloads import as_private_file
from ..issuing.request import IssueRequest
from ..issuing.several import Outcome, names_of, requests_of
from ..issuing.together import Together
from ..jobs.queries import failures, find
from ..kinds import ISSUE_SEVERAL
from ..models import Document, DocumentKind, Job, OfflineSalesBatch, Seller
from ..tickets.figures import Tally, tally, tickets_of
from .sellers_shown import may_read_sellers, of_sellers
from .several_forms import SeveralForm, initial_from
from .views import PageMixin
from .waiting import JobMixin


class IssueSeveral(PageMixin, JobMixin, FormView):
    """Say what for whom, see what would be made, confirm. The dialog ends on the page that says what was made."""

    permission = "event.orders:write"
    template_name = "pretix_offlinesales/control/several.html"
    form_class = SeveralForm
    kind = ISSUE_SEVERAL

    def get_form_kwargs(self):
        asking = {"event": self.request.event, "user": self.request.user}
        return super().get_form_kwargs() | asking | of_sellers(self.request)

    def get_initial(self):
        """``?seller=…&seller=…`` for whom; or what a job was asked that failed, to try again."""
        if not (again := self.request.GET.get("again")):
            return {"sellers": [pk for pk in self.request.GET.getlist("seller") if pk.isdecimal()]}
        try:
            job = failures(self.request.event, ISSUE_SEVERAL).get(pk=UUID(again))
            return initial_from(requests_of(job)) | {"again": job.pk}
        except (ValueError, Job.DoesNotExist, TypeError, IndexError) as error:  # or another version has asked for it
            raise Http404 from error

    def form_valid(self, form):
        if form.job:
            return self._answer(form.job)
        if "confirmed" not in self.request.POST:
            return self.render_to_response(self.get_context_data(form=form, look=Look.of(form.together, self.request)))
        if self.too_many:
            form.add_error(None, self.too_many)
            return self.form_invalid(form)
        job = ISSUE_SEVERAL.create(self.request.event, form.request, {"user": self.request.user}, pk=form.job_id)
        if again := form.cleaned_data["again"]:
            failures(self.request.event, ISSUE_SEVERAL).filter(pk=again).update(dismissed=True)
        return self.start(job)

    def form_invalid(self, form):
        """What is known is shown all the same: it says how much is too much."""
        look = Look.of(form.together, self.request) if form.together else None
        return self.render_to_response(self.get_context_data(form=form, look=look))

    def get_success_url(self, job):
        return self.url("several_result", job=job.pk)

    get_error_url = get_success_url


@dataclass(frozen=True)
class Look:
    """What is shown before anything is made."""

    together: Together
    #: What was filled in, to be sent once more.
    values: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, together: Together, request) -> "Look":
        kept = [name for name in request.POST if name not in ("csrfmiddlewaretoken", "confirmed", "ajax")]
        return cls(together, [(name, value) for name in kept for value in request.POST.getlist(name)])

    @property
    def question(self) -> str:
        return ngettext("%(amount)d batch", "%(amount)d batches", self.amount) % {"amount": self.amount}

    @property
    def button(self) -> str:
        return ngettext("Issue %(amount)d batch", "Issue %(amount)d batches", self.amount) % {"amount": self.amount}

    @property
    def amount(self) -> int:
        return len(self.together.lines)

    @property
    def has_sellers(self) -> bool:
        return bool(self.together.allotments)


@dataclass
class Made:
    """A line of what was asked for, and what has become of it."""

    name: str
    batch: OfflineSalesBatch | None = None
    seller: Seller | None = None
    tally: Tally = Tally()
    document: Document | None = None
    #: Why it was not made.
    refusal: str = ""


class ResultMixin(PageMixin):
    @cached_property
    def job(self) -> Job:
        try:
            return find(self.request.event, self.kwargs["job"], ISSUE_SEVERAL)
        except Job.DoesNotExist as error:
            raise Http404 from error

    @cached_property
    def outcome(self) -> Outcome:
        return Outcome.of(self.job)

    @cached_property
    def requests(self) -> list[IssueRequest]:
        try:
            return requests_of(self.job)
        except TypeError as error:  # another version has asked for it
            raise Http404 from error

    def documents(self) -> dict[int, Document]:
        """By batch, the first one, with which it was handed over as it was made."""
        batches = [pk for place, pk in self.outcome.made if self.requests[place].seller_id]
        found = Document.objects.filter(
            organizer=self.request.organizer, kind=DocumentKind.DELIVERY, movements__batch__in=batches
        )
        first = {}
        for document, batch in found.order_by("pk").values_list("pk", "movements__batch"):
            first.setdefault(batch, document)
        documents = Document.objects.select_related("target").in_bulk(first.values())
        return {batch: documents[document] for batch, document in first.items()}


class SeveralResult(ResultMixin, TemplateView):
    """What has become of each, for as long as the job lives."""

    template_name = "pretix_offlinesales/control/several_result.html"

    def get_context_data(self, **kwargs):
        lines = self._lines()
        made = [line for line in lines if line.batch]
        return super().get_context_data(**kwargs) | {
            "job": self.job,
            "kind": ISSUE_SEVERAL,
            "made": made,
            "refused": [line for line in lines if line.refusal],
            "left": len(lines) - self.outcome.next,
            "total": sum((line.tally for line in made), Tally()),
            "sellers": list(dict.fromkeys(line.seller for line in made if line.seller)),
            "may_read_sellers": may_read_sellers(self.request),
            "has_documents": any(line.document for line in made),
        }

    def _lines(self) -> list[Made]:
        lines = [Made(name) for name in names_of(self.job, self.requests)]
        for place, reason in self.outcome.refused:
            lines[place].refusal = reason
        keys = {pk: place for place, pk in self.outcome.made}
        batches = self.batches.filter(pk__in=keys).select_related("item", "variation", "subevent")
        tallies, documents = tally(tickets_of(keys), by="batch"), self.documents()
        for batch in batches:
            if batch.subevent:
                batch.subevent.event = self.request.event
            line = lines[keys[batch.pk]]
            line.batch, line.tally = batch, tallies.get(batch.pk, Tally())
            line.document = documents.get(batch.pk)
            line.seller = line.document.target if line.document else None
        return lines


class SeveralNotes(ResultMixin, View):
    """All delivery notes in one file, to be printed at once."""

    def get(self, request, *args, **kwargs):
        if not may_read_sellers(request):
            raise PermissionDenied
        if not (documents := self.documents().values()):
            raise Http404
        content = BytesIO()
        merge(documents, content)
        response = HttpResponse(content.getvalue(), content_type="application/pdf")
        return as_private_file(response, f"{request.event.slug}-offlinesales-delivery-notes.pdf", disposition="inline")
