"""
Tickets that sellers still hold although the agreed deadline has passed: they count as sold, or stay where they are, as
was agreed. Either way the team is told, by an entry in the history of the event.

What was handed over by a document is dealt with once (for each date, if the event has some): these entries say by which
documents. So what somebody has undone since stays undone, and who gets tickets after the deadline has them dealt with
as well. As long as nothing is new, few rows are read.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.timezone import now
from django.utils.translation import gettext as _, ngettext
from pretix.base.models import Event, LogEntry, SubEvent

from ..db.queries import planned_plainly, unscoped
from ..models import DeadlineAction, Document, DocumentKind, Job, OfflineSalesTicket, Seller
from ..models.activation import is_active
from ..sellers.days import A_DAY, begins, days_of
from ..sellers.terms import Terms
from ..tickets.numbers import DASH, format_ranges, ranges_of
from ..tickets.selection import By, Selection
from ..tickets.state import IN_STATE, State, with_facts
from .kinds import DECLARE_SOLD

logger = logging.getLogger(__name__)

#: In the history of an event.
PASSED = "pretix_offlinesales.deadline"

#: What is longer over is over: nobody wants to hear of it who switches the plugin on again.
OVER = timedelta(days=30)


class Agreed(NamedTuple):
    """In a document."""

    seller: int
    event: int
    days: int
    action: str


class Group(NamedTuple):
    """What tickets have in common: the columns of ``_HELD``."""

    document: int
    event: int
    subevent: int | None


_HELD = ("document", "batch__event", "batch__subevent")


class Told(NamedTuple):
    """What one entry is about."""

    seller: int
    subevent: int | None
    #: The last day on which the tickets could have come back.
    last: date
    action: str


@dataclass(frozen=True)
class Passed:
    """What an entry says."""

    seller: int
    subevent: int | None
    last: str
    action: str
    documents: list[int]
    #: Of the tickets, by batch: ranges, each with its first and last number.
    numbers: dict[str, list[list[int]]]

    @classmethod
    def of(cls, entry: LogEntry) -> "Passed":
        return cls(**entry.parsed_data)

    @property
    def amount(self) -> int:
        return sum(last - first + 1 for ranges in self.numbers.values() for first, last in ranges)

    @property
    def tickets(self) -> str:
        """``#3: 1–50``"""
        return "; ".join(f"#{batch}: {format_ranges(ranges, DASH)}" for batch, ranges in self.numbers.items())

    @property
    def day(self) -> str:
        return date_format(date.fromisoformat(self.last), "SHORT_DATE_FORMAT")

    def date(self, event: Event) -> str:
        """Of the tickets, as people call it; empty without dates, or if it was deleted."""
        subevent = SubEvent.objects.filter(pk=self.subevent, event=event).first() if self.subevent else None
        return f"{subevent.name} – {subevent.get_date_range_display_with_times()}" if subevent else ""

    def in_words(self, event: Event) -> str:
        """The name is looked up, since it may have been deleted since."""
        seller = Seller.objects.filter(pk=self.seller, organizer=event.organizer).first()
        if self.action == DeadlineAction.SOLD:
            text = ngettext(
                "{seller}: the deadline has passed, and {amount} ticket counts as sold.",
                "{seller}: the deadline has passed, and {amount} tickets count as sold.",
                self.amount,
            )
        else:
            text = ngettext(
                "{seller}: the deadline has passed, and {amount} ticket is not back.",
                "{seller}: the deadline has passed, and {amount} tickets are not back.",
                self.amount,
            )
        return text.format(seller=seller.name if seller else _("(deleted)"), amount=self.amount)


def pass_deadlines() -> Iterator[Job]:
    """Deal with all that is new, of all events. Gives the jobs that are to be done."""
    oldest = now() - OVER
    agreed = _agreed(oldest)
    if not agreed:
        return
    told = _told({each.event for each in agreed.values()})
    agreed = {pk: each for pk, each in agreed.items() if (pk, None) not in told}
    groups = [group for group in _held(agreed, oldest) if (group.document, group.subevent) not in told]
    days = days_of((group.event, group.subevent) for group in groups) if groups else {}
    by_event: dict[int, dict[Group, Told]] = defaultdict(dict)
    for group in groups:
        seller, _event, before, action = agreed[group.document]
        day = days[group.event, group.subevent]
        if day.is_after(before):
            by_event[group.event][group] = Told(seller, group.subevent, day.last(before), action)
    for event in unscoped(Event.objects).filter(pk__in=by_event).select_related("organizer").order_by("pk"):
        if is_active(event):
            try:
                job = _pass(event, by_event[event.pk])
            except Exception:
                logger.exception("Deadlines of event %s could not be dealt with", event.pk)
            else:
                yield from [job] if job else []


