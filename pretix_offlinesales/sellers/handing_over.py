"""
Tickets go from hand to hand: from stock to a seller, back, or from one seller to another. The tickets stay as valid as
they are. It is one transaction, with a document: all of them or none, and nobody decides over them meanwhile (see
``tickets.locking``).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Final, NamedTuple

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _
from pretix.base.models import Event, LogEntry
from pretix.base.templatetags.money import money_filter

from ..db.queries import among, planned_plainly, unscoped
from ..db.rows import reserve_ids
from ..documents.heading import Letter
from ..documents.notes import Note, NoteLine
from ..documents.numbering import next_number
from ..host.webhooks import send_webhooks
from ..jobs.announcing import holding_nobody_up
from ..models import Document, DocumentKind, Movement, OfflineSalesBatch, OfflineSalesTicket, Seller
from ..tickets.books import format_tickets
from ..tickets.figures import Tally
from ..tickets.locking import lock_tickets
from ..tickets.numbers import DASH, format_numbers, ranges_of
from ..tickets.reasons import (
    ALREADY_CANCELED,
    ALREADY_THERE,
    CHECKED_IN,
    HELD_ELSEWHERE,
    LOST,
    SOLD,
    STATED,
    TEST_MODE,
    TEXTS,
    UNKNOWN,
)
from ..tickets.selection import Choice
from ..tickets.state import Fate, with_facts
from ..tickets.worth import NOTHING, money, with_worth
from .exposure import exposures
from .terms import Terms

#: In the histories of the event and of each of the sellers.
HANDED_OVER, SELLER_HANDED_OVER = "pretix_offlinesales.handed_over", "pretix_offlinesales.seller.handed_over"

#: How much is said of which tickets are at fault, in characters.
MAX_NAMED = 500


class Wherever(Enum):
    WHEREVER = "wherever"


#: Nobody has said yet where the tickets are.
WHEREVER: Final = Wherever.WHEREVER


class NotHandedOver(Exception):
    """
    Nothing was handed over.

    ``field`` is what is wrong (``seller`` or ``tickets``), the message says why, to people; ``refused`` has the tickets
    that could not be handed over, each with the reason.
    """

    def __init__(self, field: str, message: str, refused: "Sequence[tuple[Choice, str]]" = ()):
        super().__init__(message)
        self.field = field
        self.refused = list(refused)


class OverLimit(NotHandedOver):
    """The seller would hold or owe more than her credit limit, and nobody who may has confirmed that."""

    def __init__(self, value: Decimal, limit: Decimal, currency: str):
        message = _("The seller would hold or owe {value}, and the credit limit is {limit}.")
        super().__init__(
            "seller", message.format(value=money_filter(value, currency), limit=money_filter(limit, currency))
        )


class Held(NamedTuple):
    """A ticket, and what decides whether it can be handed over."""

    pk: int
    order: int
    batch: int
    number: int
    seller: int | None
    sale: str
    fate: str
    checked_in: bool
    statement: int | None
    worth: Decimal

    @property
    def refusal(self) -> str:
        """Why it can't go anywhere; empty if it can."""
        if self.checked_in:
            return CHECKED_IN
        if self.fate == Fate.REPORTED_LOST:
            return LOST
        if self.fate != Fate.OUTSTANDING:
            return ALREADY_CANCELED
        if self.sale:
            return SOLD
        return STATED if self.statement else ""


class Moved(NamedTuple):
    """Tickets of a batch that cost the same, as a document says it."""

    batch: OfflineSalesBatch
    price: Decimal
    #: Ascending.
    numbers: Sequence[int]

    @property
    def tally(self) -> Tally:
        return Tally(len(self.numbers), self.price * len(self.numbers))


@dataclass
class Plan:
    """What would be handed over, and what is left alone."""

    event: Event
    #: None is the stock.
    source: Seller | None
    target: Seller | None
    tickets: list[Held] = field(default_factory=list)
    #: Each with its reason. ``places`` says who holds those that there are, by order.
    refused: list[tuple[Choice, str]] = field(default_factory=list)
    places: dict[int, Seller | None] = field(default_factory=dict)
    batches: dict[int, OfflineSalesBatch] = field(default_factory=dict)

    @property
    def kind(self) -> DocumentKind:
        return DocumentKind.of_hand_over(self.source, self.target)

    @property
    def total(self) -> Tally:
        return Tally(len(self.tickets), sum((ticket.worth for ticket in self.tickets), NOTHING))

    def by_batch_and_price(self) -> dict[tuple[OfflineSalesBatch, Decimal], list[Held]]:
        """In the order of batches and numbers, the most expensive first."""
        found: dict[tuple[int, Decimal], list[Held]] = defaultdict(list)
        for ticket in sorted(self.tickets, key=lambda ticket: (ticket.batch, -ticket.worth, ticket.number)):
            found[ticket.batch, ticket.worth].append(ticket)
        return {(self.batches[batch], worth): tickets for (batch, worth), tickets in found.items()}

    def moved(self) -> list[Moved]:
        groups = self.by_batch_and_price()
        return [Moved(*group, [ticket.number for ticket in tickets]) for group, tickets in groups.items()]


