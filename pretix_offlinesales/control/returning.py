"""The pages on which tickets are returned, made valid again, or replaced: of one batch, or of the whole event."""

from collections import Counter
from itertools import chain

from defusedcsv import csv
from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _, gettext_lazy, ngettext_lazy
from django.views.generic import FormView, TemplateView, View
from pretix.base.models import Event

from .. import jobs
from ..downloads import as_private_file
from ..models import Job, JobFailed, OfflineSalesBatch, OfflineSalesTicket, ReturnKind
from ..printing import request_data as print_request_data
from ..printing.choice import choose
from ..printing.log import last_sheet, last_sheets
from ..ranges import format_numbers
from ..returning import REASONS, as_lines, examine, from_file, read_lines, request_data, too_many
from .views import PageMixin
from .waiting import JobMixin

#: How many tickets a page shows in full.
MAX_SHOWN = 500

#: How large an uploaded file may be, in bytes.
MAX_FILE = 5 * 1024 * 1024

#: How many lines one asks about at once while tickets are scanned.
MAX_VERDICTS = 500


class TicketsForm(forms.Form):
    """
    Which tickets. When valid, ``selection`` is what a job takes, and ``examined`` the same for ``returning.examine``,
    with lines that are read already.
    """

    lines = forms.CharField(
        label=gettext_lazy("Tickets"), required=False, widget=forms.Textarea(attrs={"rows": 8, "autocomplete": "off"})
    )
    file = forms.FileField(
        label=gettext_lazy("From a file"),
        required=False,
        help_text=gettext_lazy("A text file, or a CSV file with order codes or the codes on the tickets."),
    )
    everything = forms.BooleanField(required=False)
    kind = forms.ChoiceField(
        label=gettext_lazy("Reason"), choices=ReturnKind.choices, initial=ReturnKind.UNSOLD, widget=forms.RadioSelect
    )

    def __init__(self, *args, event: Event, batch: OfflineSalesBatch | None, job_kind: Job.Kind, **kwargs):
        super().__init__(*args, **kwargs)
        self.event, self.batch, self.selection, self.examined = event, batch, None, None
        if batch:
            self.fields["everything"].label = EVERYTHING[job_kind]
            self.fields["lines"].help_text = _(
                "Ticket numbers such as 1-50, 60, 75-80, order codes, or scanned tickets; one a line, or with commas."
            )
        else:
            del self.fields["everything"]
            self.fields["lines"].help_text = _(
                "Order codes, scanned tickets, or ticket numbers with their batch such as #3: 1-50, 60; one a line, or "
                "with commas."
            )
        if job_kind != Job.Kind.RETURN:
            del self.fields["kind"]

    def clean_file(self):
        file = self.cleaned_data["file"]
        if not file:
            return ""
        if file.size > MAX_FILE:
            raise ValidationError(_("This file is too large."))
        try:
            return from_file(file.read())
        except ValueError as error:
            raise ValidationError(str(error))

    def clean(self):
        values = super().clean()
        if self.errors:
            return values
        text = "\n".join(part for part in (values["lines"], values["file"]) if part)
        try:
            lines = read_lines(as_lines(text), self.event, self.batch)
        except ValueError as error:
            raise ValidationError(str(error))
        if lines and values.get("everything"):
            raise ValidationError(_("Please choose either all tickets, or some."))
        if values.get("everything"):
            self.selection = self.examined = {"all": True}
        elif not lines:
            raise ValidationError(_("Please say which tickets."))
        else:
            self.selection = {"lines": [line.text for line in lines]}
            self.examined = {"lines": lines}
        values["lines"] = text
        return values


#: What all tickets of a batch are called.
EVERYTHING = {
    Job.Kind.RETURN: gettext_lazy("All tickets of this batch that are still out"),
    Job.Kind.UNDO: gettext_lazy("All tickets of this batch that were returned"),
    Job.Kind.REPLACE: gettext_lazy("All valid tickets of this batch"),
}


