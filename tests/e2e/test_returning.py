"""Tickets that come back, scanned faster than the server answers."""

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from .browser import PHONE, resize

pytestmark = pytest.mark.browser

VERDICTS = "[data-offlinesales-verdicts] li"

LAST = "[data-offlinesales-last]"


@pytest.fixture
def envelope(browser, shared):
    """Two batches, and the codes of what is in an envelope that mixes them."""
    if "envelope" not in shared:
        codes = []
        for product in ("Night pass", "Workshop – Child"):
            browser.issue(product, 40)
            codes.append(browser.texts(".table-hover tbody strong a"))
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


def said(browser):
    """What one reads, and what is read to those who can't."""
    message, shown = browser.driver.execute_script(SAID, LAST)  # both at once: it may change at any moment
    assert [" ".join(text.split()) for text in shown] == [message]
    return message


def focused(browser):
    return browser.driver.switch_to.active_element


def level(name):
    return f"{VERDICTS}.list-group-item-{name}"


#: What is read to those who can't see, and what stands where.
SAID = """
    const shown = [...document.querySelectorAll(arguments[0])].map((element) => element.innerText);
    return [document.querySelector("[data-offlinesales-live]").textContent, shown];
"""

#: Lists so many tickets at once, as if they had been scanned. Returns what the next scans took, in milliseconds each.
SCAN_MANY = """
    const [amount, from] = arguments;
    const field = document.querySelector("#offlinesales-scan");
    const scan = function (value) {
        field.value = value;
        field.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true}));
        document.body.offsetHeight;
    };
    const paste = new DataTransfer();
    paste.setData("text", Array.from({length: amount}, (_, index) => `X${from + index}`).join("\\n"));
    field.dispatchEvent(new ClipboardEvent("paste", {clipboardData: paste, bubbles: true, cancelable: true}));
    document.body.offsetHeight;
    const times = [];
    for (let index = 0; index < 50; index += 1) {
        const start = performance.now();
        scan(`Y${from}-${index}`);
        times.push(performance.now() - start);
    }
    return times.sort((one, other) => one - other)[25];
"""

#: A server that answers at once, and is away for as long as ``window.away`` says so.
PRETEND = """
    window.fetch = function (url, {body}) {
        if (window.away) {
            return Promise.reject(new TypeError());
        }
        const verdicts = body.get("lines").split("\\n").map(
            (line) => ({level: "success", text: "can be returned", tickets: {[line]: 1}})
        );
        return Promise.resolve({ok: true, json: () => ({verdicts, batches: {1: "#1"}})});
    };
    window.tones = [];
    window.AudioContext = class {
        currentTime = 0;
        createGain() { return {gain: {}, connect: () => null}; }
        createOscillator() {
            const frequency = {};
            return {
                frequency,
                connect: (other) => other,
                start: () => window.tones.push(frequency.value),
                stop: () => null,
            };
        }
    };
"""


def test_thirty_codes_as_fast_as_they_come(browser, envelope):
    browser.open("return")
    assert focused(browser) == browser.find("#offlinesales-scan")
    codes = envelope[:30]
    scan(browser, *codes)
    browser.wait_until(lambda: listed(browser) == codes)
    browser.wait_until(lambda: len(browser.find_all(level("success"))) == 30)
    assert [words.split()[-1] for words in judged(browser)] == codes[::-1]
    assert [words.split(" × ")[0] for words in browser.texts("[data-offlinesales-counts] p")] == ["15", "15"]

    for code, name in (("NOPE", "danger"), (codes[0], "warning")):
        scan(browser, code)
        browser.wait_until(lambda name=name: len(browser.find_all(level(name))) == 1)
    assert judged(browser)[:2] == [f"listed twice {codes[0]}", "unknown NOPE"]
    assert said(browser) == f"listed twice: {codes[0]}"
    scan(browser, f"{codes[0]}, NADA")  # what else is wrong with it is said, too
    browser.wait_until(lambda: judged(browser)[0].startswith("listed twice, "))
    assert "NADA: unknown" in judged(browser)[0]
    browser.find(f"{VERDICTS} button").click()
    for _line in range(2):
        browser.find(f"{VERDICTS} button").click()
    browser.wait_until(lambda: listed(browser) == codes)

    browser.press("Continue")
    browser.wait_until(lambda: browser.find_all("[name=confirmed]"))
    assert browser.texts(".panel-body strong")[0] == "30 tickets will be returned."
    assert focused(browser).text.startswith("30 tickets will be returned. Value: €")
    assert browser.driver.title.startswith("30 tickets will be returned. Return tickets")
    browser.press("Return tickets")
    browser.wait_until(lambda: "/results/" in browser.url)
    [title] = browser.texts(".panel-title")
    assert title.startswith("Returned tickets: 30 · €")
    assert focused(browser).text == title
    assert browser.driver.title.startswith("Returned tickets: 30")
    assert browser.errors() == []

    browser.open("return")
    scan(browser, codes[3])
    browser.wait_until(lambda: browser.find_all(level("danger")))
    assert judged(browser) == [f"already canceled {codes[3]}"]


