"""
The pages on which tickets are returned, reported lost or replaced, or that is undone: of one batch, or of the whole
event.
"""

from collections.abc import Iterable
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

from ..downloads import as_private_file
from ..jobs import runner as jobs
from ..models import Job, JobFailed, OfflineSalesBatch, OfflineSalesTicket, ReturnKind
from ..printing.choice import choose
from ..printing.log import last_sheet, last_sheets
from ..printing.plan import request_data as print_request_data
from ..returning import (
    OF_OTHER_BATCH,
    REASONS,
    UNKNOWN,
    Ticket,
    as_lines,
    examine,
    find_elsewhere,
    from_file,
    read_lines,
    request_data,
    too_many,
)
from ..tickets.figures import Tally, tally_by_batch
from ..tickets.numbers import format_numbers
from .views import PageMixin
from .waiting import JobMixin

#: How many tickets a page shows in full.
MAX_SHOWN = 500

#: How large an uploaded file may be, in bytes.
MAX_FILE = 5 * 1024 * 1024

#: How many lines one asks about at once while tickets are scanned.
MAX_VERDICTS = 500


class Reasons:
    """Why tickets are left alone, in words: what a batch does not know may be a ticket of another one."""

    def __init__(self, event: Event, batch: OfflineSalesBatch | None, refused: Iterable[tuple[str, str]]):
        """:param refused: what was given, and why it is left alone"""
        unknown = [value for value, reason in refused if reason == UNKNOWN] if batch else []
        self.elsewhere = find_elsewhere(event, unknown)

    def ticket(self, value: str, reason: str) -> Ticket | None:
        """The ticket of another batch."""
        return self.elsewhere.get(value) if reason == UNKNOWN else None

    def text(self, value: str, reason: str) -> str:
        if ticket := self.ticket(value, reason):
            return f"{OF_OTHER_BATCH.format(batch=ticket.batch_id)} ({ticket.name})"
        return str(REASONS[reason])


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

    def __init__(
        self, *args, event: Event, batch: OfflineSalesBatch | None, everything: str, has_reason: bool, **kwargs
    ):
        """
        :param everything: what all tickets of a batch are called
        :param has_reason: whether one says why they come back
        """
        super().__init__(*args, **kwargs)
        self.event, self.batch, self.selection, self.examined = event, batch, None, None
        if batch:
            self.fields["everything"].label = everything
            self.fields["lines"].help_text = _(
                "Ticket numbers such as 1-50, 60, 75-80, order codes, or scanned tickets; one a line, or with commas."
            )
        else:
            del self.fields["everything"]
            self.fields["lines"].help_text = _(
                "Order codes, scanned tickets, or ticket numbers with their batch such as #3: 1-50, 60; one a line, or "
                "with commas."
            )
        if not has_reason:
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


class MoneyMixin(PageMixin):
    """Pages that say of which batches some tickets are, and what they cost."""

    #: The kinds of jobs that decide over money.
    MOVING = (Job.Kind.RETURN, Job.Kind.UNDO, Job.Kind.LOST)

    def money(self, codes: list[str], kind: Job.Kind) -> dict:
        """``counts`` has a line for each batch, ``total`` adds them up."""
        tickets = OfflineSalesTicket.objects.filter(batch__event=self.request.event)
        tallies = tally_by_batch(tickets.filter(order__code__in=codes))
        return {
            "counts": [{"batch": batch, "tally": tallies[batch.pk]} for batch in self.with_products(tallies)],
            "total": sum(tallies.values(), Tally()),
            "moves_money": kind in self.MOVING,
        }

    def with_products(self, pks):
        return self.batches.filter(pk__in=pks).select_related("item", "variation").order_by("pk")


