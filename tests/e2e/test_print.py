"""Choosing what is printed, in a real browser."""

import re

import pikepdf
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import focused, read

from .browser import DESKTOP, PHONE, resize

pytestmark = pytest.mark.browser

PREVIEW = "[data-offlinesales-preview-target]"


@pytest.fixture
def options(browser, shared):
    """The page of the options of a batch of 12 tickets, which all tests share."""
    if "small" not in shared:
        browser.issue("Night pass", 12)
        shared["small"] = re.search(r"/offlinesales/(\d+)/$", browser.url).group(1) + "/print/options"
    return shared["small"]


def downloaded(browser, downloads, before):
    return browser.wait_until(lambda: [path for path in downloads.glob("*.pdf") if path not in before])


def test_sheets_are_shown_while_they_are_chosen_and_then_printed(browser, options, downloads):
    browser.open(options)
    browser.wait_until(lambda: read(browser, PREVIEW) == "12 tickets")
    assert not browser.find("[name=paper]").is_displayed()
    browser.find("[name=pages][value=sheets]").click()
    browser.wait_until(lambda: browser.find("[name=columns]").is_displayed())
    browser.choose("paper", "A3 (297 × 420 mm)")
    browser.wait_until(lambda: "12 tickets, on 2 sheets (3 × 2)" in read(browser, PREVIEW))
    assert len(browser.find_all(f"{PREVIEW} svg text")) == 6
    browser.type("columns", "9")
    browser.type("rows", "9")
    browser.wait_until(lambda: "At most" in read(browser, PREVIEW))
    browser.press("Print tickets")
    browser.wait_until(lambda: browser.find_all(".has-error [name=columns]"))

    browser.type("columns", "")
    browser.type("rows", "")
    before = set(downloads.glob("*.pdf"))
    browser.press("Print tickets")
    [file] = downloaded(browser, downloads, before)
    with pikepdf.open(file) as pdf:
        assert len(pdf.pages) == 2
    browser.wait_until(lambda: focused(browser).text == "The tickets have been printed.")
    assert browser.driver.title.startswith("The tickets have been printed. Print tickets")
    browser.open(options)
    browser.wait_until(lambda: "12 of these tickets have been printed before" in read(browser, PREVIEW))
    assert browser.errors() == []


def unfold(browser, title):
    """Open what is folded away, and wait until it no longer moves."""
    [part] = [part for part in browser.find_all("details") if part.text.strip() == title]
    browser.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", part)
    part.find_element(By.TAG_NAME, "summary").click()
    browser.wait_until(lambda: not browser.driver.execute_script("return $(':animated').length"))


def place(browser, selector) -> dict:
    """Of an element, in what one sees of the page."""
    return browser.driver.execute_script(
        "return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()", selector
    )


def test_the_picture_stays_in_sight_beside_the_form_and_lies_above_it_on_a_phone(browser, options):
    form, picture = ".offlinesales-beside > :first-child", f"{PREVIEW} svg"
    browser.open(f"{options}?preset=a4-halves")
    browser.wait_until(lambda: browser.find_all(picture))
    assert place(browser, picture)["left"] > place(browser, form)["right"]
    for title in ("Margins, gutters and labels", "Printer", "Save as preset"):
        unfold(browser, title)
        assert 0 < place(browser, picture)["top"] < place(browser, picture)["bottom"] < DESKTOP[1]
    assert place(browser, form)["top"] < -DESKTOP[1] / 2
    resize(browser.driver, PHONE)
    assert place(browser, picture)["bottom"] < place(browser, form)["top"]
    assert browser.errors() == []


def test_what_is_wrong_where_it_is_folded_or_hidden(browser, options, downloads):
    """Browsers say nothing of what they can't put the focus on."""
    browser.open(f"{options}?preset=a4-halves")
    browser.wait_until(lambda: "12 tickets, on 6 sheets" in read(browser, PREVIEW))
    unfold(browser, "Printer")
    browser.type("offset_x", "99")
    browser.find("#offlinesales-printer summary").click()
    browser.wait_until(lambda: not browser.find("[name=offset_x]").is_displayed())
    browser.press("Print tickets")
    browser.wait_until(lambda: focused(browser) == browser.find("[name=offset_x]"))
    assert browser.find("[name=offset_x]").is_displayed()
    browser.find("[name=pages][value=single]").click()
    browser.wait_until(lambda: read(browser, PREVIEW).startswith("12 tickets"))
    before = set(downloads.glob("*.pdf"))
    browser.press("Print tickets")
    assert len(downloaded(browser, downloads, before)) == 1


def test_a_preset_of_ones_own(browser, options):
    browser.open(f"{options}?preset=a4-halves")
    browser.wait_until(lambda: "12 tickets, on 6 sheets" in read(browser, PREVIEW))
    unfold(browser, "Printer")
    browser.type("offset_x", "1.5")
    unfold(browser, "Save as preset")
    browser.type("name", "Office printer")
    browser.press("Save as preset")
    browser.wait_until(lambda: browser.texts(".alert-success") == ["Your preset has been saved."])
    assert browser.find("[name=offset_x]").get_attribute("value") == "1.5"
    assert "Office printer" in browser.texts("[name=preset] option")
    browser.wait_until(lambda: "12 tickets, on 6 sheets" in read(browser, PREVIEW))  # which moves what is below it
    browser.press("Delete")
    browser.wait_until(lambda: read(browser, "h1") == "Delete preset")
    browser.press("Delete")
    browser.wait_until(lambda: read(browser, ".alert-success") == "The preset has been deleted.")
    assert "Office printer" not in browser.texts("[name=preset] option")
    assert browser.errors() == []


def test_the_pages_fit_on_a_phone_and_everything_has_a_name(browser, options):
    resize(browser.driver, PHONE)
    for page in ("data", "print/options?preset=a4-halves"):
        browser.open(options.replace("print/options", page))
        assert browser.driver.execute_script("return document.documentElement.scrollWidth") == PHONE[0]
        selector = "input, select, textarea, button, a[href]"
        fields = browser.find("#page-wrapper").find_elements(By.CSS_SELECTOR, selector)
        shown = [field for field in fields if field.is_displayed() and not field.get_attribute("aria-hidden")]
        assert [field.get_attribute("outerHTML") for field in shown if not field.accessible_name] == []
    browser.wait_until(lambda: "12 tickets, on 6 sheets" in read(browser, PREVIEW))
    assert browser.errors() == []


@pytest.mark.parametrize("name", ["tickets", "name"])
def test_enter_prints(browser, options, downloads, name):
    browser.open(options)
    browser.wait_until(lambda: read(browser, PREVIEW).startswith("12 tickets"))
    if name == "name":
        browser.find("[name=pages][value=sheets]").click()
        browser.wait_until(lambda: browser.find("#offlinesales-preset").is_displayed())
        unfold(browser, "Save as preset")
    before = set(downloads.glob("*.pdf"))
    browser.find(f"[name={name}]").send_keys(Keys.ENTER)
    assert len(downloaded(browser, downloads, before)) == 1
    assert len(browser.driver.window_handles) == 1
