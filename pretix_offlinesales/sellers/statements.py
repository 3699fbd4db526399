"""
Statements: what a seller owes for tickets that are sold or lost, less what earlier statements say, and less her
commission.

Whoever rounds the commission of each line leaves money behind. So the commission and its tax are the rounded sums over
all that was ever stated at the same terms, less what was stated of them before: when everything has come back, nothing
is left. (Tried over random histories, and held by a test.)
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum
from django.utils.timezone import now
from django.utils.translation import gettext as _
from pretix.base.models import Event

from ..db.queries import among, planned_plainly, unscoped
from ..db.rows import reserve_ids, update_from
from ..documents.bank_account import account_in
from ..documents.heading import Letter, settings_of
from ..documents.notes import Party
from ..documents.numbering import SELF_BILLING, next_number
from ..documents.statements import CommissionLine, SellerStatement, StatementLine, TaxLine
from ..models import (
    Document,
    DocumentKind,
    InvoicedBy,
    OfflineSalesBatch,
    OfflineSalesTicket,
    Seller,
    Statement,
    StatementEntry,
)
from ..tickets.books import format_tickets
from ..tickets.figures import Tally
from ..tickets.ledger import Share
from ..tickets.locking import lock_tickets
from ..tickets.numbers import DASH, format_numbers
from ..tickets.worth import NOTHING, money
from .agreements import Agreements
from .owing import Change, Sold, changes, write_taxes
from .payments import lock, log
from .terms import Commissioned

#: In the history of the seller.
STATED = "pretix_offlinesales.seller.stated"


class NothingToState(Exception):
    """With a message for people."""

    def __init__(self):
        super().__init__(_("There is nothing to be stated: nothing has changed since the last statement."))


@dataclass
class Draft:
    """A statement as it would be made now."""

    seller: Seller
    events: list[Event]
    until: datetime
    moment: datetime
    changes: list[Change]
    #: All that is owed, by ticket.
    sold: dict[int, Sold]
    batches: dict[int, OfflineSalesBatch] = field(default_factory=dict)

    @cached_property
    def agreements(self) -> Agreements:
        return Agreements(
            [*(change.debt.agreed for change in self.changes), *(agreed for agreed, _item in self._before)]
        )

    @cached_property
    def _before(self) -> dict[tuple[int, int], Tally]:
        """What was stated of this seller so far, by document and product."""
        entries = unscoped(StatementEntry.objects).filter(statement__seller=self.seller).order_by()
        sums = entries.values("agreed", "item").annotate(amount=Sum("count"), value=Sum(F("count") * F("price")))
        return {(row["agreed"], row["item"]): Tally(row["amount"], money(row["value"])) for row in sums}

    @cached_property
    def commissions(self) -> dict[str, Commissioned]:
        """What this statement adds, by the key of the terms (see ``Agreements``)."""
        before: dict[str, dict[int, Tally]] = defaultdict(lambda: defaultdict(Tally))
        after: dict[str, dict[int, Tally]] = defaultdict(lambda: defaultdict(Tally))
        for (agreed, item), tally in self._before.items():
            for sums in (before, after):
                sums[self.agreements.key(agreed)][item] += tally
        for change in self.changes:
            after[self.agreements.key(change.debt.agreed)][change.debt.item] += _tally(change)
        touched = {self.agreements.key(change.debt.agreed): None for change in self.changes}
        on = self.agreements.commission_on
        return {key: on(key, after[key]) - on(key, before[key]) for key in touched}

    @property
    def total(self) -> Decimal:
        return sum((change.sign * change.debt.price for change in self.changes), NOTHING)

    @property
    def commission(self) -> Decimal:
        return sum((sums.net for sums in self.commissions.values()), NOTHING)

    @property
    def commission_tax(self) -> Decimal:
        return sum((sums.tax for sums in self.commissions.values()), NOTHING)

    @property
    def due(self) -> Decimal:
        return self.total - self.commission - self.commission_tax

    @property
    def since(self) -> datetime | None:
        """When the first of the tickets was sold that it adds."""
        moments = (self.sold[change.ticket].moment for change in self.changes if change.sign > 0)
        return min((moment for moment in moments if moment), default=None)

    @property
    def currency(self) -> str:
        return self.seller.currency or self.events[0].currency

    @property
    def is_self_billing(self) -> bool:
        """Whether it is the organizer's invoice to herself about the seller's commission."""
        terms = {key: self.agreements.terms(key) for key in self.commissions}
        by_organizer = {key for key, each in terms.items() if each.invoiced_by == InvoicedBy.ORGANIZER}
        return any(self.commissions[key].net for key in by_organizer)

    def snapshot(self) -> SellerStatement:
        """Without the number that it may have as an invoice."""
        letter = Letter.of(self.events, self.moment, self.seller.locale)
        with letter.spoken:
            lines = tuple(self._lines())
            return SellerStatement(
                letter=letter,
                seller=_party(self.seller),
                since=self.since,
                until=self.until,
                lines=lines,
                taxes=_sum_by_rate(lines),
                commissions=tuple(self._commission_lines()),
                total=self.total,
                commission=self.commission,
                commission_tax=self.commission_tax,
                due=self.due,
                pay_until=self.pay_until(letter),
                account=account_in(settings_of(self.events)) if self.due > 0 else (),
                invoice_number=None,
            )

    def pay_until(self, letter: Letter) -> date | None:
        if self.due <= 0:
            return None
        return self.moment.astimezone(letter.zone).date() + timedelta(days=self.seller.payment_days)

    def _lines(self) -> Iterable[StatementLine]:
        alike: dict[tuple, list[Change]] = defaultdict(list)
        for change in self.changes:
            batch = self.batches[change.place.batch]
            product = batch.event_id, batch.subevent_id or 0, batch.item_id, batch.variation_id or 0
            debt, agreed = change.debt, self.agreements.key(change.debt.agreed)
            alike[*product, -change.sign, -debt.price, debt.taxes, agreed].append(change)
        for key in sorted(alike):
            yield self._line(alike[key])

    def _line(self, alike: Sequence[Change]) -> StatementLine:
        change, count = alike[0], sum(change.sign for change in alike)
        debt, batch = change.debt, self.batches[change.place.batch]
        terms = self.agreements[debt.agreed]
        numbers: dict[int, list[int]] = defaultdict(list)
        for each in alike:
            numbers[each.place.batch].append(each.place.number)
        taxes = tuple(_tax_line(share, count) for share in debt.taxes)
        return StatementLine(
            event=str(batch.event.name),
            slug=batch.event.slug,
            product=batch.public_product,
            item=batch.item_id,
            variation=batch.variation_id,
            subevent=batch.date,
            tickets={pk: format_numbers(found) for pk, found in numbers.items()},
            numbers=tuple(f"#{pk}: {format_tickets(self.batches[pk], found, DASH)}" for pk, found in numbers.items()),
            price=debt.price,
            count=count,
            gross=debt.price * count,
            net=sum((line.net for line in taxes), NOTHING),
            tax=sum((line.tax for line in taxes), NOTHING),
            taxes=taxes,
            rate=terms.rates.get(debt.item, terms.rate).in_words(self.currency),
        )

    def _commission_lines(self) -> Iterable[CommissionLine]:
        tallies: dict[str, Tally] = defaultdict(Tally)
        products: dict[str, dict[int, str]] = defaultdict(dict)
        for change in self.changes:
            key, batch = self.agreements.key(change.debt.agreed), self.batches[change.place.batch]
            tallies[key] += _tally(change)
            products[key][change.debt.item] = str(batch.item.name)
        for key, sums in self.commissions.items():
            terms = self.agreements.terms(key)
            if not (any(sums) or any(terms.rates.get(item, terms.rate) for item in products[key])):
                continue
            yield CommissionLine(
                rate="\n".join(terms.commission_sentences(self.currency, products[key])),
                count=tallies[key].count,
                gross=tallies[key].value,
                commission=sums.net,
                tax_rate=terms.tax_rate,
                tax=sums.tax,
                tax_text=terms.tax_text,
                invoiced_by=terms.invoiced_by,
            )


def look(seller: Seller, events: Sequence[Event], until: datetime, only: Collection[int] | None = None) -> Draft:
    """
    What a statement would say now. A constant number of queries.

    :param events: of the seller's organizer, at least one
    :param only: look only at these tickets, by their keys
    """
    found, sold = changes(seller, events, until, only)
    draft = Draft(seller, list(events), until, now(), found, sold)
    draft.batches = _batches(events, {change.place.batch for change in found})
    return draft


@transaction.atomic
def make(seller: Seller, events: Sequence[Event], until: datetime, requested_by: dict) -> Statement:
    """
    :param events: of the seller's organizer, at least one
    :param requested_by: as the fields of ``Requested``
    :raises NothingToState: if it would be empty
    """
    with planned_plainly():
        seller = lock(seller.pk)
        found, sold = changes(seller, events, until)
        _lock(found)
        # What was decided over the tickets meanwhile counts; what else was sold meanwhile is for the next one.
        draft = look(seller, events, until, only={change.ticket for change in found})
        if not draft.changes:
            raise NothingToState
        return _write(draft, requested_by)


def events_of(seller: Seller) -> QuerySet[Event]:
    """Those that a statement may be about: of which she holds tickets, or has been told that she owes some."""
    tickets = unscoped(OfflineSalesTicket.objects).order_by()
    concerned = tickets.filter(Q(seller=seller) | Q(statement__seller=seller))
    return Event.objects.filter(pk__in=concerned.values("batch__event")).order_by("date_from", "pk")


def _lock(found: Sequence[Change]) -> None:
    keys = {change.ticket for change in found}
    orders = unscoped(OfflineSalesTicket.objects).filter(among("pk", keys)).order_by()
    lock_tickets(list(orders.values_list("order", flat=True)))


def _write(draft: Draft, requested_by: dict) -> Statement:
    [pk] = reserve_ids(Document, 1)
    seller, organizer = draft.seller, draft.seller.organizer
    StatementEntry.objects.bulk_create(_entries(pk, draft.changes))
    _mark(pk, draft)
    snapshot = draft.snapshot()
    document = Document(
        pk=pk,
        organizer=organizer,
        kind=DocumentKind.STATEMENT,
        event=draft.events[0] if len(draft.events) == 1 else None,
        target=seller,
        created=draft.moment,
        count=len({change.ticket for change in draft.changes}),
        value=draft.total,
        currency=draft.currency,
        **requested_by,
    )
    # Numbers are the last thing that anybody may have to wait for.
    document.number = number = next_number(organizer, DocumentKind.STATEMENT)
    invoice_number = next_number(organizer, SELF_BILLING) if draft.is_self_billing else None
    document.snapshot = replace(snapshot, invoice_number=invoice_number).to_json()
    document.save(force_insert=True)
    statement = Statement(
        document=document,
        seller=seller,
        until=draft.until,
        pay_until=snapshot.pay_until,
        total=draft.total,
        commission=draft.commission,
        commission_tax=draft.commission_tax,
        due=draft.due,
        invoice_number=invoice_number,
    )
    statement.save(force_insert=True)
    statement.events.set(draft.events)
    data = {"document": pk, "number": number, "due": draft.due, "currency": draft.currency}
    log(seller, STATED, data, document)
    return statement


def _entries(statement: int, found: Iterable[Change]) -> list[StatementEntry]:
    return [
        StatementEntry(
            statement_id=statement,
            ticket_id=change.ticket,
            count=change.sign,
            price=change.debt.price,
            taxes=write_taxes(change.debt.taxes),
            agreed_id=change.debt.agreed,
            item=change.debt.item,
        )
        for change in found
    ]


def _mark(statement: int, draft: Draft) -> None:
    """What is stated stays sold until its order changes: also if an entry is taken back that says so."""
    tickets = unscoped(OfflineSalesTicket.objects)
    stated = {change.ticket for change in draft.changes if change.sign > 0}
    taken_back = {change.ticket for change in draft.changes} - stated
    tickets.filter(among("pk", taken_back)).update(statement=None, settled=None)
    tickets.filter(among("pk", stated)).update(statement=statement, settled=None)
    unsaid = tickets.filter(among("pk", stated), sold=None, lost=None).values_list("pk", flat=True)
    if let_in := list(unsaid):
        moments = [(draft.sold[pk].moment or draft.moment).isoformat() for pk in let_in]
        update_from(OfflineSalesTicket, let_in, sold=moments)


def _batches(events: Sequence[Event], keys: Iterable[int]) -> dict[int, OfflineSalesBatch]:
    by_key = {event.pk: event for event in events}
    batches = unscoped(OfflineSalesBatch.objects).select_related("item", "variation", "subevent").in_bulk(keys)
    for batch in batches.values():
        batch.event = by_key[batch.event_id]
        if batch.subevent:
            batch.subevent.event = batch.event
    return batches


def _party(seller: Seller) -> Party:
    party = Party.of(seller)
    assert party
    return party


def _tally(change: Change) -> Tally:
    return Tally(change.sign, change.sign * change.debt.price)


def _tax_line(share: Share, count: int) -> TaxLine:
    return TaxLine(share.rate, share.gross * count, share.net * count, share.tax * count)


def _sum_by_rate(lines: Iterable[StatementLine]) -> tuple[TaxLine, ...]:
    sums: dict[Decimal, TaxLine] = {}
    for each in (each for line in lines for each in line.taxes):
        before = sums.get(each.rate, TaxLine(each.rate, NOTHING, NOTHING, NOTHING))
        sums[each.rate] = TaxLine(each.rate, before.gross + each.gross, before.net + each.net, before.tax + each.tax)
    return tuple(sums[rate] for rate in sorted(sums, reverse=True))
