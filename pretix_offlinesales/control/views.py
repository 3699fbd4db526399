"""The organizer's pages about batches."""

from collections.abc import Iterable
from io import BytesIO
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.timezone import now
from django.utils.translation import gettext as _, gettext_lazy, pgettext
from django.views.generic import FormView, ListView, UpdateView, View
from pretix.control.permissions import EventPermissionRequiredMixin, event_permission_required
from pretix.control.views import ChartContainingView, PaginationMixin

from .. import tasks
from ..after_sale.kind import all_offered
from ..db.pages import KeysFirst
from ..db.queries import planned_plainly
from ..downloads import as_private_file, download, table
from ..issuing.blueprint import simulate
from ..issuing.channels import is_missing, make_channel
from ..issuing.request import requested_batches
from ..issuing.several import summed_up
from ..jobs import runner
from ..jobs.queries import failures, find, last_failed, last_fetchable, unfinished
from ..jobs.registry import all_kinds, kind_of, request_of
from ..kinds import ISSUE, ISSUE_SEVERAL, MAKE_DATA, PRINT
from ..models import REQUESTER, Document, Job, JobFailed, OfflineSalesBatch, OfflineSalesTicket
from ..models.activation import is_active
from ..printing.letters import MissingLetters, missing_letters
from ..printing.specimen import print_specimen
from ..tickets.figures import Figures, figures, tickets_of, total
from ..tickets.splitting import find_split_off
from ..tickets.state import state_of_ticket, status_of, with_state
from ..tickets.worth import money, with_worth
from .charts import entries_over_time
from .forms import EXPIRED, BatchFilterForm, BatchForm, CommentForm, TicketFilterForm, problems_of
from .sellers_shown import may_read_sellers, of_sellers
from .stock import stock_map
from .waiting import JobMixin


class PageMixin(EventPermissionRequiredMixin):
    """Every page of ours. The host asks for the permission, but not whether the event uses the plugin."""

    permission = "event.orders:read"

    @classmethod
    def as_view(cls, **initkwargs):
        """Whoever may write, but not read, would not get to see where it ends."""
        return event_permission_required(PageMixin.permission)(super().as_view(**initkwargs))

    def dispatch(self, request, *args, **kwargs):
        if not is_active(request.event):
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def url(self, name: str, **kwargs) -> str:
        kwargs |= {"organizer": self.request.organizer.slug, "event": self.request.event.slug}
        return reverse(f"plugins:pretix_offlinesales:{name}", kwargs=kwargs)

    @property
    def batches(self):
        """The event's batches that are complete. Others are being made, and are shown as jobs."""
        return OfflineSalesBatch.objects.filter(event=self.request.event, completed__isnull=False)


class BatchMixin(PageMixin):
    """Pages of one batch."""

    @cached_property
    def batch(self) -> OfflineSalesBatch:
        batch = get_object_or_404(
            self.batches.select_related(
                "item",
                "variation",
                "subevent",
                "sales_channel",
                "layout",
                *REQUESTER,
            ),
            pk=self.kwargs["batch"],
        )
        batch.event = self.request.event
        return batch

    def get_object(self, queryset=None):
        return self.batch


#: Asks the list for what takes the longer, the more tickets there are: to count what has become of them. The page is
#: shown without that, and a script asks for it once more.
COUNTED = "counted"


