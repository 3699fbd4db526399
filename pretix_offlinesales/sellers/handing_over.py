"""
Tickets go from hand to hand: from stock to a seller, back, or from one seller to another. The tickets stay as valid as
they are. It is one transaction, with a document: all of them or none.

Who decides over a ticket locks its row, or writes it, so that nobody decides beside another. Rows are locked in this
order: sellers, by key; tickets, by key; the counter of documents.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext as _
from pretix.base.models import Event
from pretix.base.templatetags.money import money_filter

from ..db.queries import exists_for_each, planned_plainly, unscoped
from ..db.rows import reserve_ids
from ..documents.notes import Note, NoteLine
from ..documents.numbering import next_number
from ..models import Document, DocumentKind, Movement, OfflineSalesBatch, OfflineSalesTicket, Seller
from ..tickets.figures import Tally, figures
from ..tickets.numbers import DASH, format_numbers, ranges_of
from ..tickets.reasons import (
    ALREADY_CANCELED,
    ALREADY_THERE,
    CHECKED_IN,
    HELD_ELSEWHERE,
    LOST,
    SOLD,
    TEST_MODE,
)
from ..tickets.selection import Choice
from ..tickets.state import Fate, entries_with_it, with_fate
from ..tickets.worth import NOTHING, money, with_worth
from .terms import Terms

#: Nobody has looked yet where the tickets are.
WHEREVER = object()


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


class Held(NamedTuple):
    """A ticket, and what decides whether it can be handed over."""

    pk: int
    order: int
    batch: int
    number: int
    seller: int | None
    is_sold: bool
    fate: str
    checked_in: bool
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
        return SOLD if self.is_sold else ""


@dataclass
class Plan:
    """What would be handed over, and what is left alone."""

    event: Event
    #: None is the stock.
    source: Seller | None
    target: Seller | None
    tickets: list[Held] = field(default_factory=list)
    #: Each with its reason. ``places`` says who holds those that are somewhere else.
    refused: list[tuple[Choice, str]] = field(default_factory=list)
    places: dict[int, Seller | None] = field(default_factory=dict)
    batches: dict[int, OfflineSalesBatch] = field(default_factory=dict)

    @property
    def kind(self) -> DocumentKind:
        return DocumentKind.of_hand_over(self.source, self.target)

    @property
    def total(self) -> Tally:
        return sum((Tally(1, ticket.worth) for ticket in self.tickets), Tally())

    def by_batch_and_price(self) -> dict[tuple[OfflineSalesBatch, Decimal], list[Held]]:
        """In the order of batches and numbers, the most expensive first."""
        found = defaultdict(list)
        for ticket in sorted(self.tickets, key=lambda ticket: (ticket.batch, -ticket.worth, ticket.number)):
            found[self.batches[ticket.batch], ticket.worth].append(ticket)
        return found


def look(event: Event, target: Seller | None, choices: Sequence[Choice], source: object = WHEREVER) -> Plan:
    """
    What would happen now, if these were handed over to the target. All come from one place: that of the first that can
    go anywhere, unless a source is named.
    """
    chosen = {choice.ticket.order_id: choice for choice in choices if choice.ticket and not choice.reason}
    found = {ticket.order: ticket for ticket in _fetch(chosen)}
    batches = OfflineSalesBatch.objects.select_related("item", "variation", "subevent")
    plan = Plan(event, None, target, batches=batches.in_bulk({ticket.batch for ticket in found.values()}))
    for batch in plan.batches.values():
        batch.event = event
    sellers = Seller.objects.in_bulk({ticket.seller for ticket in found.values() if ticket.seller})
    movable = [ticket for order in chosen if not (ticket := found[order]).refusal and ticket.seller != _key(target)]
    if source is not WHEREVER:
        plan.source = source  # type: ignore[assignment]  # a seller or the stock
    elif movable:
        plan.source = sellers.get(movable[0].seller)  # type: ignore[arg-type]  # the stock is not found
    for choice in choices:
        if not choice.ticket or choice.reason:
            plan.refused.append((choice, choice.reason))
            continue
        ticket = found[choice.ticket.order_id]
        if reason := _refusal(plan, ticket):
            plan.refused.append((choice, reason))
            plan.places[ticket.order] = sellers.get(ticket.seller) if ticket.seller else None
        else:
            plan.tickets.append(ticket)
    return plan


def hand_over(
    event: Event, target: Seller | None, choices: Sequence[Choice], requested_by: dict, comment: str = ""
) -> Document:
    """
    :param choices: of ``tickets.selection.choose``; other events' are not found there
    :param requested_by: as the fields of ``Requested``
    :raises NotHandedOver: if something stands in the way, for one of them or for all
    """
    with planned_plainly():
        source = look(event, target, choices).source
        source, target = _locked(source, target)
        lock_tickets(choice.ticket.order_id for choice in choices if choice.ticket)
        plan = look(event, target, choices, source)
        check(plan)
        return _write(plan, requested_by, comment)


def check(plan: Plan) -> None:
    """:raises NotHandedOver: if it can't be done as it is"""
    if plan.refused:
        raise NotHandedOver("tickets", _("Some of these tickets cannot be handed over."), plan.refused)
    if not plan.tickets:
        raise NotHandedOver("tickets", _("Please say which tickets are handed over."))
    if plan.target:
        check_seller(plan.target, plan.event, plan.total)