def look(
    event: Event, target: Seller | None, choices: Sequence[Choice], source: Seller | Wherever | None = WHEREVER
) -> Plan:
    """
    What would happen now, if these were handed over to the target. All come from one place: that of the first that can
    go anywhere, unless a source is named. A constant number of queries.
    """
    named = {choice.ticket.order_id for choice in choices if choice.ticket and not choice.reason}
    found = {ticket.order: ticket for ticket in _fetch(named)}
    plan = Plan(event, None, target, batches=_batches(event, {ticket.batch for ticket in found.values()}))
    sellers = Seller.objects.in_bulk({ticket.seller for ticket in found.values() if ticket.seller})
    if isinstance(source, Wherever):
        plan.source = _source(plan, choices, found, sellers)
    else:
        plan.source = source
    seen = set()
    for choice in choices:
        ticket = found.get(choice.ticket.order_id) if choice.ticket else None
        if ticket and not choice.reason and ticket.order in seen:
            continue
        if reason := choice.reason or (_refusal(plan, ticket) if ticket else UNKNOWN):
            plan.refused.append((choice, reason))
            if ticket:
                plan.places[ticket.order] = sellers.get(ticket.seller) if ticket.seller else None
        elif ticket:
            plan.tickets.append(ticket)
            seen.add(ticket.order)
    return plan


def hand_over(
    event: Event,
    target: Seller | None,
    choices: Sequence[Choice],
    requested_by: dict,
    comment: str = "",
    source: Seller | Wherever | None = WHEREVER,
    over_limit: bool = False,
) -> Document:
    """
    All of them, or nothing.

    :param choices: of ``tickets.selection.choose``; other events' are not found there
    :param requested_by: as the fields of ``Requested``
    :param source: where they must be, if somebody has been shown it
    :param over_limit: as in ``check_seller``
    :raises NotHandedOver: if something stands in the way, for one of them or for all
    """
    with planned_plainly():
        if isinstance(source, Wherever):
            source = _seen_at(event, target, choices)
        source, target = lock_sellers(event, source, target)
        lock_tickets(choice.ticket.order_id for choice in choices if choice.ticket)
        plan = look(event, target, choices, source)
        check(plan, over_limit)
        return _write(plan, requested_by, comment, over_limit)


def check(plan: Plan, over_limit: bool = False) -> None:
    """
    :param over_limit: as in ``check_seller``
    :raises NotHandedOver: if it can't be done as it is
    """
    if plan.refused:
        message = _("Some of these tickets cannot be handed over: {tickets}").format(tickets=_names(plan.refused))
        raise NotHandedOver("tickets", message, plan.refused)
    if not plan.tickets:
        raise NotHandedOver("tickets", _("Please say which tickets are handed over."))
    if plan.target:
        check_seller(plan.target, plan.event, plan.total, over_limit=over_limit)


def check_seller(
    seller: Seller, event: Event, more: Tally, exposure: Decimal | None = None, over_limit: bool = False
) -> None:
    """
    :param more: what she is to get
    :param exposure: as in ``exposures``, if somebody has asked already
    :param over_limit: whether somebody who may change sellers has confirmed that she gets more than her credit limit
    :raises NotHandedOver: if she can't get it; ``OverLimit``, if that is all that stands in the way
    """
    if not seller.active:
        raise NotHandedOver("seller", _("This seller is not active."))
    if seller.currency and seller.currency != event.currency:
        message = _("This seller sells in {currency}, and the tickets of this event are sold in {other}.")
        raise NotHandedOver("seller", message.format(currency=seller.currency, other=event.currency))
    if seller.credit_limit is None or over_limit:
        return
    value = more.value + (exposures([seller])[seller.pk] if exposure is None else exposure)
    if value > seller.credit_limit:
        raise OverLimit(value, seller.credit_limit, event.currency)


