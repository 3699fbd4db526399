"""A campaign on the pages: twelve sellers, three products, 5,000 tickets, and all that becomes of them."""

import json
import os
import subprocess
import sys
from decimal import Decimal

import pytest
from selenium.webdriver.common.keys import Keys

from .browser import DESKTOP, FESTIVAL, PHONE, ROOT, SUMMER, Browser, resize

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

#: Where one is asked whether it is right so.
CONFIRMED = "[name=confirmed]"


@pytest.fixture
def ask(browser, directory):
    """Asks somebody who looks into the server's database, and counts."""
    command = [sys.executable, "-m", "tests.e2e.witness", str(directory)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=env, stdin=pipe, stdout=pipe, text=True) as witness:

        def ask():
            witness.stdin.write("What is there?\n")
            witness.stdin.flush()
            return json.loads(witness.stdout.readline())

        yield ask
        witness.stdin.close()


@pytest.fixture
def campaign(browser, ask):
    browser.at(SUMMER, FESTIVAL)
    return Campaign(browser, ask)


class Campaign:
    """What one does at the festival's pages."""

    def __init__(self, browser: Browser, ask):
        self.browser, self.ask = browser, ask
        self.sellers = f"{browser.server}/control/organizer/{FESTIVAL}/offlinesales/sellers/"

    def press(self, label):
        """As soon as it is there."""
        self.browser.wait_until(lambda: label in self.browser.texts("button, a.btn"))
        self.browser.press(label)

    def import_sellers(self, file):
        browser = self.browser
        browser.driver.get(self.sellers)
        self.press("Create a seller")
        self.press("Import sellers from a file")
        browser.wait_until(lambda: browser.find("[name=file]")).send_keys(str(file))
        self.press("Upload")
        self.press("Look at what would be imported")
        browser.wait_until(lambda: browser.find(".panel-primary tbody tr"))
        first, *_others, last = browser.table(".panel-primary tbody tr")
        assert first == ["2", "New", "Kiosk A", "K-1", "7.50", "", "", "", ""]
        assert last == ["13", "New", "Student union", "U-1", "", "", "", "", "700.00"]
        self.press("Perform import")
        browser.wait_until(lambda: browser.texts(".alert-success") == ["12 sellers have been imported."])

    def issue(self, product, amount, **values) -> str:
        """Returns what its tickets are called before their numbers."""
        self.browser.issue(product, amount, **values)
        return "#" + self.browser.url.rstrip("/").rpartition("/")[2]

    def issue_for(self, *sellers, **amounts):
        """So many tickets of each product for each of these sellers, who get them at once."""
        browser = self.browser
        browser.open("add/several")
        for place, (product, amount) in enumerate(amounts.items()):
            if place:
                browser.find("[data-formset-add]").send_keys(Keys.ENTER)
                browser.wait_until(lambda place=place: browser.find_all(f"[name=lines-{place}-amount]"))
            browser.choose(f"lines-{place}-itemvar", product)
            browser.type(f"lines-{place}-amount", amount)
        for label in browser.find_all("label:has([name=sellers])"):
            if label.text.strip() in sellers:
                label.click()
        self.look()
        browser.press(f"Issue {len(sellers) * len(amounts)} batches")
        done = f"Issued batches: {len(sellers) * len(amounts)}"
        browser.wait_until(lambda: any(text.startswith(done) for text in browser.texts("h2")))

    def visit(self, seller, button=None):
        """Her page, or where a button leads from there."""
        browser = self.browser
        browser.driver.get(self.sellers)
        browser.link(seller)
        browser.wait_until(lambda: browser.texts("h1") == [seller])
        if button:
            browser.press(button)
            browser.wait_until(lambda: browser.find("#offlinesales-scan").is_displayed())

    def take_next(self, each):
        """So many of each product, from the top of the pile."""
        browser = self.browser
        browser.find("#offlinesales-next summary").click()
        browser.wait_until(lambda: browser.find("[name=each]").is_displayed())
        browser.type("each", each)
        browser.find("[name=fill]").send_keys(Keys.ENTER)  # a click may miss what still slides into its place
        browser.wait_until(lambda: browser.find_all("#offlinesales-next li"))

    def name(self, *tickets):
        field = self.browser.find("#offlinesales-scan")
        for each in tickets:
            field.send_keys(each, Keys.ENTER)

    def look(self):
        self.browser.press("Continue")
        self.browser.wait_until(lambda: self.browser.find_all(CONFIRMED))

    def hand_over(self, *tickets) -> str:
        """Where it is said already from whom to whom. Returns what one is asked."""
        browser = self.browser
        self.name(*tickets)
        self.look()
        question = browser.texts(".panel-body > p")[0]
        browser.find(f"form:has({CONFIRMED}) button[type=submit]").click()
        browser.wait_until(lambda: "/documents/" in browser.url)
        return question

    def deal_with(self, page, *tickets) -> str:
        """Returns what became of them."""
        browser = self.browser
        browser.open(page)
        self.name(*tickets)
        self.look()
        browser.find(f"form:has({CONFIRMED}) button[type=submit]").click()
        browser.wait_until(lambda: "/results/" in browser.url and browser.texts(".panel-title"))
        return browser.texts(".panel-title")[0]

    def agree(self):
        """What the pages show is what there is, ticket by ticket; and on a phone, nothing of it is lost."""
        browser, found = self.browser, self.ask()
        assert found["contradictions"] == {}
        browser.driver.get(self.sellers)
        assert {row[0]: row[2:7] for row in browser.table("tbody tr")} == {
            name: in_row(account) for name, account in found["accounts"].items()
        }
        assert [row[1:6] for row in browser.table("tfoot tr")] == [in_row(found["sum"])] * found["is_out"]
        self.fits_a_phone()
        browser.open("?counted=yes")
        assert dict(text.rsplit(": ", 1) for text in browser.texts(".offlinesales-legend li")) == {
            place: str(count) for place, count in found["places"].items()
        }
        rows = browser.table(".offlinesales-stock-rows tbody tr")
        assert sorted([tickets[tickets.index("#") :], *others[:2]] for tickets, *others in rows) == sorted(
            in_map(*each) for each in found["ranges"]
        )
        self.fits_a_phone()

    def fits_a_phone(self):
        resize(self.browser.driver, PHONE)
        assert self.browser.driver.execute_script("return document.documentElement.scrollWidth") == PHONE[0]
        resize(self.browser.driver, DESKTOP)