def test_what_is_wrong_with_the_form_has_the_focus(browser, envelope):
    browser.open("return")
    browser.press("Continue")
    browser.wait_until(lambda: "Please say which tickets." in focused(browser).text)
    assert browser.driver.title.startswith("Error: Return tickets")


def test_the_first_named_counts_and_when_it_is_removed_the_next(browser, envelope):
    browser.open("return")
    code = envelope[34]
    scan(browser, code, f"NIGHT-{code}")
    browser.wait_until(lambda: len(browser.find_all(level("success"))) == 1 and browser.find_all(level("warning")))
    assert judged(browser)[0] == f"listed twice NIGHT-{code}"
    assert [words.split(" × ")[0] for words in browser.texts("[data-offlinesales-counts] p")] == ["1"]
    browser.find_all(f"{VERDICTS} button")[1].click()
    [left] = judged(browser)
    assert left.startswith("can be returned") and left.endswith(f"NIGHT-{code}")
    assert [words.split(" × ")[0] for words in browser.texts("[data-offlinesales-counts] p")] == ["1"]


def test_a_scan_takes_as_long_with_thousands_listed(browser):
    browser.open("return")
    browser.driver.execute_script(PRETEND)
    few = browser.driver.execute_script(SCAN_MANY, 60, 0)
    many = browser.driver.execute_script(SCAN_MANY, 8000, 1000)
    assert many < 3 * few + 1
    browser.wait_until(lambda: browser.texts("[data-offlinesales-counts] p") == ["8160 × #1"])
    assert browser.texts("[data-offlinesales-part]") == ["1–50 / 8160"]
    assert len(browser.find_all(VERDICTS)) == 50
    browser.press("Older")
    assert browser.texts("[data-offlinesales-part]") == ["51–100 / 8160"]
    assert judged(browser)[0] == "can be returned X8999"
    browser.wait_until(lambda: len(listed(browser)) == 8160)


def test_with_the_keyboard_the_list_is_one_stop(browser):
    browser.open("return")
    browser.driver.execute_script(PRETEND)

    def stops():
        """Where Tab leads from the field to Continue."""
        browser.find("#offlinesales-scan").click()
        found = []
        while not found or found[-1].text != "Continue":
            ActionChains(browser.driver).send_keys(Keys.TAB).perform()
            found.append(focused(browser))
        return found

    before = len(stops())
    scan(browser, *(f"X{number}" for number in range(30)))
    browser.wait_until(lambda: len(browser.find_all(level("success"))) == 30)
    [reached, *more] = [stop for stop in stops() if "Remove" in (stop.get_attribute("aria-label") or "")]
    assert (reached.get_attribute("aria-label"), more) == ("Remove: X29", [])
    assert len(stops()) == before + 1

    browser.driver.execute_script("arguments[0].focus()", reached)
    for key, label in (("ARROW_DOWN", "X28"), ("END", "X0"), ("ARROW_UP", "X1"), ("HOME", "X29"), ("ARROW_UP", "X29")):
        focused(browser).send_keys(getattr(Keys, key))
        assert focused(browser).get_attribute("aria-label") == f"Remove: {label}"
    focused(browser).send_keys(Keys.ARROW_DOWN, Keys.DELETE)
    assert [words.split()[-1] for words in judged(browser)][:3] == ["X29", "X27", "X26"]