def check_seller(seller: Seller, event: Event, more: Tally, exposure: Decimal | None = None) -> None:
    """
    :param more: what she is to get
    :param exposure: as in ``exposures``, if somebody has asked already
    :raises NotHandedOver: if she can't get it
    """
    if not seller.active:
        raise NotHandedOver("seller", _("This seller is not active."))
    if seller.currency and seller.currency != event.currency:
        message = _("This seller sells in {currency}, and the tickets of this event are sold in {other}.")
        raise NotHandedOver("seller", message.format(currency=seller.currency, other=event.currency))
    if seller.credit_limit is not None:
        value = more.value + (exposures([seller])[seller.pk] if exposure is None else exposure)
        if value > seller.credit_limit:
            message = _("The seller would hold or owe {value}, and the credit limit is {limit}.")
            shown = {"value": value, "limit": seller.credit_limit}
            raise NotHandedOver(
                "seller", message.format(**{name: money_filter(each, event.currency) for name, each in shown.items()})
            )


def exposures(sellers: Iterable[Seller]) -> dict[int, Decimal]:
    """The face value of what each of them holds or owes, over all events, in one query."""
    keys = [seller.pk for seller in sellers]
    found = figures(unscoped(OfflineSalesTicket.objects).filter(seller__in=keys), by="seller") if keys else {}
    return {pk: (found[pk].outstanding + found[pk].reported_lost).value for pk in keys}


def lock_tickets(orders: Iterable[int]) -> None:
    """Nobody else decides over the tickets of these orders until the end of the transaction."""
    tickets = unscoped(OfflineSalesTicket.objects).filter(order__in=list(orders)).order_by("pk")
    for _pk in tickets.select_for_update(no_key=True).values_list("pk"):
        pass


def _locked(*sellers: Seller | None) -> list[Seller | None]:
    keys = [seller.pk for seller in sellers if seller]
    rows = unscoped(Seller.objects).select_for_update(no_key=True).filter(pk__in=keys).order_by("pk")
    found = {seller.pk: seller for seller in rows}
    return [seller and found[seller.pk] for seller in sellers]


def _fetch(orders: Iterable[int]) -> list[Held]:
    tickets = unscoped(OfflineSalesTicket.objects).filter(order__in=list(orders))
    known = with_worth(with_fate(tickets)).annotate(
        is_sold=Q(sold__isnull=False), checked_in=exists_for_each(entries_with_it())
    )
    columns = ("pk", "order", "batch", "number", "seller", "is_sold", "fate", "checked_in", "worth")
    return [Held(*row[:-1], money(row[-1])) for row in known.order_by().values_list(*columns)]


def _refusal(plan: Plan, ticket: Held) -> str:
    if plan.batches[ticket.batch].testmode:
        return TEST_MODE
    if ticket.refusal:
        return ticket.refusal
    if ticket.seller == _key(plan.target):
        return ALREADY_THERE
    return HELD_ELSEWHERE if ticket.seller != _key(plan.source) else ""


def _key(seller: Seller | None) -> int | None:
    return seller.pk if seller else None


def _write(plan: Plan, requested_by: dict, comment: str) -> Document:
    moment = now()
    [pk] = reserve_ids(Document, 1)
    tickets = unscoped(OfflineSalesTicket.objects).filter(pk__in=[ticket.pk for ticket in plan.tickets])
    moved = tickets.filter(seller=plan.source).update(
        seller=plan.target,
        document=pk if plan.target else None,
        sold=moment if plan.target and plan.target.firm else None,
    )
    if moved != len(plan.tickets):
        raise RuntimeError("Tickets have changed hands although they were locked")
    return write_document(plan, pk, moment, requested_by, comment)


def write_document(plan: Plan, pk: int, moment: datetime, requested_by: dict, comment: str) -> Document:
    """
    Write the document of a plan, and the ledger, as the last thing of a transaction: whoever needs a number waits.

    :param pk: what the tickets say that they were handed over by
    """
    event, terms = plan.event, Terms.of(plan.target or plan.source, plan.event)  # type: ignore[arg-type]
    if plan.target and not plan.target.currency:
        plan.target.currency = event.currency
    for seller in (plan.source, plan.target):
        if seller:
            seller.last_movement = moment
            seller.save(update_fields=["currency", "last_movement"])
    groups = plan.by_batch_and_price()
    note = Note.of(event, moment, plan.source, plan.target, _lines(groups), [], comment)
    document = Document.objects.create(
        pk=pk,
        organizer=event.organizer,
        kind=plan.kind,
        number=next_number(event.organizer, plan.kind),
        event=event,
        source=plan.source,
        target=plan.target,
        created=moment,
        count=plan.total.count,
        value=plan.total.value,
        currency=event.currency,
        comment=comment,
        terms=terms.to_json(),
        snapshot=note.to_json(),
        **requested_by,
    )
    by_batch: dict[OfflineSalesBatch, list[Held]] = defaultdict(list)
    for (batch, _price), tickets in groups.items():
        by_batch[batch] += tickets
    Movement.objects.bulk_create(
        Movement(
            document=document,
            batch=batch,
            numbers=ranges_of(sorted(ticket.number for ticket in tickets)),
            count=len(tickets),
            value=sum((ticket.worth for ticket in tickets), NOTHING),
        )
        for batch, tickets in by_batch.items()
    )
    return document


def _lines(groups: dict[tuple[OfflineSalesBatch, Decimal], list[Held]]) -> list[NoteLine]:
    return [
        NoteLine(
            batch=batch.pk,
            product=batch.public_product,
            subevent=batch.date,
            price=price,
            count=len(tickets),
            value=price * len(tickets),
            numbers=format_numbers((ticket.number for ticket in tickets), DASH),
        )
        for (batch, price), tickets in groups.items()
    ]
