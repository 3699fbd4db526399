"""A campaign through the REST API: what one asks for, and whether all that is said then is what there is."""

from collections import Counter

from pretix.base.models import OrderPosition

from pretix_offlinesales.models import DocumentKind
from pretix_offlinesales.tickets.numbers import format_ranges

from .campaign import Books


class Campaign:
    """What one asks the API for, in a few words."""

    def __init__(self, api, event, worker, *others):
        """:param others: events of the same organizer whose tickets the same sellers have"""
        self.api, self.event, self.worker, self.events = api, event, worker, [event, *others]
        self.of_organizer = f"/api/v1/organizers/{event.organizer.slug}/"
        self.of_event = f"{self.of_organizer}events/{event.slug}/"

    def post(self, url, expected=201, **values):
        with self.worker():
            answer = self.api.post(url, values, format="json")
        assert answer.status_code == expected, answer.data
        return answer.json()

    def get(self, url, **query):
        answer = self.api.get(url, query)
        assert answer.status_code == 200, answer.data
        return answer.json()

    def all_pages(self, url, **query):
        page = self.get(url, **query)
        found, count = page["results"], page["count"]
        while page["next"]:
            page = self.get(page["next"])
            found += page["results"]
        assert len(found) == count
        return found

    def add(self, seller) -> int:
        return self.post(f"{self.of_organizer}offlinesalessellers/", **seller)["id"]

    def issue(self, product, amount, **values) -> int:
        [item] = self.get(f"{self.of_event}items/", search=product)["results"]
        wanted = {"item": item["id"], "amount": amount, "sales_channel": "web", **values}
        check = self.post(f"{self.of_event}offlinesalesbatches/", 202, **wanted)["check"]
        return self.get(check)["id"]

    def hand_over(self, seller, expected=201, **numbers):
        """``hand_over(kiosk, **{"3": "1-50"})``; None is the stock."""
        return self.post(f"{self.of_event}offlinesaleshandovers/", expected, seller=seller, tickets=numbers)

    def deal_with(self, batch, what, **values):
        """What was done, and why the rest was left alone."""
        check = self.post(f"{self.of_event}offlinesalesbatches/{batch}/{what}/", 202, **values)["check"]
        result = self.get(check)
        skipped = result.pop("skipped")
        [done] = result.values()
        return len(done), Counter(each["reason"] for each in skipped)

    def redeem(self, code):
        """At the door."""
        lists = [each.pk for each in self.event.checkin_lists.all()]
        body = {"secret": code, "lists": lists, "source_type": "barcode", "questions_supported": False}
        answer = self.api.post(f"{self.of_organizer}checkinrpc/redeem/", body, format="json").json()
        return answer.get("reason") or answer["status"]

    def agree(self) -> Books:
        """Whatever is said of the tickets is true of each of them."""
        books = Books.of(*self.events)
        assert books.contradictions() == {}
        documents = self.all_pages(f"{self.of_organizer}offlinesalesdocuments/", page_size=20)
        assert [
            tuple(each[name] for name in ("id", "kind", "number", "from", "to", "count", "value", "tickets"))
            for each in documents
        ] == [
            (
                *(each.pk, each.kind, each.number, each.source_id, each.target_id, each.count, str(each.value)),
                numbers_of(books, each),
            )
            for each in books.documents
        ]
        self.agree_about_money(books)
        return books

    def agree_about_money(self, books) -> None:
        """What sellers were told, what of it is paid, and by which payments."""
        money = books.money
        paid = {pk: amount for seller in books.sellers for pk, amount in money.paid_of(seller).items()}
        names = ("id", "number", "seller", "total", "commission", "commission_tax", "due", "paid", "settled")
        statements = self.all_pages(f"{self.of_organizer}offlinesalesstatements/", page_size=20)
        assert [tuple(each[name] for name in names) for each in statements] == [
            (
                *(each.pk, each.document.number, each.seller_id),
                *map(str, (each.total, each.commission, each.commission_tax, each.due, paid[each.pk])),
                each.settled is not None,
            )
            for each in money.statements
        ]
        names = ("id", "statement", "seller", "amount")
        payments = self.all_pages(f"{self.of_organizer}offlinesalespayments/", page_size=20)
        assert [tuple(each[name] for name in names) for each in payments] == [
            (each.pk, each.statement_id, each.seller_id, str(each.amount)) for each in money.payments
        ]

    def agree_ticket_by_ticket(self) -> None:
        """All of them in pages, of each holder how many are in which state, and what each seller holds and owes."""
        books = self.agree()
        for event in self.events:
            papers = [each for each in books.papers if books.batches[each.batch].event_id == event.pk]
            self.agree_about_papers(f"{self.of_organizer}events/{event.slug}/offlinesalestickets/", papers)
        sellers = f"{self.of_organizer}offlinesalessellers/"
        said = [self.get(f"{sellers}{seller.pk}/") for seller in books.sellers]
        accounts = [books.account(seller) for seller in books.sellers]
        assert [(each["balance"], each["owed"], each["held"], each["held_value"]) for each in said] == [
            (str(account.balance), str(account.owed), account.held.count, str(account.held.value))
            for account in accounts
        ]

    def agree_about_papers(self, tickets, papers) -> None:
        """:param tickets: the address of those of an event"""
        assert [
            (each["batch"], each["number"], each["seller"], each["state"])
            for each in self.all_pages(tickets, page_size=500)
        ] == [(each.batch, each.number, each.seller, each.state) for each in papers]
        counted = Counter((each.seller, each.state) for each in papers)
        said = {
            (seller, state): self.get(tickets, seller=seller or "null", state=state, page_size=1)["count"]
            for seller, state in counted
        }
        assert said == counted


def numbers_of(books, document):
    """As the API names the tickets of a document."""
    if document.kind == DocumentKind.STATEMENT:
        return books.numbers_stated(document)
    return {str(moved.batch_id): format_ranges(moved.numbers) for moved in document.movements.all()}


def codes(batch, *numbers):
    """What is printed on these tickets."""
    positions = OrderPosition.objects.filter(
        order__offline_sales_ticket__batch=batch, order__offline_sales_ticket__number__in=numbers
    )
    return list(positions.order_by("order__offline_sales_ticket__number").values_list("secret", flat=True))
