"""
What sellers owe, were told, and have paid: added up entry by entry and payment by payment, and compared with what
statements, accounts and the host's ledger say.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from django.utils.timezone import now
from pretix.base.models import Event, OrderPayment

from pretix_offlinesales.models import Document, OfflineSalesBatch, Seller, SellerPayment, Statement, StatementEntry
from pretix_offlinesales.sellers.payments import allocation
from pretix_offlinesales.sellers.statements import events_of, look
from pretix_offlinesales.tickets.figures import Tally
from pretix_offlinesales.tickets.numbers import parse_numbers

from .papers import NOTHING, ByRate, Ledger, Paper, by_rate

CENT = Decimal("0.01")


class Entry(NamedTuple):
    """Of a statement."""

    statement: int
    ticket: int
    sign: int
    price: Decimal
    taxes: ByRate
    #: The keys of the document by which the seller got it, and of its product.
    agreed: int
    item: int

    @property
    def debt(self) -> tuple:
        return self[3:]


@dataclass
class Money:
    """Of one moment. All but what accounts and statements would say is asked for once."""

    events: Sequence[Event]
    ledger: Ledger
    papers: Sequence[Paper]
    sellers: Sequence[Seller]
    #: By key.
    documents: Mapping[int, Document]
    batches: Mapping[int, OfflineSalesBatch]
    statements: list[Statement]
    entries: list[Entry]
    payments: list[SellerPayment]
    #: What we have paid of orders, by their keys: the number of the statement, and the amount.
    paid: dict[int, list[tuple[int | None, Decimal]]]

    @classmethod
    def of(cls, events, ledger, papers, sellers, documents, batches) -> "Money":
        organizer = events[0].organizer
        statements = Statement.objects.filter(document__organizer=organizer).order_by("pk")
        payments = SellerPayment.objects.filter(seller__organizer=organizer).order_by("pk")
        by_key = {document.pk: document for document in documents}
        for statement in (told := list(statements)):
            statement.document = by_key[statement.pk]
        entries = list(_entries(statements))
        return cls(events, ledger, papers, sellers, by_key, batches, told, entries, list(payments), _paid_by_us(events))

    def compared(self) -> Iterator[tuple[str, Any, Any]]:
        wrong, stated = self._replayed()
        yield "entries that contradict each other", wrong, []
        said = {paper.ticket: paper.statement for paper in self.papers if paper.statement}
        yield "tickets on statements", said, {ticket: entry.statement for ticket, entry in stated.items()}
        yield "entries and the ledger", *self._entries_and_ledger()
        for statement in self.statements:
            entries = [entry for entry in self.entries if entry.statement == statement.pk]
            yield f"sums of {statement.document}", *self._sums(statement, entries)
            yield f"taxes of {statement.document}", *self._taxes(statement, entries)
            yield f"numbers of {statement.document}", *self._numbers(statement, entries)
        for seller in self.sellers:
            yield f"ledger of {seller}", *self._stated_and_open(seller)
            yield f"payments of {seller}", *self._allocations(seller)
        yield "settled statements", {each.pk for each in self.statements if each.settled}, self._settled()
        yield "settled tickets", *self._settled_tickets(stated)
        yield "paid for no settled statement", self._paid_too_early(), []

    # What was counted

    def due(self, seller: Seller) -> Decimal:
        """For all that she owes now, stated or not."""
        tallies: dict[tuple[int, int], Tally] = defaultdict(Tally)
        for paper in self.papers:
            if paper.seller == seller.pk and paper.is_owed:
                tallies[paper.document, paper.item] += Tally(1, self.ledger.value(paper.order))
        commission, tax = self._commission(tallies)
        return sum((tally.value for tally in tallies.values()), NOTHING) - commission - tax

    def stated(self, seller: Seller) -> Decimal:
        """By entries."""
        of_seller = {each.pk for each in self.statements if each.seller_id == seller.pk}
        total, commission, tax = self._sums_of(entry for entry in self.entries if entry.statement in of_seller)
        return total - commission - tax

    def paid_by(self, seller: Seller) -> Decimal:
        return sum((each.amount for each in self.payments if each.seller_id == seller.pk), NOTHING)

    def paid_of(self, seller: Seller, until: datetime | None = None) -> dict[int, Decimal]:
        """What of each statement is paid; up to a moment, or now."""
        return self._waterfall(seller, until)[0]

    def _waterfall(self, seller: Seller, until: datetime | None) -> tuple[dict[int, Decimal], Decimal]:
        """
        A payment is for the statement that it names. What that does not need, and what is given back, fills the others,
        the oldest first; what was taken back and is not there is missing at the newest ones first.
        """
        due = {
            each.pk: each.due
            for each in self.statements
            if each.seller_id == seller.pk and (until is None or each.document.created <= until)
        }
        named: dict[int, Decimal] = defaultdict(lambda: NOTHING)
        for payment in self.payments:
            if payment.seller_id == seller.pk and (until is None or payment.created <= until):
                named[payment.statement_id] += payment.amount
        debts = [(pk, value, min(max(named[pk], NOTHING), value)) for pk, value in due.items() if value > 0]
        credits = [(pk, -value) for pk, value in due.items() if value <= 0]
        pool = sum(named.values(), NOTHING) + sum(value for _pk, value in credits) - sum(each[2] for each in debts)
        paid = {}
        for place, (pk, value, own) in enumerate(debts):
            older = sum((each[1] - each[2] for each in debts[:place]), NOTHING)
            newer = sum((each[2] for each in debts[place + 1 :]), NOTHING)
            more, less = max(pool - older, NOTHING), max(-pool - newer, NOTHING)
            paid[pk] = own + min(more, value - own) - min(less, own)
        left = pool - sum((paid[pk] - own for pk, _value, own in debts), NOTHING)
        for place, (pk, value) in enumerate(credits):
            newer = sum((each[1] for each in credits[place + 1 :]), NOTHING)
            paid[pk] = min(max(left - newer, NOTHING), value) - value
        unused = sum((value + paid[pk] for pk, value in credits), NOTHING)
        return paid, left - unused

    def _commission(self, tallies: Mapping[tuple[int, int], Tally]) -> tuple[Decimal, Decimal]:
        """
        Net, and its tax: rounded once for all that was handed over at the same terms.

        :param tallies: by document and product
        """
        net, tax = NOTHING, NOTHING
        for each_net, each_tax in self._commissions(tallies).values():
            net, tax = net + each_net, tax + each_tax
        return net, tax

    def _commissions(self, tallies) -> dict[str, tuple[Decimal, Decimal]]:
        """By terms."""
        exact: dict[str, Decimal] = defaultdict(Decimal)
        for (document, item), tally in tallies.items():
            terms = self.documents[document].terms
            rate = terms["rates"].get(str(item), terms["rate"])
            percent, fixed = Decimal(rate["percent"]), Decimal(rate["fixed"])
            exact[json.dumps(terms, sort_keys=True)] += tally.value * percent / 100 + tally.count * fixed
        return {terms: _with_tax(json.loads(terms), value) for terms, value in exact.items()}

    def _sums_of(self, entries: Iterable[Entry]) -> tuple[Decimal, Decimal, Decimal]:
        """Total, commission and its tax."""
        tallies = _tallies(entries)
        return (sum((tally.value for tally in tallies.values()), NOTHING), *self._commission(tallies))

    def _before(self, statement: Statement) -> list[Entry]:
        """What was stated of its seller by older ones."""
        older = {
            each.pk for each in self.statements if each.seller_id == statement.seller_id and each.pk < statement.pk
        }
        return [entry for entry in self.entries if entry.statement in older]

    # What is said

    def _replayed(self) -> tuple[list, dict[int, Entry]]:
        """Entries that take back what was not stated, or state it twice; and those that count."""
        stated: dict[int, Entry] = {}
        wrong = []
        for entry in self.entries:
            before = stated.pop(entry.ticket, None)
            if entry.sign == 1 and before is None:
                stated[entry.ticket] = entry
            elif entry.sign != -1 or before is None or before.debt != entry.debt:
                wrong.append(entry)
        return wrong, stated

    def _entries_and_ledger(self):
        """What was stated of tickets, and what the ledger said of their orders at that moment."""
        orders = {paper.ticket: paper.order for paper in self.papers}
        added = [entry for entry in self.entries if entry.sign == 1]
        moments = {each.pk: each.document.created for each in self.statements}
        counted = []
        for entry in added:
            order, moment = orders[entry.ticket], moments[entry.statement]
            counted.append(
                (entry.ticket, self.ledger.value(order, moment), self.ledger.by_rate(order, moment)),
            )
        return [(entry.ticket, entry.price, entry.taxes) for entry in added], counted

    def _sums(self, statement: Statement, entries: list[Entry]):
        """What it is, what is written on it, and what its lines add up to."""
        written, document = statement.document.snapshot, statement.document
        names = ("total", "commission", "commission_tax", "due")
        columns = ("commission", "tax")
        said = [
            tuple(getattr(statement, name) for name in names),
            tuple(Decimal(written[name]) for name in names),
            (_sum(written["lines"], "gross"), *(_sum(written["commissions"], name) for name in columns), statement.due),
            (document.count, document.value, bool(statement.invoice_number)),
            (written["invoice_number"], statement.seller_id),
        ]
        before = self._before(statement)
        total, commission, tax = _minus(self._sums_of([*before, *entries]), self._sums_of(before))
        counted = [(total, commission, tax, total - commission - tax)] * 3
        counted.append((len({entry.ticket for entry in entries}), total, self._is_self_billing(before, entries)))
        return said, [*counted, (statement.invoice_number, document.target_id)]

    def _is_self_billing(self, before: list[Entry], entries: list[Entry]) -> bool:
        """Whether it is about commission of which the organizer writes the invoice."""
        earlier, later = (self._commissions(_tallies(each)) for each in (before, [*before, *entries]))
        return any(
            net != earlier.get(terms, (NOTHING,))[0] and json.loads(terms)["invoiced_by"] == "organizer"
            for terms, (net, _tax) in later.items()
        )

    def _taxes(self, statement: Statement, entries: list[Entry]):
        written = statement.document.snapshot
        said = [_written_taxes(written["taxes"])]
        said.append(_written_taxes(each for line in written["lines"] for each in line["taxes"]))
        return said, [_of_entries(entries)] * 2

    def _numbers(self, statement: Statement, entries: list[Entry]):
        said = [
            (sign, int(batch), number)
            for line in statement.document.snapshot["lines"]
            for sign in [1 if line["count"] > 0 else -1]
            for batch, text in line["tickets"].items()
            for number in parse_numbers(text)
        ]
        places = {paper.ticket: (paper.batch, paper.number) for paper in self.papers}
        return sorted(said), sorted((entry.sign, *places[entry.ticket]) for entry in entries)

    def _stated_and_open(self, seller: Seller):
        """What was stated and what would be stated now, and the ledger of all that she owes, by tax rate."""
        theirs = {each.pk for each in self.statements if each.seller_id == seller.pk}
        said = [
            (rate, *amounts) for rate, amounts in _of_entries(e for e in self.entries if e.statement in theirs).items()
        ]
        if events := list(events_of(seller)):
            draft = look(seller, events, now())
            said += [
                (share.rate, change.sign * share.gross, change.sign * share.tax)
                for change in draft.changes
                for share in change.debt.taxes
            ]
        counted = [
            (rate, *amounts)
            for paper in self.papers
            if paper.seller == seller.pk and paper.is_owed
            for rate, amounts in self.ledger.by_rate(paper.order).items()
        ]
        return by_rate(said), by_rate(counted)

    def _allocations(self, seller: Seller):
        found = allocation(seller)
        return (found.paid, found.left), self._waterfall(seller, None)

    def _settled(self) -> set[int]:
        """The keys of statements that were paid in full once: looked at after each statement and each payment."""
        found = set()
        for seller in self.sellers:
            dues = {each.pk: each.due for each in self.statements if each.seller_id == seller.pk}
            moments = [each.document.created for each in self.statements if each.pk in dues]
            moments += [each.created for each in self.payments if each.seller_id == seller.pk]
            for moment in moments:
                found |= {pk for pk, paid in self.paid_of(seller, moment).items() if paid == dues[pk]}
        return found

    def _settled_tickets(self, stated: Mapping[int, Entry]):
        """
        Of those that are on a settled statement and cost what it says, and wait for no other: on consignment, whether
        they are paid, and by a statement that they were on; of others, whether that is known of them.
        """
        numbers = {each.pk: each.document.number for each in self.statements}
        of_ticket = defaultdict(set)
        for entry in self.entries:
            of_ticket[entry.ticket].add(numbers[entry.statement])
        settled = {each.pk for each in self.statements if each.settled}
        said, counted = {}, {}
        for paper in self.papers:
            if paper.statement not in settled or not paper.is_live or paper.is_paid_directly:
                continue
            if self._waits(paper):
                continue
            if paper.ticket not in stated or stated[paper.ticket].price != paper.price:
                continue
            if not paper.is_on_consignment:
                said[paper.batch, paper.number] = paper.is_settled
            else:
                by = {number for number, _amount in self.paid.get(paper.order, ())}
                said[paper.batch, paper.number] = (paper.status, bool(by), by <= of_ticket[paper.ticket])
            counted[paper.batch, paper.number] = ("p", True, True) if paper.is_on_consignment else True
        return said, counted

    def _waits(self, paper) -> bool:
        """Another statement of its seller says something of it, too, or is paid by what this one gives back."""
        own = [each for each in self.statements if each.seller_id == paper.seller]
        named = {entry.statement for entry in self.entries if entry.ticket == paper.ticket and entry.sign == 1}
        to_be_paid = {each.pk for each in own if each.due > 0 and not each.settled}
        return any(
            each.pk in to_be_paid or (each.due <= 0 and any(pk < each.pk for pk in to_be_paid))
            for each in own
            if each.pk in named
        )

    def _paid_too_early(self) -> list:
        """Orders on consignment that we have paid, or more of them, than was stated and settled."""
        settled = {each.document.number for each in self.statements if each.settled}
        stated = defaultdict(lambda: NOTHING)
        numbers = {each.pk: each.document.number for each in self.statements}
        for entry in self.entries:
            if entry.sign == 1:
                stated[entry.ticket, numbers[entry.statement]] = entry.price
        return [
            (paper.batch, paper.number, number)
            for paper in self.papers
            if paper.is_on_consignment
            for number, amount in self.paid.get(paper.order, ())
            if number not in settled or amount > stated[paper.ticket, number]
        ]


def _entries(statements) -> Iterator[Entry]:
    columns = ("statement", "ticket", "count", "price", "taxes", "agreed", "item")
    rows = StatementEntry.objects.filter(statement__in=statements).order_by("pk").values_list(*columns)
    for statement, ticket, sign, price, taxes, agreed, item in rows:
        shares = by_rate(tuple(map(Decimal, share)) for share in taxes)
        yield Entry(statement, ticket, sign, price, shares, agreed, item)


def _paid_by_us(events) -> dict[int, list[tuple[int | None, Decimal]]]:
    payments = OrderPayment.objects.filter(
        order__offline_sales_ticket__batch__event__in=events,
        provider="offlinesales",
        state__in=(OrderPayment.PAYMENT_STATE_CONFIRMED, OrderPayment.PAYMENT_STATE_REFUNDED),
    )
    found = defaultdict(list)
    for payment in payments.order_by("pk"):
        found[payment.order_id].append((payment.info_data.get("statement"), payment.amount))
    return dict(found)


def _tallies(entries: Iterable[Entry]) -> dict[tuple[int, int], Tally]:
    tallies: dict[tuple[int, int], Tally] = defaultdict(Tally)
    for entry in entries:
        tallies[entry.agreed, entry.item] += Tally(entry.sign, entry.sign * entry.price)
    return tallies


def _of_entries(entries: Iterable[Entry]) -> ByRate:
    return by_rate(
        (rate, entry.sign * gross, entry.sign * tax) for entry in entries for rate, (gross, tax) in entry.taxes.items()
    )


def _written_taxes(written: Iterable[dict]) -> ByRate:
    return by_rate(tuple(Decimal(each[name]) for name in ("rate", "gross", "tax")) for each in written)


def _with_tax(terms: dict, value: Decimal) -> tuple[Decimal, Decimal]:
    net = _rounded(value)
    return net, _rounded(net * Decimal(terms["tax_rate"] or 0) / 100)


def _minus(sums: Sequence[Decimal], others: Sequence[Decimal]) -> list[Decimal]:
    return [one - other for one, other in zip(sums, others, strict=True)]


def _sum(rows: Iterable[dict], name: str) -> Decimal:
    return sum((Decimal(row[name]) for row in rows), NOTHING)


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)
