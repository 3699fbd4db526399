"""
The pages on which tickets are returned, reported lost or replaced, or that is undone: of one batch, or of the whole
event.
"""

from collections import defaultdict
from itertools import chain

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _, gettext_lazy as _lazy
from django.views.generic import FormView, TemplateView, View
from pretix.base.models import Event

from ..after_sale.examine import Result, examine
from ..after_sale.kind import AfterSale, all_after_sale
from ..downloads import table
from ..jobs.queries import find
from ..jobs.registry import kind_of
from ..kinds import PRINT
from ..models import Job, JobFailed, OfflineSalesBatch, OfflineSalesTicket, Seller
from ..models.activation import is_active
from ..printing.choice import choose
from ..printing.log import last_sheet, last_sheets
from ..printing.request import PrintRequest
from ..tickets.figures import Tally, tally
from ..tickets.numbers import DASH, format_numbers
from ..tickets.selection import ALL, Selection, all_but, choose as select, holders, of_all
from ..tickets.verdicts import MAX_LINES, Examined, Judge, Question, Reasons
from .choosing import ASKED, LinesForm
from .forms import SellerChoice
from .views import PageMixin
from .waiting import JobMixin

#: How many tickets a page shows in full.
MAX_SHOWN = 500


class TicketsForm(LinesForm):
    """Which tickets, and what is to be said of what is done with them."""

    all_but = forms.BooleanField(
        label=_lazy("All but these"),
        required=False,
        widget=forms.CheckboxInput(attrs=ASKED),
        help_text=_lazy(
            "What is listed above is left alone, and all others are meant: all of them, if nothing is listed."
        ),
    )
    seller = SellerChoice(
        label=_lazy("Held by"),
        queryset=None,
        required=False,
        empty_label=_lazy("Whoever holds them"),
        widget=forms.Select(attrs={"class": "select2-static", **ASKED}),
        help_text=_lazy("Only tickets of this seller are meant."),
    )
    everything = forms.BooleanField(required=False)

    def __init__(self, *args, event: Event, batch: OfflineSalesBatch | None, kind: AfterSale, **kwargs):
        super().__init__(*args, event=event, batch=batch, **kwargs)
        self.kind = kind
        #: What is left alone, if all others are meant.
        self.exceptions: Selection | None = None
        sellers = holders(batch.tickets.all() if batch else OfflineSalesTicket.objects.filter(batch__event=event))
        self.fields["seller"].queryset = sellers
        if not sellers.exists():
            del self.fields["seller"]
            if not batch:
                del self.fields["all_but"]
        if batch:
            self.fields["everything"].label = kind.everything
        else:
            del self.fields["everything"]
        for name, option in kind.options.items():
            self.fields[name] = forms.ChoiceField(
                label=option.label,
                choices=option.choices,
                initial=getattr(kind.Request, name),
                widget=forms.RadioSelect,
            )

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """What one has chosen besides the tickets, in words: of what, and what."""
        options = self.kind.options.items()
        return [(str(option.label), option.label_of(self.cleaned_data[name])) for name, option in options]

    @property
    def option_fields(self):
        return [self[name] for name in self.kind.options]

    def check_selection(self, values):
        everything, others, seller = map(values.get, ("everything", "all_but", "seller"))
        if everything and (self.selection or others):
            raise ValidationError(_("Please choose either all tickets, or some."))
        if others and not (self.batch or seller):
            raise ValidationError(_("Please say whose tickets are meant."))
        if others or (everything and seller):
            self._choose_others(seller)
        elif everything:
            self.selection = ALL
        else:
            super().check_selection(values)

    def _choose_others(self, seller: Seller | None) -> None:
        self.exceptions = self.selection
        try:
            self.selection = all_but(self.event, self.batch, self.exceptions, self.kind.candidates, seller)
        except ValueError as error:
            raise ValidationError(str(error)) from error
        if not self.selection:
            raise ValidationError(_("There are no others that this could be done with."))

    @property
    def exact(self) -> str:
        """The same tickets as lines, whatever becomes of others until they are confirmed."""
        return self.cleaned_data["lines"] if self.exceptions is None else "\n".join(self.selection.wanted)

    @property
    def sellers(self) -> list[int]:
        """Who must hold the tickets."""
        seller = self.cleaned_data.get("seller")
        return [seller.pk] if seller else []


class MoneyMixin(PageMixin):
    """Pages that say of which batches some tickets are, and what they cost."""

    def money(self, codes: list[str], kind: AfterSale) -> dict:
        """
        ``counts`` has a line for each batch, ``total`` adds them up; ``sellers`` has one for each seller, and for what
        nobody holds, if anybody holds some.
        """
        tickets = OfflineSalesTicket.objects.filter(batch__event=self.request.event, order__code__in=codes)
        tallies = tally(tickets, by="batch")
        return {
            "counts": [{"batch": batch, "tally": tallies[batch.pk]} for batch in self.with_products(tallies)],
            "sellers": self._by_seller(tickets),
            "total": sum(tallies.values(), Tally()),
            "moves_money": kind.moves_money,
        }

    def _by_seller(self, tickets) -> list[dict]:
        if not tickets.filter(seller__isnull=False).exists():
            return []
        tallies = tally(tickets, by="seller")
        sellers: list[Seller | None] = list(Seller.objects.filter(pk__in=[pk for pk in tallies if pk]))
        if None in tallies:
            sellers.append(None)
        return [{"seller": seller, "tally": tallies[seller and seller.pk]} for seller in sellers]

    def with_products(self, pks):
        return self.batches.filter(pk__in=pks).select_related("item", "variation").order_by("pk")


