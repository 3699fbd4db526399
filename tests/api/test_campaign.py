"""A campaign through the REST API: twelve sellers, three products, 5,000 tickets, and all that becomes of them."""

import pytest
from hierarkey.proxy import dirty_cache_keys

from pretix_offlinesales.models import Document, OfflineSalesTicket
from tests.support.campaign import Books, add_products
from tests.support.campaign_api import Campaign, codes

#: Ten who sell on commission, one who buys, and one who is not trusted with much.
USUAL = [{"name": f"Kiosk {letter}", "commission_percent": "7.5"} for letter in "ABCDEFGHI"]
TAXED = {"name": "Museum shop", "commission_percent": "9.95", "commission_fixed": "0.15", "commission_tax_rate": "19"}
FIRM = {"name": "Bookshop", "firm": True, "commission_percent": "12"}
SMALL = {"name": "Student union", "credit_limit": "700.00"}


@pytest.fixture
def campaign(api, event, worker):
    add_products(event)
    event.checkin_lists.create(name="Main entrance", all_products=True)
    dirty_cache_keys.set(set())  # or settings would be read again for each ticket, until the end of the transaction
    return Campaign(api, event, worker)


def test_a_campaign(campaign):
    kiosks = [campaign.add(seller) for seller in USUAL]
    museum, bookshop, union = (campaign.add(seller) for seller in (TAXED, FIRM, SMALL))
    sellers = [*kiosks, museum, bookshop, union]
    day = campaign.issue("Day ticket", 2000)
    workshop = campaign.issue("Workshop", 2000, book_size=50)
    tour, for_bookshop = campaign.issue("Tour", 940), campaign.issue("Tour", 60, seller=bookshop)
    assert campaign.agree().tally(lambda paper: (paper.batch, paper.seller)).keys() == {
        *((batch, None) for batch in (day, workshop, tour)),
        (for_bookshop, bookshop),
    }

    # Each gets a pile of each product; of workshops, books.
    d, w, t = str(day), str(workshop), str(tour)
    for place, seller in enumerate(sellers[:-1]):
        piles = {
            d: f"{100 * place + 1}-{100 * place + 100}",
            w: f"books {2 * place + 1}-{2 * place + 2}",
            t: f"{50 * place + 1}-{50 * place + 50}",
        }
        delivered = campaign.hand_over(seller, **piles)
        assert (delivered["number"], delivered["count"], delivered["value"]) == (place + 2, 250, "4031.00")
        assert delivered["tickets"][w] == f"{100 * place + 1}-{100 * place + 100}"
    assert campaign.hand_over(union, **{d: "1901-1930"})["value"] == "690.00"
    refused = campaign.hand_over(union, 400, **{t: "901-902"})
    assert refused == {"seller": ["The seller would hold or owe €705.80, and the credit limit is €700.00."]}
    assert campaign.hand_over(union, **{t: "901"})["number"] == 14
    campaign.agree_ticket_by_ticket()

    # From seller to seller.
    first, second, third, fourth, fifth, sixth, *_others, eighth, ninth = kiosks
    assert campaign.hand_over(second, **{d: "71-100"})["kind"] == "transfer"
    moved = campaign.hand_over(fourth, **{w: "book 5", t: "101, 103, 105"})
    assert (moved["from"], moved["number"], moved["count"]) == (third, 2, 53)
    scattered = campaign.hand_over(fourth, 400, **{d: "60, 150, 310"})
    assert scattered["refused"] == [
        {"batch": day, "tickets": "310", "reason": "already_there"},
        {"batch": day, "tickets": "150", "reason": "held_elsewhere"},
    ]
    campaign.agree()

    # Back to stock; what was bought stays where it is.
    assert campaign.hand_over(None, **{d: "401-430", w: "books 9-10", t: "201"})["kind"] == "take_back"
    assert campaign.hand_over(None, **{d: "95"})["from"] == second
    bought = campaign.hand_over(None, 400, **{d: "1000-1001"})
    assert bought["refused"] == [{"batch": day, "tickets": "1001", "reason": "sold"}]
    campaign.agree()

    # What comes back after the campaign is canceled, whoever held it; nobody can be handed it any more.
    assert campaign.deal_with(day, "return", tickets="501-540, 1990-2000") == (51, {})
    assert campaign.deal_with(tour, "return", secrets=codes(tour, 301, 302, 939), kind="damaged") == (3, {})
    assert campaign.deal_with(day, "return", tickets="540-541") == (1, {"already_canceled": 1})
    for number in ("501", "2000"):
        gone = campaign.hand_over(first, 400, **{d: number})
        assert [each["reason"] for each in gone["refused"]] == ["already_canceled"]
    campaign.agree()

    # Lost paper is owed by whoever held it, and found again, or written off.
    assert campaign.deal_with(workshop, "lost", tickets="701-750, 1999") == (51, {})
    assert campaign.hand_over(ninth, 400, **{w: "book 15"})["refused"][0]["reason"] == "lost"
    assert campaign.deal_with(workshop, "undo", of="lost", tickets="741-760") == (10, {"not_lost": 10})
    assert campaign.deal_with(workshop, "return", tickets="701-705", kind="lost") == (5, {})
    assert campaign.hand_over(ninth, **{w: "741-750"})["from"] == eighth
    campaign.agree()

    # What is spoiled is printed again, and only the new paper lets anybody in. At the door, tickets are sold.
    old = codes(day, 801, 802)
    assert campaign.deal_with(day, "replace", secrets=old) == (2, {})
    assert campaign.deal_with(workshop, "replace", tickets="706, 801") == (1, {"lost": 1})
    campaign.agree()
    written_off, lost, *workshops = codes(workshop, 701, 706, 801, 802)
    at_the_door = [written_off, lost, *old, *codes(day, 801, 803, 1001, 1500), *workshops]
    assert list(map(campaign.redeem, at_the_door)) == ["canceled", "blocked", "invalid", "invalid", *["ok"] * 6]
    assert campaign.hand_over(None, 400, **{d: "801-804"})["refused"] == [
        {"batch": day, "tickets": "801, 803", "reason": "checked_in"}
    ]
    assert campaign.deal_with(day, "return", tickets="801-804") == (2, {"checked_in": 2})
    campaign.agree()

    # What was returned by mistake is where it was, and goes on.
    assert campaign.deal_with(day, "undo", tickets="501-520, 802") == (21, {})
    assert campaign.hand_over(museum, **{d: "501-520"})["from"] == sixth
    assert campaign.hand_over(fifth, **{d: "420-430", w: "book 9"})["kind"] == "delivery"
    assert campaign.hand_over(None, **{d: "901-1000, 501-520", w: "books 19-20", t: "451-500"})["from"] == museum
    campaign.agree_ticket_by_ticket()


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (
            lambda tickets, document: tickets.filter(number=9).update(seller=document.target, document=document),
            ["ledger"],
        ),
        (lambda tickets, document: tickets.filter(number=2).update(seller=None), ["ledger", "documents of stock"]),
        (lambda tickets, document: document.movements.update(count=4), ["sums of Delivery note 1"]),
        (
            lambda tickets, document: document.movements.update(numbers=[[2, 6]]),
            ["ledger", "numbers of Delivery note 1"],
        ),
        (lambda tickets, document: type(document).objects.update(value=1), ["sums of Delivery note 1"]),
        (lambda tickets, document: type(document).objects.update(number=2), ["numbers of documents"]),
        (lambda tickets, document: tickets.filter(number=8).update(number=18), ["all numbers"]),
    ],
)
def test_what_is_wrong_would_be_found(tamper, found, campaign):
    seller = campaign.add(SMALL)
    batch = campaign.issue("Day ticket", 10)
    campaign.hand_over(seller, **{str(batch): "1-5"})
    campaign.agree()
    tamper(OfflineSalesTicket.objects.filter(batch=batch), Document.objects.get())
    assert list(Books.of(campaign.event).contradictions()) == found