class AfterSale(MoneyMixin, JobMixin, FormView):
    """
    Say which tickets, see what would become of each, confirm. Whoever scans asks (``verdicts``) while scanning.
    The dialog ends on the page with the result, also if it failed half way.
    """

    permission = "event.orders:write"
    template_name = "pretix_offlinesales/control/after_sale.html"
    form_class = TicketsForm
    #: Of the URL for the whole event.
    name: str
    #: What is undone, where something is.
    of = Job.Kind.RETURN
    title: str
    explanation: str
    #: What all tickets of a batch are called.
    everything: str
    question: str
    button: str
    #: What is said of a ticket while one scans.
    verdict: str
    headline: str
    #: What the result says of the tickets, and of each of them.
    result: str
    outcome: str
    #: Whether lost tickets stay lost, which one must know.
    leaves_lost = False
    #: The page on which it can be undone.
    undone_by: "type[AfterSale] | None" = None

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
        return super().get_form_kwargs() | {
            "event": self.request.event,
            "batch": self.batch,
            "everything": self.everything,
            "has_reason": self.kind == Job.Kind.RETURN,
        }

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
            request_data(form.selection, job_kind=self.kind, of=self.of, **kind),
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
        examined = list(examine(self.request.event, self.batch, form.examined, self.kind, self.of))
        accepted = [choice for choice, reason in examined if not reason]
        reasons = self._reasons(examined)
        refused = [
            {"choice": choice, "reason": reasons.text(choice.value, reason)} for choice, reason in examined if reason
        ]
        return {
            "amount": len(accepted),
            "lost": len(self._lost(accepted)),
            "money": self.money([choice.ticket.code for choice in accepted], self.kind),
            "refused": refused[:MAX_SHOWN],
            "more_refused": len(refused[MAX_SHOWN:]),
            "accepted": accepted[:MAX_SHOWN],
            "more_accepted": len(accepted[MAX_SHOWN:]),
            "question": self.question % {"amount": len(accepted)},
        }

    def _lost(self, choices) -> set[int]:
        """Those of their orders that were reported lost, where that matters."""
        if not self.leaves_lost:
            return set()
        orders = [choice.ticket.order_id for choice in choices if choice.ticket]
        tickets = OfflineSalesTicket.objects.filter(batch__event=self.request.event, order__in=orders)
        return set(tickets.filter(lost__isnull=False).values_list("order", flat=True))

    def _reasons(self, examined) -> Reasons:
        return Reasons(self.request.event, self.batch, [(choice.value, reason) for choice, reason in examined])

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
            everything = read_lines(dict.fromkeys(chain(*entries)), self.request.event, self.batch)
        except ValueError as error:
            return JsonResponse({"error": str(error)}, status=400)
        examined = list(examine(self.request.event, self.batch, {"each": everything}, self.kind, self.of))
        reasons = self._reasons(examined)
        found = {}
        for choice, reason in examined:
            found.setdefault(choice.line, []).append((choice, reason))
        lost = self._lost(choice for choice, _reason in examined)
        verdicts = [self._verdict([pair for entry in each for pair in found[entry]], reasons, lost) for each in entries]
        batches = self.with_products({batch for verdict in verdicts for batch in verdict["tickets"].values()})
        return JsonResponse({"verdicts": verdicts, "batches": {batch.pk: name_of(batch) for batch in batches}})

    def _verdict(self, found, reasons: Reasons, lost: set[int]) -> dict:
        if not found:
            return {"level": "danger", "text": str(REASONS[UNKNOWN]), "tickets": {}}
        good = {choice.ticket.code: choice.ticket for choice, reason in found if not reason}
        good_and_lost = [ticket for ticket in good.values() if ticket.order_id in lost]
        refused = [(choice.value, reason) for choice, reason in found if reason]
        texts = []
        if len(good) == 1:
            [ticket] = good.values()
            texts.append(f"{self.verdict} ({ticket.name})")
        elif good:
            texts.append(f"{self.verdict}: {len(good)}")
        if good_and_lost:
            texts.append(str(REPORTED_LOST) if len(good) == 1 else f"{REPORTED_LOST}: {len(good_and_lost)}")
        if len(found) == 1:
            texts += [reasons.text(*pair) for pair in refused]
        else:
            texts += [f"{value}: {reasons.text(value, reason)}" for value, reason in refused[:5]]
            texts += ["…"] if len(refused) > 5 else []
        elsewhere = all(reasons.ticket(*pair) for pair in refused)
        is_good = not refused and not good_and_lost
        level = "success" if is_good else "warning" if good or elsewhere else "danger"
        tickets = {code: ticket.batch_id for code, ticket in good.items()}
        return {"level": level, "text": ", ".join(texts), "tickets": tickets}

    def get_context_data(self, **kwargs):
        texts = {name: getattr(self, name) for name in ("title", "explanation", "button", "headline")}
        return super().get_context_data(**kwargs) | texts | {"batch": self.batch}

    def _find(self, pk):
        job = super()._find(pk)
        if job.batch_id != (self.batch and self.batch.pk) or not isinstance(self, page_of(job)):
            raise Http404
        return job

    def get_success_url(self, job):
        return self.url("result", job=job.pk)

    get_error_url = get_success_url