class BatchList(PageMixin, PaginationMixin, ListView):
    template_name = "pretix_offlinesales/control/list.html"
    context_object_name = "batches"

    @cached_property
    def filter_form(self):
        return BatchFilterForm(data=self.request.GET, event=self.request.event)

    def get_queryset(self):
        batches = self.batches.order_by("-pk").select_related(
            "item",
            "variation",
            "sales_channel",
            *REQUESTER,
        )
        if self.filter_form.is_valid():
            batches = self.filter_form.filter_qs(batches)
        return batches.prefetch_related("subevent")

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        for batch in context["batches"]:
            batch.event = self.request.event
            if batch.subevent:
                batch.subevent.event = self.request.event
        shown = _jobs_to_show(self.request.event)
        if self.filter_form.searching or context["page_obj"].number > 1:
            # What is being made is newer than all the rest, and whether it matches can't be said yet.
            shown["working"] = []
        adds_up = context["paginator"].count > 1 and self.object_list.filter(testmode=False).exists()
        return context | {
            "filter_form": self.filter_form,
            "after_sale": self._after_sale(),
            "hand_over_url": self.url("hand_over") if may_read_sellers(self.request) else "",
            "adds_up": adds_up,
            **(self._counted(context["batches"]) if COUNTED in self.request.GET else {}),
            **shown,
        }

    def _counted(self, shown) -> dict:
        # What is in test mode can't be sold, and nobody needs to know where it is.
        batches = self.object_list.filter(testmode=False).order_by("item__position", "item", "pk")
        batches = list(batches.prefetch_related("subevent"))
        for batch in batches:
            batch.event = self.request.event
            if batch.subevent:
                batch.subevent.event = self.request.event
        return {
            "total": self._count(shown),
            "stock": stock_map(batches),
            "may_read_sellers": may_read_sellers(self.request),
        }

    def _count(self, shown) -> Figures:
        """
        Let the batches that are ``shown`` know their figures, as all are counted that the filter lets through. Returns
        what they add up to, without test mode.
        """
        counted = figures(tickets_of(self.object_list), by="batch")
        for batch in shown:
            batch.figures = counted[batch.pk]
        real = self.object_list.filter(testmode=False).values_list("pk", flat=True)
        return sum((counted[pk] for pk in real), Figures())

    def _after_sale(self) -> list[dict]:
        """The buttons for what comes back from anywhere: where it is undone, one comes from its result."""
        kinds = [kind for kind in all_offered() if kind.undone_by]
        return [{"kind": kind, "url": self.url(kind.identifier)} for kind in kinds]


#: How many failures are told in full. They go one by one, or there would be no room for anything else.
MAX_FAILURES = 5


def _jobs_to_show(event) -> dict:
    """What is being made, and what could not be made, each with the batch that it is about as ``asked``."""
    kinds = (ISSUE, ISSUE_SEVERAL)
    working = _recovered(event, unfinished(event=event, kind__in=[kind.identifier for kind in kinds]))
    # Some may have been given up just now.
    failed_ones = failures(event, *kinds).order_by("-finished").select_related(*REQUESTER)
    failed = list(failed_ones[:MAX_FAILURES])
    shown = working + failed
    for job in failed:
        job.event = event
    for_one = [job for job in shown if job.kind == ISSUE.identifier]
    for job, batch in zip(for_one, requested_batches(for_one), strict=True):
        job.asked = batch
        if batch.subevent_id and batch.subevent:
            batch.subevent.event = event
    for job in shown:
        if job not in for_one:
            job.asked, job.several = summed_up(job), len(job.request.get("batches", []))
    return {"working": working, "failed": failed, "more_failed": failed_ones.count() - len(failed)}


def _recovered(event, unfinished_ones) -> list[Job]:
    """Those that still are unfinished."""
    found = list(unfinished_ones.select_related(*REQUESTER))
    for job in found:
        job.event = event
        if max(job.queued, job.heartbeat) < now() - runner.PATIENCE:
            tasks.recover(job)
    return [job for job in found if not job.finished]


class BatchCreate(PageMixin, JobMixin, FormView):
    """Ask for a batch. The dialog ends on its page, or, if it can't be made, on the list, which says why."""

    permission = "event.orders:write"
    template_name = "pretix_offlinesales/control/create.html"
    form_class = BatchForm
    kind = ISSUE
    success_message = gettext_lazy("The tickets have been issued.")

    def get_form_kwargs(self):
        asking = {"event": self.request.event, "user": self.request.user}
        return super().get_form_kwargs() | asking | of_sellers(self.request)

    def get_initial(self):
        """``?seller=…`` for whom; or the values of a job that failed, to try again."""
        if not (again := self.request.GET.get("again")):
            return {"seller": self.request.GET.get("seller")}
        try:
            # However old: it is offered as long as the failure is shown.
            job = failures(self.request.event, ISSUE).get(pk=UUID(again))
            request = request_of(job)
        except (ValueError, Job.DoesNotExist, TypeError) as error:  # or another version has asked for it
            raise Http404 from error
        job.event = self.request.event
        [batch] = requested_batches([job])
        seats = job.event.seats.in_bulk(request.seats)
        named = "\n".join(seats[pk].name for pk in request.seats if pk in seats)
        again = {"again": job.pk, "seats": named, "seller": request.seller_id}
        return BatchForm.initial_from(batch, request.numbers_go_on) | again

    def get_context_data(self, **kwargs):
        offer_channel = may_make_channels(self.request) and is_missing(self.request.organizer)
        return super().get_context_data(**kwargs) | {"offer_channel": offer_channel}

    def form_valid(self, form):
        if form.job:
            return self._answer(form.job)
        if self.too_many:
            form.add_error(None, self.too_many)
        else:
            form.offer()
        if form.errors:
            return self.form_invalid(form)
        requested_by = {"user": self.request.user}
        job = ISSUE.create(self.request.event, form.request, requested_by, pk=form.job_id)
        if again := form.cleaned_data["again"]:
            # The new job takes the place of the one that failed: if it fails as well, that is what is shown.
            failures(self.request.event, ISSUE).filter(pk=again).update(dismissed=True)
        return self.start(job)

    def get_success_url(self, job):
        return self.url("batch", batch=job.batch_id)

    def get_error_url(self, job):
        return self.url("list")