def _agreed(oldest: datetime) -> dict[int, Agreed]:
    """By documents, those of events that are not over."""
    with_dates = unscoped(SubEvent.objects).filter(date_from__gt=oldest).values("event")
    documents = unscoped(Document.objects).filter(
        Q(event__date_from__gt=oldest) | Q(event__in=with_dates), target__isnull=False
    )
    documents = documents.exclude(kind=DocumentKind.STATEMENT)  # which gives nobody anything
    found = {}
    for pk, seller, event, stored in documents.values_list("pk", "target", "event", "terms"):
        terms = Terms.from_json(stored)
        if terms.deadline_days is not None:
            found[pk] = Agreed(seller, event, terms.deadline_days, terms.deadline_action)
    return found


def _told(events: Collection[int]) -> set[tuple[int, int | None]]:
    """The documents that were dealt with, each with a date."""
    entries = LogEntry.all.filter(
        content_type=ContentType.objects.get_for_model(Event), object_id__in=events, action_type=PASSED
    )
    passed = map(Passed.of, entries)
    return {(document, each.subevent) for each in passed for document in each.documents}


def _held(agreed: dict[int, Agreed], oldest: datetime) -> list[Group]:
    """Of what was handed over by these documents, what may be late."""
    latest = now() + timedelta(days=max((each.days for each in agreed.values()), default=0)) + A_DAY
    tickets = _tickets(agreed, {each.seller for each in agreed.values()})
    tickets = tickets.alias(begins=begins()).filter(begins__gt=oldest, begins__lt=latest)
    with planned_plainly():
        return [Group(*row) for row in tickets.values_list(*_HELD).distinct()]


def _tickets(documents: Iterable[int], sellers: Collection[int]) -> QuerySet[OfflineSalesTicket]:
    """Those that are still held."""
    tickets = unscoped(OfflineSalesTicket.objects).filter(seller__in=sellers, document__in=list(documents), sold=None)
    return with_facts(tickets).filter(IN_STATE[State.HELD]).order_by()


@transaction.atomic
def _pass(event: Event, groups: dict[Group, Told]) -> Job | None:
    """Whoever comes at the same time waits, and then finds that it has been done."""
    sellers = {told.seller for told in groups.values()}
    list(unscoped(Seller.objects).filter(pk__in=sellers).order_by("pk").select_for_update(no_key=True))
    known = _told([event.pk])
    groups = {group: told for group, told in groups.items() if (group.document, group.subevent) not in known}
    documents: dict[Told, set[int]] = defaultdict(set)
    numbers: dict[Told, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    tickets = _tickets({group.document for group in groups}, sellers).order_by("batch", "number")
    with planned_plainly():
        rows = list(tickets.values_list(*_HELD, "batch", "number"))
    for *group, batch, number in rows:
        if told := groups.get(Group(*group)):
            documents[told].add(group[0])
            numbers[told][batch].append(number)
    for told in numbers:
        _log(event, told, documents[told], numbers[told])
    sold = [told for told in numbers if told.action == DeadlineAction.SOLD]
    return _declare_sold(event, {told.seller for told in sold}, [numbers[told] for told in sold]) if sold else None


def _log(event: Event, told: Told, documents: Collection[int], numbers: dict[int, list[int]]) -> None:
    data: dict[str, Any] = told._asdict() | {"last": told.last.isoformat(), "documents": sorted(documents)}
    event.log_action(PASSED, data | {"numbers": {str(batch): ranges_of(found) for batch, found in numbers.items()}})


def _declare_sold(event: Event, sellers: Collection[int], numbers: Iterable[dict[int, list[int]]]) -> Job:
    ranges = [(batch, each) for found in numbers for batch, of in found.items() for each in ranges_of(of)]
    lines = [f"#{batch}: {format_ranges([each])}" for batch, each in sorted(ranges)]
    key = uuid5(NAMESPACE_URL, json.dumps([PASSED, event.pk, lines]))
    return DECLARE_SOLD.ask(
        event, Selection(By.LINES, tuple(lines)), {}, pk=key, sellers=sorted(sellers), deadline=True
    )
