"""What the organizer does, in a real browser, with a worker that takes its time."""

import re
from time import sleep

import pikepdf
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import focused, read

from .browser import PHONE, READER, SERIES, resize

pytestmark = pytest.mark.browser

#: The piece of the page of a batch that tells about prints.
PRINT = "[data-offlinesales-refresh=print]"

#: What the list of batches has not counted yet.
UNKNOWN = "[data-offlinesales-unknown]"

BATCH_PAGE = re.compile(r"/offlinesales/(\d+)/$")


def progress(browser) -> int:
    """The percentage that the dialog shows; -1 where it shows none."""
    width = browser.driver.execute_script(
        "const bar = document.querySelector('#loadingmodal[open] .progress-bar'); return bar ? bar.style.width : ''"
    )
    return int(width.removesuffix("%")) if width else -1


@pytest.fixture
def batch(browser, shared):
    """The address of the page of a batch of 200 tickets, which all tests share."""
    if "batch" not in shared:
        browser.issue("Night pass", 200, again=True, comment="Kiosk at the harbour")
        shared["batch"] = BATCH_PAGE.search(browser.url).group(1) + "/"
    return shared["batch"]


def test_the_demo_speaks_the_language_of_the_browser(browser):
    assert browser.texts("h1") == ["Offline sales"]
    agent = {"userAgent": browser.driver.execute_script("return navigator.userAgent")}
    browser.driver.execute_cdp_cmd("Emulation.setUserAgentOverride", agent | {"acceptLanguage": "de-DE,de"})
    browser.open()
    assert browser.texts("h1") == ["Offline-Verkauf"]
    browser.driver.execute_cdp_cmd("Emulation.setUserAgentOverride", agent | {"acceptLanguage": "en"})


def test_the_first_batch(browser):
    browser.at(SERIES)
    assert browser.texts(".empty-collection p") == ["You haven't issued any tickets to be sold offline yet."]
    browser.press("Issue a batch of tickets")
    assert browser.texts("h1") == ["Issue a batch of tickets"]
    browser.find(".select2-selection").click()
    browser.wait_until(lambda: browser.texts(".select2-results__option .event-name-full"))
    focused(browser).send_keys(Keys.ENTER)
    browser.type("amount", 200)
    browser.wait_until(lambda: "€2,800.00 for 200 tickets" in read(browser, "[data-offlinesales-preview-target]"))
    browser.type("comment", "Kiosk at the harbour")
    browser.press("Issue tickets")
    browser.wait_until(lambda: BATCH_PAGE.search(browser.url))
    assert browser.texts(".alert-success") == ["The tickets have been issued."]
    assert browser.texts(".table-hover tbody td:first-child")[:3] == ["1", "2", "3"]
    assert browser.find("[name=comment]").text == "Kiosk at the harbour"
    assert browser.errors() == []


def test_a_large_batch_shows_how_far_it_is(browser, batch):
    browser.open("add")
    browser.choose("itemvar", "Night pass")
    browser.type("amount", 8000)
    browser.press("Issue tickets")
    seen = set()
    while "/add" in browser.url:
        seen.add(progress(browser))
        sleep(0.05)
    assert any(0 < percent < 100 for percent in seen), seen
    browser.wait_until(lambda: BATCH_PAGE.search(browser.url))
    assert "Page 1 of 320 (8,000 elements)" in browser.texts(".page-current")
    assert int(browser.texts(".table-hover tbody td:first-child")[0]) > 200  # the numbers of the product go on


def test_reloading_loses_nothing(browser):
    browser.open("add")
    browser.choose("itemvar", "Workshop – Child")
    browser.type("amount", 8000)
    browser.press("Issue tickets")
    browser.wait_until(lambda: "async_id" in browser.url)
    browser.driver.refresh()
    assert browser.texts("h1") == ["We are processing your request …"]
    browser.open()
    assert len(browser.find_all("[data-offlinesales-working]")) == 1
    amount = len(browser.find_all(".table-hover tbody tr"))
    browser.wait_until(lambda: not browser.find_all("[data-offlinesales-working]"))
    assert len(browser.find_all(".table-hover tbody tr")) == amount
    browser.wait_until(lambda: not browser.find_all(UNKNOWN))
    assert browser.texts(".table-hover tbody tr:first-child td")[2:7] == [
        "Workshop – Child",
        "Online shop",
        "8000",
        "0",
        "8000",
    ]
    assert browser.errors() == []


def outstanding(browser) -> list[str]:
    """Of each batch, and altogether, as the list shows it. Read at once, since the page may change meanwhile."""
    return browser.driver.execute_script(
        """
        const cells = document.querySelectorAll("[data-offlinesales-known]:nth-last-child(4)");
        return [...cells].map((cell) => cell.textContent.trim());
        """
    )