def test_a_server_that_is_away_is_said_and_heard(browser):
    browser.open("return")
    browser.driver.execute_script(PRETEND)
    scan(browser, "A")
    browser.wait_until(lambda: said(browser) == "can be returned: A")
    browser.driver.execute_script("window.away = true")
    scan(browser, "B")
    away = "The server can't be reached, trying again … Not checked yet: "
    browser.wait_until(lambda: said(browser) == f"{away}1")
    scan(browser, "C")
    assert said(browser) == f"{away}2"
    assert browser.driver.execute_script("return window.tones") == [880, 220, 220]
    assert judged(browser) == ["is being checked … C", "is being checked … B", "can be returned A"]
    browser.driver.execute_script("window.away = false")
    browser.wait_until(lambda: said(browser) == "can be returned: C")
    assert browser.driver.execute_script("return window.tones") == [880, 220, 220, 880]
    assert judged(browser) == ["can be returned C", "can be returned B", "can be returned A"]


def test_whoever_is_logged_out_is_told_to_keep_the_list(browser):
    browser.open("return")
    browser.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    scan(browser, "A")
    browser.wait_until(lambda: said(browser).startswith("You are not logged in any more"))
    assert said(browser).endswith("Not checked yet: 1")
    browser.find("summary").click()
    assert listed(browser) == ["A"]
    browser.errors()


def test_a_print_that_fails_has_the_focus(browser):
    browser.issue("Workshop – Adult", 1)
    page = browser.url
    browser.driver.get(f"{page}return")
    browser.find("[name=everything]").click()
    browser.press("Continue")
    browser.wait_until(lambda: browser.find_all("[name=confirmed]"))
    browser.press("Return tickets")
    browser.wait_until(lambda: "/results/" in browser.url)
    browser.driver.get(page)
    browser.press("Print tickets")
    browser.wait_until(lambda: browser.url == f"{page}#offlinesales-print")
    browser.wait_until(lambda: focused(browser).get_attribute("id") == "offlinesales-print")
    assert browser.driver.title.startswith(focused(browser).text)


def test_lost_paper_from_the_scanner_to_its_end(browser, envelope):
    codes = envelope[40:43]
    browser.open()
    browser.press("Report lost tickets")
    scan(browser, *codes)
    browser.wait_until(lambda: len(browser.find_all(level("success"))) == 3)
    browser.press("Continue")
    browser.wait_until(lambda: browser.find_all("[name=confirmed]"))
    assert browser.texts(".panel-body strong") == ["3 tickets will be blocked.", "€52.00"]
    browser.press("Report lost tickets")
    browser.wait_until(lambda: "/results/" in browser.url)
    assert browser.texts(".panel-title") == ["Tickets reported lost or stolen: 3 · €52.00"]

    browser.press("Undo losses …")
    browser.wait_until(lambda: browser.find_all("[name=confirmed]"))
    assert browser.texts(".panel-body strong") == ["3 tickets will not be reported lost any more.", "€52.00"]
    browser.press("Undo losses")
    browser.wait_until(lambda: "/results/" in browser.url)
    assert browser.texts(".panel-title") == ["Tickets not reported lost any more: 3 · €52.00"]
    assert browser.errors() == []


def test_on_a_phone_nothing_is_wider_than_the_screen(browser, envelope):
    resize(browser.driver, PHONE)
    browser.open("return")
    scan(browser, *envelope[30:33], "x" * 40, ", ".join(f"nope{number}" for number in range(5)))
    browser.wait_until(lambda: len(browser.find_all(level("danger"))) == 2)
    width = browser.driver.execute_script("return document.documentElement.scrollWidth")
    assert width == PHONE[0]
    for button in browser.find_all(f"{VERDICTS} button"):
        assert button.rect["x"] + button.rect["width"] < PHONE[0]
        row = button.find_element("xpath", "..").rect
        assert (button.rect["y"] - row["y"]) < 20
