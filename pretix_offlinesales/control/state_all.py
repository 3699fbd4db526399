"""The pages on which statements of many sellers are made in one go."""

from dataclasses import dataclass
from datetime import date, datetime, time

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404
from django.utils.functional import cached_property
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _, pgettext_lazy
from django.views.generic import FormView, TemplateView, View
from pretix.base.forms.widgets import DatePickerWidget
from pretix.base.models import Event, Organizer

from .. import tasks
from ..downloads import download
from ..jobs.queries import find, remembered, too_many
from ..kinds import STATE_ALL
from ..models import CHANGE_SELLERS, REQUESTER, Document, Job, Seller
from ..models.activation import is_active
from ..settling.many import Outcome, documents_of, events_of, sellers_of
from .sellers import OrganizerPageMixin
from .waiting import JobMixin

#: How many of the latest ones are shown.
SHOWN = 10


class Choices(forms.ModelMultipleChoiceField):
    widget = forms.CheckboxSelectMultiple(attrs={"class": "scrolling-multiple-choice"})


class EventChoices(Choices):
    def label_from_instance(self, event: Event) -> str:
        return f"{event.name} · {event.get_date_range_display()}"


class StateAllForm(forms.Form):
    """When valid, ``until`` is a moment."""

    events = EventChoices(
        label=_("Events"),
        queryset=Event.objects.none(),
        help_text=_("Each seller gets one statement about those of these events whose tickets they were handed."),
    )
    sellers = Choices(
        label=_("Sellers"),
        queryset=Seller.objects.none(),
        required=False,
        help_text=_("If you choose nobody, it is everybody who has something to be stated."),
    )
    until = forms.DateField(
        label=pgettext_lazy("statement", "Up to"),
        required=False,
        widget=DatePickerWidget(),
        help_text=_(
            "Sales until the end of this day. Keep empty for all until now. What has come back or changed since "
            "the last statement is always included."
        ),
    )
    apart = forms.TypedChoiceField(
        label=_("File"),
        choices=[("", _("one PDF of all statements")), ("apart", _("a PDF for each seller, in a ZIP archive"))],
        coerce=bool,
        empty_value=False,
        required=False,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args, organizer: Organizer, events: list[Event], **kwargs):
        """:param events: that can be chosen"""
        super().__init__(*args, **kwargs)
        self._organizer = organizer
        keys = [event.pk for event in events]
        self.fields["events"].queryset = events_of(organizer).filter(pk__in=keys)
        self.fields["sellers"].queryset = sellers_of(events).order_by("name", "pk")
        self.initial.setdefault("events", keys)

    def clean_until(self) -> datetime:
        """In the organizer's timezone. Today, it is now."""
        day, zone = self.cleaned_data["until"], self._organizer.timezone
        today = now().astimezone(zone).date()
        if day and not date(1990, 1, 1) <= day <= today:
            raise ValidationError(_("This must be in the past, and not before 1990."))
        return now() if not day or day == today else datetime.combine(day, time.max, zone)


class StateAllMixin(OrganizerPageMixin):
    """Jobs are the events'; these are asked for and found over all events of the organizer's."""

    def find(self, pk: str, **filters) -> Job:
        event = Event.objects.filter(organizer=self.request.organizer, offline_sales_jobs__pk=pk)
        try:
            return find(event.select_related("organizer").get(), pk, STATE_ALL, **filters)
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
        return super().get_form_kwargs() | {"organizer": self.request.organizer, "events": self.events}

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
        values = {name: form.cleaned_data[name] for name in ("until", "sellers", "apart")}
        return self.start(self.kind.ask_for(events, requested_by={"user": self.request.user}, **values))

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