def said(browser) -> str:
    """What the list tells about counting."""
    return browser.find("[data-offlinesales-count] [role=status]").get_attribute("textContent")


@pytest.fixture
def counted(browser, batch):
    """What the list of some batches shows without a script, once somebody has followed its link."""
    browser.issue("Night pass", 2)
    browser.open()
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open()
        assert said(browser) == ""
        browser.find("[data-offlinesales-count] a").click()
        return outstanding(browser)
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_the_list_counts_by_itself_where_there_are_scripts(browser, counted):
    assert counted[0] == "2"
    browser.open()
    browser.wait_until(lambda: not browser.find_all(UNKNOWN))
    assert outstanding(browser) == counted
    browser.wait_until(lambda: said(browser) == "The tickets have been counted.")
    assert not browser.find("[data-offlinesales-count] a").is_displayed()
    assert browser.errors() == []


def test_what_can_not_be_counted_is_said_and_can_be_asked_for(browser, counted):
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*counted=yes*"]})
    try:
        browser.open()
        browser.wait_until(lambda: said(browser) == "The tickets could not be counted.")
        assert outstanding(browser) == []
    finally:
        browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    browser.find("[data-offlinesales-count] a").click()
    browser.wait_until(lambda: outstanding(browser) == counted)
    browser.errors()  # the browser has complained about what is blocked


def test_figures_stay_while_something_is_issued(browser, counted):
    """What is known is not asked for again, until another batch is there."""
    browser.open("add")
    browser.choose("itemvar", "Night pass")
    browser.type("amount", 8000)
    browser.press("Issue tickets")
    browser.wait_until(lambda: "async_id" in browser.url)
    browser.open()
    browser.wait_until(lambda: outstanding(browser) == counted)
    browser.driver.execute_script("document.querySelector('[data-offlinesales-known]').textContent = 'old'")
    browser.driver.execute_script(
        """
        window.asked = [];
        const fetch = window.fetch;
        window.fetch = function (url, ...options) {
            window.asked.push(String(url));
            return fetch(url, ...options);
        };
        """
    )
    browser.wait_until(lambda: len(outstanding(browser)) == len(counted) + 1)
    asked = browser.driver.execute_script("return window.asked")
    assert [url for url in asked if "counted" in url] == asked[-1:]
    # All are of the same moment then, or they would not add up to the total.
    assert "old" not in browser.texts(".table-hover tbody td")
    assert browser.errors() == []


@pytest.fixture
def meanwhile(browser):
    """``meanwhile(script)``: what happens to a page that asks for what is counted. The script returns the answer."""
    added = []

    def add(answer):
        source = f"""
        {{
            const fetch = window.fetch;
            window.fetch = async function (url, ...options) {{
                if (!String(url).includes("counted")) {{
                    return fetch(url, ...options);
                }}
                {answer}
            }};
        }}
        """
        script = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
        added.append(script)

    yield add
    for script in added:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_a_batch_that_is_done_while_the_others_are_counted_is_counted_too(browser, counted, meanwhile):
    browser.open("add")
    browser.choose("itemvar", "Night pass")
    browser.type("amount", 1000)
    browser.press("Issue tickets")
    browser.wait_until(lambda: "async_id" in browser.url)
    meanwhile(
        """
        const answer = await fetch(url, ...options);
        while (document.querySelector("[data-offlinesales-working]")) {
            await new Promise((done) => setTimeout(done, 100));
        }
        return answer;
        """
    )
    browser.open()
    assert browser.find_all("[data-offlinesales-working]")
    browser.wait_until(lambda: said(browser) == "The tickets have been counted.")
    assert outstanding(browser)[0] == "1000"
    assert len(outstanding(browser)) == len(counted) + 1
    assert not browser.find_all(UNKNOWN)


def test_whoever_has_logged_out_is_not_told_that_tickets_were_counted(browser, counted, meanwhile):
    meanwhile('await fetch("/control/logout"); return fetch(url, ...options);')
    browser.open()
    browser.wait_until(lambda: said(browser) == "The tickets could not be counted.")
    browser.wait_until(lambda: browser.find("[data-offlinesales-count] a").is_displayed())
    assert outstanding(browser) == []


