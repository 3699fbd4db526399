"""A campaign on the pages: twelve sellers, three products, 5,000 tickets, and all that becomes of them."""

import pytest

from .browser import FESTIVAL, SUMMER
from .campaign import CONFIRMED, Campaign, witness

pytestmark = pytest.mark.browser

KIOSKS = [f"Kiosk {letter}" for letter in "ABCDEFGHI"]

#: As somebody keeps them in a spreadsheet: nine on commission, one who pays tax on it, one who buys, and one who is not
#: trusted with much.
SELLERS = [
    "Name,Internal identifier,Commission in percent,Commission per ticket,Tax rate of the commission,Firm sale,"
    "Credit limit",
    *(f"{name},K-{number},7.5,,,," for number, name in enumerate(KIOSKS, 1)),
    "Museum shop,M-1,9.95,0.15,19,,",
    "Bookshop,B-1,12,,,yes,",
    "Student union,U-1,,,,,700",
]


@pytest.fixture
def campaign(browser, directory):
    browser.at(SUMMER, FESTIVAL)
    with witness(directory, FESTIVAL, SUMMER) as ask:
        yield Campaign(browser, ask, FESTIVAL)


def test_a_campaign(campaign, browser, tmp_path):
    first, *_others, last = campaign.import_sellers(tmp_path / "sellers.csv", SELLERS)
    assert first == ["2", "New", "Kiosk A", "K-1", "7.50", "", "", "", ""]
    assert last == ["13", "New", "Student union", "U-1", "", "", "", "", "700.00"]
    day = campaign.issue("Day ticket", 2000)
    workshop = campaign.issue("Workshop", 2000, book_size=50)
    tour = campaign.issue("Tour", 960)
    campaign.agree()
    campaign.issue_for("Kiosk A (K-1)", "Student union (U-1)", **{"Day ticket": 10, "Tour": 10})
    campaign.agree()

    # Each gets some of each product: what lies next on the pile, or numbers and books.
    for name in KIOSKS[:5]:
        campaign.visit(name, "Hand over tickets …")
        campaign.take_next(50)
        assert campaign.hand_over() == f"150 tickets, €2,213.00: Stock to {name} · Delivery note"
    for place, name in enumerate([*KIOSKS[5:], "Museum shop", "Bookshop"]):
        campaign.visit(name, "Hand over tickets …")
        numbers, books = f"{251 + 100 * place}-{350 + 100 * place}", f"books {6 + 2 * place}-{7 + 2 * place}"
        question = campaign.hand_over(f"{day}: {numbers}", f"{workshop}: {books}", f"{tour}: {numbers}")
        assert question == f"300 tickets, €4,426.00: Stock to {name} · Delivery note"
    campaign.visit("Student union", "Hand over tickets …")
    campaign.name(f"{day}: 1901-1920")
    campaign.look()
    limit = "The seller would hold or owe €769.00, and the credit limit is €700.00."
    assert any(limit in text for text in browser.texts(f"form:has({CONFIRMED}) .alert"))
    assert browser.find_all("[name=over_limit]")  # which nobody confirms here
    campaign.agree()

    # From one to another, and back to stock.
    browser.open("hand-over")
    browser.pick("source", "Kiosk A (K-1)")
    browser.pick("target", "Kiosk B (K-2)")
    question = campaign.hand_over(f"{day}: 21-50", f"{workshop}: book 1")
    assert question == "80 tickets, €1,358.00: Kiosk A to Kiosk B · Transfer note"
    campaign.agree()
    campaign.visit("Kiosk F", "Take tickets back …")
    question = campaign.hand_over(f"{day}: 251-300", f"{tour}: 341-350")
    assert question == "60 tickets, €1,229.00: Kiosk F to Stock · Take-back note"
    campaign.agree()

    # What comes back, what is lost, and what is spoiled.
    done = campaign.deal_with("return", f"{day}: 351-400", f"{tour}: 951-960")
    assert done == "Returned tickets: 60 · €1,229.00"
    campaign.agree()
    done = campaign.deal_with("lost", f"{workshop}: book 9", f"{day}: 1991-2000")
    assert done == "Tickets reported lost or stolen: 60 · €898.00"
    campaign.agree()
    assert campaign.deal_with("replace", f"{workshop}: book 10") == "Replaced tickets: 50"
    campaign.agree()

    # Who looks at a seller finds what she holds, owes, and has signed for.
    campaign.visit("Kiosk G")
    rows = browser.table(".offlinesales-figures tbody tr, .offlinesales-figures tfoot tr")
    assert rows[0] == ["Owed", "€617.90"]
    assert [row for row in rows if len(row) == 3] == [
        ["Held", "200", "€2,608.00"],
        ["Sold", "0", "€0.00"],
        ["Lost", "50", "€668.00"],
        ["Settled", "0", "€0.00"],
    ]
    numbers = [row[0] + ": " + row[4] for row in browser.table(".panel:has(thead th:nth-child(5)) tbody tr")]
    assert {f"{day}: 401–450", f"{workshop}: Book 8", f"{tour}: 351–450"} <= set(numbers)
    campaign.fits_a_phone()
    assert browser.errors() == []
