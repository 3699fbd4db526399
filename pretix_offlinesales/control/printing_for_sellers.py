"""The page on which what sellers hold is printed for them."""

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView, View

from ..downloads import download
from ..jobs.queries import failures, find, remembered
from ..kinds import PRINT_FOR_SELLERS
from ..models import REQUESTER, Document, Job, JobFailed, Seller
from ..printing.choice import Only
from ..printing.for_sellers import SellersRequest
from .views import PageMixin
from .waiting import JobMixin

#: How many files and failures are shown.
SHOWN = 10


class SellersForm(forms.Form):
    """When valid, ``print_request`` is what is to be printed."""

    sellers = forms.ModelMultipleChoiceField(
        label=_("Sellers"),
        queryset=Seller.objects.none(),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "scrolling-multiple-choice"}),
        help_text=_("Each gets a file of their own, with a cover sheet before the tickets of each batch."),
    )
    document = forms.ModelChoiceField(
        label=_("Only what was handed over by"),
        queryset=Document.objects.none(),
        required=False,
        empty_label=_("any document"),
    )
    only = forms.ChoiceField(label=_("Of these"), choices=[("", _("all tickets")), *Only.choices], required=False)

    print_request: SellersRequest

    def __init__(self, *args, event, document: str = "", **kwargs):
        """:param document: the key of the one that can be chosen; there may be very many"""
        super().__init__(*args, **kwargs)
        self.event = event
        holding = Seller.objects.filter(organizer=event.organizer, tickets__batch__event=event)
        self.fields["sellers"].queryset = holding.annotate(held=Count("tickets")).order_by("name", "pk")
        chosen = self.data.get("document") or document
        documents = Document.objects.filter(event=event, pk=chosen if chosen.isdecimal() else None)
        self.fields["document"].queryset = documents
        if not documents:
            del self.fields["document"]

    def clean(self):
        values = super().clean()
        if not self.errors:
            try:
                only = Only(values["only"]) if values["only"] else None
                self.print_request = SellersRequest.of(self.event, values["sellers"], only, values.get("document"))
            except ValidationError as error:
                self.add_error(None, error)
        return values


class SellersPrint(PageMixin, JobMixin, FormView):
    """Choose sellers. What is chosen to begin with may be named: ``?seller=…`` (some), ``?document=…``."""

    permission = "event.orders:write"
    template_name = "pretix_offlinesales/control/print_for_sellers.html"
    form_class = SellersForm
    kind = PRINT_FOR_SELLERS

    def get_form_kwargs(self):
        document = self.request.GET.get("document", "")
        return super().get_form_kwargs() | {"event": self.request.event, "document": document}

    def get_initial(self):
        chosen = [key for key in self.request.GET.getlist("seller") if key.isdecimal()]
        return {"sellers": chosen, "document": self.request.GET.get("document", ""), "only": Only.UNPRINTED}

    def get_context_data(self, **kwargs):
        jobs = remembered(self.request.event).filter(kind=self.kind.identifier).select_related("file", *REQUESTER)
        return super().get_context_data(**kwargs) | {
            "printed": jobs.filter(state=Job.State.SUCCEEDED, file__isnull=False).order_by("-finished")[:SHOWN],
            "printing": jobs.filter(finished=None).order_by("created"),
            "failed": failures(self.request.event, self.kind).order_by("-finished")[:SHOWN],
        }

    def form_valid(self, form):
        if self.too_many:
            form.add_error(None, self.too_many)
            return self.form_invalid(form)
        try:
            job = self.kind.ask_for(self.request.event, form.print_request, {"user": self.request.user})
        except JobFailed as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        return self.start(job)

    def get_success_url(self, job):
        return self.url("print_for_sellers_download", job=job.pk)

    def get_error_url(self, job):
        return self.url("print_for_sellers")


class SellersDownload(PageMixin, View):
    """The file, as long as it lives."""

    def get(self, request, *args, **kwargs):
        fetchable = {"state": Job.State.SUCCEEDED, "file__isnull": False}
        try:
            job = find(request.event, kwargs["job"], PRINT_FOR_SELLERS, **fetchable)
        except Job.DoesNotExist as error:
            raise Http404 from error
        return download(job.file)
