"""The stock map in a real browser."""

import json
import os
import subprocess
import sys

import pytest

from .browser import PHONE, ROOT, resize

pytestmark = pytest.mark.browser

RANGES = ".offlinesales-line > a"
ROWS = "[data-offlinesales-stock-table] tbody tr"


@pytest.fixture
def batch(browser, shared, directory):
    """The address of the page of a batch of which two sellers hold some, and some were returned."""
    if "stock" not in shared:
        browser.issue("Workshop – Adult", 200)
        shared["stock"] = browser.url.removeprefix(browser.pages)
        number = shared["stock"].strip("/")
        numbers = {"Kiosk at the harbour": "21-80, 120", "Touristeninformation am Fischmarkt": "81-110"}
        command = [sys.executable, "-m", "tests.e2e.holders", str(directory), number, json.dumps(numbers)]
        env = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
        subprocess.run(command, cwd=ROOT, env=env, check=True)
    browser.open(shared["stock"])
    return shared["stock"]


def test_x(browser, batch):
    browser.driver.save_screenshot("/tmp/h6/batch.png")
    print(browser.errors())
    browser.find_all(RANGES)[1].click()
    browser.driver.save_screenshot("/tmp/h6/batch2.png")
    resize(browser.driver, PHONE)
    browser.driver.save_screenshot("/tmp/h6/batch_phone.png")
    browser.open()
    browser.wait_until(lambda: browser.find_all(RANGES))
    browser.driver.save_screenshot("/tmp/h6/list_phone.png")
    resize(browser.driver, (1280, 1000))
    browser.driver.save_screenshot("/tmp/h6/list.png")
    print(browser.errors())