def exceeds_limit(seller: Seller | None, more: Tally) -> bool:
    """Whether she would hold or owe more than her credit limit, if she got this, too."""
    if not seller or seller.credit_limit is None:
        return False
    return exposures([seller])[seller.pk] + more.value > seller.credit_limit


def lock_sellers(event: Event, *sellers: Seller | None) -> list[Seller | None]:
    """
    As they are now, and nobody else hands anything over to or by them until the end of the transaction. None stays
    None.

    :raises NotHandedOver: if one was deleted, or is another organizer's
    """
    keys = {seller.pk for seller in sellers if seller}
    rows = unscoped(Seller.objects).filter(pk__in=keys, organizer=event.organizer_id).order_by("pk")
    found = {seller.pk: seller for seller in rows.select_for_update(no_key=True)}
    if keys - found.keys():
        raise NotHandedOver("seller", _("This seller does not exist any more."))
    return [seller and found[seller.pk] for seller in sellers]


def _seen_at(event: Event, target: Seller | None, choices: Sequence[Choice]) -> Seller | None:
    """Where they are before anything is locked. Most often all are at one place, and more need not be known."""
    orders = [choice.ticket.order_id for choice in choices if choice.ticket and not choice.reason]
    tickets = unscoped(OfflineSalesTicket.objects).filter(among("order", orders)).order_by()
    places = set(tickets.values_list("seller", flat=True).distinct()) - {_key(target)}
    if len(places) > 1:
        return look(event, target, choices).source
    return Seller.objects.filter(pk__in=filter(None, places)).first()


def _batches(event: Event, keys: Iterable[int]) -> dict[int, OfflineSalesBatch]:
    batches = OfflineSalesBatch.objects.select_related("item", "variation", "subevent").in_bulk(keys)
    for batch in batches.values():
        batch.event = event
        if batch.subevent:
            batch.subevent.event = event
    return batches


def _fetch(orders: Iterable[int]) -> list[Held]:
    tickets = unscoped(OfflineSalesTicket.objects).filter(among("order", orders))
    known = with_worth(with_facts(tickets))
    columns = ("pk", "order", "batch", "number", "seller", "sale", "fate", "checked_in", "statement", "worth")
    with planned_plainly():
        rows = list(known.order_by().values_list(*columns))
    return [Held._make([*row[:-1], money(row[-1])]) for row in rows]


def _source(plan: Plan, choices: Sequence[Choice], found: dict[int, Held], sellers: dict[int, Seller]) -> Seller | None:
    for choice in choices:
        ticket = found.get(choice.ticket.order_id) if choice.ticket and not choice.reason else None
        if ticket and not _refusal_anywhere(plan, ticket):
            return sellers.get(ticket.seller) if ticket.seller else None
    return None


def _refusal_anywhere(plan: Plan, ticket: Held) -> str:
    """Why it can't go to the target, wherever it is."""
    if plan.batches[ticket.batch].testmode:
        return TEST_MODE
    return ticket.refusal or (ALREADY_THERE if ticket.seller == _key(plan.target) else "")


def _refusal(plan: Plan, ticket: Held) -> str:
    return _refusal_anywhere(plan, ticket) or (HELD_ELSEWHERE if ticket.seller != _key(plan.source) else "")


def _key(seller: Seller | None) -> int | None:
    return seller.pk if seller else None


def _names(refused: Sequence[tuple[Choice, str]]) -> str:
    """``#3: 1–50 (already sold); ABCDE (unknown)``, for people, as far as anybody would read it."""
    numbers: dict[tuple[int, str], list[int]] = defaultdict(list)
    values: dict[str, list[str]] = defaultdict(list)
    for choice, reason in refused:
        if choice.ticket:
            numbers[choice.ticket.batch_id, reason].append(choice.ticket.number)
        else:
            values[reason].append(choice.value)
    named = [(f"#{batch}: {format_numbers(sorted(found), DASH)}", why) for (batch, why), found in numbers.items()]
    named += [(", ".join(given), why) for why, given in values.items()]
    text = "; ".join(f"{name} ({TEXTS[why]})" for name, why in named)
    return text if len(text) <= MAX_NAMED else f"{text[:MAX_NAMED]}…"


