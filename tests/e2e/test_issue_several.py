"""Several batches at once, in a real browser."""

import re

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from .browser import PHONE, focused, resize

pytestmark = pytest.mark.browser

RESULT = re.compile(r"/add/several/[0-9a-f-]+/$")

LINES = "[data-formset-form]:not([data-formset-form-deleted])"


def lines(browser):
    return [line for line in browser.find_all(LINES) if line.is_displayed()]


def seen_rows(browser, place):
    """What the look says, by table."""
    table = browser.find_all("form:has([name=confirmed]) table")[place]
    rows = table.find_elements(By.CSS_SELECTOR, "tbody tr")
    return [[cell.text for cell in row.find_elements(By.TAG_NAME, "td")] for row in rows]


def check(browser, *names):
    """Choose these sellers."""
    for label in browser.find_all("label:has([name=sellers])"):
        if label.text.strip() in names:
            label.click()


def test_what_is_seen_is_made_for_each_seller(browser):
    browser.open("add/several")
    browser.choose("lines-0-itemvar", "Night pass")
    browser.type("lines-0-amount", 30)
    # By keyboard: another line, which is removed again, and one that stays.
    browser.find("[data-formset-add]").send_keys(Keys.ENTER)
    browser.wait_until(lambda: len(lines(browser)) == 2)
    lines(browser)[1].find_element(By.CSS_SELECTOR, "[data-formset-delete-button]").send_keys(Keys.ENTER)
    browser.wait_until(lambda: len(lines(browser)) == 1)
    browser.find("[data-formset-add]").send_keys(Keys.ENTER)
    browser.wait_until(lambda: len(lines(browser)) == 2)
    browser.choose("lines-2-itemvar", "Workshop – Child")
    browser.type("lines-2-amount", 20)
    check(browser, "Kiosk at the station", "Tourist office")
    browser.type("book_size", 10)
    browser.find("[name=book_size]").send_keys(Keys.ENTER)
    browser.wait_until(lambda: browser.find_all("[name=confirmed]"))
    assert [row[:2] + row[3:4] for row in seen_rows(browser, 0)] == [
        ["Kiosk at the station", "Night pass", "30"],
        ["Kiosk at the station", "Workshop – Child", "20"],
        ["Tourist office", "Night pass", "30"],
        ["Tourist office", "Workshop – Child", "20"],
    ]
    assert [row[:2] for row in seen_rows(browser, 1)] == [["Kiosk at the station", "50"], ["Tourist office", "50"]]
    assert focused(browser).get_attribute("data-offlinesales-news") is not None
    browser.press("Issue 4 batches")
    browser.wait_until(
        lambda: RESULT.search(browser.url) and browser.texts("h2")[:1][0].startswith("Issued batches: 4")
    )
    assert len(browser.find_all("tbody tr")) == 4
    assert browser.errors() == []


def test_what_is_wrong_is_said_where_it_is(browser):
    browser.open("add/several")
    browser.choose("lines-0-itemvar", "Roof terrace")
    browser.type("lines-0-amount", 3)
    check(browser, "Kiosk at the station", "Tourist office")
    browser.press("Continue")
    browser.wait_until(lambda: browser.find_all(".has-error"))
    assert "are needed for all batches together" in browser.find(".has-error .help-block").text
    assert browser.find_all("tr.danger")
    assert browser.errors() == []


def test_on_a_phone_nothing_is_wider_than_the_page(browser):
    browser.open("add/several")
    browser.choose("lines-0-itemvar", "Night pass")
    browser.type("lines-0-amount", 3)
    check(browser, "Tourist office")
    resize(browser.driver, PHONE)
    browser.press("Continue")
    browser.wait_until(lambda: browser.find_all("[name=confirmed]"))
    width = browser.driver.execute_script("return document.documentElement.scrollWidth")
    assert width <= PHONE[0]
    assert browser.errors() == []