def may_make_channels(request) -> bool:
    """On the host's own page, that is."""
    return request.user.has_organizer_permission(request.organizer, "organizer.settings.general:write", request)


class ChannelCreate(PageMixin, View):
    """Make a sales channel for what is sold on paper."""

    permission = "event.orders:write"

    @transaction.atomic
    def post(self, request, *args, **kwargs):
        if not may_make_channels(request):
            raise PermissionDenied
        make_channel(request.organizer, request.user)
        messages.success(request, _("The sales channel has been created."))
        return redirect(self.url("add"))


#: How many seats are named before a batch is made.
MAX_SEATS = 6


class BatchPreview(PageMixin, View):
    """A piece of the page that asks for a batch: what the values that are filled in so far would mean."""

    permission = "event.orders:write"

    def get(self, request, *args, **kwargs):
        return self._preview(request.GET)

    def post(self, request, *args, **kwargs):
        """The names of seats may be more than fit into an address."""
        return self._preview(request.POST)

    def _preview(self, data):
        form = BatchForm(data=data, event=self.request.event, **of_sellers(self.request))
        context = {}
        if form.is_valid():
            context = {"quote": form.offer(), "batch": form.batch}
            context |= {"seats": form.seats[:MAX_SEATS], "more_seats": len(form.seats[MAX_SEATS:])}
        # What is not filled in yet is no mistake yet.
        context["problems"] = problems_of(form, lambda field: data.get(field) or data.get(f"{field}_0"))
        return render(self.request, "pretix_offlinesales/control/preview.html", context)


class BatchSpecimen(PageMixin, View):
    """A ticket of the batch that is asked for, as a specimen."""

    permission = "event.orders:write"

    #: What may be wrong for now: whether a number is still free, who gets the tickets, and when they are paid, is on no
    #: specimen.
    IRRELEVANT = frozenset({"first_number", "seller", "consignment"})

    def post(self, request, *args, **kwargs):
        data = request.POST.copy()
        data["amount"] = data.get("amount") or "1"
        form = self._form(data)
        if form.errors and set(form.errors) <= self.IRRELEVANT:
            for name in form.errors:
                data[name] = ""
            if "first_number" in form.errors:
                data["numbering"] = ""  # without one, the picture shows the first
            form = self._form(data)
        if not form.is_valid():
            return render(request, BatchCreate.template_name, {"form": form})
        try:
            content = self._specimen(form.batch, form.seats)
        except JobFailed as error:
            messages.error(request, str(error))
            return render(request, BatchCreate.template_name, {"form": form})
        response = HttpResponse(content, content_type="application/pdf")
        return as_private_file(response, f"{request.event.slug}-offlinesales-specimen.pdf", disposition="inline")

    def _form(self, data) -> BatchForm:
        return BatchForm(data=data, event=self.request.event, **of_sellers(self.request))

    def _specimen(self, batch, seats) -> bytes:
        """
        A PDF of one page.

        :raises JobFailed: if the host would not make such an order, or if the layout can't be used
        """
        blueprint, output = simulate(batch, seats), BytesIO()
        print_specimen(batch, blueprint.order, blueprint.positions, output)
        return output.getvalue()