class AfterSale(PageMixin, JobMixin, FormView):
    """
    Say which tickets, see what would become of each, confirm. Whoever scans asks (``verdicts``) while scanning.
    The dialog ends on the page with the result, also if it failed half way.
    """

    permission = "event.orders:write"
    template_name = "pretix_offlinesales/control/after_sale.html"
    form_class = TicketsForm

    @cached_property
    def batch(self) -> OfflineSalesBatch | None:
        if "batch" not in self.kwargs:
            return None
        return get_object_or_404(self.batches.select_related("item", "variation"), pk=self.kwargs["batch"])

    def dispatch(self, request, *args, **kwargs):
        response = super().dispatch
        if "pretix_offlinesales" in request.event.get_plugins():
            self.batch  # noqa: B018 - whatever is asked, a batch that does not exist is not found
        return response(request, *args, **kwargs)

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"event": self.request.event, "batch": self.batch, "job_kind": self.kind}

    def post(self, request, *args, **kwargs):
        return self._verdicts() if "verdicts" in request.POST else super().post(request, *args, **kwargs)

    def form_valid(self, form):
        if "confirmed" not in self.request.POST:
            context = self.get_context_data(form=self._with_lines(form), checked=self._check(form))
            return self.render_to_response(context)
        if self.too_many:
            form.add_error(None, self.too_many)
            return self.form_invalid(form)
        kind = {"kind": form.cleaned_data["kind"]} if "kind" in form.cleaned_data else {}
        job = jobs.create_after_sale(
            self.request.event,
            self.kind,
            request_data(form.selection, job_kind=self.kind, **kind),
            {"user": self.request.user},
            batch=self.batch,
        )
        return self.start(job)

    def _with_lines(self, form) -> TicketsForm:
        """The same, with what was in the file among the lines, since browsers don't keep files."""
        data = self.request.POST.copy()
        data["lines"] = form.cleaned_data["lines"]
        form = self.form_class(**self.get_form_kwargs() | {"data": data, "files": None})
        form.is_valid()
        return form

    def _check(self, form) -> dict:
        """What would become of the tickets."""
        accepted, refused = [], []
        for choice, reason in examine(self.request.event, self.batch, form.examined, self.kind):
            if reason:
                refused.append({"choice": choice, "reason": REASONS[reason]})
            else:
                accepted.append(choice)
        return {
            "amount": len(accepted),
            "counts": self._counts(accepted),
            "refused": refused[:MAX_SHOWN],
            "more_refused": len(refused[MAX_SHOWN:]),
            "accepted": accepted[:MAX_SHOWN],
            "more_accepted": len(accepted[MAX_SHOWN:]),
            "question": self.question % {"amount": len(accepted)},
        }

    def _counts(self, choices) -> list[dict]:
        counts = Counter(choice.ticket.batch_id for choice in choices)
        return [{"batch": batch, "amount": counts[batch.pk]} for batch in self._batches(counts)]

    def _batches(self, pks):
        return self.batches.filter(pk__in=pks).select_related("item", "variation").order_by("pk")

    def _verdicts(self) -> JsonResponse:
        """
        For each of some lines what would become of it::

            {"verdicts": [{"level": "success", "text": …, "tickets": {order code: batch}}], "batches": {batch: name}}
        """
        lines = self.request.POST.get("lines", "").split("\n", MAX_VERDICTS)
        try:
            if len(lines) > MAX_VERDICTS:
                raise too_many()
            entries = [list(dict.fromkeys(as_lines(line))) for line in lines]
            everything = read_lines(chain.from_iterable(entries), self.request.event, self.batch)
        except ValueError as error:
            return JsonResponse({"error": str(error)}, status=400)
        found = {}
        for choice, reason in examine(self.request.event, self.batch, {"lines": everything}, self.kind):
            found.setdefault(choice.line, []).append((choice, reason))
        told = set()
        verdicts = []
        for each in entries:
            fresh = [pair for entry in each if entry not in told for pair in found.get(entry, [])]
            told.update(each)
            verdicts.append(self._verdict(fresh))
        batches = self._batches({batch for verdict in verdicts for batch in verdict["tickets"].values()})
        return JsonResponse({"verdicts": verdicts, "batches": {batch.pk: name_of(batch) for batch in batches}})

    def _verdict(self, found) -> dict:
        tickets = {choice.ticket.code: choice.ticket.batch_id for choice, reason in found if not reason}
        refused = [(choice, reason) for choice, reason in found if reason]
        texts = []
        if len(tickets) == 1:
            [good] = [choice.ticket for choice, reason in found if not reason]
            texts.append(f"{self.verdict} (#{good.batch_id}-{good.number})")
        elif tickets:
            texts.append(f"{self.verdict}: {len(tickets)}")
        if len(found) == 1:
            texts += [str(REASONS[reason]) for _choice, reason in refused]
        else:
            texts += [f"{choice.value}: {REASONS[reason]}" for choice, reason in refused[:5]]
            texts += ["…"] if len(refused) > 5 else []
        level = "success" if not refused else "warning" if tickets else "danger"
        if not found:
            level, texts = "warning", [_("listed twice")]
        return {"level": level, "text": ", ".join(texts), "tickets": tickets}

    def get_context_data(self, **kwargs):
        texts = {name: getattr(self, name) for name in ("title", "explanation", "button", "headline")}
        return super().get_context_data(**kwargs) | texts | {"batch": self.batch}

    def _find(self, pk):
        job = super()._find(pk)
        if job.batch_id != (self.batch and self.batch.pk):
            raise Http404
        return job

    def get_success_url(self, job):
        return self.url("result", job=job.pk)

    get_error_url = get_success_url


