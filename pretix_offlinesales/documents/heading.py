"""What all papers say at their top, and how they say all the rest: collected when a paper is asked for."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Self
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.timezone import now, override
from django.utils.translation import pgettext
from hierarkey.proxy import HierarkeyProxy
from pretix.base.i18n import language
from pretix.base.models import Event, Invoice, Organizer

from ..models import OfflineSalesBatch
from .snapshot import Snapshot

#: What the host's invoices say of the organizer: how it is called in the settings, and there.
SENDER = (
    "invoice_address_from",
    "invoice_address_from_name",
    "invoice_address_from_zipcode",
    "invoice_address_from_city",
    "invoice_address_from_state",
    "invoice_address_from_country",
    "invoice_address_from_tax_id",
    "invoice_address_from_vat_id",
)


@dataclass(frozen=True)
class Letter(Snapshot):
    """What all papers say of whom they come from and of the event, and how they say all the rest."""

    currency: str
    #: When all this was so.
    moment: datetime
    #: The event's name, and when it is (see ``event_dates``). Empty if it is about several.
    event: str
    event_dates: str
    #: Whom it comes from, and the last lines of each page.
    sender: str
    footer: str
    #: How dates and sums are written.
    locale: str
    region: str
    timezone: str

    @classmethod
    def of(cls, events: Sequence[Event], moment: datetime, locale: str = "") -> Self:
        """
        :param events: of one organizer and currency, at least one
        :param locale: the language of whoever gets it, if it is not that of the events
        """
        event, settings = (events[0] if len(events) == 1 else None), settings_of(events)
        region, timezone = settings.region or "", ZoneInfo(settings.timezone)
        locale = locale or settings.locale
        with spoken(locale, region, timezone):
            return cls(
                currency=events[0].currency,
                moment=moment,
                event=str(event.name) if event else "",
                event_dates=event_dates(event) if event else "",
                sender=sender(settings, events[0].organizer),
                footer=str(settings.get("invoice_footer_text") or ""),
                locale=locale,
                region=region,
                timezone=str(timezone),
            )

    @property
    def sender_name(self) -> str:
        return self.sender.splitlines()[0]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def spoken(self) -> AbstractContextManager[None]:
        """A context in which all is said in the event's language and timezone, whoever asks."""
        return spoken(self.locale, self.region, self.zone)


@dataclass(frozen=True)
class Heading(Snapshot):
    """What all papers about a batch say of it and of whom they come from. Names are in the event's language."""

    letter: Letter
    batch: int
    testmode: bool
    product: str
    #: The name and time of a date in a series; empty without.
    subevent: str
    sales_channel: str

    @classmethod
    def of(cls, batch: OfflineSalesBatch) -> Self:
        letter = Letter.of([batch.event], now())
        with letter.spoken:
            return cls(
                letter=letter,
                batch=batch.pk,
                testmode=batch.testmode,
                product=batch.public_product,
                subevent=batch.date,
                sales_channel=str(batch.sales_channel.label),
            )


@contextmanager
def spoken(locale: str, region: str, timezone: tzinfo) -> Iterator[None]:
    with language(locale, region or None), override(timezone):
        yield


def settings_of(events: Sequence[Event]) -> HierarkeyProxy:
    """Of a letter about these events: theirs, if they have the same sender and footer; otherwise the organizer's."""
    letterheads = {
        tuple(str(event.settings.get(name)) for name in (*SENDER, "invoice_footer_text")) for event in events
    }
    return events[0].settings if len(letterheads) == 1 else events[0].organizer.settings


def sender(settings: HierarkeyProxy, organizer: Organizer) -> str:
    """The organizer's address and tax numbers, a line each, in the host's words; at least its name."""
    known = {name.replace("invoice_address_from", "invoice_from"): settings.get(name) for name in SENDER}
    if not any(known[name] for name in ("invoice_from", "invoice_from_name")):
        known["invoice_from_name"] = str(organizer.name)
    return Invoice(**known).full_invoice_from


def event_dates(event: Event) -> str:
    """When the event is, on two lines if it has several days; empty where its shop does not say it."""
    if event.has_subevents or not event.settings.show_dates_on_frontpage:
        return ""
    first = event.date_from.astimezone(event.timezone).date()
    last = event.date_to.astimezone(event.timezone).date() if event.settings.show_date_to and event.date_to else first
    if last == first:
        return date_format(first, "DATE_FORMAT")
    return pgettext("invoice", "{from_date}\nuntil {to_date}").format(
        from_date=date_format(first, "DATE_FORMAT"), to_date=date_format(last, "DATE_FORMAT")
    )
