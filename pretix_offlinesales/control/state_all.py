"""The pages on which statements of many sellers are made in one go."""

from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView, TemplateView, View
from pretix.base.models import Event

from .. import tasks
from ..downloads import download
from ..jobs.queries import find, remembered, too_many
from ..kinds import STATE_ALL
from ..models import CHANGE_SELLERS, REQUESTER, Document, Job, Seller
from ..models.activation import is_active
from ..settling.many import Outcome, documents_of, events_of, sellers_of
from .organizer_pages import OrganizerPageMixin
from .statement_forms import EventsChoice, StateForm
from .waiting import JobMixin

#: How many of the latest ones are shown.
SHOWN = 10


class StateAllForm(StateForm):
    events = EventsChoice(
        label=_("Events"),
        queryset=None,
        help_text=_("Each seller gets one statement about those of these events whose tickets they were handed."),
    )
    sellers = forms.ModelMultipleChoiceField(
        label=_("Sellers"),
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "scrolling-multiple-choice"}),
        help_text=_("If you choose nobody, it is everybody who has something to be stated."),
    )
    apart = forms.TypedChoiceField(
        label=_("File"),
        choices=[("", _("one PDF of all statements")), ("apart", _("a PDF for each seller, in a ZIP archive"))],
        coerce=bool,
        empty_value=False,
        required=False,
        widget=forms.RadioSelect,
    )
    looked = None  # nobody sees them before they are made
    field_order = ("events", "sellers", "until", "apart")

    def __init__(self, *args, sellers: QuerySet[Seller], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["sellers"].queryset = sellers.order_by("name", "pk")


class StateAllMixin(OrganizerPageMixin):
    """Jobs are the events'; these are asked for and found over all events of the organizer's."""

    def find(self, pk: str, **filters) -> Job:
        events = Event.objects.filter(organizer=self.request.organizer).select_related("organizer")
        try:
            return find(events.get(offline_sales_jobs__pk=pk), pk, STATE_ALL, **filters)
        except (Event.DoesNotExist, Job.DoesNotExist, ValidationError) as error:
            raise Http404 from error


class StateAll(StateAllMixin, JobMixin, FormView):
    permission = CHANGE_SELLERS
    template_name = "pretix_offlinesales/control/sellers/state_all.html"
    form_class = StateAllForm
    kind = STATE_ALL

    @cached_property
    def events(self) -> list[Event]:
        return [event for event in events_of(self.request.organizer) if is_active(event)]

    def get_form_kwargs(self):
        organizer, keys = self.request.organizer, [event.pk for event in self.events]
        choices = {"events": events_of(organizer).filter(pk__in=keys), "sellers": sellers_of(self.events)}
        return super().get_form_kwargs() | {"organizer": organizer, **choices}

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"has_events": bool(self.events), "jobs": self._latest()}

    def _latest(self) -> list[Job]:
        jobs = [
            job
            for event in self.events
            for job in remembered(event).filter(kind=self.kind.identifier).select_related("file", *REQUESTER)
        ]
        return sorted(jobs, key=lambda job: job.created, reverse=True)[:SHOWN]

    def form_valid(self, form):
        events = sorted(form.cleaned_data["events"], key=lambda event: (event.date_from, event.pk))
        if message := too_many(events[0]):
            form.add_error(None, message)
            return self.form_invalid(form)
        values = {name: form.cleaned_data[name] for name in ("sellers", "apart")}
        return self.start(self.kind.ask_for(events, form.moment, self.requester, **values))

    def _find(self, pk):
        job = self.find(pk)
        tasks.recover(job)
        return job

    def get_success_url(self, job):
        return self.url("state_all_result", job=job.pk)

    get_error_url = get_success_url


@dataclass
class Line:
    """What has become of a seller."""

    seller: Seller | None
    document: Document | None = None
    #: Why no statement was made.
    refusal: str = ""
    is_drawn: bool = True


class StateAllResult(StateAllMixin, TemplateView):
    """What has become of each seller, for as long as the job lives."""

    template_name = "pretix_offlinesales/control/sellers/state_all_result.html"

    def get_context_data(self, **kwargs):
        job = self.find(self.kwargs["job"])
        tasks.recover(job)
        outcome, documents = Outcome.of(job), documents_of(job)
        by_key = self._sellers(outcome)
        return super().get_context_data(**kwargs) | {
            "job": job,
            "made": [
                Line(document.target, document, is_drawn=document.pk not in outcome.undrawn) for document in documents
            ],
            "refused": [Line(by_key.get(pk), refusal=reason) for pk, reason in outcome.refused],
            "nothing": [seller for pk in outcome.nothing if (seller := by_key.get(pk))],
            "has_file": job.file_id is not None,
        }

    def _sellers(self, outcome: Outcome) -> dict[int, Seller]:
        keys = [*outcome.nothing, *(pk for pk, _reason in outcome.refused)]
        sellers: QuerySet[Seller] = self.sellers
        return sellers.in_bulk(keys)


class StateAllDownload(StateAllMixin, View):
    """The file, as long as it lives."""

    def get(self, request, *args, **kwargs):
        return download(self.find(kwargs["job"], state=Job.State.SUCCEEDED, file__isnull=False).file)
