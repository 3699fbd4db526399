"""The organizer's pages about sellers."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.timezone import now
from django.utils.translation import gettext as _, ngettext
from django.views.generic import FormView, ListView, TemplateView, View
from pretix.base.models import Event, Item, ItemVariation, SubEvent
from pretix.control.views import ChartContainingView, PaginationMixin

from ..documents import kept
from ..downloads import table
from ..host.imports import BaseImportView, BaseProcessView, parse_csv
from ..host.prefetching import with_settings
from ..issuing import several
from ..models import CHANGE_SELLERS, Document, DocumentKind, OfflineSalesBatch, OfflineSalesTicket, Seller, join_names
from ..models.activation import PLUGIN, is_active_for
from ..sellers import records
from ..sellers.accounts import Account, accounts, accounts_by_product, held_numbers
from ..sellers.exposure import exposures
from ..sellers.remarkable import Remarked, remarked
from ..sellers.standing import standings
from ..settling import many
from ..tickets.books import format_tickets
from ..tickets.figures import Tally
from ..tickets.numbers import DASH
from ..tickets.worth import NOTHING
from .charts import sales_chart
from .organizer_pages import OrganizerPageMixin, SellerMixin
from .seller_forms import (
    COMMISSION,
    CONDITIONS,
    WHO,
    CommissionFormSet,
    SalesFilterForm,
    SellerCommentForm,
    SellerFilterForm,
    SellerForm,
)
from .seller_import import MAX_LINES, MatchForm, read, table as table_of, write
from .statements import StatementsMixin

#: Asks the list for what takes the longer, the more tickets there are (see the list of batches).
COUNTED = "counted"


@dataclass
class Sums:
    """What accounts in one currency add up to."""

    currency: str
    held: Tally = Tally()
    sold: Tally = Tally()
    lost: Tally = Tally()
    overdue: Tally = Tally()
    owed: Decimal = NOTHING
    balance: Decimal = NOTHING

    def add(self, account: Account) -> None:
        self.held += account.held
        self.sold += account.sold
        self.lost += account.lost
        self.overdue += account.overdue
        self.owed += account.owed
        self.balance += account.balance


class SellerFilterMixin(OrganizerPageMixin):
    """As many sellers as the filter lets through."""

    @cached_property
    def filter_form(self):
        return SellerFilterForm(data=self.request.GET)

    def get_queryset(self):
        sellers = self.sellers.order_by("name", "pk")
        return self.filter_form.filter_qs(sellers) if self.filter_form.is_valid() else sellers


class SellerList(SellerFilterMixin, PaginationMixin, ListView):
    template_name = "pretix_offlinesales/control/sellers/list.html"
    context_object_name = "sellers"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        shown = list(context["sellers"])
        is_counted = COUNTED in self.request.GET
        # What is on one page is counted anyway.
        is_all = context["paginator"].num_pages == 1
        counted = accounts(self.object_list if is_counted else shown)
        for seller in shown:
            seller.account = counted[seller.pk]
        return context | {
            "filter_form": self.filter_form,
            "sums": self._sums(counted) if is_counted or is_all else None,
            "currencies": self._currencies,
            "adds_up": context["paginator"].count > 1,
        }

    @cached_property
    def _currencies(self) -> list[str]:
        """Of all that is listed. Who has none was never handed anything."""
        used = self.object_list.order_by().exclude(currency="").values_list("currency", flat=True)
        return sorted(set(used.distinct()))

    def _sums(self, counted: dict[int, Account]) -> list[Sums]:
        sums = {currency: Sums(currency) for currency in self._currencies}
        for pk, currency in self.object_list.exclude(currency="").values_list("pk", "currency"):
            sums[currency].add(counted[pk])
        return list(sums.values())


class SellerExport(SellerFilterMixin, View):
    """All that the filter lets through, with what they hold and owe. The page of the import reads it again."""

    def get(self, request, *args, **kwargs):
        sellers = list(self.get_queryset())
        counted = accounts(sellers)
        fields = [*WHO, "active", *COMMISSION, *CONDITIONS]
        labels = {field.name: str(field.verbose_name) for field in Seller._meta.get_fields() if field.name in fields}
        figures = [
            _("Tickets held"),
            _("Tickets held (value)"),
            _("Tickets overdue"),
            _("Tickets overdue (value)"),
            _("Tickets sold"),
            _("Tickets sold (value)"),
            _("Tickets lost"),
            _("Tickets lost (value)"),
            _("Owed"),
            _("Stated and not paid"),
            _("Not stated yet"),
            _("Last movement"),
        ]
        rows: list[list] = [[labels[name] for name in fields] + figures]
        for seller in sellers:
            account = counted[seller.pk]
            tallies = (account.held, account.overdue, account.sold, account.lost)
            moment = account.last_movement
            rows.append(
                [
                    *(_plain(getattr(seller, name)) for name in fields),
                    *(value for tally in tallies for value in (tally.count, tally.value)),
                    account.owed,
                    account.balance,
                    account.unstated,
                    moment.astimezone(request.organizer.timezone).strftime("%Y-%m-%d %H:%M:%S") if moment else "",
                ]
            )
        return table(rows, f"{request.organizer.slug}-sellers.csv")


def _plain(value: Any) -> Any:
    """As the import reads it again."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value