def _write(plan: Plan, requested_by: dict, comment: str, over_limit: bool) -> Document:
    moment, above = now(), over_limit and exceeds_limit(plan.target, plan.total)
    [pk] = reserve_ids(Document, 1)
    tickets = unscoped(OfflineSalesTicket.objects).filter(among("pk", (ticket.pk for ticket in plan.tickets)))
    moved = tickets.filter(seller=plan.source).update(
        seller=plan.target,
        document=pk if plan.target else None,
        sold=moment if plan.target and plan.target.firm else None,
    )
    if moved != len(plan.tickets):
        raise RuntimeError("Tickets have changed hands although they were locked")
    document, entry = write_document(
        plan.event, plan.source, plan.target, plan.moved(), pk, moment, requested_by, comment, above
    )
    transaction.on_commit(partial(_tell, plan.event, entry))
    return document


def _tell(event: Event, entry: int) -> None:
    with holding_nobody_up("Webhooks could not be sent"):
        send_webhooks(event, LogEntry.objects.filter(pk=entry))


def write_document(
    event: Event,
    source: Seller | None,
    target: Seller | None,
    moved: Sequence[Moved],
    pk: int,
    moment: datetime,
    requested_by: dict,
    comment: str = "",
    is_above_limit: bool = False,
) -> tuple[Document, int]:
    """
    Write the document, the ledger and the histories, as the last thing of a transaction: whoever needs a number waits.
    Returns also the key of the log entry of the event, which nobody has been told of yet.

    :param source: locked, as the target; at least one is a seller
    :param pk: what the tickets say that they were handed over by
    :param requested_by: as the fields of ``Requested``
    :param is_above_limit: whether the credit limit is exceeded by that, as whoever requested it has confirmed
    """
    sellers = [seller for seller in (source, target) if seller]
    if target and not target.currency:
        target.currency = event.currency
    for seller in sellers:
        seller.last_movement = moment
        seller.save(update_fields=["currency", "last_movement"])
    terms = Terms.of(sellers[-1], event)
    letter = Letter.of([event], moment, sellers[-1].locale)
    with letter.spoken:
        products = {each.batch.item_id: str(each.batch.item.name) for each in moved}
        agreed = terms.sentences(event.currency, products) if target else []
        if is_above_limit:
            agreed.append(_("What the seller holds and owes exceeds the credit limit, as the organizer has confirmed."))
        note = Note.of(letter, source, target, list(map(_line, moved)), agreed, comment)
    whole = sum((each.tally for each in moved), Tally())
    document = Document(
        pk=pk,
        organizer=event.organizer,
        kind=DocumentKind.of_hand_over(source, target),
        event=event,
        source=source,
        target=target,
        created=moment,
        count=whole.count,
        value=whole.value,
        currency=event.currency,
        comment=comment,
        terms=terms.to_json(),
        snapshot=note.to_json(),
        **requested_by,
    )
    document.number = next_number(event.organizer, document.kind)
    document.save(force_insert=True)
    Movement.objects.bulk_create(_movements(document, moved))
    return document, _log(document, sellers, is_above_limit)


def _movements(document: Document, moved: Sequence[Moved]) -> list[Movement]:
    by_batch: dict[OfflineSalesBatch, list[Moved]] = defaultdict(list)
    for each in moved:
        by_batch[each.batch].append(each)
    return [
        Movement(
            document=document,
            batch=batch,
            numbers=ranges_of(sorted(number for each in of_batch for number in each.numbers)),
            count=sum(each.tally.count for each in of_batch),
            value=sum((each.tally.value for each in of_batch), NOTHING),
        )
        for batch, of_batch in by_batch.items()
    ]


def _log(document: Document, sellers: Sequence[Seller], is_above_limit: bool) -> int:
    data = {
        "document": document.pk,
        "kind": document.kind,
        "number": document.number,
        "amount": document.count,
        "source": document.source_id,
        "target": document.target_id,
    }
    if is_above_limit:
        data["over_limit"] = True
    for seller in sellers:
        seller.log_action(SELLER_HANDED_OVER, dict(data), save=False, **document.requester).save()
    assert document.event
    entry = document.event.log_action(HANDED_OVER, data, save=False, **document.requester)
    entry.save()
    return entry.pk


def _line(moved: Moved) -> NoteLine:
    return NoteLine(
        batch=moved.batch.pk,
        product=moved.batch.public_product,
        subevent=moved.batch.date,
        price=moved.price,
        count=moved.tally.count,
        value=moved.tally.value,
        numbers=format_tickets(moved.batch, moved.numbers, DASH),
    )
