"""What the histories of events, batches and orders say."""

from datetime import date
from decimal import Decimal

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _, ngettext
from pretix.base.logentrytypes import (
    EventLogEntryType,
    LogEntryType,
    NoOpShredderMixin,
    OrderLogEntryType,
    log_entry_types,
)
from pretix.base.models import Event, LogEntry
from pretix.base.templatetags.money import money_filter

from . import kinds  # noqa: F401 - all kinds of jobs must be known
from .after_sale.kind import AfterSale, all_after_sale
from .jobs.registry import Kind, all_that_write
from .models import RESULT_LIFETIME, Document, DocumentKind, OfflineSalesBatch
from .models.activation import is_active, is_active_for
from .sellers import records
from .sellers.handing_over import HANDED_OVER, SELLER_HANDED_OVER
from .sellers.payments import PAID
from .sellers.statements import STATED
from .settling.deadlines import PASSED, Passed
from .shredders import COMMENTED, shred_comment
from .tickets.origin import Origin


@log_entry_types.new_from_dict(
    {
        "pretix_offlinesales.preset.added": _("The preset “{name}” for printing offline sales has been saved."),
        "pretix_offlinesales.preset.changed": _("The preset “{name}” for printing offline sales has been changed."),
        "pretix_offlinesales.preset.deleted": _("The preset “{name}” for printing offline sales has been deleted."),
        "pretix_offlinesales.deleted": _(
            "The last order of offline sales batch #{batch} has been deleted, and with it the batch."
        ),
    }
)
class EventChanged(NoOpShredderMixin, EventLogEntryType):
    """In the history of the event, as there is nothing else that has one."""


def _address(event: Event, name: str, **kwargs: object) -> str | None:
    """Of a page of ours, as long as the event has them: histories are shown without the plugin as well."""
    if not is_active(event):
        return None
    place = {"organizer": event.organizer.slug, "event": event.slug}
    return reverse(f"plugins:pretix_offlinesales:{name}", kwargs=place | kwargs)


class HandedOver(NoOpShredderMixin, EventLogEntryType):
    """A document of the organizer's, in the history of the event that its tickets are of."""

    def display(self, logentry: LogEntry, data: dict) -> str:
        return _with_document(
            ngettext(
                "{amount} ticket has been handed over ({document}).",
                "{amount} tickets have been handed over ({document}).",
                data["amount"],
            ),
            data,
        )


@log_entry_types.new(PASSED, "")
class DeadlinePassed(NoOpShredderMixin, EventLogEntryType):
    def display(self, logentry: LogEntry, data: dict) -> str:
        passed = Passed.of(logentry)
        return f"{passed.in_words(logentry.event)} ({passed.tickets})"


class SellerHandedOver(NoOpShredderMixin, LogEntryType):
    """The same in the history of a seller who got them, or gave them away."""

    def display(self, logentry: LogEntry, data: dict) -> str:
        if logentry.object_id == data["target"]:
            text = ngettext(
                "{amount} ticket has been handed over to the seller ({document}).",
                "{amount} tickets have been handed over to the seller ({document}).",
                data["amount"],
            )
        else:
            text = ngettext(
                "{amount} ticket has been taken from the seller ({document}).",
                "{amount} tickets have been taken from the seller ({document}).",
                data["amount"],
            )
        return _with_document(text, data)


def _with_document(text: str, data: dict) -> str:
    document = Document(kind=data["kind"], number=data["number"])
    said = text.format(amount=data["amount"], document=document)
    if data.get("over_limit"):
        said = f"{said} {_('It was confirmed that this is above the credit limit.')}"
    return said


class OfStatement(NoOpShredderMixin, LogEntryType):
    """What was done with a statement, in the history of its seller: the text is followed by a link."""

    #: What the log entry calls the key of the statement.
    _key: str

    def display(self, logentry: LogEntry, data: dict) -> str:
        text = self._said(data)
        organizer = logentry.organizer
        if not organizer or not is_active_for(organizer):
            return text
        place = {"organizer": organizer.slug, "statement": data[self._key]}
        url = reverse("plugins:pretix_offlinesales:seller_statement", kwargs=place)
        return format_html('{} <a href="{}">{}</a>', text, url, self._document(data))

    def _document(self, data: dict) -> Document:
        return Document(kind=DocumentKind.STATEMENT, number=data["number"])

    def _said(self, data: dict) -> str:
        raise NotImplementedError


