"""
A campaign: tickets of several batches in many hands. They are counted one by one, as the host's orders tell, and
compared with what the plugin says of all of them together.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from pretix.base.models import Event, Order

from pretix_offlinesales.control.stock import stock_map
from pretix_offlinesales.documents.notes import Note
from pretix_offlinesales.documents.numbering import SELF_BILLING
from pretix_offlinesales.models import (
    Document,
    DocumentCounter,
    DocumentKind,
    OfflineSalesBatch,
    OfflineSalesTicket,
    Seller,
)
from pretix_offlinesales.sellers.accounts import Account, accounts
from pretix_offlinesales.sellers.stock import ranges
from pretix_offlinesales.tickets.books import spelled_out
from pretix_offlinesales.tickets.figures import Tally, figures
from pretix_offlinesales.tickets.numbers import format_numbers, parse_numbers
from pretix_offlinesales.tickets.state import State

from .papers import NOTHING, Ledger, Paper, papers_of
from .sellers_money import Money

#: The status of an order that is in the ledger.
LIVE = (Order.STATUS_PENDING, Order.STATUS_PAID)

#: What is sold, and for how much: taxed, taxed on top, and not taxed.
PRICES = {"Day ticket": Decimal("23.00"), "Workshop": Decimal("13.36"), "Tour": Decimal("7.90")}


def add_products(event: Event) -> None:
    taxes = event.tax_rules
    vat = taxes.create(name="VAT", rate=Decimal("19.00"))
    on_top = taxes.create(name="On top", rate=Decimal("7.00"), price_includes_tax=False)
    day = event.items.create(name="Day ticket", default_price=Decimal("23.00"), tax_rule=vat, position=0)
    workshop = event.items.create(name="Workshop", default_price=Decimal("12.49"), tax_rule=on_top, position=1)
    tour = event.items.create(name="Tour", default_price=Decimal("7.90"), position=2)
    event.quotas.create(name="All", size=None).items.add(day, workshop, tour)


@dataclass
class Books:
    """All that there is to compare, of one moment. A constant number of queries."""

    events: Sequence[Event]
    ledger: Ledger
    papers: list[Paper]
    batches: dict[int, OfflineSalesBatch]
    sellers: list[Seller]
    #: In the order in which they were written.
    documents: list[Document]
    money: Money

    @classmethod
    def of(cls, *events: Event) -> "Books":
        """:param events: all of an organizer's of which sellers have tickets"""
        organizer, ledger = events[0].organizer, Ledger.of(events)
        papers = list(papers_of(events, ledger))
        batches = OfflineSalesBatch.objects.filter(event__in=events).select_related("item", "variation", "subevent")
        by_key = batches.in_bulk()
        documents = Document.objects.filter(organizer=organizer).order_by("pk").prefetch_related("movements")
        sellers = list(Seller.objects.filter(organizer=organizer).order_by("name"))
        written = list(documents)
        money = Money.of(events, ledger, papers, sellers, written, by_key)
        return cls(events, ledger, papers, by_key, sellers, written, money)

    @cached_property
    def orders(self) -> dict[tuple[int, int], int]:
        """By batch and number."""
        return {(paper.batch, paper.number): paper.order for paper in self.papers}

    def contradictions(self) -> dict[str, Any]:
        """What is said, and what was counted, where these are not the same."""
        compared = {what: (said, counted) for what, said, counted in self._compared()}
        return {what: pair for what, pair in compared.items() if pair[0] != pair[1]}

    def _compared(self) -> Iterator[tuple[str, Any, Any]]:
        yield "all numbers", self._numbers(), {pk: list(batch.numbers) for pk, batch in self.batches.items()}
        yield "sums of all holders", self._sums_of_holders(), self._issued()
        yield "holders", self._said_of_holders(), self.tally(lambda paper: (paper.seller, paper.item))
        went, wrong = self._replayed()
        yield "moves from where nothing was", wrong, []
        held = {(each.batch, each.number): (each.seller, each.document) for each in self.papers if each.seller}
        yield "ledger", went, held
        yield "documents of stock", {each.document for each in self.papers if not each.seller} - {None}, set()
        yield "prices of products", *self._prices()
        yield "totals of orders", *self._totals()
        for document in self._notes:
            yield f"sums of {document}", *self._sums(document)
            yield f"numbers of {document}", *self._lines(document)
        yield "numbers of documents", *self._document_numbers()
        yield "accounts", accounts(self.sellers), {seller.pk: self.account(seller) for seller in self.sellers}
        yield "stock map", *self._ranges()
        yield "legend of the stock map", self._legend(), dict(Counter(self.place(paper) for paper in self.papers))
        yield from self.money.compared()

    # What was counted

    def tally(self, by, papers: Iterable[Paper] | None = None) -> dict[Any, Tally]:
        found: dict[Any, Tally] = defaultdict(Tally)
        for paper in self.papers if papers is None else papers:
            found[by(paper)] += Tally(1, paper.price)
        return dict(found)

    def account(self, seller: Seller) -> Account:
        theirs = self.tally(lambda paper: paper.state, (paper for paper in self.papers if paper.seller == seller.pk))
        figures = {state: theirs.get(state, Tally()) for state in ("held", "sold", "settled", "lost")}
        moments = [each.created for each in self._notes if seller.pk in (each.source_id, each.target_id)]
        return Account(
            **figures,
            due=self.money.due(seller),
            stated=self.money.stated(seller),
            paid=self.money.paid_by(seller),
            last_movement=max(moments, default=None),
        )

    def place(self, paper: Paper) -> str:
        """As the legend of the stock map calls it."""
        names = {seller.pk: seller.name for seller in self.sellers}
        return f"Held by {names[paper.seller]}" if paper.state == "held" else str(State(paper.state).label)

    def numbers_stated(self, statement: Document) -> dict[str, str]:
        """By the keys of their batches."""
        tickets = {entry.ticket for entry in self.money.entries if entry.statement == statement.pk}
        numbers = defaultdict(list)
        for paper in self.papers:
            if paper.ticket in tickets:
                numbers[str(paper.batch)].append(paper.number)
        return {batch: format_numbers(found) for batch, found in numbers.items()}

    # What is said

    def _numbers(self):
        found = defaultdict(list)
        for paper in self.papers:
            found[paper.batch].append(paper.number)
        return dict(found)

    def _issued(self):
        """As many as were asked for, and what they cost by now."""
        found: dict[int, Tally] = defaultdict(Tally)
        for batch in self.batches.values():
            found[batch.item_id] += Tally(batch.amount)
        for paper in self.papers:
            found[paper.item] += Tally(0, paper.price)
        return dict(found)

    def _prices(self):
        """For which tickets were sold first."""
        found = defaultdict(set)
        for paper in self.papers:
            found[paper.item].add(self.ledger.first_value(paper.order))
        items = {batch.item_id: str(batch.item.name) for batch in self.batches.values()}
        return dict(found), {item: {PRICES[name]} for item, name in items.items()}

    def _totals(self):
        """And what the host's ledger says of them."""
        said = {each.order: each.total if each.status in LIVE else NOTHING for each in self.papers}
        booked = {order: self.ledger.value(order) for order in said}
        wrong = [order for order in said if said[order] != booked[order]]
        return [(order, said[order]) for order in wrong], [(order, booked[order]) for order in wrong]

    @property
    def _tickets(self):
        return OfflineSalesTicket.objects.filter(batch__in=self.batches)

    def _said_of_holders(self):
        found = figures(self._tickets, by=("seller", "batch__item"))
        return {holder: each.issued for holder, each in found.items()}

    def _sums_of_holders(self):
        found: dict[int, Tally] = defaultdict(Tally)
        for (_seller, item), issued in self._said_of_holders().items():
            found[item] += issued
        return dict(found)

    def _replayed(self):
        """Who holds what, if one does again what the ledger says; and what was not where it was said to be."""
        places: dict[tuple[int, int], tuple[int, int]] = {}
        wrong = []
        for document in self._notes:
            for batch, number in _moved(document):
                if places.pop((batch, number), (None,))[0] != document.source_id:
                    wrong.append((str(document), batch, number))
                if document.target_id:
                    places[batch, number] = document.target_id, document.pk
        return places, wrong

    def _sums(self, document):
        """What it says itself, what its movements and the lines of its paper add up to, and what its tickets cost."""
        lines, movements = Note.from_json(document.snapshot).lines, document.movements.all()
        prices = [self._price_at(document, place) for place in _moved(document)]
        said = [
            (document.count, document.value),
            (sum(each.count for each in movements), sum(each.value for each in movements)),
            (sum(each.count for each in lines), sum(each.value for each in lines)),
        ]
        return said, [(len(prices), sum(prices, NOTHING))] * 3

    def _price_at(self, document: Document, place: tuple[int, int]) -> Decimal:
        """When it was handed over; of what was issued for somebody, the document was written first."""
        order = self.orders[place]
        issued = self.ledger.rows[order][0].moment
        return self.ledger.value(order, max(document.created, issued))

    @property
    def _notes(self) -> list[Document]:
        """Documents about what goes from hand to hand."""
        return [document for document in self.documents if document.kind != DocumentKind.STATEMENT]

    def _lines(self, document):
        """The numbers that its paper names, and those of its movements."""
        said = [
            (line.batch, number)
            for line in Note.from_json(document.snapshot).lines
            for number in parse_numbers(spelled_out(self.batches[line.batch], line.numbers))
        ]
        return sorted(said), sorted(_moved(document))

    def _document_numbers(self):
        found = defaultdict(list)
        for document in self.documents:
            found[document.kind].append(document.number)
        if invoices := [each.invoice_number for each in self.money.statements if each.invoice_number]:
            found[SELF_BILLING] = invoices
        counters = DocumentCounter.objects.filter(organizer=self.events[0].organizer)
        last = dict(counters.values_list("kind", "last"))
        return dict(found), {kind: list(range(1, number + 1)) for kind, number in last.items()}

    def _ranges(self):
        found = [
            (each.batch, number, each.place.state.value, each.place.seller)
            for each in ranges(self._tickets)
            for number in range(each.first, each.last + 1)
        ]
        return found, [(each.batch, each.number, each.state, each.seller) for each in self.papers]

    def _legend(self):
        found: Counter[str] = Counter()
        for event in self.events:
            batches = [batch for batch in self.batches.values() if batch.event_id == event.pk]
            for batch in batches:
                batch.event = event
            found.update({kind.label: count for kind, count in stock_map(batches).legend})
        return dict(found)


def _moved(document: Document) -> list[tuple[int, int]]:
    """Batch and number of each of its tickets."""
    return [
        (movement.batch_id, number)
        for movement in document.movements.all()
        for first, last in movement.numbers
        for number in range(first, last + 1)
    ]