def test_too_few_tickets_are_warned_of_and_refused(browser):
    browser.open("add")
    browser.choose("itemvar", "Roof terrace")
    browser.type("amount", 6)
    browser.wait_until(
        lambda: "There are only 5 tickets left" in read(browser, "[data-offlinesales-preview-target] .alert")
    )
    browser.press("Issue tickets")
    browser.wait_until(lambda: browser.find_all(".has-error"))
    assert browser.texts(".has-error .help-block") == ["There are only 5 tickets left."]
    browser.wait_until(lambda: focused(browser).get_attribute("name") == "amount")
    assert browser.find("[name=amount]").get_attribute("value") == "6"
    browser.type("amount", 5)
    browser.press("Issue tickets")
    browser.wait_until(lambda: BATCH_PAGE.search(browser.url))
    browser.open()
    assert browser.texts(".alert-danger") == []


def test_errors_stand_at_their_fields_and_the_first_has_the_focus(browser, batch):
    browser.open("add")
    browser.choose("itemvar", "Night pass")
    browser.type("amount", 5)
    assert not browser.find("[name=first_number]").is_displayed()
    browser.find("[name=numbering][value=from]").click()
    browser.wait_until(lambda: browser.find("[name=first_number]").is_displayed())
    browser.type("first_number", 7)
    browser.press("Issue tickets")
    browser.wait_until(lambda: browser.find_all(".has-error"))
    assert browser.texts(".has-error .help-block")[0].startswith("Some of these numbers are taken: batch #")
    browser.wait_until(lambda: focused(browser).get_attribute("name") == "first_number")
    assert browser.find("[name=first_number]").get_attribute("value") == "7"


def test_a_specimen_opens_beside_the_form(browser):
    browser.open("add")
    browser.choose("itemvar", "Night pass")
    form = browser.driver.current_window_handle
    browser.press("Show a specimen")
    browser.wait_until(lambda: len(browser.driver.window_handles) == 2)
    [specimen] = set(browser.driver.window_handles) - {form}
    browser.driver.switch_to.window(specimen)
    browser.wait_until(lambda: browser.driver.execute_script("return document.contentType") == "application/pdf")
    assert browser.url == f"{browser.pages}specimen"
    browser.driver.close()
    browser.driver.switch_to.window(form)
    assert browser.find("[name=itemvar] option:checked").text == "Night pass"


def test_printing_ends_in_the_download_with_the_focus_on_the_news(browser, batch, downloads):
    browser.open(batch)
    browser.press("Print tickets")
    file = downloads / f"night-offlinesales-{batch.removesuffix('/')}.pdf"
    browser.wait_until(file.exists)
    with pikepdf.open(file) as pdf:
        assert len(pdf.pages) == 200
    browser.wait_until(lambda: "Download the file that was printed last" in read(browser, PRINT))
    assert browser.url == browser.pages + batch
    assert focused(browser).text == "The tickets have been printed."
    assert browser.driver.title.startswith("The tickets have been printed. Offline sales batch")
    assert browser.texts(".logentry p:last-child")[0] == "200 tickets have been printed."
    assert browser.errors() == []


@pytest.fixture
def printed(browser, batch):
    """The page of a batch that has been printed."""
    browser.open(batch)
    if not browser.find_all(f"{PRINT} a"):
        browser.press("Print tickets")
        browser.wait_until(lambda: browser.find_all(f"{PRINT} a"))
        browser.open(batch)
    return browser


#: What the page does when a file was printed.
REFRESH = "$('form[data-asynctask-download]').trigger('pretix:async-task-success');"


def test_refreshing_keeps_the_focus_and_what_is_the_same(printed):
    printed.driver.execute_script(
        f"""
        const piece = document.querySelector("{PRINT}");
        piece.querySelector("a").focus();
        piece.append("something old");
        window.same = document.querySelector("[data-offlinesales-refresh=history] .logentry");
        {REFRESH}
        """
    )
    printed.wait_until(lambda: "something old" not in read(printed, PRINT))
    assert focused(printed).text == "Download the file that was printed last"
    assert printed.driver.execute_script("return window.same.isConnected")


@pytest.mark.parametrize("status", [403, 404])
def test_who_may_not_see_the_page_any_more_is_left_alone(printed, status):
    printed.driver.execute_script(
        f"""
        window.asked = 0;
        window.fetch = () => Promise.resolve({{ok: false, status: {status}, asked: window.asked++}});
        document.body.dataset.offlinesalesWorking = "";
        {REFRESH}
        """
    )
    sleep(3)  # long enough for it to ask again
    assert printed.driver.execute_script("return window.asked") == 1


def test_a_server_that_is_away_is_asked_again(printed):
    printed.driver.execute_script(
        f"""
        window.asked = 0;
        window.fetch = () => Promise.resolve({{ok: false, status: 502, asked: window.asked++}});
        document.body.dataset.offlinesalesWorking = "";
        {REFRESH}
        """
    )
    printed.wait_until(lambda: printed.driver.execute_script("return window.asked") == 5)
    sleep(3)
    assert printed.driver.execute_script("return window.asked") == 5