@dataclass
class ProductLine:
    """What a seller has of one product."""

    event: Event
    subevent: SubEvent | None
    product: str
    account: Account

    @property
    def begins(self) -> datetime:
        return (self.subevent or self.event).date_from


@dataclass
class HeldLine:
    """What a seller holds of one batch."""

    batch: OfflineSalesBatch
    count: int
    numbers: str
    #: Its page, for whoever may see it.
    url: str


#: How many statements and payments the page of a seller shows.
MAX_SHOWN_MONEY = 10


class SellerDetail(SellerMixin, StatementsMixin, ChartContainingView, PaginationMixin, ListView):
    """The seller, and her documents."""

    template_name = "pretix_offlinesales/control/sellers/seller.html"
    context_object_name = "documents"

    def get_queryset(self):
        of_seller = Q(source=self.seller) | Q(target=self.seller)
        documents = Document.objects.filter(of_seller, organizer=self.request.organizer)
        documents = documents.exclude(kind=DocumentKind.STATEMENT)
        return documents.select_related("event", "source", "target").defer("snapshot", "terms").order_by("-pk")

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        for document in context["documents"]:
            document.organizer = self.request.organizer
            document.url = self.url("document", document=document.pk)
            document.pdf_url = self.url("document_pdf", document=document.pk)
        account, products = accounts([self.seller])[self.seller.pk], self._products()
        held = self._events_with_held(products)
        return context | {
            "account": account,
            "products": products,
            "held": self._held() if account.held else [],
            "hand_over": self._events_to_hand_over() if self.seller.active else [],
            "take_back": self._pages(held, "hand_over", "&to=stock"),
            "to_print": self._pages(held, "print_for_sellers"),
            "rates": self.seller.product_commissions.select_related("item__event"),
            "may_change_comment": context["may_change"] and not self.seller.erased,
            "comment_form": SellerCommentForm(instance=self.seller),
            "language": dict(settings.LANGUAGES).get(self.seller.locale, self.seller.locale),
            "can_be_deleted": not records.has_held(self.seller),
            "remarked": self._remarked(),
            "chart": sales_chart(
                OfflineSalesTicket.objects.filter(seller=self.seller), self.request.organizer.timezone
            ),
            **self._money(),
        }

    def _money(self) -> dict:
        """Her latest statements and payments, what is overdue, and how much of her credit limit is used."""
        of_seller = self.statements.filter(seller=self.seller).order_by("-pk")
        known = standings(self.request.organizer, of_seller)
        statements = list(of_seller[:MAX_SHOWN_MONEY])
        for statement in statements:
            statement.standing = known[statement.pk]
        paid = self.payments.filter(seller=self.seller).order_by("-date", "-pk")
        payments = list(paid[: MAX_SHOWN_MONEY + 1])
        open_ones = sorted(pk for pk, standing in known.items() if standing.open > 0)
        to_pay = open_ones[0] if open_ones else max(known, default=None)
        return {
            "statements": statements,
            "more_statements": len(known) > len(statements),
            "payments": payments[:MAX_SHOWN_MONEY],
            "more_payments": len(payments) > MAX_SHOWN_MONEY,
            "payment_url": self.url("seller_payment", statement=to_pay) if to_pay else "",
            "overdue": sum((each.open for each in known.values() if each.is_overdue), NOTHING),
            "exposure": None if self.seller.credit_limit is None else exposures([self.seller])[self.seller.pk],
        }

    def _remarked(self) -> list[Remarked]:
        """With the pages of the orders, for whoever may see them."""
        found = remarked(self.seller)
        used = {ticket.batch.event_id for each in found for ticket in each.tickets}
        readable = set(self._events("event.orders:read").filter(pk__in=used).values_list("pk", flat=True))
        for ticket in (ticket for each in found for ticket in each.tickets):
            if ticket.batch.event_id in readable:
                ticket.url = self._order_url(ticket.batch.event, ticket.order.code)
                ticket.split_url = self._order_url(ticket.batch.event, ticket.split_to) if ticket.split_to else ""
        return found

    def _order_url(self, event: Event, code: str) -> str:
        place = {"organizer": self.request.organizer.slug, "event": event.slug, "code": code}
        return reverse("control:event.order", kwargs=place)

    def _products(self) -> list[ProductLine]:
        """By event, date and product, in the order of time."""
        found = accounts_by_product(self.seller)
        events = with_settings(Event.objects).in_bulk({event for event, *_rest in found})
        subevents = SubEvent.objects.in_bulk({subevent for _event, subevent, *_rest in found if subevent})
        items = Item.objects.in_bulk({item for *_rest, item, _variation in found})
        variations = ItemVariation.objects.in_bulk({variation for *_rest, variation in found if variation})
        lines = []
        for (event, subevent, item, variation), account in found.items():
            if date := subevents.get(subevent):
                date.event = events[event]
            product = join_names(items[item], variations.get(variation))
            lines.append(ProductLine(events[event], date, product, account))
        return sorted(lines, key=lambda line: (line.begins, line.event.pk, line.product))

    def _held(self) -> list[HeldLine]:
        numbers = held_numbers(self.seller)
        batches = OfflineSalesBatch.objects.select_related("item", "variation", "subevent").in_bulk(numbers)
        used = {batch.event_id for batch in batches.values()}
        events = with_settings(Event.objects).in_bulk(used)
        readable = set(self._events("event.orders:read").filter(pk__in=used).values_list("pk", flat=True))
        lines = []
        for pk, held in sorted(numbers.items()):
            batch = batches[pk]
            batch.event = events[batch.event_id]
            if batch.subevent:
                batch.subevent.event = batch.event
            url = self.url("batch", event=batch.event.slug, batch=pk) if batch.event_id in readable else ""
            lines.append(HeldLine(batch, len(held), format_tickets(batch, held, DASH), url))
        return lines

    def _events_to_hand_over(self) -> list[dict]:
        """Where one may hand over tickets to this seller: what is over needs none any more."""
        events = self._events("event.orders:write").alias(ends=Coalesce("date_to", "date_from"))
        to_come = events.filter(Q(ends__gte=now() - timedelta(days=1)) | Q(has_subevents=True))
        if self.seller.currency:
            to_come = to_come.filter(currency=self.seller.currency)
        return self._pages(to_come.order_by("date_from", "pk"), "hand_over")

    def _events_with_held(self, products: Sequence[ProductLine]) -> list[Event]:
        """Where there is something to be taken back, or printed, by whoever may do it."""
        held = {line.event.pk for line in products if line.account.held}
        return list(self._events("event.orders:write").filter(pk__in=held).order_by("date_from", "pk")) if held else []

    def _pages(self, events: Iterable[Event], name: str, query: str = "") -> list[dict]:
        """The page with this name of each event, about this seller."""
        return [
            {"event": event, "url": f"{self.url(name, event=event.slug)}?seller={self.seller.pk}{query}"}
            for event in events
        ]

    def _events(self, permission: str) -> QuerySet[Event]:
        """Those that use the plugin, and where the user has this permission."""
        allowed = self.request.user.get_events_with_permission(permission, self.request)
        return allowed.filter(organizer=self.request.organizer, plugins__contains=PLUGIN)


