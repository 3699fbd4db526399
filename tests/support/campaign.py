"""
A campaign: tickets of several batches in many hands. They are counted one by one, as the host's orders tell, and
compared with what the plugin says of all of them together.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from pretix.base.models import Checkin, Event, Order

from pretix_offlinesales.control.stock import stock_map
from pretix_offlinesales.documents.notes import Note
from pretix_offlinesales.models import Document, DocumentCounter, OfflineSalesBatch, OfflineSalesTicket, Seller
from pretix_offlinesales.sellers.accounts import Account, accounts
from pretix_offlinesales.sellers.stock import ranges
from pretix_offlinesales.tickets.books import spelled_out
from pretix_offlinesales.tickets.figures import Tally, figures, tickets_of_event
from pretix_offlinesales.tickets.numbers import parse_numbers
from pretix_offlinesales.tickets.state import State

CENT = Decimal("0.01")


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


class Paper(NamedTuple):
    """A ticket, as its order tells."""

    batch: int
    number: int
    item: int
    #: The keys of its holder, and of the document by which she got it; None in stock.
    seller: int | None
    document: int | None
    state: str
    price: Decimal


@dataclass
class Books:
    """All that there is to compare, of one moment. A constant number of queries."""

    event: Event
    #: What a ticket costs, by the key of its product.
    prices: Mapping[int, Decimal]
    papers: list[Paper]
    batches: dict[int, OfflineSalesBatch]
    sellers: list[Seller]
    #: In the order in which they were written.
    documents: list[Document]

    @classmethod
    def of(cls, event: Event) -> "Books":
        prices = {item.pk: PRICES[str(item.name)] for item in event.items.all()}
        batches = OfflineSalesBatch.objects.filter(event=event).select_related("item", "variation", "subevent")
        documents = Document.objects.filter(organizer=event.organizer).order_by("pk").prefetch_related("movements")
        sellers = Seller.objects.filter(organizer=event.organizer).order_by("name")
        return cls(event, prices, list(_papers(event)), batches.in_bulk(), list(sellers), list(documents))

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
        for document in self.documents:
            yield f"sums of {document}", *self._sums(document)
            yield f"numbers of {document}", *self._lines(document)
        yield "numbers of documents", *self._document_numbers()
        yield "accounts", accounts(self.sellers), {seller.pk: self.account(seller) for seller in self.sellers}
        yield "stock map", *self._ranges()
        yield "legend of the stock map", self._legend(), dict(Counter(self.place(paper) for paper in self.papers))

    # What was counted

    def tally(self, by, papers: Iterable[Paper] | None = None) -> dict[Any, Tally]:
        found: dict[Any, Tally] = defaultdict(Tally)
        for paper in self.papers if papers is None else papers:
            found[by(paper)] += Tally(1, paper.price)
        return dict(found)

    def account(self, seller: Seller) -> Account:
        """At the terms that she has now: in a campaign, they never change."""
        theirs = self.tally(lambda paper: paper.state, (paper for paper in self.papers if paper.seller == seller.pk))
        held, sold, lost = (theirs.get(state, Tally()) for state in ("held", "sold", "lost"))
        to_pay = sold + lost
        commission = _rounded(
            to_pay.value * seller.commission_percent / 100 + to_pay.count * seller.commission_fixed,
        )
        tax = _rounded(commission * (seller.commission_tax_rate or 0) / 100)
        moments = [each.created for each in self.documents if seller.pk in (each.source_id, each.target_id)]
        return Account(held, sold, lost, due=to_pay.value - commission - tax, last_movement=max(moments, default=None))

    def place(self, paper: Paper) -> str:
        """As the legend of the stock map calls it."""
        names = {seller.pk: seller.name for seller in self.sellers}
        return f"Held by {names[paper.seller]}" if paper.state == "held" else str(State(paper.state).label)

    # What is said

    def _numbers(self):
        found = defaultdict(list)
        for paper in self.papers:
            found[paper.batch].append(paper.number)
        return dict(found)

    def _issued(self):
        found: dict[int, Tally] = defaultdict(Tally)
        for batch in self.batches.values():
            found[batch.item_id] += Tally(batch.amount, batch.amount * self.prices[batch.item_id])
        return dict(found)

    def _said_of_holders(self):
        found = figures(tickets_of_event(self.event), by=("seller", "batch__item"))
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
        for document in self.documents:
            for batch, number in _moved(document):
                if places.pop((batch, number), (None,))[0] != document.source_id:
                    wrong.append((str(document), batch, number))
                if document.target_id:
                    places[batch, number] = document.target_id, document.pk
        return places, wrong

    def _sums(self, document):
        """What it says itself, what its movements and the lines of its paper add up to, and what its tickets cost."""
        lines, movements = Note.from_json(document.snapshot).lines, document.movements.all()
        prices = [self.prices[self.batches[batch].item_id] for batch, _number in _moved(document)]
        said = [
            (document.count, document.value),
            (sum(each.count for each in movements), sum(each.value for each in movements)),
            (sum(each.count for each in lines), sum(each.value for each in lines)),
        ]
        return said, [(len(prices), sum(prices))] * 3

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
        counters = DocumentCounter.objects.filter(organizer=self.event.organizer)
        last = dict(counters.values_list("kind", "last"))
        return dict(found), {kind: list(range(1, number + 1)) for kind, number in last.items()}

    def _ranges(self):
        found = [
            (each.batch, number, each.place.state.value, each.place.seller)
            for each in ranges(tickets_of_event(self.event))
            for number in range(each.first, each.last + 1)
        ]
        return found, [(each.batch, each.number, each.state, each.seller) for each in self.papers]

    def _legend(self):
        for batch in self.batches.values():
            batch.event = self.event
        return {kind.label: count for kind, count in stock_map(self.batches.values()).legend}


def _papers(event: Event) -> Iterator[Paper]:
    let_in = Checkin.objects.filter(position__order__event=event, type=Checkin.TYPE_ENTRY)
    entered = set(let_in.values_list("position__order", flat=True))
    columns = (
        *("batch", "number", "batch__item", "seller", "document"),
        *("order", "order__status", "order__all_positions__blocked", "sold", "order__all_positions__price"),
    )
    tickets = OfflineSalesTicket.objects.filter(batch__event=event).order_by("batch", "number")
    for *known, order, status, blocked, sold, price in tickets.values_list(*columns):
        is_held = known[3] is not None
        if status == Order.STATUS_CANCELED:
            state = "returned"
        elif blocked:
            state = "lost"
        elif sold or order in entered:
            state = "sold"
        else:
            state = "held" if is_held else "stock"
        yield Paper(*known, state, price)


def _moved(document: Document) -> list[tuple[int, int]]:
    """Batch and number of each of its tickets."""
    return [
        (movement.batch_id, number)
        for movement in document.movements.all()
        for first, last in movement.numbers
        for number in range(first, last + 1)
    ]


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)
