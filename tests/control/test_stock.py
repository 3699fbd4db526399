"""The stock map, and what pages say of sellers."""

import csv
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pretix_offlinesales.control import stock
from pretix_offlinesales.exporters import OfflineSalesExporter
from pretix_offlinesales.models import OfflineSalesBatch
from tests.support.after_sale import check_in, report_lost, take_back
from tests.support.pages import figures_shown, rows, soup, words
from tests.support.sellers import handed_over, make_seller

COUNTED = {"counted": "yes"}


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer)


@pytest.fixture
def office(organizer):
    return make_seller(organizer, "Tourist office")


@pytest.fixture
def batch(make, kiosk, office):
    """Half of it is held, and all else has happened to some."""
    batch = make(amount=20)
    handed_over(batch, kiosk, "1-10")
    handed_over(batch, office, "11-12")
    take_back(batch, "1-2", "unsold")
    report_lost(batch, "3")
    check_in(batch.tickets.get(number=4))
    return batch


@pytest.fixture
def page(anna, pages, batch):
    return lambda **query: anna.get(f"{pages}{batch.pk}/", query)


def table(response):
    found = soup(response).select(".offlinesales-stock-rows tbody tr")
    return [[words(cell) for cell in row.select("th, td")] for row in found]


def picture(response):
    """What each range of a line is called, and how wide it is, in percent."""
    links = soup(response).select(".offlinesales-line > a")
    return [(link["aria-label"], float(link.svg["width"].rstrip("%"))) for link in links]


def legend(response):
    return [words(entry) for entry in soup(response).select(".offlinesales-legend li")]


PICTURE = [
    ("1–2: Returned · Kiosk (2 tickets)", 10),
    ("3: Lost or stolen · Kiosk (1 ticket)", 5),
    ("4: Sold · Kiosk (1 ticket)", 5),
    ("5–10: Held by Kiosk (6 tickets)", 30),
    ("11–12: Held by Tourist office (2 tickets)", 10),
    ("13–20: In stock (8 tickets)", 40),
]


def test_it_is_at_the_top_of_the_page_and_says_the_same_as_its_table(page):
    response = page()
    assert picture(response) == PICTURE
    assert [f"{numbers}: {place}" for numbers, place, *_ in table(response)] == [
        name.rpartition(" (")[0] for name, _width in PICTURE
    ]
    assert [int(row[2]) for row in table(response)] == [2, 1, 1, 6, 2, 8]
    # Where there is little room, the name of who holds them must do.
    drawn = [words(text) for text in soup(response).select(".offlinesales-line text")]
    assert drawn == ["Returned · Kiosk", "Kiosk", "Tourist office", "In stock"]
    assert legend(response) == [
        "In stock: 8",
        "Held by Kiosk: 6",
        "Held by Tourist office: 2",
        "Sold: 1",
        "Lost or stolen: 1",
        "Returned: 2",
    ]
    assert "Where the tickets are" in words(soup(response).select_one("#page-wrapper .panel-heading"))


def test_what_can_be_done_leads_to_pages_that_know_the_tickets(anna, page, pages, batch):
    actions = {row[0]: row[3] for row in table(page())}
    assert actions["1–2"] == "Undo returns Show tickets"
    assert actions["3"] == "Return tickets Undo losses Show tickets"
    assert actions["4"].endswith("Return tickets Report lost tickets Show tickets")
    row = soup(page()).select_one(f"#offlinesales-stock-{batch.pk}-5")
    links = {words(link): link["href"] for link in row.select("a")}
    filled_in = soup(anna.get(links["Return tickets"])).select_one("[name=lines]")
    assert words(filled_in) == "5-10"
    assert [int(row[0]) for row in rows(anna.get(links["Show tickets"].partition("#off")[0]))] == [5, 6, 7, 8, 9, 10]


def test_readers_may_only_look(ron, pages, batch):
    assert {row[3] for row in table(ron.get(f"{pages}{batch.pk}/"))} == {"Show tickets"}


def test_no_more_is_drawn_than_can_be_seen(page, batch, kiosk, monkeypatch):
    take_back(batch, "14, 16, 18", "unsold")
    monkeypatch.setattr(stock, "MOST", 5)
    monkeypatch.setattr(stock, "MAX_ROWS", 2)
    response = page()
    assert picture(response)[0] == (
        "1–4: Sold · Kiosk: 1, Lost or stolen · Kiosk: 1, Returned · Kiosk: 2 (4 tickets)",
        20,
    )
    heights = [rect["height"] for rect in soup(response).select_one(".offlinesales-line > a").select("rect[y]")]
    assert heights == ["25.000%", "25.000%", "25.000%", "50.000%", "50.000%"]  # some with their pattern
    assert len(table(response)) == 3
    assert table(response)[-1][0].startswith("and ")


def test_the_list_shows_it_when_it_is_counted(anna, pages, batch, make):
    make(amount=5, testmode="on")
    assert soup(anna.get(pages)).select_one("[data-offlinesales-unknown=stock]")
    response = anna.get(pages, COUNTED)
    assert picture(response) == PICTURE
    assert table(response)[1][0] == f"#{batch.pk}: 3"
    assert soup(response).select_one("[data-offlinesales-known=stock] .offlinesales-line")