class SalesOverTime(OrganizerPageMixin, ChartContainingView, TemplateView):
    """When tickets were sold, by whom: of all events, or one of them."""

    template_name = "pretix_offlinesales/control/sellers/sales.html"

    def get_context_data(self, **kwargs):
        form = SalesFilterForm(data=self.request.GET, organizer=self.request.organizer)
        tickets = OfflineSalesTicket.objects.filter(batch__event__organizer=self.request.organizer)
        event = form.cleaned_data["event"] if form.is_valid() else None
        if event:
            tickets = tickets.filter(batch__event=event)
        chart = sales_chart(tickets, (event or self.request.organizer).timezone)
        return super().get_context_data(**kwargs) | {"filter_form": form, "chart": chart}


class SellerFormMixin(OrganizerPageMixin):
    """Who a seller is, and what is agreed with her."""

    permission = CHANGE_SELLERS
    template_name = "pretix_offlinesales/control/sellers/edit.html"
    form_class = SellerForm
    #: None if it is a new one.
    seller: Seller | None = None

    def get_form_kwargs(self):
        kwargs = super().get_form_kwargs() | {"organizer": self.request.organizer}
        # Where the seller is named, the form changes nothing.
        return kwargs | {"instance": copy(self.seller) if self.seller else Seller(organizer=self.request.organizer)}

    @cached_property
    def commissions(self):
        data = self.request.POST if self.request.method == "POST" else None
        rates = records.rates_of(self.seller) if self.seller else {}
        return CommissionFormSet(data, organizer=self.request.organizer, rates=rates, prefix="commissions")

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"commissions": self.commissions}

    def form_valid(self, form):
        if not self.commissions.is_valid():
            return self.form_invalid(form)
        try:
            seller = self.save(form)
        except IntegrityError:  # the identifier is all that can be taken meanwhile
            form.add_error("identifier", _("Another seller has this identifier already."))
            return self.form_invalid(form)
        return redirect(self.url("seller", seller=seller.pk))

    def form_invalid(self, form):
        messages.error(self.request, _("We could not save your changes. See below for details."))
        return super().form_invalid(form)


