"""
Makes the pictures in ``docs/screenshots/``: of the demo's pretix, in a real browser, from the root of the repository::

    python -m docs.screenshots

It takes ``chromium`` and ``chromedriver`` (Debian: ``chromium chromium-driver``).
"""

import base64
import json
import sys
import tempfile
from datetime import date
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import pypdfium2
from PIL import Image, ImageOps
from selenium.webdriver.common.keys import Keys

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
            api = Api(url, (directory / "token").read_text())
            batch = sell(browser, api)
            take_all(browser, batch)
            take_consignment(browser, api)


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


def take_consignment(browser: Browser, api: "Api"):
    """From the tickets that a seller is handed to her statement, and the paper that it is on."""
    api.of_organizer("offlinesalessellers/", name="Harbour kiosk", commission_percent="10", commission_tax_rate="7")
    [seller] = api.of_organizer("offlinesalessellers/?search=Harbour")["results"]
    night_pass = api.get("items/?search=Night")["results"][0]["id"]
    wanted = {"item": night_pass, "amount": 60, "sales_channel": "web", "consignment": True}
    check = api.post("offlinesalesbatches/", **wanted)["check"]
    batch = browser.wait_until(lambda: api.answer(check))["id"]
    api.post("offlinesaleshandovers/", seller=seller["id"], tickets={str(batch): "1-40"})
    pages = browser.pages
    browser.open(f"{batch}/sold")
    browser.find("#offlinesales-scan").send_keys("1-25", Keys.ENTER)
    browser.press("Continue")
    browser.wait_until(lambda: browser.find_all("[name=confirmed]"))
    take(browser, "sold")
    browser.find("form:has([name=confirmed]) button[type=submit]").click()
    browser.wait_until(lambda: "/results/" in browser.url and browser.texts(".panel-title"))
    browser.pages = f"{browser.server}/control/organizer/{ORGANIZER}/offlinesales/"
    browser.open(f"sellers/{seller['id']}/statement")
    browser.press("Continue")
    take(browser, "statement-preview")
    browser.press("Make the statement")
    browser.wait_until(lambda: "/statements/" in browser.url)
    statement = browser.url.rstrip("/").rsplit("/", 1)[1]
    api.of_organizer("offlinesalespayments/", statement=int(statement), amount="200.00", date=str(date.today()))
    browser.open(f"statements/{statement}/")
    take(browser, "statement")
    browser.open(f"sellers/{seller['id']}/")
    take(browser, "seller")
    take_paper(api.file(f"offlinesalesdocuments/{statement}/pdf/"), "statement-paper")
    browser.pages = pages


def take_paper(pdf: bytes, name: str):
    """Of its first page, without what is left empty below."""
    page = pypdfium2.PdfDocument(pdf)[0].render(scale=1.6).to_pil().convert("L")
    left, top, right, bottom = ImageOps.invert(page).getbbox()
    save(page.crop((0, max(top - 40, 0), page.width, bottom + 40)), name)


def save(picture: Image.Image, name: str):
    """With as few colours as nobody misses."""
    path = PICTURES / f"{name}.png"
    picture.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)
    print(path)


def take(browser: Browser, name: str):
    """Of the whole page, but not of endless lists."""
    width, height = browser.driver.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, HEIGHT), "scale": 1}
    picture = browser.driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": clip}
    )
    save(Image.open(BytesIO(base64.b64decode(picture["data"]))).convert("RGB"), name)


class Api:
    """pretix's own, for what happens at the door and in the office."""

    def __init__(self, server: str, token: str):
        self.url = f"{server}/api/v1/organizers/{ORGANIZER}/events/{EVENT}/"
        self.headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}

    def get(self, path: str):
        return self._request(path)

    def post(self, path: str, **values):
        return self._request(path, json.dumps(values).encode())

    def of_organizer(self, path: str, **values):
        """Asked, unless there is something to be sent."""
        return self._request(f"../../{path}", json.dumps(values).encode() if values else None)

    def answer(self, check: str):
        """What a job has come to; nothing while it waits or works."""
        try:
            return self._request(check)
        except HTTPError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise
            return None

    def file(self, path: str) -> bytes:
        """Of the organizer."""
        with urlopen(Request(urljoin(self.url, f"../../{path}"), headers=self.headers)) as response:
            return response.read()

    def _request(self, path, data=None):
        with urlopen(Request(urljoin(self.url, path), data, self.headers)) as response:
            return json.loads(response.read())


if __name__ == "__main__":
    main()