class AfterSalePage(MoneyMixin, JobMixin, FormView):
    """
    Say which tickets, see what would become of each, confirm. Whoever scans asks (``verdicts``) while scanning.
    The dialog ends on the page with the result, also if it failed half way.
    """

    permission = "event.orders:write"
    template_name = "pretix_offlinesales/control/after_sale.html"
    form_class = TicketsForm
    #: What is done with them.
    kind: AfterSale | None = None

    @cached_property
    def batch(self) -> OfflineSalesBatch | None:
        if "batch" not in self.kwargs:
            return None
        return get_object_or_404(self.batches.select_related("item", "variation"), pk=self.kwargs["batch"])

    def dispatch(self, request, *args, **kwargs):
        response = super().dispatch
        if is_active(request.event):
            self.batch  # noqa: B018 - whatever is asked, a batch that does not exist is not found
        return response(request, *args, **kwargs)

    def get_initial(self):
        """Whoever comes from somewhere else may have said which tickets, or whose."""
        asked = self.request.GET
        return {"lines": asked.get("tickets", ""), "seller": asked.get("seller"), "all_but": "all_but" in asked}

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {
            "event": self.request.event,
            "batch": self.batch,
            "kind": self.kind,
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
        chosen = {name: form.cleaned_data[name] for name in self.kind.options}
        requested_by = {"user": self.request.user}
        chosen["sellers"] = form.sellers
        return self.start(self.kind.ask(self.request.event, form.selection, requested_by, self.batch, **chosen))

    def _with_lines(self, form) -> TicketsForm:
        """The same, with what was in the file among the lines, since browsers don't keep files."""
        data = self.request.POST.copy()
        data["lines"] = form.cleaned_data["lines"]
        form = self.form_class(**self.get_form_kwargs() | {"data": data, "files": None})
        form.is_valid()
        return form

    def _check(self, form) -> dict:
        """What would become of the tickets."""
        examined = list(examine(self.request.event, self.batch, form.selection, self.kind, form.sellers))
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
            "question": self.kind.question % {"amount": len(accepted)},
            "lines": form.exact,
            "spared": self._spared(form),
        }

    def _spared(self, form) -> str:
        """``#3: 1–50``: what is left alone since all others are meant."""
        if not form.exceptions:
            return ""
        numbers: dict[int, set[int]] = defaultdict(set)
        for choice in select(self.request.event, self.batch, form.exceptions):
            if choice.ticket:
                numbers[choice.ticket.batch_id].add(choice.ticket.number)
        return "; ".join(f"#{pk}: {format_numbers(sorted(found), DASH)}" for pk, found in numbers.items())

    def _lost(self, choices) -> set[int]:
        """Those of their orders that were reported lost, where that matters."""
        if not self.kind.leaves_lost:
            return set()
        orders = [choice.ticket.order_id for choice in choices if choice.ticket]
        tickets = OfflineSalesTicket.objects.filter(batch__event=self.request.event, order__in=orders)
        return set(tickets.filter(lost__isnull=False).values_list("order", flat=True))

    def _reasons(self, examined) -> Reasons:
        return Reasons.of(self.request.event, self.batch, examined)

    def _verdicts(self) -> JsonResponse:
        """
        For each of some lines what would become of it::

            {"verdicts": [{"level": "success", "text": …, "tickets": {order code: batch}}], "batches": {batch: name}}
        """
        lines = self.request.POST.get("lines", "").split("\n", MAX_LINES)
        try:
            question = Question.read(lines, self.request.event, self.batch)
        except ValueError as error:
            return JsonResponse({"error": str(error)}, status=400)
        examined, good = self._examine(question.selection)
        lost = self._lost(choice for choice, _reason in examined)
        judge = Judge(good, self._reasons(examined), lost)
        verdicts = [verdict.data for verdict in question.answer(examined, judge)]
        batches = self.with_products({batch for verdict in verdicts for batch in verdict["tickets"].values()})
        return JsonResponse({"verdicts": verdicts, "batches": {batch.pk: name_of(batch) for batch in batches}})

    def _examine(self, selection: Selection) -> tuple[list[Examined], str]:
        """And what is said of those that nothing is wrong with."""
        event, posted = self.request.event, self.request.POST
        form = self.form_class(**self.get_form_kwargs() | {"data": {"seller": posted.get("seller", "")}, "files": None})
        form.is_valid()  # which says at least whether this is one
        if "all_but" in posted:
            return of_all(event, self.batch, selection, form.cleaned_data.get("seller")), _("is left alone")
        return list(examine(event, self.batch, selection, self.kind, form.sellers)), str(self.kind.verdict)

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"kind": self.kind, "batch": self.batch}

    def _find(self, pk):
        job = super()._find(pk)
        if job.batch_id != (self.batch and self.batch.pk):
            raise Http404
        return job

    def get_success_url(self, job):
        return self.url("result", job=job.pk)

    get_error_url = get_success_url


