"""
What papers say, kept as it was: values only, that go through JSON and come back. Who draws one in a year draws the same
content, whatever was renamed, returned or deleted since.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from types import UnionType
from typing import Any, Self, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from django.utils.timezone import localdate, now, override
from pretix.base.i18n import language

from ..models import OfflineSalesBatch

#: What the host's invoices say of the organizer: how it is called in the settings.
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


class Snapshot:
    """
    A frozen dataclass of texts, numbers, ``Decimal``, dates, and of dictionaries, tuples and snapshots of these.
    """

    def to_json(self) -> dict:
        return _plain(self)

    @classmethod
    def from_json(cls, data: dict) -> Self:
        """:param data: of ``to_json``"""
        return _typed(cls, data)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _typed(kind: Any, data: Any) -> Any:
    """:param kind: as fields of a snapshot are declared"""
    if data is None:
        return None
    if is_dataclass(kind):
        kinds = get_type_hints(kind)
        return kind(**{field.name: _typed(kinds[field.name], data[field.name]) for field in fields(kind)})
    if isinstance(kind, UnionType):
        return _typed(get_args(kind)[0], data)
    if get_origin(kind) is dict:
        of_key, of_value = get_args(kind)
        return {_typed(of_key, key): _typed(of_value, value) for key, value in data.items()}
    if get_origin(kind) is tuple:
        return tuple(_typed(get_args(kind)[0], each) for each in data)
    if isinstance(kind, type) and issubclass(kind, date):
        return kind.fromisoformat(data)
    return Decimal(data) if kind is Decimal else data


@dataclass(frozen=True)
class Heading(Snapshot):
    """What all papers about a batch say of it and of whom they come from. Names are in the event's language."""

    batch: int
    testmode: bool
    product: str
    #: The name and time of a date in a series; empty without.
    subevent: str
    sales_channel: str
    currency: str
    #: When all this was so.
    moment: datetime
    #: The event's name, and the days on which it begins and ends, if that is known.
    event: str
    first_day: date
    last_day: date | None
    #: By their names in an invoice, as far as they are known.
    sender: dict[str, str]
    footer: str
    #: How dates and sums are written.
    locale: str
    region: str
    timezone: str

    @classmethod
    def of(cls, batch: OfflineSalesBatch) -> Self:
        event, settings = batch.event, batch.event.settings
        region = settings.region or ""
        with _spoken(settings.locale, region, event.timezone):
            return cls(
                batch=batch.pk,
                testmode=batch.testmode,
                product=batch.public_product,
                subevent=batch.date,
                sales_channel=str(batch.sales_channel.label),
                currency=event.currency,
                moment=now(),
                event=str(event.name),
                first_day=localdate(event.date_from),
                last_day=localdate(event.date_to) if event.date_to else None,
                sender=_sender(batch),
                footer=str(settings.get("invoice_footer_text") or ""),
                locale=settings.locale,
                region=region,
                timezone=str(event.timezone),
            )

    @property
    def spoken(self):
        """A context in which all is said in the event's language and timezone, whoever asks."""
        return _spoken(self.locale, self.region, ZoneInfo(self.timezone))


@contextmanager
def _spoken(locale: str, region: str, timezone) -> Iterator[None]:
    with language(locale, region or None), override(timezone):
        yield


def _sender(batch: OfflineSalesBatch) -> dict[str, str]:
    values = {name.replace("invoice_address_", "invoice_"): batch.event.settings.get(name) for name in SENDER}
    sender = {name: str(value) for name, value in values.items() if value}
    if not {"invoice_from", "invoice_from_name"} & sender.keys():
        sender["invoice_from_name"] = str(batch.event.organizer.name)
    return sender