class SellerCreate(SellerFormMixin, FormView):
    def save(self, form) -> Seller:
        records.add(form.instance, self.requester, self.commissions.rates)
        messages.success(self.request, _("The seller has been created."))
        return form.instance


class SellerEdit(SellerMixin, SellerFormMixin, FormView):
    def dispatch(self, request, *args, **kwargs):
        if is_active_for(request.organizer) and self.seller.erased:
            messages.error(request, _("The personal data of this seller was deleted."))
            return self.back()
        return super().dispatch(request, *args, **kwargs)

    def save(self, form) -> Seller:
        records.change(self.seller, form.cleaned_data, self.requester, self.commissions.rates)
        messages.success(self.request, _("Your changes have been saved."))
        return self.seller


class SellerComment(SellerMixin, View):
    permission = CHANGE_SELLERS

    def post(self, request, *args, **kwargs):
        form = SellerCommentForm(request.POST, instance=self.seller)
        if self.seller.erased or not form.is_valid():
            messages.error(request, _("We could not save your changes."))
        else:
            records.change(self.seller, form.cleaned_data, self.requester)
            messages.success(request, _("The comment has been updated."))
        return self.back()


class SellerActive(SellerMixin, View):
    """Who is not active gets no more tickets."""

    permission = CHANGE_SELLERS

    def post(self, request, *args, **kwargs):
        active = request.POST.get("active") == "on"
        if self.seller.erased:
            messages.error(request, _("The personal data of this seller was deleted."))
        elif records.change(self.seller, {"active": active}, self.requester):
            done = _("The seller is active now.") if active else _("The seller gets no more tickets now.")
            messages.success(request, done)
        return self.back()


class SellerDelete(SellerMixin, TemplateView):
    """Only whoever never held anything."""

    permission = CHANGE_SELLERS
    template_name = "pretix_offlinesales/control/sellers/delete.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"has_held": records.has_held(self.seller)}

    @transaction.atomic
    def post(self, request, *args, **kwargs):
        try:
            records.delete(self.seller, self.requester)
            several.forget(request.organizer, self.kwargs["seller"])
        except records.NotDeleted as error:
            messages.error(request, str(error))
            return self.back()
        messages.success(request, _("The seller has been deleted."))
        return redirect(self.url("sellers"))


