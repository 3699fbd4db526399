"""The organizer's sellers, in a real browser."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from .browser import ORGANIZER, PHONE, focused, read, resize

pytestmark = pytest.mark.browser

CSV = """Name,Internal identifier,Contact person,Email,Commission in percent,Deadline
Tourist office,T-1,Eva Mueller,office@example.org,10,7
Harbour kiosk,K-1,,,7.5,
"""


@pytest.fixture
def sellers(browser):
    """The browser at the list of sellers."""
    browser.pages = f"{browser.server}/control/organizer/{ORGANIZER}/offlinesales/sellers/"
    browser.open()
    return browser


@pytest.fixture
def seller(sellers, shared):
    """The end of the address of a seller whom all tests share."""
    if "seller" not in shared:
        sellers.open("add")
        sellers.type("name", "Bookshop")
        sellers.press("Save")
        shared["seller"] = sellers.url.rsplit("/", 2)[1] + "/"
        sellers.open()
    return shared["seller"]


def test_a_seller_is_created_with_the_keyboard_alone(sellers):
    sellers.open("add")
    sellers.find("[name=name]").send_keys("Museum shop", Keys.TAB)
    focused(sellers).send_keys("M-1")
    # A product whose commission differs.
    adding = sellers.find("[data-formset-add]")
    adding.send_keys(Keys.ENTER)
    sellers.wait_until(lambda: sellers.find("[name=commissions-0-item]").is_displayed())
    sellers.choose("commissions-0-item", "Night pass")
    sellers.type("commissions-0-commission_percent", "5")
    sellers.find("[name=name]").send_keys(Keys.ENTER)
    sellers.wait_until(lambda: "/add" not in sellers.url)
    assert sellers.texts("h1") == ["Museum shop"]
    assert "Night pass: 5 %" in sellers.find("dl").text
    assert sellers.errors() == []


def test_sellers_are_imported(sellers, tmp_path):
    (tmp_path / "sellers.csv").write_text(CSV)
    sellers.open("import")
    sellers.find("input[type=file]").send_keys(str(tmp_path / "sellers.csv"))
    sellers.press("Upload")
    sellers.press("Look at what would be imported")
    sellers.wait_until(lambda: "2 sellers will be created." in read(sellers, "#page-wrapper"))
    sellers.press("Perform import")
    sellers.wait_until(lambda: "2 sellers have been imported." in read(sellers, "#page-wrapper"))
    assert {"Harbour kiosk", "Tourist office"} <= set(sellers.texts("td strong a"))
    assert sellers.errors() == []


PAGES = ["", "add", "import", "{seller}", "{seller}edit", "{seller}delete", "{seller}erase"]


@pytest.mark.parametrize("page", PAGES)
def test_on_a_phone_nothing_is_wider_than_the_page(sellers, seller, page):
    resize(sellers.driver, PHONE)
    sellers.open(page.format(seller=seller))
    assert sellers.driver.execute_script("return document.documentElement.scrollWidth") == PHONE[0]


@pytest.mark.parametrize("page", PAGES)
def test_everything_has_a_name(sellers, seller, page):
    sellers.open(page.format(seller=seller))
    content = sellers.find("#page-wrapper")
    nameless = [
        element.get_attribute("outerHTML")[:200]
        for element in content.find_elements(By.CSS_SELECTOR, "input, select, textarea, button, a[href]")
        if element.is_displayed() and not element.get_attribute("aria-hidden") and not element.accessible_name
    ]
    assert nameless == []
    assert len(content.find_elements(By.CSS_SELECTOR, "h1")) == 1
    assert sellers.errors() == []
