"""
Makes the pictures in ``docs/screenshots/``: of the demo's pretix, in a real browser, from the root of the repository::

    python -m docs.screenshots

It takes ``chromium`` and ``chromedriver`` (Debian: ``chromium chromium-driver``).
"""

import base64
import json
import sys
import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

from tests.e2e.browser import (
    DESKTOP,
    EVENT,
    LOGIN,
    ORGANIZER,
    PHONE,
    Browser,
    chromium,
    resize,
    serving,
    what_is_missing,
)

PICTURES = Path(__file__).parent / "screenshots"

#: No picture is higher: what comes below is more of the same.
HEIGHT = 1150


def main():
    if missing := what_is_missing():
        sys.exit(f"No pictures: {missing}")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        directory = Path(directory)
        with serving(directory) as url, chromium(directory / "profile", directory / "downloads") as driver:
            browser = Browser(driver, url)
            browser.log_in(LOGIN)
            browser.at(EVENT)
            batch = sell(browser, Api(url, (directory / "token").read_text()))
            take_all(browser, batch)


def sell(browser: Browser, api: "Api") -> str:
    """Make some batches, and let some things happen to them. Returns the page of the one to be shown."""
    browser.issue("Workshop – Child", 80, comment="School of arts")
    browser.issue("Roof terrace", 5)
    browser.issue("Night pass", 200, comment="Kiosk at the harbour")
    page = browser.url.removeprefix(browser.pages)
    codes = browser.texts("tbody strong a")
    entrance = api.post("checkinlists/", name="Main entrance", all_products=True)
    for code in codes[:3] + codes[4:6]:
        [position] = api.get(f"orders/{code}/")["positions"]
        api.post(f"checkinlists/{entrance['id']}/positions/{position['id']}/redeem/", force=True)
    for code in (codes[3], codes[7]):
        api.post(f"orders/{code}/mark_canceled/", send_email=False)
    browser.press("Print tickets")
    browser.wait_until(lambda: "Download" in browser.find("[data-offlinesales-refresh=print]").text)
    return page


def take_all(browser: Browser, batch: str):
    browser.open()
    browser.wait_until(lambda: not browser.find_all("[data-offlinesales-unknown]"))
    take(browser, "list")
    browser.open(batch)
    take(browser, "batch")
    resize(browser.driver, PHONE)
    browser.open(batch)
    take(browser, "phone")
    resize(browser.driver, DESKTOP)
    browser.find("tbody strong a").click()
    take(browser, "order")
    browser.open("add")
    browser.choose("itemvar", "Night pass")
    browser.type("amount", 300)
    browser.type("comment", "Bookshop")
    browser.wait_until(lambda: "for 300 tickets" in browser.find("[data-offlinesales-preview-target]").text)
    take(browser, "create")


def take(browser: Browser, name: str):
    """Of the whole page, but not of endless lists."""
    width, height = browser.driver.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, HEIGHT), "scale": 1}
    picture = browser.driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": clip}
    )
    path = PICTURES / f"{name}.png"
    path.write_bytes(base64.b64decode(picture["data"]))
    print(path)


class Api:
    """pretix's own, for what happens at the door and in the office."""

    def __init__(self, server: str, token: str):
        self.url = f"{server}/api/v1/organizers/{ORGANIZER}/events/{EVENT}/"
        self.headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}

    def get(self, path: str):
        return self._request(path)

    def post(self, path: str, **values):
        return self._request(path, json.dumps(values).encode())

    def _request(self, path, data=None):
        with urlopen(Request(self.url + path, data, self.headers)) as response:
            return json.loads(response.read())


if __name__ == "__main__":
    main()
