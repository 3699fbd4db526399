"""The stock map in a real browser."""

import json
import os
import subprocess
import sys

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from .browser import DESKTOP, PHONE, ROOT, focused, resize

pytestmark = pytest.mark.browser

RANGES = ".offlinesales-line > a"
CHOSEN = "[data-offlinesales-chosen]"

NAMES = [
    "1–20: In stock (20 tickets)",
    "21–80: Held by Kiosk at the harbour (60 tickets)",
    "81–110: Held by Touristeninformation am Fischmarkt (30 tickets)",
    "111–119: In stock (9 tickets)",
    "120: Held by Kiosk at the harbour (1 ticket)",
    "121–200: In stock (80 tickets)",
]


@pytest.fixture
def batch(browser, shared, directory):
    """The address of the page of a batch of which two sellers hold some."""
    if "stock" not in shared:
        browser.issue("Workshop – Adult", 200, again=True)
        shared["stock"] = browser.url.removeprefix(browser.pages)
        number = shared["stock"].strip("/")
        numbers = {"Kiosk at the harbour": "21-80, 120", "Touristeninformation am Fischmarkt": "81-110"}
        command = [sys.executable, "-m", "tests.e2e.holders", str(directory), number, json.dumps(numbers)]
        env = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
        subprocess.run(command, cwd=ROOT, env=env, check=True)
    browser.open(shared["stock"])
    return shared["stock"]


def names(browser):
    return [each.get_attribute("aria-label") for each in browser.find_all(RANGES)]


def keys(browser, *pressed):
    ActionChains(browser.driver).send_keys(*pressed).perform()


def test_the_picture_is_drawn_and_says_what_the_table_says(browser, batch):
    assert names(browser) == NAMES
    widths = [each.size["width"] for each in browser.find_all(".offlinesales-line > a > svg > .offlinesales-edge")]
    whole = browser.find(".offlinesales-line").size["width"]
    assert [round(200 * width / whole) for width in widths] == [20, 60, 30, 9, 1, 80]
    browser.find(".offlinesales-stock-table summary").click()
    browser.wait_until(lambda: browser.find(".offlinesales-stock-rows").is_displayed())
    said = [": ".join(row[:2]) for row in browser.table(".offlinesales-stock-rows tbody tr")]
    assert said == [name.rpartition(" (")[0] for name in NAMES]
    assert browser.errors() == []


def test_a_click_shows_what_can_be_done(browser, batch):
    browser.find_all(RANGES)[1].click()
    assert focused(browser) == browser.find(CHOSEN)
    assert browser.find(CHOSEN).text.split("\n")[1] == NAMES[1]
    browser.find(f"{CHOSEN} a[href*=return]").click()
    assert browser.find("[name=lines]").get_attribute("value") == "21-80"


def test_with_the_keyboard(browser, batch):
    first, *_others, last = browser.find_all(RANGES)
    browser.driver.execute_script("arguments[0].focus()", first)
    keys(browser, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert focused(browser).get_attribute("aria-label") == NAMES[2]
    keys(browser, Keys.END)
    assert focused(browser) == last
    assert [each.get_attribute("tabindex") for each in browser.find_all(RANGES)] == [*["-1"] * 5, "0"]
    keys(browser, Keys.ENTER)
    assert focused(browser) == browser.find(CHOSEN)
    keys(browser, Keys.ESCAPE)
    assert focused(browser) == last
    assert not browser.find(CHOSEN).is_displayed()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_it_comes_to_the_list_when_it_is_counted(browser, batch, size):
    resize(browser.driver, size)
    browser.open()
    browser.wait_until(lambda: set(NAMES) <= set(names(browser)))
    browser.find(f'{RANGES}[aria-label="{NAMES[1]}"] > svg > .offlinesales-edge').click()
    assert focused(browser).get_attribute("data-offlinesales-chosen") is not None
    width = browser.driver.execute_script("return document.documentElement.scrollWidth")
    assert width <= size[0]
    assert browser.errors() == []