def test_it_takes_as_many_queries_for_many(anna, pages, batch, make, kiosk):
    def queries(query):
        anna.get(pages, query)
        with CaptureQueriesContext(connection) as captured:
            assert anna.get(pages, query).status_code == 200
        return len(captured)

    make(amount=1)  # so that there is a total
    few = queries({}), queries(COUNTED)
    for _ in range(3):
        handed_over(make(amount=5), kiosk, "2, 4")
    assert (queries({}), queries(COUNTED)) == few


def test_tickets_of_a_seller(anna, page, pages, batch, kiosk, office):
    response = page()
    assert [row[2:4] for row in rows(response)][2:5] == [
        ["Lost or stolen", "Kiosk"],
        ["Sold", "Kiosk"],
        ["Held by Kiosk", "Kiosk"],
    ]
    assert [int(row[0]) for row in rows(page(seller=office.pk))] == [11, 12]
    assert [int(row[0]) for row in rows(page(seller="stock"))] == list(range(13, 21))
    assert [int(row[0]) for row in rows(page(seller=kiosk.pk, status="held"))] == list(range(5, 11))
    exported = anna.get(f"{pages}{batch.pk}/tickets.csv", {"seller": office.pk}).content.decode()
    assert [[row["Status"], row["Seller"]] for row in csv.DictReader(StringIO(exported))] == [
        ["Held by Tourist office", "Tourist office"]
    ] * 2


def test_nobody_is_asked_for_sellers_where_nobody_has_any(anna, pages, make):
    batch = make()
    for page in (pages, f"{pages}{batch.pk}/"):
        assert soup(anna.get(page)).select("[name=seller]") == []


def test_batches_of_a_seller(anna, pages, batch, make, kiosk, office):
    other = make(amount=2)
    handed_over(other, kiosk, "1")

    def found(seller):
        return [row[0] for row in rows(anna.get(pages, {"seller": seller.pk}))]

    assert found(kiosk) == [f"#{other.pk}", f"#{batch.pk}"]
    assert found(office) == [f"#{batch.pk}"]


def test_orders_of_a_seller(anna, pages, batch, office):
    orders = pages.replace("/offlinesales/", "/orders/")
    response = anna.get(orders, {"offlinesales-seller": office.pk})
    found = {words(code) for code in soup(response).select("tbody strong a")}
    assert found == set(batch.tickets.filter(number__in=(11, 12)).values_list("order__code", flat=True))
    assert "Seller (offline sales): Tourist office" in words(soup(response).body)


def test_the_page_of_the_order_says_who_holds_it_and_through_whose_hands_it_went(anna, ron, pages, batch, office):
    handed_over(batch, office, "9")
    order = pages.replace("/offlinesales/", "/orders/") + batch.tickets.get(number=9).order.code + "/"
    for browser in (anna, ron):
        page = soup(browser.get(order))
        panel = next(each for each in page.select(".panel") if words(each).startswith("Offline sales"))
        assert "Held by Tourist office" in words(panel)
        hands = [[words(cell) for cell in row.select("td")][1:] for row in panel.select("tbody tr")]
        assert hands == [["Stock", "Kiosk", "Delivery note 1"], ["Kiosk", "Tourist office", "Transfer note 1"]]


def test_returns_are_summed_up_by_seller(anna, pages, batch, worker):
    data = {"lines": "5-6, 11, 13", "kind": "unsold"}
    checked = anna.post(f"{pages}{batch.pk}/return", data)
    expected = [["Kiosk", "2", "€46.00"], ["Tourist office", "1", "€23.00"], ["Nobody: in stock", "1", "€23.00"]]
    assert figures_shown(checked) == expected
    with worker():
        waiting = anna.post(f"{pages}{batch.pk}/return", data | {"confirmed": "on"})
    response = anna.get(waiting["Location"], follow=True)
    assert figures_shown(response) == expected
    exported = anna.get(f"{response.request['PATH_INFO']}tickets.csv").content.decode()
    sellers = [row["Seller"] for row in csv.DictReader(StringIO(exported))]
    assert sellers == ["Kiosk", "Kiosk", "Tourist office", ""]


def test_the_report_knows_sellers(event, batch, kiosk, office):
    def export(sheet, **filters):
        exporter = OfflineSalesExporter(event, event.organizer)
        _name, _type, content = exporter.render({"_format": f"{sheet}:default", **filters})
        return list(csv.DictReader(StringIO(content.decode())))

    found = {int(row["Ticket number"]): (row["State"], row["Seller"]) for row in export("tickets")}
    assert found[2] == ("Returned", "Kiosk")
    assert found[4] == ("Sold", "Kiosk")
    assert found[5] == ("Held by a seller", "Kiosk")
    assert found[20] == ("In stock", "")
    assert [row["Ticket number"] for row in export("tickets", sellers=[office])] == ["11", "12"]
    [row] = export("batches", sellers=[kiosk])
    assert (row["Issued"], row["Held by a seller"], row["In stock"], row["Sold"]) == ("10", "6", "0", "1")
    OfflineSalesBatch.objects.update(testmode=True)
    assert export("batches", sellers=[kiosk], no_testmode=True) == []
