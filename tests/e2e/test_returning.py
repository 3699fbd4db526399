"""Tickets that come back, scanned faster than the server answers."""

import pytest
from selenium.webdriver.common.keys import Keys

from .browser import PHONE, resize

VERDICTS = "[data-offlinesales-verdicts] tr"


@pytest.fixture
def envelope(browser, shared):
    """Two batches, and the codes of what is in an envelope that mixes them."""
    if "envelope" not in shared:
        codes = []
        for product in ("Night pass", "Workshop – Child"):
            browser.issue(product, 40)
            codes.append(browser.texts("tbody strong a"))
        shared["envelope"] = [code for pair in zip(*codes, strict=True) for code in pair]
    return shared["envelope"]


def scan(browser, *codes):
    field = browser.find("#offlinesales-scan")
    for code in codes:
        field.send_keys(code, Keys.ENTER)


def listed(browser):
    return browser.find("[name=lines]").get_attribute("value").split("\n")


def judged(browser):
    return [" ".join(text.split()) for text in browser.texts(VERDICTS)]


def test_thirty_codes_as_fast_as_they_come(browser, envelope):
    browser.open("return")
    assert browser.driver.switch_to.active_element == browser.find("#offlinesales-scan")
    codes = envelope[:30]
    scan(browser, *codes)
    assert listed(browser) == codes
    browser.wait_until(lambda: len(browser.find_all(f"{VERDICTS}.success")) == 30)
    assert [words.split()[0] for words in judged(browser)] == codes[::-1]
    assert [words.split(" × ")[0] for words in browser.texts("[data-offlinesales-counts] p")] == ["15", "15"]

    for code, level in (("NOPE", "danger"), (codes[0], "warning")):
        scan(browser, code)
        browser.wait_until(lambda level=level: len(browser.find_all(f"{VERDICTS}.{level}")) == 1)
    assert judged(browser)[:2] == [f"{codes[0]} listed twice", "NOPE unknown"]
    assert browser.find("[data-offlinesales-live]").get_attribute("textContent") == f"{codes[0]}: listed twice"
    for _line in range(2):
        browser.find(f"{VERDICTS} button").click()
    assert listed(browser) == codes

    browser.press("Continue")
    browser.wait_until(lambda: browser.find_all("[name=confirmed]"))
    assert browser.texts(".panel-body strong") == ["30 tickets will be returned."]
    browser.press("Return tickets")
    browser.wait_until(lambda: "/results/" in browser.url)
    assert browser.texts(".panel-title") == ["Returned tickets: 30"]
    assert browser.errors() == []

    browser.open("return")
    scan(browser, codes[3])
    browser.wait_until(lambda: browser.find_all(f"{VERDICTS}.danger"))
    assert judged(browser) == [f"{codes[3]} already canceled"]


def test_lost_paper_from_the_scanner_to_its_end(browser, envelope):
    codes = envelope[40:43]
    browser.open()
    browser.press("Report lost tickets")
    scan(browser, *codes)
    browser.wait_until(lambda: len(browser.find_all(f"{VERDICTS}.success")) == 3)
    browser.press("Continue")
    browser.wait_until(lambda: browser.find_all("[name=confirmed]"))
    assert browser.texts(".panel-body strong") == ["3 tickets will be blocked."]
    browser.press("Report lost tickets")
    browser.wait_until(lambda: "/results/" in browser.url)
    assert browser.texts(".panel-title") == ["Tickets reported lost or stolen: 3"]

    browser.press("Undo losses …")
    browser.wait_until(lambda: browser.find_all("[name=confirmed]"))
    assert browser.texts(".panel-body strong") == ["3 tickets will not be reported lost any more."]
    browser.press("Undo losses")
    browser.wait_until(lambda: "/results/" in browser.url)
    assert browser.texts(".panel-title") == ["Tickets not reported lost any more: 3"]
    assert browser.errors() == []


def test_on_a_phone_nothing_is_wider_than_the_screen(browser, envelope):
    resize(browser.driver, PHONE)
    browser.open("return")
    scan(browser, *envelope[30:33], "x" * 40)
    browser.wait_until(lambda: len(browser.find_all(f"{VERDICTS}.danger")) == 1)
    width = browser.driver.execute_script("return document.documentElement.scrollWidth")
    assert width == PHONE[0]