def name_of(batch: OfflineSalesBatch) -> str:
    product = " – ".join(str(part) for part in (batch.item, batch.variation) if part)
    return f"{batch} · {product}"


class Return(AfterSale):
    kind = Job.Kind.RETURN
    title = gettext_lazy("Return tickets")
    explanation = gettext_lazy(
        "Returned tickets are canceled: their codes are not valid any more, and their places can be sold again."
    )
    question = ngettext_lazy("%(amount)d ticket will be returned.", "%(amount)d tickets will be returned.", "amount")
    button = gettext_lazy("Return tickets")
    verdict = gettext_lazy("can be returned")
    headline = gettext_lazy("We are returning your tickets …")


class Undo(AfterSale):
    kind = Job.Kind.UNDO
    title = gettext_lazy("Undo returns")
    explanation = gettext_lazy(
        "Tickets that were returned by mistake become valid again, as long as there is still quota for them."
    )
    question = ngettext_lazy(
        "%(amount)d ticket will become valid again, if there is enough quota.",
        "%(amount)d tickets will become valid again, if there is enough quota.",
        "amount",
    )
    button = gettext_lazy("Undo returns")
    verdict = gettext_lazy("can become valid again")
    headline = gettext_lazy("We are making your tickets valid again …")


class Replace(AfterSale):
    kind = Job.Kind.REPLACE
    title = gettext_lazy("Replace tickets")
    explanation = gettext_lazy(
        "For spoiled paper: the tickets get new codes, and the old paper is refused at the door. Numbers, orders and "
        "prices stay."
    )
    question = ngettext_lazy(
        "%(amount)d ticket will get a new code.", "%(amount)d tickets will get new codes.", "amount"
    )
    button = gettext_lazy("Replace tickets")
    verdict = gettext_lazy("can be replaced")
    headline = gettext_lazy("We are replacing your tickets …")


#: What the result says of the tickets that were dealt with.
RESULT = {
    Job.Kind.RETURN: gettext_lazy("Returned tickets"),
    Job.Kind.UNDO: gettext_lazy("Tickets that are valid again"),
    Job.Kind.REPLACE: gettext_lazy("Replaced tickets"),
}


class ResultMixin(PageMixin):
    """What has become of some tickets, for as long as the job lives."""

    @cached_property
    def job(self) -> Job:
        for kind in Job.DEALT_WITH:
            try:
                return jobs.find(self.request.event, kind, self.kwargs["job"])
            except Job.DoesNotExist:
                pass
        raise Http404

    @cached_property
    def done(self) -> list[OfflineSalesTicket]:
        codes = self.job.data[self.job.dealt_with]
        tickets = OfflineSalesTicket.objects.filter(batch__event=self.request.event, order__code__in=codes)
        return list(tickets.select_related("order", "batch__item", "batch__variation").order_by("batch", "number"))

    @property
    def skipped(self) -> list[dict]:
        return [line | {"text": REASONS[line["reason"]]} for line in self.job.data["skipped"]]