def name_of(batch: OfflineSalesBatch) -> str:
    return f"{batch} · {batch.product}"


class ResultMixin(MoneyMixin):
    """What has become of some tickets, for as long as the job lives."""

    @cached_property
    def job(self) -> Job:
        try:
            return find(self.request.event, self.kwargs["job"], *all_after_sale())
        except Job.DoesNotExist as error:
            raise Http404 from error

    @cached_property
    def result_kind(self) -> AfterSale:
        return kind_of(self.job)

    @cached_property
    def result(self) -> Result:
        return Result.of(self.job)

    @cached_property
    def done(self) -> list[OfflineSalesTicket]:
        tickets = OfflineSalesTicket.objects.filter(batch__event=self.request.event, order__code__in=self.result.done)
        tickets = tickets.select_related("order", "seller", "batch__item", "batch__variation")
        return list(tickets.order_by("batch", "number"))

    @cached_property
    def skipped(self) -> list[dict]:
        lines = self.result.skipped
        pairs = [(line["value"], line["reason"]) for line in lines]
        reasons = Reasons(self.request.event, self.job.batch, pairs)
        return [line | {"text": reasons.text(*pair)} for line, pair in zip(lines, pairs, strict=True)]


def numbers_dealt_with(job: Job, batch: OfflineSalesBatch) -> list[int]:
    """Of those tickets of the batch."""
    tickets = batch.tickets.filter(order__code__in=Result.of(job).done)
    return list(tickets.order_by("number").values_list("number", flat=True))


class ResultPage(ResultMixin, TemplateView):
    template_name = "pretix_offlinesales/control/result.html"

    def get_context_data(self, **kwargs):
        money = self.money(self.result.done, self.result_kind)
        sheets = last_sheets([line["batch"] for line in money["counts"]]) if self.result_kind.needs_print else {}
        for line in money["counts"]:
            line["sheet"] = sheets.get(line["batch"].pk)
        return super().get_context_data(**kwargs) | {
            "job": self.job,
            "kind": self.result_kind,
            "chosen": self.result_kind.chosen(self.job),
            "undo": self._undo(),
            "money": money,
            "amount": len(self.done),
            "done": self.done[:MAX_SHOWN],
            "more_done": len(self.done[MAX_SHOWN:]),
            "skipped": self.skipped[:MAX_SHOWN],
            "more_skipped": len(self.skipped[MAX_SHOWN:]),
        }

    def _undo(self) -> dict | None:
        """All that was done, as the page takes it on which that can be undone."""
        kind = self.result_kind.undone_by
        if not kind or not self.done:
            return None
        return {"url": self.url(kind.identifier), "title": kind.name, "lines": "\n".join(map(str, self.done))}


class ResultPrint(ResultMixin, JobMixin, View):
    """
    Print those tickets of a batch that were replaced, and only them, on what it was printed on last. The dialog ends in
    the download.
    """

    permission = "event.orders:write"
    kind = PRINT

    @cached_property
    def batch(self) -> OfflineSalesBatch:
        if not self.result_kind.needs_print:
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
            only_these = PrintRequest.of(self.batch, left, last_sheet(self.batch))
        except ValidationError as error:
            return self.refuse(" ".join(error.messages), result)
        except JobFailed as error:
            return self.refuse(str(error), result)
        return self.start(PRINT.ask(self.batch, {"user": request.user}, only_these))

    def get_success_url(self, job):
        return self.url("download", batch=job.batch_id, job=job.pk)

    def get_error_url(self, job):
        return self.url("batch", batch=job.batch_id) + f"#offlinesales-{job.kind}"


class ResultExport(ResultMixin, View):
    """The same as CSV, of all tickets."""

    def get(self, request, *args, **kwargs):
        titles = (
            _("Batch"),
            _("Ticket number"),
            _("Order code"),
            _("Product"),
            _("As given"),
            _("Result"),
            _("Seller"),
        )
        rows = chain([titles], map(self._done, self.done), map(self._skipped, self.skipped))
        return table(rows, f"{request.event.slug}-offlinesales-{self.result_kind.api_name}.csv")

    def _done(self, ticket: OfflineSalesTicket) -> tuple:
        outcome = str(self.result_kind.outcome)
        seller = ticket.seller.name if ticket.seller else ""
        return ticket.batch_id, ticket.number, ticket.order.code, ticket.batch.product, "", outcome, seller

    def _skipped(self, line: dict) -> tuple:
        return "", "", line["order"] or "", "", line["value"], str(line["text"]), ""