def test_a_scanner_types_the_code_and_enter(browser, batch):
    browser.open(f"{batch}?query=17")
    browser.find(".table-hover tbody a").click()
    code = browser.find("[data-qrcode]").get_attribute("data-qrcode")
    browser.open(batch)
    browser.find("[name=query]").send_keys(code + Keys.ENTER)
    browser.wait_until(lambda: "query=" in browser.url)
    assert browser.texts(".table-hover tbody td:first-child") == ["17"]


def test_the_chart_of_few_entries_counts_in_whole_tickets(browser):
    browser.issue("Workshop – Adult", 2)
    page, [code, _other] = browser.url, browser.texts(".table-hover tbody strong a")
    lists = browser.pages.replace("/offlinesales/", "/checkinlists/")
    browser.driver.get(f"{lists}add")
    browser.type("name", "Gate")
    browser.press("Save")
    browser.wait_until(lambda: "/add" not in browser.url)
    gate = browser.find("a[href$='/change']").get_attribute("href").removesuffix("change")
    browser.driver.get(f"{gate}?user={code}")
    browser.find("[name=checkin]").click()
    browser.find(".batch-select-actions .btn-primary").click()
    browser.wait_until(lambda: read(browser, ".alert-success"))
    browser.driver.get(page)
    browser.wait_until(lambda: read(browser, "#offlinesales-entries svg text"))
    labels = browser.texts("#offlinesales-entries svg text")
    assert [label for label in labels if ":" not in label] == ["0", "1", "2", "3", "4"]
    assert browser.errors() == []


def test_readers_see_all_and_can_change_nothing(browser, batch):
    browser.log_in(READER)
    browser.open()
    assert browser.texts("#page-wrapper button, #page-wrapper a.btn") == ["Filter"]
    browser.open(batch)
    # What is in the folded table of the stock map is not seen.
    assert list(filter(None, browser.texts("#page-wrapper button, #page-wrapper a.btn"))) == [
        "All batches",
        "Delivery note",
        "Batch statement",
        "Batch statement (CSV)",
        "CSV",
        "Filter",
    ]
    assert "Kiosk at the harbour" in browser.find("#page-wrapper").text
    browser.open("add")
    assert "You do not have permission" in browser.find("body").text


@pytest.mark.parametrize("page", ["", "add", "batch"])
def test_pages_fit_on_a_phone(browser, batch, page):
    resize(browser.driver, PHONE)
    browser.open(batch if page == "batch" else page)
    assert browser.driver.execute_script("return document.documentElement.scrollWidth") == PHONE[0]


@pytest.mark.parametrize("page", ["", "add", "batch"])
def test_everything_has_a_name(browser, batch, page):
    """A short look with the eyes of a screen reader."""
    browser.open(batch if page == "batch" else page)
    content = browser.find("#page-wrapper")
    nameless = [
        element.get_attribute("outerHTML")[:200]
        for element in content.find_elements(By.CSS_SELECTOR, "input, select, textarea, button, a[href]")
        if element.is_displayed() and not element.get_attribute("aria-hidden") and not element.accessible_name
    ]
    assert nameless == []
    assert len(content.find_elements(By.CSS_SELECTOR, "h1")) == 1
    assert browser.errors() == []


def test_enter_issues(browser):
    browser.open("add")
    browser.choose("itemvar", "Workshop – Adult")
    browser.find("[name=amount]").send_keys("2", Keys.ENTER)
    browser.wait_until(lambda: BATCH_PAGE.search(browser.url))
    assert len(browser.driver.window_handles) == 1


def test_a_batch_with_the_keyboard_alone(browser):
    browser.open("add")
    browser.find("[name=itemvar]").send_keys("Workshop – A")
    values = {"amount": "3", "comment": "Bookshop"}
    for _ in range(20):
        focused(browser).send_keys(Keys.TAB)
        if focused(browser).text == "Issue tickets":
            break
        focused(browser).send_keys(values.get(focused(browser).get_attribute("name"), ""))
    # With it comes the first free number, since this product has tickets already.
    browser.wait_until(lambda: "for 3 tickets" in read(browser, "[data-offlinesales-preview-target]"))
    focused(browser).send_keys(Keys.ENTER)
    browser.wait_until(lambda: BATCH_PAGE.search(browser.url))
    assert browser.find("[name=comment]").text == "Bookshop"
    assert "Workshop – Adult" in browser.texts("dd")
