"""What has become of batches and tickets, on the host's export page."""

import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.functional import cached_property
from django.utils.timezone import now
from django.utils.translation import gettext as _, gettext_lazy, pgettext, pgettext_lazy
from pretix.base.exporter import MultiSheetListExporter
from pretix.base.models import Event, User
from pretix.base.timeframes import DateFrameField, resolve_timeframe_to_datetime_start_inclusive_end_exclusive

from .db.queries import planned_plainly
from .host.helpers import chunked_iterable
from .host.spreadsheets import write_workbook
from .models import REQUESTER, Document, OfflineSalesBatch, OfflineSalesTicket
from .models.activation import is_active
from .sellers.stock import got_some
from .tickets.figures import LABELS, figures, tickets_of
from .tickets.state import OUTSTANDING, RETURNED, state_of, status_of, with_state
from .tickets.worth import money, with_due

#: How many batches are counted, or tickets fetched, at once.
CHUNK = 1000

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _held_by(form_data: dict) -> Q:
    return Q(seller__in=form_data["sellers"]) if form_data.get("sellers") else Q()


class OfflineSalesExporter(MultiSheetListExporter):
    """
    One sheet with a row a batch, one with a row a ticket.

    For a whole organizer it comes with those events that use the plugin; which of them one may see, the host decides.
    """

    identifier = "offlinesales"
    verbose_name = gettext_lazy("Offline sales")
    category = pgettext_lazy("export_category", "Order data")
    description = gettext_lazy(
        "Download a spreadsheet of the tickets that were issued for offline sales. It will include two sheets, one "
        "with a line for every batch and what has become of it, and one with a line for every ticket."
    )
    repeatable_read = False

    @property
    def sheets(self):
        return (("batches", _("Batches")), ("tickets", _("Tickets")))

    def available_for_user(self, user: User | None) -> bool:
        """The host offers it to all organizers who have the plugin, even if none of their events uses it."""
        return any(map(is_active, self.organizer.events.all()))

    @property
    def _event_pks(self) -> list[int]:
        return [event.pk for event in self.events.all() if is_active(event)]

    @property
    def additional_form_fields(self) -> dict:
        sellers = got_some(Document.objects.filter(event__in=self._event_pks))
        fields = OrderedDict(
            date_range=DateFrameField(
                label=_("Date range"),
                include_future_frames=False,
                required=False,
                help_text=_("Only include batches created within this date range."),
            ),
            event_date_range=DateFrameField(
                label=_("Event date"),
                include_future_frames=True,
                required=False,
                help_text=_("Only include batches for a date in this range."),
            ),
            items=None,
            sales_channels=forms.ModelMultipleChoiceField(
                label=_("Sales channels"),
                queryset=self.organizer.sales_channels.all(),
                widget=forms.CheckboxSelectMultiple(attrs={"class": "scrolling-multiple-choice"}),
                help_text=_("If none are selected, all sales channels are included."),
                required=False,
            ),
            sellers=forms.ModelMultipleChoiceField(
                label=_("Sellers"),
                queryset=sellers,
                widget=forms.CheckboxSelectMultiple(attrs={"class": "scrolling-multiple-choice"}),
                help_text=_(
                    "If some are selected, only tickets that they hold, or answer for, are included and counted."
                ),
                required=False,
            ),
            no_testmode=forms.BooleanField(label=_("Ignore test mode orders"), initial=True, required=False),
        )
        if not sellers.exists():
            del fields["sellers"]
        if self.is_multievent:
            del fields["items"]
        else:
            fields["items"] = forms.ModelMultipleChoiceField(
                label=_("Products"),
                queryset=self.event.items.all(),
                widget=forms.CheckboxSelectMultiple(attrs={"class": "scrolling-multiple-choice"}),
                help_text=_("If none are selected, all products are included."),
                required=False,
            )
            if not self.event.has_subevents:
                del fields["event_date_range"]
        return fields

    def get_filename(self):
        return f"{(self.event or self.organizer).slug}_offlinesales"

    def render(self, form_data: dict, output_file: Any = None) -> tuple[str, str, Any]:
        """As the host does, but quicker, and without having all of it in memory more than once."""
        if not output_file:
            with tempfile.NamedTemporaryFile() as stored:
                with open(stored.name, "wb") as file:
                    name, mime_type, _nothing = self.render(form_data, file)
                return name, mime_type, stored.read()
        if form_data["_format"] != "xlsx":
            return super().render(form_data, output_file=output_file)
        share = 100 / len(self.sheets)
        sheets = (
            (str(title)[:30], self._with_progress(self.iterate_sheet(form_data, sheet), index * share, share))
            for index, (sheet, title) in enumerate(self.sheets)
        )
        write_workbook(sheets, output_file)
        return f"{self.get_filename()}.xlsx", XLSX, None

    def _with_progress(self, rows: Iterator, before: float, share: float) -> Iterator[Sequence]:
        """
        :param before: percent of the work that is done before this
        :param share: percent of the work that this is
        """
        total, done = 0, -1
        for row in rows:
            if isinstance(row, self.ProgressSetTotal):
                total = row.total
                continue
            yield row
            done += 1  # without the header
            if total and done and done % max(10, total // 100) == 0:
                self.progress_callback(before + share * min(1, done / total))

    def iterate_batches(self, form_data: dict) -> Iterator[Sequence]:
        labels = [*LABELS.values(), *(state.label for state in OUTSTANDING)]
        yield [
            *self._place_headers(),
            _("Creation date"),
            _("Created by"),
            _("Test mode"),
            _("Consignment"),
            _("First ticket number"),
            _("Last ticket number"),
            *(str(label) for label in labels),
            *(_("{label} (value)").format(label=label) for label in labels),
            _("Currency"),
            _("Internal comment"),
        ]
        batches = self._batches(form_data).select_related(*REQUESTER)
        yield self.ProgressSetTotal(total=batches.count())
        for chunk in chunked_iterable(batches.iterator(chunk_size=CHUNK), CHUNK):
            counted = figures(tickets_of(chunk).filter(_held_by(form_data)), by="batch")
            for batch in chunk:
                tallies = [tally for _label, tally in counted[batch.pk].lines]
                tallies += [getattr(counted[batch.pk], state) for state in OUTSTANDING]
                yield [
                    *self._place(batch),
                    self._moment(batch.creation, batch),
                    batch.requester_name,
                    _("Yes") if batch.testmode else _("No"),
                    _("Yes") if batch.consignment else _("No"),
                    batch.numbers[0],
                    batch.numbers[-1],
                    *(tally.count for tally in tallies),
                    *(tally.value for tally in tallies),
                    self._event(batch).currency,
                    batch.comment,
                ]

    def iterate_tickets(self, form_data: dict) -> Iterator[Sequence]:
        yield [
            *self._place_headers(),
            _("Ticket number"),
            _("Order code"),
            _("Price"),
            _("Currency"),
            _("Status"),
            pgettext("tickets", "State"),
            _("Seller"),
            pgettext("tickets", "Returned"),
            _("Printed"),
            _("Checked in"),
            _("Check-in list"),
            *(str(LABELS[name]) for name in ("due", "due_besides")),
        ]
        batches = {batch.pk: batch for batch in self._batches(form_data)}
        places = {pk: self._place(batch) for pk, batch in batches.items()}
        status_in_words = cache(status_of)
        tickets = OfflineSalesTicket.objects.filter(
            _held_by(form_data), batch__in=self._batches(form_data).order_by().values("pk")
        )
        yield self.ProgressSetTotal(total=tickets.count())
        status = ("fate", "order__status", "split_off", "sale", "checked_in", "seller__name")
        moments = ("returned", "last_printed", "entered")
        columns = ("number", "order__code", "worth", "due", "due_besides", *status, "entered_list", *moments)
        rows = with_due(with_state(tickets)).order_by("batch", "number").values_list("batch", *columns)
        with planned_plainly():
            for pk, number, code, worth, due, besides, *others in rows.iterator(chunk_size=CHUNK):
                fate, order_status, split_off, sale, checked_in, seller, entered_list, *moments_of = others
                returned, printed, entered = moments_of
                if not (batch := batches.get(pk)):
                    continue  # made since
                state = state_of(fate, seller is not None, sale, checked_in)
                yield [
                    *places[pk],
                    number,
                    code,
                    money(worth),
                    self._event(batch).currency,
                    status_in_words(fate, order_status, split_off, None, state, seller or "", batch.consignment),
                    str(state.label),
                    seller or "",
                    self._moment(returned if fate in RETURNED else None, batch),
                    self._moment(printed, batch),
                    self._moment(entered, batch),
                    entered_list or "",
                    money(due),
                    money(besides),
                ]

    def _batches(self, form_data: dict) -> QuerySet[OfflineSalesBatch]:
        batches = OfflineSalesBatch.objects.filter(event__in=self._event_pks, completed__isnull=False)
        if form_data.get("sellers"):
            held = OfflineSalesTicket.objects.filter(_held_by(form_data), batch=OuterRef("pk"))
            batches = batches.filter(Exists(held))
        if form_data.get("items"):
            batches = batches.filter(item__in=form_data["items"])
        if form_data.get("sales_channels"):
            batches = batches.filter(sales_channel__in=form_data["sales_channels"])
        if form_data.get("no_testmode"):
            batches = batches.filter(testmode=False)
        batches = batches.annotate(event_date=Coalesce(F("subevent__date_from"), F("event__date_from")))
        for frame, column in (("date_range", "creation"), ("event_date_range", "event_date")):
            if form_data.get(frame):
                start, end = resolve_timeframe_to_datetime_start_inclusive_end_exclusive(
                    now(), form_data[frame], self.timezone
                )
                batches = batches.filter(
                    **({f"{column}__gte": start} if start else {}), **({f"{column}__lt": end} if end else {})
                )
        return batches.select_related("item", "variation", "subevent", "sales_channel").order_by("pk")

    @cached_property
    def _events(self) -> dict[int, Event]:
        return {event.pk: event for event in self.events}

    @cached_property
    def _timezones(self) -> dict:
        """Each is read from the event's settings, which takes too long to do it for each ticket."""
        return {pk: event.timezone for pk, event in self._events.items()}

    def _event(self, batch: OfflineSalesBatch) -> Event:
        """One for all its batches."""
        return self._events[batch.event_id]

    def _place_headers(self) -> list[str]:
        """What rows of both sheets begin with."""
        return [
            _("Event slug"),
            _("Event"),
            _("Batch"),
            _("Product"),
            _("Variation"),
            pgettext("subevent", "Date"),
            _("Sales channel"),
        ]

    def _place(self, batch: OfflineSalesBatch) -> list:
        event, date = self._event(batch), ""
        if batch.subevent:
            date = f"{batch.subevent.name} {self._moment(batch.subevent.date_from, batch)}"
        return [
            event.slug,
            str(event.name),
            batch.pk,
            str(batch.item),
            str(batch.variation or ""),
            date,
            str(batch.sales_channel.label),
        ]

    def _moment(self, moment: datetime | None, batch: OfflineSalesBatch) -> str:
        """In the event's timezone."""
        return moment.astimezone(self._timezones[batch.event_id]).strftime("%Y-%m-%d %H:%M:%S") if moment else ""