class SellerErase(SellerMixin, TemplateView):
    """Delete what is about a person. What it was, nobody can say afterwards."""

    permission = CHANGE_SELLERS
    template_name = "pretix_offlinesales/control/sellers/erase.html"

    def get_context_data(self, **kwargs):
        values = {name: getattr(self.seller, name) for name in records.PERSONAL}
        known = [(Seller._meta.get_field(name).verbose_name, value) for name, value in values.items() if value]
        account = accounts([self.seller])[self.seller.pk]
        return super().get_context_data(**kwargs) | {"known": known, "account": account}

    def post(self, request, *args, **kwargs):
        if not self.seller.erased:
            with transaction.atomic():
                records.erase(self.seller, self.requester)
                kept.forget(self.seller)
                several.forget(self.request.organizer, self.seller.pk)
                many.forget(self.seller)
            messages.success(request, _("The personal data of the seller has been deleted."))
        return self.back()


class SellerImport(OrganizerPageMixin, BaseImportView):
    """Upload a file, as the host's imports do."""

    permission = CHANGE_SELLERS
    template_name = "pretix_offlinesales/control/sellers/import.html"

    def get_process_url(self, request, cf, charset):
        return f"{self.url('seller_import_process', file=cf.pk)}?charset={charset}"


#: So many mistakes are named, and so many lines are shown.
MAX_ERRORS, MAX_SHOWN = 20, 20


class SellerImportProcess(OrganizerPageMixin, BaseProcessView):
    """
    Say which column is what; see what each line would do, and what is wrong; import them. It is done in a moment, so
    nobody has to wait for a task.
    """

    permission = CHANGE_SELLERS
    template_name = "pretix_offlinesales/control/sellers/import_process.html"
    form_class = MatchForm

    def get_form_kwargs(self):
        kwargs = FormView.get_form_kwargs(self)
        return kwargs | {"organizer": self.request.organizer, "headers": self.parsed.fieldnames}

    def get_form_url(self):
        return self.url("seller_import")

    def post(self, request, *args, **kwargs):
        return FormView.post(self, request, *args, **kwargs)

    def form_valid(self, form):
        rows = self._rows()
        if len(rows) > MAX_LINES:
            form.add_error(None, _("These are more than {max} lines.").format(max=MAX_LINES))
            return self.form_invalid(form)
        lines = read(self.request.organizer, rows, form.cleaned_data)
        wrong = [line for line in lines if line.errors]
        if "import" not in self.request.POST or wrong or not lines:
            return self.render_to_response(self.get_context_data(form=form, **self._look(lines, wrong)))
        try:
            write(lines, self.requester)
        except IntegrityError:  # somebody has created one of them meanwhile
            messages.error(self.request, _("The sellers have changed meanwhile. Please look at the lines again."))
            return redirect(self.request.get_full_path())
        self.file.delete()
        message = ngettext("{count} seller has been imported.", "{count} sellers have been imported.", len(lines))
        messages.success(self.request, message.format(count=len(lines)))
        return redirect(self.url("sellers"))

    def _rows(self) -> list[dict]:
        charset = self.request.GET.get("charset", "")
        charset = None if charset == "auto" else charset
        try:
            return list(parse_csv(self.file.file, charset=charset))
        except UnicodeDecodeError:
            return list(parse_csv(self.file.file, mode="replace", charset=charset))

    def _look(self, lines: Sequence, wrong: Sequence) -> dict:
        columns, rows = table_of(self.request.organizer, [] if wrong else lines[:MAX_SHOWN])
        return {
            "lines": lines,
            "columns": columns,
            "rows": rows,
            "more": max(len(lines) - MAX_SHOWN, 0),
            "wrong": wrong[:MAX_ERRORS],
            "more_wrong": max(len(wrong) - MAX_ERRORS, 0),
            "created": sum(line.is_new for line in lines),
            "changed": sum(not line.is_new for line in lines),
            "looked": True,
        }
