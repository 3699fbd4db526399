"""A campaign on the pages: what one does there, and whether all that they show is what there is."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from decimal import Decimal

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from .browser import DESKTOP, PHONE, ROOT, Browser, resize

#: Where one is asked whether it is right so.
CONFIRMED = "[name=confirmed]"


@contextmanager
def witness(directory, organizer: str, event: str):
    """Gives what asks somebody who looks into the server's database, and counts."""
    command = [sys.executable, "-m", "tests.e2e.witness", str(directory), organizer, event]
    env = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=env, stdin=pipe, stdout=pipe, text=True) as process:

        def ask():
            process.stdin.write("What is there?\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


class Campaign:
    """What one does at the pages of an organizer and her event."""

    def __init__(self, browser: Browser, ask, organizer: str):
        self.browser, self.ask = browser, ask
        self.of_organizer = f"{browser.server}/control/organizer/{organizer}/offlinesales/"
        self.sellers = f"{self.of_organizer}sellers/"

    def press(self, label):
        """As soon as it is there."""
        self.browser.wait_until(lambda: label in self.browser.texts("button, a.btn"))
        self.browser.press(label)

    def import_sellers(self, file, lines):
        """Returns what one is shown of them before."""
        file.write_text("\n".join(lines))
        browser = self.browser
        browser.driver.get(self.sellers)
        self.press("Create a seller")
        self.press("Import sellers from a file")
        browser.wait_until(lambda: browser.find("[name=file]")).send_keys(str(file))
        self.press("Upload")
        self.press("Look at what would be imported")
        browser.wait_until(lambda: browser.find(".panel-primary tbody tr"))
        shown = browser.table(".panel-primary tbody tr")
        self.press("Perform import")
        done = f"{len(shown)} sellers have been imported."
        browser.wait_until(lambda: browser.texts(".alert-success") == [done])
        return shown

    def issue(self, product, amount, consignment=False, **values) -> str:
        """Returns what its tickets are called before their numbers."""
        self.browser.issue(product, amount, consignment=consignment, **values)
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

    def state(self, seller) -> dict[str, str]:
        """One looks, and makes it. Returns the figures that are shown before, and then."""
        browser = self.browser
        self.visit(seller)
        browser.press("Make a statement …")
        browser.press("Continue")
        browser.wait_until(lambda: browser.find_all("[name=seen]"))
        lines = browser.table("form:has([name=seen]) .table-responsive tbody tr")
        before = self.figures()
        browser.press("Make the statement")
        browser.wait_until(lambda: "/statements/" in browser.url)
        said = ".panel:has(.table-responsive th:nth-child(8)) .table-responsive tbody tr"
        assert browser.table(said) == lines
        assert self.figures().items() >= before.items() - {"To be paid", "To be given back"}
        return self.figures()

    def state_all(self) -> list[list[str]]:
        """Returns what is shown of the statements that are made: which, whose, how many tickets, how much."""
        browser = self.browser
        browser.driver.get(f"{self.of_organizer}statements/all")
        for box in browser.find_all("[name=events]"):
            if not box.is_selected():
                box.click()
        browser.press("Make statements")
        browser.wait_until(lambda: "/all/" in browser.url and browser.find_all("tbody tr"))
        return browser.table("tbody tr")

    def open_statement(self, number):
        self.browser.driver.get(f"{self.of_organizer}statements/")
        self.browser.link(f"Statement {number}")
        self.browser.wait_until(lambda: "/statements/" in self.browser.url)

    def pay(self, number, amount, reference="", confirmed=False) -> dict[str, str]:
        """Returns the figures of the statement as they are then."""
        browser = self.browser
        self.open_statement(number)
        browser.press("Write down a payment")
        browser.type("amount", amount)
        browser.type("reference", reference)
        browser.press("Save")
        if confirmed:
            self.press("Write it down all the same")
        browser.wait_until(lambda: "/payment" not in browser.url)
        return self.figures()

    def correct(self, reference) -> dict[str, str]:
        """A payment of the statement whose page is open, by a negative one."""
        browser = self.browser
        [row] = [row for row in browser.find_all("tr:has(a[href*=correct])") if reference in row.text]
        row.find_element(By.LINK_TEXT, "Correct").click()
        browser.wait_until(lambda: "/payment" in browser.url)
        browser.press("Save")
        browser.wait_until(lambda: "/payment" not in browser.url)
        return self.figures()

    def figures(self) -> dict[str, str]:
        """Of the small tables."""
        return {row[0]: row[-1] for row in self.browser.table(".offlinesales-figures tr")}

    def in_pretix(self, batch, number, status, button):
        """Staff changes an order there."""
        browser = self.browser
        browser.open(f"{batch.removeprefix('#')}/")
        codes = browser.texts(".table-hover tbody strong a")
        event = browser.pages.removesuffix("offlinesales/")
        browser.driver.get(f"{event}orders/{codes[number - 1]}/transition?status={status}")
        page = browser.url
        browser.press(button)
        browser.wait_until(lambda: browser.url != page)

    def agree(self):
        """What the pages show is what there is, ticket by ticket; and on a phone, nothing of it is lost."""
        browser, found = self.browser, self.ask()
        while found["working"]:  # on what is settled
            found = self.ask()
        assert found["contradictions"] == {}
        browser.driver.get(self.sellers)
        assert {row[0]: row[2:8] for row in browser.table("tbody tr")} == {
            name: in_row(account) for name, account in found["accounts"].items()
        }
        assert [row[1:7] for row in browser.table("tfoot tr")] == [in_row(found["sum"])] * found["is_out"]
        self.fits_a_phone()
        if found["statements"]:
            self.agree_about_money(found)
        browser.open("?counted=yes")
        assert dict(text.rsplit(": ", 1) for text in browser.texts(".offlinesales-legend li")) == {
            place: str(count) for place, count in found["places"].items()
        }
        rows = browser.table(".offlinesales-stock-rows tbody tr")
        assert sorted([tickets[tickets.index("#") :], *others[:2]] for tickets, *others in rows) == sorted(
            in_map(*each) for each in found["ranges"]
        )
        self.fits_a_phone()

    def agree_about_money(self, found):
        """The lists of all statements and of all payments, with what they add up to."""
        browser = self.browser
        browser.driver.get(f"{self.of_organizer}statements/")
        statements = [
            [f"Statement {number}", seller, stage, *map(money, (due, paid)), money(open, "–")]
            for number, seller, stage, due, paid, open in found["statements"]
        ]
        assert [row[:2] + row[5:] for row in browser.table("tbody tr")] == statements[::-1]
        due, paid, open = (sum(Decimal(each[column]) for each in found["statements"]) for column in (3, 4, 5))
        assert browser.table("tfoot tr") == [["Total", *map(money, (due, paid, open))]]
        self.fits_a_phone()
        if not found["payments"]:
            return
        browser.driver.get(f"{self.of_organizer}payments/")
        payments = [
            [seller, f"Statement {number}", reference, money(amount)]
            for number, seller, reference, amount in found["payments"]
        ]
        assert [row[1:4] + row[5:6] for row in browser.table("tbody tr")] == payments[::-1]
        total = sum(Decimal(each[3]) for each in found["payments"])
        assert [row[:2] for row in browser.table("tfoot tr")] == [["Total", money(total)]]
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
    return [held, "–", sold, lost, *(money(account[name], "–") for name in ("owed", "balance"))]


def money(value, nothing=None) -> str:
    """As pages show it: ``-€1,234.50``."""
    value = Decimal(value)
    if nothing and not value:
        return nothing
    return f"-€{-value:,.2f}" if value < 0 else f"€{value:,.2f}"


def in_map(batch, first, last, place, seller):
    """As the table of the stock map shows it."""
    words = f"{place} · {seller}" if seller and not place.startswith("Held") else place
    numbers = f"{first}–{last}" if first < last else str(first)
    return [f"#{batch}: {numbers}", words, str(last - first + 1)]
