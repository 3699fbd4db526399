"""The page on which tickets go from hand to hand."""


import pytest

from pretix_offlinesales.models import Document
from tests.support.pages import alerts, rows, shown, soup, words
from tests.support.sellers import held, make_seller


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer)


@pytest.fixture
def office(organizer):
    return make_seller(organizer, "Tourist office", identifier="K-7")


@pytest.fixture
def page(pages):
    return f"{pages}hand-over"


@pytest.fixture
def look(anna, page):
    """``look(kiosk, "1-3")``: what one sees before anything is done."""

    def look(target, lines, **values):
        return anna.post(page, {"target": place(target), "lines": lines} | values)

    return look


@pytest.fixture
def confirm(anna, page):
    """Press the button that one sees."""

    def confirm(seen, **values):
        form = soup(seen).select_one("form:has([name=confirmed])")
        filled = {field["name"]: field.get("value") or field.text for field in form.select("[name]")}
        assert filled.pop("csrfmiddlewaretoken")
        return anna.post(page, filled | values)

    return confirm


def place(seller):
    return str(seller.pk) if seller else "stock"


def question(response):
    found = soup(response).select_one("form:has([name=confirmed]) p")
    return found and words(found)


def button(response):
    found = soup(response).select_one("form:has([name=confirmed]) button[type=submit]")
    return found and words(found)


def title(response):
    return words(soup(response).select_one("#page-wrapper h1"))


def filled_in(response):
    """What the form has: from whom, to whom, which tickets."""
    page = soup(response)
    chosen = [page.select_one(f"#offlinesales-tickets [name={name}] option[selected]") for name in ("source", "target")]
    text = page.select_one("#offlinesales-tickets [name=lines]").text.strip()
    return [words(option) if option else "" for option in chosen] + [text]


@pytest.mark.django_db
def test_tickets_are_delivered_as_seen(look, confirm, make, kiosk, anna):
    batch = make(amount=10)
    seen = look(kiosk, f"#{batch.pk}: 1-3, 7")
    assert title(seen) == "Deliver tickets"
    assert question(seen) == "4 tickets , €92.00 : Stock to Kiosk · Delivery note"
    assert rows(seen) == [[f"#{batch.pk}", "Ticket", "1–3, 7", "€23.00", "4", "€92.00"]]
    assert held(kiosk, batch) == []
    assert button(seen) == "Hand over 4 tickets"
    done = confirm(seen, comment="For the weekend")
    document = Document.objects.get()
    assert done.status_code == 302
    assert done["Location"] == f"/control/organizer/museum/offlinesales/documents/{document.pk}/"
    assert held(kiosk, batch) == [1, 2, 3, 7]
    page = anna.get(done["Location"])
    assert title(page) == "Delivery note 1"
    assert alerts(page) == ["The tickets have been handed over: Delivery note 1"]
    said = shown(page)
    del said["Date"]
    assert said == {
        "From": "Stock",
        "To": "Kiosk",
        "Event": "Long Night",
        "Created by": "anna@example.org",
        "Tickets": "4",
        "Value": "€92.00",
        "Comment": "For the weekend",
    }
    assert rows(page) == [[f"#{batch.pk}", "Ticket", "1–3, 7", "€23.00", "4", "€92.00"]]