#: Beside a verdict.
REPORTED_LOST = gettext_lazy("reported lost or stolen")


def name_of(batch: OfflineSalesBatch) -> str:
    product = " – ".join(str(part) for part in (batch.item, batch.variation) if part)
    return f"{batch} · {product}"


class Undo(AfterSale):
    name, kind = "undo", Job.Kind.UNDO
    title = gettext_lazy("Undo returns")
    explanation = gettext_lazy(
        "Tickets that were returned by mistake become valid again, as long as there is still quota for them."
    )
    everything = gettext_lazy("All tickets of this batch that were returned")
    question = ngettext_lazy(
        "%(amount)d ticket will become valid again, if there is enough quota.",
        "%(amount)d tickets will become valid again, if there is enough quota.",
        "amount",
    )
    button = gettext_lazy("Undo returns")
    verdict = gettext_lazy("can become valid again")
    headline = gettext_lazy("We are making your tickets valid again …")
    result = gettext_lazy("Tickets that are valid again")
    outcome = gettext_lazy("valid again")
    leaves_lost = True


class Return(AfterSale):
    name, kind = "return", Job.Kind.RETURN
    title = gettext_lazy("Return tickets")
    explanation = gettext_lazy(
        "Returned tickets are canceled: their codes are not valid any more, and their places can be sold again."
    )
    everything = gettext_lazy("All tickets of this batch that are still out")
    question = ngettext_lazy("%(amount)d ticket will be returned.", "%(amount)d tickets will be returned.", "amount")
    button = gettext_lazy("Return tickets")
    verdict = gettext_lazy("can be returned")
    headline = gettext_lazy("We are returning your tickets …")
    result = gettext_lazy("Returned tickets")
    outcome = gettext_lazy("returned")
    leaves_lost = True
    undone_by = Undo


class Replace(AfterSale):
    name, kind = "replace", Job.Kind.REPLACE
    title = gettext_lazy("Replace tickets")
    explanation = gettext_lazy(
        "For spoiled paper: the tickets get new codes, and the old paper is refused at the door. Numbers, orders and "
        "prices stay."
    )
    everything = gettext_lazy("All valid tickets of this batch")
    question = ngettext_lazy(
        "%(amount)d ticket will get a new code.", "%(amount)d tickets will get new codes.", "amount"
    )
    button = gettext_lazy("Replace tickets")
    verdict = gettext_lazy("can be replaced")
    headline = gettext_lazy("We are replacing your tickets …")
    result = gettext_lazy("Replaced tickets")
    outcome = gettext_lazy("replaced")


class UndoLost(AfterSale):
    name, kind, of = "undo_lost", Job.Kind.UNDO, Job.Kind.LOST
    title = gettext_lazy("Undo losses")
    explanation = gettext_lazy(
        "Tickets whose paper was found again, or that were reported lost by mistake, are good again. Where somebody "
        "has blocked a ticket for another reason, it stays blocked."
    )
    everything = gettext_lazy("All tickets of this batch that were reported lost or stolen")
    question = ngettext_lazy(
        "%(amount)d ticket will not be reported lost any more.",
        "%(amount)d tickets will not be reported lost any more.",
        "amount",
    )
    button = gettext_lazy("Undo losses")
    verdict = gettext_lazy("was reported lost")
    headline = gettext_lazy("We are unblocking your tickets …")
    result = gettext_lazy("Tickets not reported lost any more")
    outcome = gettext_lazy("not reported lost any more")


