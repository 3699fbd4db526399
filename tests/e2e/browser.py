"""Chromium without a window, and the server that it looks at."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from urllib.error import URLError
from urllib.request import urlopen

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

#: What the demo sells and who may log in; as in ``demo.event``, which can't be imported without Django.
ORGANIZER, EVENT, SERIES = "museum", "night", "tours"
#: Other organizers', of which nobody makes anything but one test each.
FESTIVAL, SUMMER = "festival", "summer"
FAIR, AUTUMN = "fair", "autumn"
LOGIN, READER, PASSWORD = "demo@example.org", "reader@example.org", "offline-sales-1"

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = "127.0.0.1"

DESKTOP, PHONE = (1280, 1000), (375, 812)

#: Seconds that a page may take, on a machine that has much to do.
PATIENCE = 60

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def what_is_missing() -> str | None:
    """Why no browser can be started here."""
    for program in ("chromium", "chromedriver"):
        if not shutil.which(program):
            return f"there is no {program}"
    return None


@contextmanager
def serving(directory: Path) -> Iterator[str]:
    """A pretix in this directory, and its address."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    url, log = f"http://{HOST}:{port}", directory / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.server", str(directory), str(port)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")},
        )
    try:
        _wait_for(url, server, log)
        yield url
    finally:
        server.stdin.close()
        server.wait(30)


def _wait_for(url, server, log):
    for _ in range(1200):
        if server.poll() is not None:
            break
        try:
            return urlopen(url + "/static/fonts/LICENSE", timeout=5).close()
        except URLError:
            sleep(0.1)
    raise RuntimeError(f"pretix does not start:\n\n{log.read_text()}")


@contextmanager
def chromium(directory: Path, downloads: Path, language: str = "en") -> Iterator[webdriver.Chrome]:
    """A browser with a profile of its own in this directory."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS, f"--user-data-dir={directory}", f"--lang={language}"):
        options.add_argument(flag)
    options.add_experimental_option(
        "prefs", {"download.default_directory": str(downloads), "intl.accept_languages": language}
    )
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        resize(driver, DESKTOP)
        yield driver
    finally:
        driver.quit()


def resize(driver: webdriver.Chrome, size: tuple[int, int]) -> None:
    """Make the page this large, not the window: on desktops, no window is as narrow as a phone."""
    width, height = size
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 768},
    )


ROWS = """
    const words = (cell) => cell.textContent.replace(/\\s+/g, " ").trim();
    return [...document.querySelectorAll(arguments[0])].map((row) => [...row.querySelectorAll("th, td")].map(words));
"""


class Browser:
    """What one does at the pages, in their words."""

    def __init__(self, driver, server: str):
        self.driver, self.server = driver, server
        self.pages = ""

    def at(self, event: str, organizer: str = ORGANIZER):
        """Open the list of this event's batches."""
        self.pages = f"{self.server}/control/event/{organizer}/{event}/offlinesales/"
        self.open()

    def log_in(self, email: str):
        """As nobody else: what a page has asked for brings back no session that has ended."""
        self.driver.get(f"{self.server}/control/logout")
        self.wait_until(lambda: self._logs_in(email))

    def _logs_in(self, email: str) -> bool:
        """Not so where an answer that was on its way has brought another cookie than the form's."""
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.driver.get(f"{self.server}/control/login")
        self.type("email", email)
        self.type("password", PASSWORD)
        self.press("Log in")
        return "/login" not in self.url

    def open(self, page: str = ""):
        self.driver.get(self.pages + page)

    @property
    def url(self) -> str:
        return self.driver.current_url

    def find(self, selector: str):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector: str) -> list:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        return [" ".join(element.text.split()) for element in self.find_all(selector)]

    def type(self, name: str, text):
        field = self.find(f"[name={name}]")
        field.clear()
        field.send_keys(str(text))

    def choose(self, name: str, option: str):
        Select(self.find(f"[name={name}]")).select_by_visible_text(option)

    def pick(self, name: str, option: str):
        """In the host's select with a search, as one does who has a mouse."""
        self.find(f"[name={name}] + .select2").click()
        [found] = [each for each in self.find_all(".select2-results__option") if each.text == option]
        found.click()

    def table(self, selector: str) -> list[list[str]]:
        """What is in the cells of these rows, shown or not: in one look, whatever changes meanwhile."""
        return self.driver.execute_script(ROWS, selector)

    def press(self, label: str):
        """The button or link with this label."""
        for element in self.find_all("button, a.btn"):
            if element.is_displayed() and element.text.strip() == label:
                return element.click()
        raise AssertionError(f"There is no “{label}”, only {self.texts('button, a.btn')}")

    def link(self, text: str):
        """Follow the link that is called that."""
        self.driver.find_element(By.LINK_TEXT, text).click()

    def wait_until(self, condition):
        """Until this is true; returns what it returned. What it looks at may go while it looks: the page changes."""
        wait = WebDriverWait(self.driver, PATIENCE, 0.05, [NoSuchElementException, StaleElementReferenceException])
        return wait.until(lambda driver: condition())

    def issue(self, product: str, amount: int, again: bool = False, consignment: bool = False, **values):
        """
        Ask for a batch, and wait for the page that the dialog ends in.

        :param again: whether its numbers start with 1, whatever other batches there are
        """
        self.open("add")
        self.choose("itemvar", product)
        self.type("amount", amount)
        for name, value in values.items():
            self.type(name, value)
        if again:
            self.find("[name=numbering][value=again]").click()
        if consignment:
            self.find("[name=consignment]").click()
        self.press("Issue tickets")
        self.wait_until(lambda: "/add" not in self.url)

    def errors(self) -> list[str]:
        """What the browser complains about: scripts, and what the content security policy forbids."""
        entries = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        return [entry for entry in entries if "/favicon.ico" not in entry]  # which the host's waiting page lacks


def read(browser, selector) -> str:
    """What is written there, or nothing while the page changes."""
    try:
        return browser.find(selector).text
    except (NoSuchElementException, StaleElementReferenceException):
        return ""


def focused(browser):
    return browser.driver.switch_to.active_element