class Stated(OfStatement):
    _key = "document"

    def _said(self, data: dict) -> str:
        due = money_filter(Decimal(data["due"]), data["currency"])
        return _("A statement of {due} has been made.").format(due=due)


class Paid(OfStatement):
    _key = "statement"

    def _said(self, data: dict) -> str:
        amount = money_filter(Decimal(data["amount"]), data["currency"])
        day = date_format(date.fromisoformat(data["date"]), "SHORT_DATE_FORMAT")
        return _("A payment of {amount} on {date} has been written down.").format(amount=amount, date=day)


class BatchLogEntryType(EventLogEntryType):
    object_link_wrapper = _("Offline sales batch {val}")
    object_link_viewname = "plugins:pretix_offlinesales:batch"
    object_link_argname = "batch"
    content_type = OfflineSalesBatch


@log_entry_types.new(COMMENTED, _("The comment has been changed."))
class BatchChanged(BatchLogEntryType):
    def shred_pii(self, logentry: LogEntry) -> None:
        shred_comment(logentry)


@log_entry_types.new_from_dict(
    {
        records.ADDED: _("The seller has been created."),
        records.CHANGED: _("The seller has been changed."),
        records.DELETED: _("Seller {seller} of offline sales has been deleted."),
        records.ERASED: _("The personal data of the seller has been deleted."),
    }
)
class SellerLogEntryType(LogEntryType):
    """In the history of the organizer."""

    object_link_wrapper = _("Seller {val}")

    def get_object_link_info(self, logentry: LogEntry) -> dict | None:
        if not (seller := logentry.content_object):
            return {"val": _("(deleted)")}
        organizer = seller.organizer
        if not is_active_for(organizer):
            return {"val": str(seller)}
        place = {"organizer": organizer.slug, "seller": seller.pk}
        return {"val": str(seller), "href": reverse("plugins:pretix_offlinesales:seller", kwargs=place)}

    def shred_pii(self, logentry: LogEntry) -> None:
        records.shred(logentry)


class JobLogEntryType(NoOpShredderMixin, BatchLogEntryType):
    """What a job has done with some of the batch's tickets. The result of some can be looked at for a while."""

    def __init__(self, kind: Kind):
        super().__init__(kind.action, kind.history)
        self._kind = kind

    def display(self, logentry: LogEntry, data: dict) -> str:
        text = self._kind.describe(data)
        if "job" not in data or logentry.datetime < now() - RESULT_LIFETIME:
            return text
        url = _address(logentry.event, "result", job=data["job"])
        return format_html('{} <a href="{}">{}</a>', text, url, _("Show result")) if url else text


@log_entry_types.new("pretix_offlinesales.order.issued")
class OrderIssued(NoOpShredderMixin, OrderLogEntryType):
    """The text is the link, because the order's own history has no other."""

    def display(self, logentry: LogEntry, data: dict) -> str:
        if not (origin := Origin.parse(data)):
            return str(_("The order has been issued for offline sales."))
        url = _address(logentry.event, "batch", batch=origin.batch)
        return format_html('<a href="{}">{}</a>.', url, origin) if url else f"{origin}."


class AfterSaleLogEntryType(NoOpShredderMixin, OrderLogEntryType):
    """What was done with the ticket that the order is."""

    def __init__(self, kind: AfterSale):
        super().__init__(kind.order_action, kind.order_history)
        self._kind = kind

    def display(self, logentry: LogEntry, data: dict) -> str:
        return self._kind.describe_order(data)


log_entry_types.register(HandedOver(HANDED_OVER, ""), SellerHandedOver(SELLER_HANDED_OVER, ""))
log_entry_types.register(Stated(STATED, ""), Paid(PAID, ""))
log_entry_types.register(*map(JobLogEntryType, all_that_write()))
log_entry_types.register(*(AfterSaleLogEntryType(kind) for kind in all_after_sale() if kind.order_history))
