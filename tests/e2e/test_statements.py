"""The whole way of money, in a real browser: tickets are sold on consignment, stated, paid and settled."""

import pytest
from selenium.webdriver.common.by import By

from .browser import EVENT, ORGANIZER, PHONE, read, resize

pytestmark = pytest.mark.browser


@pytest.fixture
def organizers(browser):
    """The browser at the organizer's pages."""
    browser.pages = f"{browser.server}/control/organizer/{ORGANIZER}/offlinesales/"
    return browser


@pytest.fixture
def stated(organizers, shared):
    """The ends of the addresses of a seller, and of a statement of hers about three tickets."""
    if "stated" not in shared:
        shared["stated"] = sell_and_state(organizers)
    return shared["stated"]


def sell_and_state(browser):
    browser.open("sellers/add")
    browser.type("name", "Opera kiosk")
    browser.type("commission_percent", "10")
    browser.press("Save")
    browser.wait_until(lambda: browser.texts("h1") == ["Opera kiosk"])
    seller = "sellers/" + browser.url.rsplit("/", 2)[1] + "/"
    browser.at(EVENT)
    browser.open("add")
    browser.choose("itemvar", "Night pass")
    browser.type("amount", 5)
    browser.pick("seller", "Opera kiosk")
    browser.find("[name=numbering][value=again]").click()
    browser.find("[name=consignment]").click()
    browser.press("Issue tickets")
    browser.wait_until(lambda: "/add" not in browser.url)
    batch = browser.url
    browser.driver.get(f"{batch}sold?tickets=1-3")
    browser.press("Continue")
    browser.wait_until(lambda: browser.find_all("[name=confirmed]"))
    browser.find("form:has([name=confirmed]) button[type=submit]").click()
    browser.wait_until(lambda: "/results/" in browser.url)
    browser.pages = f"{browser.server}/control/organizer/{ORGANIZER}/offlinesales/"
    browser.open(seller)
    assert money(browser)["not stated yet"] == "€62.10"
    browser.press("Make a statement …")
    browser.press("Continue")
    browser.wait_until(lambda: browser.find_all("[name=seen]"))
    [line] = browser.table("form:has([name=seen]) .table-responsive tbody tr")
    assert line[3:6] == ["€23.00", "3", "€69.00"]
    browser.press("Make the statement")
    browser.wait_until(lambda: "/statements/" in browser.url)
    statement = "statements/" + browser.url.rsplit("/", 2)[1] + "/"
    assert browser.errors() == []
    return seller, statement, batch


def money(browser) -> dict[str, str]:
    """The small tables of figures."""
    return {row[0]: row[-1] for row in browser.table(".offlinesales-figures tr")}


PAGES = [
    "{seller}",
    "{seller}statement",
    "{statement}",
    "{statement}payment",
    "statements/",
    "payments/",
    "sellers/sales",
]


@pytest.mark.parametrize("page", PAGES)
def test_on_a_phone_nothing_is_wider_than_the_page(organizers, stated, page):
    resize(organizers.driver, PHONE)
    organizers.open(page.format(seller=stated[0], statement=stated[1]))
    assert organizers.driver.execute_script("return document.documentElement.scrollWidth") == PHONE[0]


@pytest.mark.parametrize("page", PAGES)
def test_everything_has_a_name(organizers, stated, page):
    organizers.open(page.format(seller=stated[0], statement=stated[1]))
    content = organizers.find("#page-wrapper")
    nameless = [
        element.get_attribute("outerHTML")[:200]
        for element in content.find_elements(By.CSS_SELECTOR, "input, select, textarea, button, a[href]")
        if element.is_displayed() and not element.get_attribute("aria-hidden") and not element.accessible_name
    ]
    assert nameless == []
    assert len(content.find_elements(By.CSS_SELECTOR, "h1")) == 1
    assert organizers.errors() == []


def test_what_is_paid_in_parts_is_settled_in_pretix(organizers, stated):
    seller, statement, batch = stated
    organizers.open(statement)
    assert organizers.texts("h1")[0].endswith("Opera kiosk Open")
    for amount, left in (("20", "€42.10"), ("42.10", "€0.00")):
        organizers.press("Write down a payment")
        organizers.type("amount", amount)
        organizers.type("reference", f"Transfer of {amount}")
        organizers.press("Save")
        organizers.wait_until(lambda: "/payment" not in organizers.url)
        assert money(organizers)["Open"] == left
    assert organizers.texts("h1")[0].endswith("Opera kiosk Settled")

    def settled():
        organizers.open(seller)
        return money(organizers)["Settled"] == "€69.00"

    organizers.wait_until(settled)
    assert {name: money(organizers)[name] for name in ("Owed", "of that stated and not paid", "Held")} == {
        "Owed": "€0.00",
        "of that stated and not paid": "€0.00",
        "Held": "€46.00",
    }
    organizers.wait_until(lambda: read(organizers, "#offlinesales-sales svg text"))
    organizers.driver.get(batch)
    organizers.driver.find_element(By.CSS_SELECTOR, ".table-hover tbody strong a").click()
    organizers.wait_until(lambda: "/orders/" in organizers.url)
    assert "Paid" in organizers.texts("h1")[0]
    assert organizers.errors() == []
