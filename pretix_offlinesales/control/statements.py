"""The organizer's pages about what sellers were told that they owe, and what they have paid."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.timezone import now
from django.utils.translation import gettext as _, gettext_lazy
from django.views.generic import FormView, ListView, TemplateView, View
from pretix.base.models import Event
from pretix.base.templatetags.money import money_filter
from pretix.control.views import PaginationMixin

from .. import tasks
from ..documents.statements import SellerStatement
from ..downloads import document_pdf, statement_csv, statement_json
from ..host.prefetching import with_settings
from ..models import CHANGE_SELLERS, REQUESTER, Job, SellerPayment, Statement
from ..sellers.payments import lock
from ..sellers.standing import Standing, standing_of, standings
from ..sellers.statements import Draft, NothingToState, events_of, look
from ..settling.paying import pay, state
from ..settling.settle import SETTLE
from ..tickets.worth import NOTHING, money
from .organizer_pages import OrganizerPageMixin, SellerMixin
from .statement_forms import (
    PaymentFilterForm,
    PaymentForm,
    StateForm,
    StatementFilterForm,
    corrected,
    digest,
)

#: Who sends the same payment again within this time has clicked twice.
REPEATED = timedelta(minutes=1)

#: Of a statement, where a payment turned out to be wrong.
OPEN_AGAIN = gettext_lazy(
    "This statement was paid in full before, and so were its orders in pretix. They stay paid, although the "
    "statement is open again."
)

#: How many payments the page of a statement shows.
MAX_SHOWN = 100


class StatementsMixin(OrganizerPageMixin):
    @property
    def statements(self) -> QuerySet[Statement]:
        """Of the organizer, without what they say."""
        found = Statement.objects.filter(document__organizer=self.request.organizer)
        return found.select_related("document", "seller").defer("document__snapshot", "document__terms")

    @property
    def payments(self) -> QuerySet[SellerPayment]:
        """Of the organizer."""
        found = SellerPayment.objects.filter(seller__organizer=self.request.organizer)
        return found.select_related("seller", "statement__document", *REQUESTER).defer(
            "statement__document__snapshot", "statement__document__terms"
        )


class StatementMixin(StatementsMixin):
    """Pages of one statement."""

    @cached_property
    def statement(self) -> Statement:
        # Asked of documents, a number that no database knows is none.
        statement = get_object_or_404(self.statements.defer(None), document__id=self.kwargs["statement"])
        statement.document.organizer = self.request.organizer
        return statement

    @cached_property
    def standing(self) -> Standing:
        return standing_of(self.statement)

    @property
    def currency(self) -> str:
        return self.statement.document.currency

    def get_context_data(self, **kwargs):
        about = {"statement": self.statement, "standing": self.standing, "currency": self.currency}
        return super().get_context_data(**kwargs) | about

    def back(self):
        return redirect(self.url("seller_statement", statement=self.statement.pk))


# Statements


@dataclass
class Sums:
    """What statements in one currency add up to."""

    currency: str
    count: int = 0
    total: Decimal = NOTHING
    due: Decimal = NOTHING
    paid: Decimal = NOTHING

    @property
    def open(self) -> Decimal:
        return self.due - self.paid


class StatementList(StatementsMixin, PaginationMixin, ListView):
    template_name = "pretix_offlinesales/control/sellers/statements.html"
    context_object_name = "statements"

    @cached_property
    def filter_form(self):
        return StatementFilterForm(data=self.request.GET, organizer=self.request.organizer, sellers=self.sellers)

    def get_queryset(self):
        statements = self.statements.order_by("-pk")
        return self.filter_form.filter_qs(statements) if self.filter_form.is_valid() else statements

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        known = standings(self.request.organizer, self.object_list)
        for statement in context["statements"]:
            statement.standing = known[statement.pk]
        return context | {"filter_form": self.filter_form, "sums": self._sums(known)}

    def _sums(self, known: dict[int, Standing]) -> list[Sums]:
        sums: dict[str, Sums] = {}
        for pk, currency, total in self.object_list.order_by().values_list("pk", "document__currency", "total"):
            each = sums.setdefault(currency, Sums(currency))
            each.count += 1
            each.total += total
            each.due += known[pk].due
            each.paid += known[pk].paid
        return [sums[currency] for currency in sorted(sums)]


class File(NamedTuple):
    """Something to download."""

    url: str
    label: str
    icon: str
    to_look_at: bool = False


class StatementDetail(StatementMixin, TemplateView):
    """What it says, and how far it is paid."""

    template_name = "pretix_offlinesales/control/sellers/statement.html"

    def get_context_data(self, **kwargs):
        payments = self.payments.filter(statement=self.statement).order_by("-date", "-pk")
        named = money(payments.order_by().aggregate(sum=Sum("amount"))["sum"])
        return super().get_context_data(**kwargs) | {
            "said": SellerStatement.from_json(self.statement.document.snapshot),
            "payments": payments[:MAX_SHOWN],
            "open_again": OPEN_AGAIN,
            "files": self._files(),
            "jobs": self._unfinished(),
            "named": named,
            "others": self.standing.paid - named,
        }

    def _files(self) -> list[File]:
        of_statement = {"statement": self.statement.pk}
        return [
            File(self.url("seller_statement_pdf", **of_statement), _("Print (PDF)"), "print", to_look_at=True),
            File(self.url("seller_statement_csv", **of_statement), "CSV", "download"),
            File(self.url("seller_statement_json", **of_statement), "JSON", "download"),
        ]

    def _unfinished(self) -> list[Job]:
        """What pays the orders in pretix, as far as it is not done."""
        asked = Job.objects.filter(kind=SETTLE.identifier, request__statement=self.statement.pk)
        of_events = asked.filter(event__in=self.statement.events.order_by())
        jobs = list(of_events.select_related("event__organizer").defer("look"))
        for job in jobs:
            tasks.recover(job)
        return [job for job in jobs if job.state != Job.State.SUCCEEDED]


class StatementPDF(StatementMixin, View):
    """As it was written, to look at and print."""

    def get(self, request, *args, **kwargs):
        return document_pdf(self.statement.document, disposition="inline")


class StatementCSV(StatementMixin, View):
    """The same as a table, to be booked."""

    def get(self, request, *args, **kwargs):
        return statement_csv(self.statement.document)


class StatementJSON(StatementMixin, View):
    """The same for programs."""

    def get(self, request, *args, **kwargs):
        return statement_json(self.statement.document)


class StatementMake(SellerMixin, FormView):
    """
    Say about which events and up to when, see what the statement would say, make it. What was seen is made, or it is
    shown what has changed since.
    """

    permission = CHANGE_SELLERS
    template_name = "pretix_offlinesales/control/sellers/statement_make.html"
    form_class = StateForm

    def get_form_kwargs(self):
        of_seller = with_settings(events_of(self.seller))
        return super().get_form_kwargs() | {"organizer": self.request.organizer, "events": of_seller}

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        return context | {"has_events": context["form"].fields["events"].queryset.exists()}

    def form_valid(self, form):
        events = list(form.cleaned_data["events"])
        if "seen" in self.request.POST and form.cleaned_data["looked"]:
            return self._make(form, events)
        return self._show(form, events)

    def _show(self, form: StateForm, events: list[Event], has_changed: bool = False):
        draft = look(self.seller, events, form.moment)
        return self.render_to_response(self.get_context_data(form=form, **seen(draft), has_changed=has_changed))

    def _make(self, form: StateForm, events: list[Event]):
        seen_before = self.request.POST["seen"]
        try:
            statement = self._made_as_seen(events, form.moment, seen_before)
        except (NothingToState, _Changed):
            if before := self._made_before(form.moment, seen_before):
                return self._done(before)
            form.moment = form.end_of(form.cleaned_data["until"])
            return self._show(form, events, has_changed=True)
        return self._done(statement)

    def _made_as_seen(self, events: list[Event], until, seen_before: str) -> Statement:
        """
        :raises NothingToState: see there
        :raises _Changed: if it would say something else
        """
        with transaction.atomic():
            statement, jobs = state(self.seller, events, until, self.requester)
            if digest(statement.document.snapshot) != seen_before:
                raise _Changed
            for job in jobs:
                tasks.start(job)
        return statement

    def _made_before(self, until, seen_before: str) -> Statement | None:
        """By the first of two clicks, or by whoever has gone back."""
        alike = Statement.objects.filter(seller=self.seller, until=until).select_related("document").order_by("-pk")
        return next((each for each in alike[:10] if digest(each.document.snapshot) == seen_before), None)

    def _done(self, statement: Statement):
        messages.success(self.request, _("The statement has been made: {document}").format(document=statement.document))
        return redirect(self.url("seller_statement", statement=statement.pk))


class _Changed(Exception):
    """It would not say what somebody has seen."""


def seen(draft: Draft) -> dict[str, Any]:
    """What is shown of a statement before it is made, and how to tell whether it still is so."""
    if not draft.changes:
        return {"looked": True, "said": None}
    said = draft.snapshot()
    data = {"digest": digest(said.to_json()), "moment": draft.until.isoformat()}
    return {"looked": True, "said": said, "currency": draft.currency, **data}


# Payments


@dataclass
class PaymentSums:
    currency: str
    count: int
    amount: Decimal


class PaymentList(StatementsMixin, PaginationMixin, ListView):
    template_name = "pretix_offlinesales/control/sellers/payments.html"
    context_object_name = "payments"

    @cached_property
    def filter_form(self):
        return PaymentFilterForm(data=self.request.GET, organizer=self.request.organizer, sellers=self.sellers)

    def get_queryset(self):
        payments = self.payments.order_by("-date", "-pk")
        return self.filter_form.filter_qs(payments) if self.filter_form.is_valid() else payments

    def get_context_data(self, **kwargs):
        currencies = self.object_list.order_by().values_list("statement__document__currency")
        sums = currencies.annotate(count=Count("pk"), amount=Sum("amount"))
        return super().get_context_data(**kwargs) | {
            "filter_form": self.filter_form,
            "sums": [PaymentSums(*row) for row in sorted(sums)],
        }


class PaymentWrite(StatementMixin, FormView):
    """Write down what a seller has paid. What is wrong is answered by a negative payment, never changed."""

    permission = CHANGE_SELLERS
    template_name = "pretix_offlinesales/control/sellers/payment.html"
    form_class = PaymentForm

    @cached_property
    def wrong(self) -> SellerPayment | None:
        """The payment that is to be corrected."""
        if not (pk := self.request.GET.get("correct")):
            return None
        if not pk.isdecimal() or len(pk) > 18:
            raise Http404
        return get_object_or_404(self.payments.filter(statement=self.statement), pk=pk)

    def get_initial(self):
        today = now().astimezone(self.request.organizer.timezone).date()
        latest = self.payments.filter(statement=self.statement).order_by("-pk").values_list("pk", flat=True).first()
        values = {"amount": self.standing.open or None, "date": today, "after": latest}
        return values | (corrected(self.wrong) if self.wrong else {})

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"statement": self.statement, "standing": self.standing}

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"wrong": self.wrong}

    def form_valid(self, form):
        if form.is_too_much and not form.is_confirmed:
            amount = form.cleaned_data["amount"]
            return self.render_to_response(self.get_context_data(form=form, too_much=amount))
        self._write(form.cleaned_data["after"] or 0, *map(form.cleaned_data.get, ("amount", "date", "reference")))
        return self.back()

    @transaction.atomic
    def _write(self, after: int, amount: Decimal, date, reference: str) -> None:
        lock(self.statement.seller_id)
        if self._was_written(pk__gt=after, amount=amount, date=date, reference=reference):
            self._say_written(amount)
            return
        was_settled = not self.standing.open
        _payment, jobs = pay(self.statement, amount, date, reference, self.requester)
        for job in jobs:
            tasks.start(job)
        self._say_written(amount)
        if amount < 0 and was_settled and standing_of(self.statement).open > 0:
            messages.warning(self.request, OPEN_AGAIN)

    def _was_written(self, **values) -> bool:
        """By the first of two clicks."""
        latest = SellerPayment.objects.filter(statement=self.statement, created__gt=now() - REPEATED, **values)
        return latest.filter(**self.requester).exists()

    def _say_written(self, amount: Decimal) -> None:
        message = _("The payment of {amount} has been written down.")
        messages.success(self.request, message.format(amount=money_filter(amount, self.currency)))