class JobButton(PageMixin, View):
    """A button beside a job. Whatever has become of the job meanwhile, one comes back to where the button was."""

    permission = "event.orders:write"

    @cached_property
    def job(self) -> Job:
        with_button = [kind.identifier for kind in all_kinds() if kind.canceled]
        jobs_here = Job.objects.filter(event=self.request.event, kind__in=with_button)
        return get_object_or_404(jobs_here, pk=self.kwargs["job"])

    def back(self):
        is_about_batch = self.job.batch_id and kind_of(self.job) is not ISSUE
        return redirect(self.url("batch", batch=self.job.batch_id) if is_about_batch else self.url("list"))


class JobCancel(JobButton):
    """Give up a job that nobody has begun."""

    def post(self, request, *args, **kwargs):
        if runner.cancel(self.job):
            Job.objects.filter(pk=self.job.pk).update(dismissed=True)
            messages.success(request, kind_of(self.job).canceled)
        else:
            messages.error(request, self._too_late())
        return self.back()

    def _too_late(self) -> str:
        """What happened between the page and the button."""
        self.job.refresh_from_db()
        if self.job.state == Job.State.FAILED:
            return _("This had come to its end already: {message}").format(message=self.job.message)
        if self.job.state == Job.State.SUCCEEDED:
            return _("It was too late to cancel this, it is done.")
        return kind_of(self.job).too_late


class JobDismiss(JobButton):
    """Somebody has seen that a batch could not be made. Who comes second has nothing to do."""

    def post(self, request, *args, **kwargs):
        if not Job.objects.filter(pk=self.job.pk, state=Job.State.FAILED).update(dismissed=True):
            messages.error(request, _("This has not failed, so there is nothing to dismiss."))
        return self.back()


def _say_status(batch: OfflineSalesBatch, tickets: Iterable[OfflineSalesTicket]) -> None:
    """:param tickets: of the batch, with their state, and their sellers"""
    find_split_off(tickets)
    for ticket in tickets:
        ticket.seller_name = ticket.seller.name if ticket.seller else ""
        split = ticket.split_off, ticket.split_to
        place = state_of_ticket(ticket), ticket.seller_name
        ticket.status = status_of(ticket.fate, ticket.order.status, *split, *place, batch.consignment)


class TicketsMixin(BatchMixin):
    """The batch's tickets, as many as the filter lets through."""

    @cached_property
    def filter_form(self):
        return TicketFilterForm(data=self.request.GET, batch=self.batch)

    def get_queryset(self):
        tickets = with_state(tickets_of([self.batch]).select_related("order", "seller")).order_by("number")
        return self.filter_form.filter_qs(tickets) if self.filter_form.is_valid() else tickets


#: How many documents the page of a batch shows.
MAX_DOCUMENTS = 10