def in_row(account):
    """As the list of sellers shows it; that nothing is overdue, too."""
    held, sold, lost = (
        f"{count} €{Decimal(value):,.2f}" if count else "–"
        for count, value in (account[name] for name in ("held", "sold", "lost"))
    )
    owed = Decimal(account["owed"])
    return [held, "–", sold, lost, f"€{owed:,.2f}" if owed else "–"]


def in_map(batch, first, last, place, seller):
    """As the table of the stock map shows it."""
    words = f"{place} · {seller}" if seller and not place.startswith("Held") else place
    return [f"#{batch}: {first}–{last}", words, str(last - first + 1)]


def test_a_campaign(campaign, browser, tmp_path):
    file = tmp_path / "sellers.csv"
    file.write_text("\n".join(SELLERS))
    campaign.import_sellers(file)
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
    assert browser.texts(".has-error .help-block") == [
        "The seller would hold or owe €769.00, and the credit limit is €700.00."
    ]
    assert browser.texts(f"form:has({CONFIRMED}) h2") == ["Nothing can be handed over"]
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
    assert browser.table(".offlinesales-figures tbody tr, .offlinesales-figures tfoot tr") == [
        ["Held", "200", "€2,608.00"],
        ["Sold", "0", "€0.00"],
        ["Lost", "50", "€668.00"],
        ["Owed", "", "€617.90"],
    ]
    numbers = [row[0] + ": " + row[4] for row in browser.table(".panel:has(thead th:nth-child(5)) tbody tr")]
    assert {f"{day}: 401–450", f"{workshop}: Book 8", f"{tour}: 351–450"} <= set(numbers)
    campaign.fits_a_phone()
    assert browser.errors() == []
