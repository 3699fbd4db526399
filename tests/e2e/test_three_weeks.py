"""A campaign on the pages goes on: three weeks of what is sold, stated and paid, on consignment and not."""

import pytest

from .browser import AUTUMN, FAIR
from .campaign import Campaign, witness

pytestmark = pytest.mark.browser

SELLERS = [
    "Name,Internal identifier,Commission in percent,Commission per ticket,Tax rate of the commission,Firm sale",
    "Kiosk,K-1,7.5,,,",
    "Museum shop,M-1,9.95,0.15,19,",
    "Bookshop,B-1,12,,,yes",
]


@pytest.fixture
def campaign(browser, directory):
    browser.at(AUTUMN, FAIR)
    with witness(directory, FAIR, AUTUMN) as ask:
        yield Campaign(browser, ask, FAIR)


def hand_over(campaign, seller, *tickets):
    campaign.visit(seller, "Hand over tickets …")
    campaign.hand_over(*tickets)


def test_three_weeks(campaign, browser, tmp_path):
    campaign.import_sellers(tmp_path / "sellers.csv", SELLERS)
    day = campaign.issue("Day ticket", 30, consignment=True)
    workshop = campaign.issue("Workshop", 30, book_size=10)
    hand_over(campaign, "Kiosk", f"{day}: 1-10", f"{workshop}: book 1")
    hand_over(campaign, "Museum shop", f"{day}: 11-20")
    hand_over(campaign, "Bookshop", f"{workshop}: 11-15")
    campaign.agree()

    # What is sold is stated, and paid in parts.
    assert campaign.deal_with("sold", f"{day}: 1-4", f"{workshop}: 1-2").startswith("Tickets declared as sold: 6")
    assert campaign.deal_with("sold", f"{day}: 11-14").startswith("Tickets declared as sold: 4")
    assert campaign.deal_with("lost", f"{day}: 20").startswith("Tickets reported lost or stolen: 1")
    campaign.agree()
    assert campaign.state("Kiosk")["Due"] == "€109.82"
    assert campaign.state("Museum shop")["Due"] == "€100.49"
    campaign.agree()
    assert campaign.pay(1, "60")["Open"] == "€49.82"
    assert campaign.pay(1, "49.82")["Open"] == "€0.00"
    campaign.agree()

    # Some of it comes back, is canceled, or is paid to the organizer. Statements of all are made in one go.
    assert campaign.deal_with("return", f"{day}: 4").startswith("Returned tickets: 1")
    campaign.in_pretix(day, 12, "c", "Yes, cancel order")
    campaign.in_pretix(day, 13, "p", "Create payment")
    campaign.in_pretix(day, 5, "p", "Create payment")
    assert campaign.deal_with("sold", f"{workshop}: 3").startswith("Tickets declared as sold: 1")
    campaign.agree()
    made = campaign.state_all()
    assert [row[:3] for row in made] == [
        ["Statement 3", "Bookshop", "5"],
        ["Statement 4", "Kiosk", "2"],
        ["Statement 5", "Museum shop", "2"],
    ]
    assert [row[3] for row in made] == ["€58.78", "-€8.92", "-€40.20"]
    campaign.agree()

    # More than is open of one stays with it, as it was named, and what was wrong is taken back.
    assert campaign.pay(3, "58.78", "By hand")["Open"] == "€0.00"
    assert campaign.deal_with("sold", f"{day}: 6-8").startswith("Tickets declared as sold: 3")
    assert campaign.state("Kiosk")["Open"] == "€54.90"
    paid = campaign.pay(2, "100", "A transfer of somebody else", confirmed=True)
    assert (paid["From other payments and credits"], paid["Open"]) == ("€0.49", "€0.00")
    campaign.agree()
    campaign.open_statement(2)
    assert campaign.correct("A transfer of somebody else")["Open"] == "€60.29"
    campaign.agree()
    assert campaign.pay(2, "60.29")["Open"] == "€0.00"
    assert campaign.pay(6, "54.90")["Open"] == "€0.00"
    campaign.agree()

    # Who looks at a seller finds all of that.
    campaign.visit("Kiosk")
    figures = campaign.figures()
    assert {name: figures[name] for name in ("Owed", "of that stated and not paid", "not stated yet", "Held")} == {
        "Owed": "€0.00",
        "of that stated and not paid": "€0.00",
        "not stated yet": "€0.00",
        "Held": "€139.52",
    }
    campaign.fits_a_phone()
    assert browser.errors() == []
