"""Tickets go from hand to hand: scanned, by book, and with the keyboard alone."""

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from .browser import PHONE, focused, resize

pytestmark = pytest.mark.browser

VERDICTS = "[data-offlinesales-verdicts] li"
QUESTION = ".panel-body > p"


@pytest.fixture
def stock(browser, shared):
    """The page of a batch, and the codes of its tickets."""
    if "pile" not in shared:
        browser.issue("Night pass", 40)
        shared["pile"] = browser.url, browser.texts(".table-hover tbody strong a")
    return shared["pile"]


def scan(browser, *codes):
    field = browser.find("#offlinesales-scan")
    for code in codes:
        field.send_keys(code, Keys.ENTER)


def judged(browser):
    return [" ".join(text.split()) for text in browser.texts(VERDICTS)]


def asked(browser):
    browser.wait_until(lambda: browser.find_all("[name=confirmed]"))
    return browser.texts(QUESTION)[0]


def handed_over(browser, button):
    """Press it, and see the document."""
    browser.press(button)
    browser.wait_until(lambda: "/documents/" in browser.url)
    return browser.texts("h1")[0]


def test_deliver_transfer_and_take_back(browser, stock):
    page, codes = stock
    browser.driver.get(page)
    browser.press("Hand over tickets")
    assert browser.texts("h1 small")[0].startswith("Offline sales batch #")
    scan(browser, *codes[:3], "4", "NOPE")
    browser.wait_until(lambda: len(browser.find_all(f"{VERDICTS}.list-group-item-success")) == 4)
    browser.wait_until(lambda: judged(browser)[0] == "unknown NOPE")
    browser.pick("target", "Kiosk at the station")
    browser.press("Continue")
    assert asked(browser) == "4 tickets, €92.00: Stock to Kiosk at the station · Delivery note"
    assert focused(browser).text.startswith("4 tickets")
    assert handed_over(browser, "Hand over 4 tickets").startswith("Delivery note")
    assert browser.texts("tbody td")[2] == "1–4"

    browser.open("hand-over")
    browser.pick("target", "Tourist office")
    scan(browser, codes[0], codes[9])
    browser.wait_until(lambda: len(browser.find_all(f"{VERDICTS}.list-group-item-success")) == 2)
    browser.wait_until(lambda: judged(browser)[1].endswith(f", Kiosk at the station {codes[0]}"))
    browser.pick("source", "Kiosk at the station")  # what was said before is asked again
    browser.wait_until(lambda: judged(browser)[0] == f"somewhere else (Stock) {codes[9]}")
    browser.press("Continue")
    assert asked(browser) == "1 ticket, €23.00: Kiosk at the station to Tourist office · Transfer note"
    assert handed_over(browser, "Hand over 1 ticket").startswith("Transfer note")

    browser.open("hand-over?to=stock")
    scan(browser, *codes[1:3])
    browser.press("Continue")
    assert asked(browser) == "2 tickets, €46.00: Kiosk at the station to Stock · Take-back note"
    assert browser.texts("h1")[0] == "Take tickets back"
    assert handed_over(browser, "Take back 2 tickets").startswith("Take-back note")
    assert browser.errors() == []


def test_the_next_ones_with_the_keyboard_alone(browser, stock):
    page, _codes = stock
    batch = page.rstrip("/").rpartition("/")[2]

    def keys(*pressed):
        for key in pressed:
            ActionChains(browser.driver).send_keys(key).perform()

    def tab_to(found):
        for _stop in range(60):
            if found(focused(browser)):
                return
            keys(Keys.TAB)
        raise AssertionError("There is no way to it.")

    browser.open("hand-over")
    browser.find("body").send_keys(Keys.HOME)
    browser.find("h1").click()
    tab_to(lambda element: element.get_attribute("aria-labelledby") == "select2-id_target-container")
    keys(Keys.ENTER, *"tourist", Keys.ENTER)
    assert focused(browser).text == "Tourist office"
    tab_to(lambda element: element.tag_name == "summary" and "next ones" in element.text)
    keys(Keys.ENTER)
    tab_to(lambda element: element.get_attribute("name") == "each")
    keys(*"7")
    tab_to(lambda element: element.get_attribute("name") == "fill")
    keys(Keys.ENTER)
    browser.wait_until(lambda: browser.find_all("#offlinesales-next li"))
    assert f"#{batch}: " in browser.find("[name=lines]").get_attribute("value")
    assert browser.find("[name=target]").get_attribute("value")
    tab_to(lambda element: element.text == "Continue")
    keys(Keys.ENTER)
    assert asked(browser).endswith("Stock to Tourist office · Delivery note")
    tab_to(lambda element: element.text.startswith("Hand over"))
    keys(Keys.ENTER)
    browser.wait_until(lambda: "/documents/" in browser.url)
    assert browser.errors() == []


def test_on_a_phone_nothing_is_wider_than_the_screen(browser, stock):
    _page, codes = stock
    resize(browser.driver, PHONE)
    browser.open("hand-over?to=stock")
    scan(browser, *codes[:20], "x" * 40)
    assert _width(browser) == PHONE[0]
    browser.press("Continue")
    asked(browser)
    assert _width(browser) == PHONE[0]


def _width(browser):
    return browser.driver.execute_script("return document.documentElement.scrollWidth")
