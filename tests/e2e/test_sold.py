"""A seller says what she has left, and all else is sold."""

import json
import os
import subprocess
import sys

import pytest
from selenium.webdriver.common.keys import Keys

from .browser import PHONE, ROOT, resize

pytestmark = pytest.mark.browser

VERDICTS = "[data-offlinesales-verdicts] li"


@pytest.fixture
def batch(browser, shared, directory):
    """The number of a batch of which a kiosk holds some."""
    if "sold" not in shared:
        browser.issue("Workshop – Child", 60, again=True)
        shared["sold"] = number = browser.url.removeprefix(browser.pages).strip("/")
        command = [sys.executable, "-m", "tests.e2e.holders", str(directory), number, json.dumps({"Mill": "1-50"})]
        env = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
        subprocess.run(command, cwd=ROOT, env=env, check=True)
    return shared["sold"]


def verdicts(browser):
    return [" ".join(text.split()) for text in browser.texts(VERDICTS)]


def test_all_but_what_is_left(browser, batch):
    browser.open("sold")
    browser.find("#offlinesales-scan").send_keys(f"#{batch}: 41-50", Keys.ENTER)
    browser.wait_until(lambda: "can be declared as sold: 10" in verdicts(browser)[0])
    browser.find("[name=all_but]").click()
    browser.pick("seller", "Mill")
    browser.wait_until(lambda: "is left alone: 10" in verdicts(browser)[0])
    browser.find("#offlinesales-scan").send_keys(f"#{batch}-55", Keys.ENTER)
    browser.wait_until(lambda: "somewhere else" in verdicts(browser)[0])
    screenshot(browser, "form")
    browser.press("Continue")
    assert f"#{batch}-55 (somewhere else)" in browser.texts(".alert-danger")[0]
    assert browser.find("[name=all_but]").is_selected()
    browser.driver.execute_script("document.querySelector('[name=lines]').value = arguments[0]", f"#{batch}: 41-50")
    browser.press("Continue")
    assert browser.texts(".panel-body p strong")[0] == "40 tickets will be declared as sold."
    assert f"All but these: #{batch}: 41–50" in browser.find(".panel-body").text
    screenshot(browser, "check")
    browser.press("Declare tickets as sold")
    browser.wait_until(lambda: "/results/" in browser.url)
    assert browser.texts(".panel-title")[0].startswith("Tickets declared as sold: 40")
    browser.open(f"{batch}/")
    names = [each.get_attribute("aria-label") for each in browser.find_all(".offlinesales-line > a")]
    assert names == [
        "1–40: Sold · Mill (40 tickets)",
        "41–50: Held by Mill (10 tickets)",
        "51–60: In stock (10 tickets)",
    ]
    assert browser.errors() == []


def test_on_a_phone(browser, batch):
    resize(browser.driver, PHONE)
    browser.open(f"{batch}/sold?seller=1&all_but")
    screenshot(browser, "phone")
    width = browser.driver.execute_script("return document.documentElement.scrollWidth")
    assert (width <= PHONE[0], browser.find("[name=all_but]").is_selected()) == (True, True)


def screenshot(browser, name):
    if folder := os.environ.get("SOLD_SCREENSHOTS"):
        height = browser.driver.execute_script("return document.documentElement.scrollHeight")
        width = browser.driver.execute_script("return innerWidth")
        resize(browser.driver, (width, height))
        browser.driver.save_screenshot(f"{folder}/{name}.png")