class Lost(AfterSale):
    name, kind = "lost", Job.Kind.LOST
    title = gettext_lazy("Report lost tickets")
    explanation = gettext_lazy(
        "For paper that was lost or stolen: the tickets are blocked, so that nobody is let in with them. They are not "
        "canceled: their places stay taken, and whoever should have sold them still owes what they cost."
    )
    everything = gettext_lazy("All tickets of this batch that are still out")
    question = ngettext_lazy("%(amount)d ticket will be blocked.", "%(amount)d tickets will be blocked.", "amount")
    button = gettext_lazy("Report lost tickets")
    verdict = gettext_lazy("can be reported lost")
    headline = gettext_lazy("We are blocking your tickets …")
    result = gettext_lazy("Tickets reported lost or stolen")
    outcome = gettext_lazy("lost or stolen")
    undone_by = UndoLost


PAGES = (Return, Undo, Replace, Lost, UndoLost)


def page_of(job: Job) -> type[AfterSale]:
    """Where it was asked for, or could have been."""
    of = job.data.get("of", AfterSale.of)
    return next(page for page in PAGES if (page.kind, page.of) == (job.kind, of))


class ResultMixin(MoneyMixin):
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
    def page(self) -> type[AfterSale]:
        return page_of(self.job)

    @cached_property
    def done(self) -> list[OfflineSalesTicket]:
        codes = self.job.data[self.job.dealt_with]
        tickets = OfflineSalesTicket.objects.filter(batch__event=self.request.event, order__code__in=codes)
        return list(tickets.select_related("order", "batch__item", "batch__variation").order_by("batch", "number"))

    @cached_property
    def skipped(self) -> list[dict]:
        lines = self.job.data["skipped"]
        pairs = [(line["value"], line["reason"]) for line in lines]
        reasons = Reasons(self.request.event, self.job.batch, pairs)
        return [line | {"text": reasons.text(*pair)} for line, pair in zip(lines, pairs, strict=True)]


def numbers_dealt_with(job: Job, batch: OfflineSalesBatch) -> list[int]:
    """Of those tickets of the batch."""
    tickets = batch.tickets.filter(order__code__in=job.data[job.dealt_with])
    return list(tickets.order_by("number").values_list("number", flat=True))


class Result(ResultMixin, TemplateView):
    template_name = "pretix_offlinesales/control/result.html"

    def get_context_data(self, **kwargs):
        money = self.money(self.job.data[self.job.dealt_with], self.job.kind)
        can_print = self.job.kind == Job.Kind.REPLACE
        sheets = last_sheets([line["batch"] for line in money["counts"]]) if can_print else {}
        for line in money["counts"]:
            line["sheet"] = sheets.get(line["batch"].pk)
        return super().get_context_data(**kwargs) | {
            "job": self.job,
            "title": self.page.title,
            "result": self.page.result,
            "undo": self._undo(),
            "can_print": can_print,
            "kind": dict(ReturnKind.choices).get(self.job.data.get("kind")),
            "money": money,
            "amount": len(self.done),
            "done": self.done[:MAX_SHOWN],
            "more_done": len(self.done[MAX_SHOWN:]),
            "skipped": self.skipped[:MAX_SHOWN],
            "more_skipped": len(self.skipped[MAX_SHOWN:]),
        }

    def _undo(self) -> dict | None:
        """All that was done, as the page takes it on which that can be undone."""
        page = self.page.undone_by
        if not page or not self.done:
            return None
        return {"url": self.url(page.name), "title": page.title, "lines": "\n".join(map(str, self.done))}


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
        return self.url("batch", batch=job.batch_id) + f"#offlinesales-{job.kind}"


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
            writer.writerow([ticket.batch_id, ticket.number, ticket.order.code, product, "", str(self.page.outcome)])
        for line in self.skipped:
            writer.writerow(["", "", line["order"] or "", "", line["value"], str(line["text"])])
        return response