class BatchDetail(TicketsMixin, ChartContainingView, PaginationMixin, ListView):
    template_name = "pretix_offlinesales/control/batch.html"
    context_object_name = "tickets"
    paginator_class = KeysFirst

    def get(self, request, *args, **kwargs):
        being_made = OfflineSalesBatch.objects.filter(event=request.event, completed=None)
        if being_made.filter(pk=kwargs["batch"]).exists():
            return redirect(self.url("list"))
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        _say_status(self.batch, context["tickets"])
        return context | {
            "batch": self.batch,
            "stock": stock_map([self.batch]),
            "may_read_sellers": may_read_sellers(self.request),
            "figures": total(tickets_of([self.batch])),
            "after_sale": self._after_sale(),
            "hand_over_url": self._hand_over_url(),
            "expired": self._expired(),
            "entries": entries_over_time(self.batch),
            "filter_form": self.filter_form,
            "may_change": "event.orders:write" in self.request.eventpermset,
            "comment_form": CommentForm(instance=self.batch),
            "last_print": last_fetchable(self.batch, PRINT),
            # Called where it is shown: a ticket is rendered for it.
            "missing_letters": self._missing_letters,
            "printing": self._unfinished(PRINT),
            "failed_print": last_failed(self.batch, PRINT),
            "last_data": last_fetchable(self.batch, MAKE_DATA),
            "making_data": self._unfinished(MAKE_DATA),
            "failed_data": last_failed(self.batch, MAKE_DATA),
            **self._documents(),
        }

    def _expired(self) -> int:
        """How many tickets on consignment are not valid any more, and owed by nobody, though their paper may be out."""
        if not self.batch.consignment:
            return 0
        return self.batch.tickets.filter(TicketFilterForm.STATUS[EXPIRED]).count()

    def _documents(self) -> dict:
        """By which its tickets went from hand to hand, the newest first, for whoever may read sellers."""
        if not may_read_sellers(self.request):
            return {}
        documents = Document.objects.filter(movements__batch=self.batch).annotate(of_batch=F("movements__count"))
        newest = documents.select_related("source", "target").order_by("-pk")
        return {"documents": newest[:MAX_DOCUMENTS], "more_documents": max(documents.count() - MAX_DOCUMENTS, 0)}

    def _unfinished(self, kind) -> list[Job]:
        return _recovered(self.request.event, unfinished(batch=self.batch, kind=kind.identifier))

    def _after_sale(self) -> list[dict]:
        """The buttons for what can be done with some of these tickets."""
        return [
            {"kind": kind, "url": self.url(f"batch_{kind.identifier}", batch=self.batch.pk)}
            for kind in all_offered()
            if not kind.offered_for or self.batch.tickets.filter(kind.offered_for).exists()
        ]

    def _hand_over_url(self) -> str:
        return f"{self.url('hand_over')}?batch={self.batch.pk}" if may_read_sellers(self.request) else ""

    def _missing_letters(self) -> list[MissingLetters]:
        try:
            return missing_letters(self.batch)
        except JobFailed:
            return []  # printing will say what is wrong


class BatchComment(BatchMixin, UpdateView):
    permission = "event.orders:write"
    http_method_names = ("post",)
    form_class = CommentForm

    @transaction.atomic
    def form_valid(self, form):
        if form.has_changed():
            form.save()
            self.batch.log_action(
                "pretix_offlinesales.batch.changed", {"comment": self.batch.comment}, user=self.request.user
            )
            messages.success(self.request, _("The comment has been updated."))
        return redirect(self.url("batch", batch=self.batch.pk))

    def form_invalid(self, form):
        for message in form.errors["comment"]:
            messages.error(self.request, message)
        return redirect(self.url("batch", batch=self.batch.pk))


class BatchDownload(BatchMixin, View):
    """The file of a print, or one with the tickets' data, as long as it lives."""

    def get(self, request, *args, **kwargs):
        fetchable = {"batch": self.batch, "state": Job.State.SUCCEEDED, "file__isnull": False}
        try:
            job = find(request.event, kwargs["job"], PRINT, MAKE_DATA, **fetchable)
        except Job.DoesNotExist as error:
            raise Http404 from error
        return download(job.file)


class TicketExport(TicketsMixin, View):
    """The tickets, as filtered, as CSV."""

    def get_queryset(self):
        return with_worth(super().get_queryset())

    def get(self, request, *args, **kwargs):
        with planned_plainly():
            return table(self._rows(), f"{request.event.slug}-offlinesales-{self.batch.pk}.csv")

    def _rows(self):
        columns = self._columns()
        yield [title for title, _value in columns]
        tickets = self.get_queryset()
        _say_status(self.batch, tickets)
        for ticket in tickets:
            yield [value(ticket) for _title, value in columns]

    def _columns(self):
        product = self.batch.product
        timezone = self.request.event.timezone

        def moment(value):
            return value.astimezone(timezone).isoformat() if value else ""

        columns = [
            (_("Ticket number"), lambda ticket: ticket.number),
            (_("Order code"), lambda ticket: ticket.order.code),
            (_("Product"), lambda ticket: product),
            (_("Price"), lambda ticket: str(money(ticket.worth))),
            (_("Status"), lambda ticket: ticket.status),
            (_("Printed"), lambda ticket: moment(ticket.last_printed)),
            (_("Checked in"), lambda ticket: moment(ticket.entered)),
            (_("Check-in list"), lambda ticket: ticket.entered_list or ""),
            (_("Gate"), lambda ticket: ticket.entered_gate or ""),
            (_("Seller"), lambda ticket: ticket.seller_name),
        ]
        if self.batch.subevent:
            date = str(self.batch.subevent)
            columns.insert(3, (pgettext("subevent", "Date"), lambda ticket: date))
        return columns