def numbers_dealt_with(job: Job, batch: OfflineSalesBatch) -> list[int]:
    """Of those tickets of the batch."""
    tickets = batch.tickets.filter(order__code__in=job.data[job.dealt_with])
    return list(tickets.order_by("number").values_list("number", flat=True))


class Result(ResultMixin, TemplateView):
    template_name = "pretix_offlinesales/control/result.html"

    def get_context_data(self, **kwargs):
        counts = Counter(ticket.batch_id for ticket in self.done)
        batches = {ticket.batch_id: ticket.batch for ticket in self.done}
        can_print = self.job.kind == Job.Kind.REPLACE
        sheets = last_sheets(batches.values()) if can_print else {}
        return super().get_context_data(**kwargs) | {
            "job": self.job,
            "title": self.job.get_kind_display(),
            "result": RESULT[self.job.kind],
            "can_print": can_print,
            "kind": dict(ReturnKind.choices).get(self.job.data.get("kind")),
            "counts": [
                {"batch": batch, "amount": counts[pk], "sheet": sheets.get(pk)} for pk, batch in batches.items()
            ],
            "amount": len(self.done),
            "done": self.done[:MAX_SHOWN],
            "more_done": len(self.done[MAX_SHOWN:]),
            "skipped": self.skipped[:MAX_SHOWN],
            "more_skipped": len(self.skipped[MAX_SHOWN:]),
        }


class ResultPrint(ResultMixin, JobMixin, View):
    """
    Print those tickets of a batch that were replaced, and only them, on what it was printed on last. The dialog ends in
    the download.
    """

    permission = "event.orders:write"
    kind = Job.Kind.PRINT

    @cached_property
    def batch(self) -> OfflineSalesBatch:
        if self.job.kind != Job.Kind.REPLACE:
            raise Http404
        return get_object_or_404(self.batches, pk=self.kwargs["batch"])

    def post(self, request, *args, **kwargs):
        if not (numbers := numbers_dealt_with(self.job, self.batch)):
            raise Http404
        result = self.url("result", job=self.job.pk)
        if self.too_many:
            return self.refuse(self.too_many, result)
        try:
            left = choose(self.batch, format_numbers(numbers))
            only_these = print_request_data(self.batch, left, last_sheet(self.batch))
        except ValidationError as error:
            return self.refuse(" ".join(error.messages), result)
        except JobFailed as error:
            return self.refuse(str(error), result)
        return self.start(jobs.create_printing(self.batch, {"user": request.user}, only_these))

    def get_success_url(self, job):
        return self.url("download", batch=job.batch_id, job=job.pk)

    def get_error_url(self, job):
        return self.url("batch", batch=job.batch_id)


class ResultExport(ResultMixin, View):
    """The same as CSV, of all tickets."""

    def get(self, request, *args, **kwargs):
        name = f"{request.event.slug}-offlinesales-{self.job.kind}.csv"
        response = as_private_file(HttpResponse(content_type="text/csv; charset=utf-8"), name)
        writer = csv.writer(response, quoting=csv.QUOTE_NONNUMERIC, delimiter=",")
        titles = (_("Batch"), _("Ticket number"), _("Order code"), _("Product"), _("As given"), _("Result"))
        writer.writerow(titles)
        for ticket in self.done:
            product = " – ".join(str(part) for part in (ticket.batch.item, ticket.batch.variation) if part)
            writer.writerow([ticket.batch_id, ticket.number, ticket.order.code, product, "", str(DONE[self.job.kind])])
        for line in self.skipped:
            writer.writerow(["", "", line["order"] or "", "", line["value"], str(line["text"])])
        return response


DONE = {
    Job.Kind.RETURN: gettext_lazy("returned"),
    Job.Kind.UNDO: gettext_lazy("valid again"),
    Job.Kind.REPLACE: gettext_lazy("replaced"),
}
