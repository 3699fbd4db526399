"""What the rest of pretix says about tickets of a batch."""

import json

import pypdfium2
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pretix.base.pdf import get_variables

from pretix_offlinesales.jobs import runner
from pretix_offlinesales.kinds import RETURN
from pretix_offlinesales.models import Job, OfflineSalesTicket
from tests.support.pages import rows, soup, words


@pytest.fixture
def batch(make):
    return make(amount=3, comment="Kiosk")


@pytest.fixture
def order(batch):
    return batch.tickets.get(number=2).order


@pytest.fixture
def orders(event):
    return f"/control/event/{event.organizer.slug}/{event.slug}/orders/"


def links_to(response, url):
    return [words(link) for link in soup(response).select(f'#page-wrapper a[href="{url}"]')]


# The order


def test_an_order_says_which_ticket_it_is_in_its_page_its_payment_and_its_history(anna, pages, orders, batch, order):
    assert links_to(anna.get(f"{orders}{order.code}/"), f"{pages}{batch.pk}/") == [
        f"#{batch.pk}-2 · Offline sales batch {batch.pk}, ticket 2 of 3",
        f"#{batch.pk}",
        f"Offline sales batch {batch.pk}, ticket 2 of 3",
    ]


def test_where_numbers_go_on_it_says_which_numbers_the_batch_has(anna, pages, orders, make):
    batch = make(amount=3, first_number=101)
    order = batch.tickets.get(number=102).order
    label = f"Offline sales batch {batch.pk}, ticket 102 (of 101 to 103)"
    assert links_to(anna.get(f"{orders}{order.code}/"), f"{pages}{batch.pk}/") == [
        f"#{batch.pk}-102 · {label}",
        f"#{batch.pk}",
        label,
    ]


def test_other_orders_say_nothing(anna, orders, order):
    order.meta_info = "{}"
    order.save()
    page = soup(anna.get(f"{orders}{order.code}/"))
    assert [words(title) for title in page.select(".panel-title") if words(title) == "Offline sales"] == []


def test_the_api_names_batch_and_number_without_a_query(api, event, batch, order):
    url = f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/orders/"
    assert api.get(f"{url}{order.code}/").data["plugin_data"] == {"offlinesales": {"batch": batch.pk, "number": 2}}
    with CaptureQueriesContext(connection) as captured:
        assert len(api.get(url).data["results"]) == 3
    assert [query["sql"] for query in captured if "pretix_offlinesales" in query["sql"]] == []


# The history of the event


def test_the_log_of_the_event_links_to_the_batch(anna, pages, event, batch):
    anna.post(f"{pages}{batch.pk}/comment", {"comment": "Bookshop"})
    log = anna.get(f"/control/event/{event.organizer.slug}/{event.slug}/logs/")
    ticket = f"Offline sales batch {batch.pk}, ticket {{}} of 3"
    assert links_to(log, f"{pages}{batch.pk}/") == [
        f"#{batch.pk}",
        f"#{batch.pk}",
        *[ticket.format(number) for number in (3, 2, 1)],
    ]


# Search


def test_orders_can_be_searched_by_batch(anna, orders, make, batch):
    make(amount=2)
    found = anna.get(orders, {"offlinesales-batch": batch.pk})
    codes = {ticket.order.code for ticket in batch.tickets.all()}
    assert {row[1] for row in rows(found)} == codes
    assert f"Batch (offline sales): {batch.pk}" in words(soup(found).select_one("#page-wrapper"))


def test_other_orders_may_lie_between_those_of_a_batch(anna, orders, make, batch):
    other = make(amount=3)
    first, last = batch.tickets.order_by("number").first(), other.tickets.order_by("number").last()
    OfflineSalesTicket.objects.filter(pk=first.pk).update(batch=other, number=99)
    OfflineSalesTicket.objects.filter(pk=last.pk).update(batch=batch, number=99)
    for one in (batch, other):
        found = anna.get(orders, {"offlinesales-batch": one.pk})
        assert {row[1] for row in rows(found)} == {ticket.order.code for ticket in one.tickets.all()}
    assert anna.get(orders, {"offlinesales-batch": other.pk + 1}).context["page_obj"].paginator.count == 0


def test_batches_of_other_events_have_no_orders_here(anna, orders, batch, series):
    orders = orders.replace(f"/{batch.event.slug}/", f"/{series.slug}/")
    assert anna.get(orders, {"offlinesales-batch": batch.pk}).context["page_obj"].paginator.count == 0


def test_the_search_form_asks_for_the_batch(anna, orders, batch):
    field = soup(anna.get(f"{orders}search")).select_one("[name=offlinesales-batch]")
    assert words(soup(anna.get(f"{orders}search")).select_one(f"label[for={field['id']}]")).startswith(
        "Batch (offline sales)"
    )
    response = anna.post(f"{orders}search", {"offlinesales-batch": batch.pk})
    assert response.status_code == 302
    assert response["Location"] == f"{orders}?offlinesales-batch={batch.pk}"


# Layouts


def placeholders(event):
    return {name: value for name, value in get_variables(event).items() if name.startswith("offlinesales_")}


def evaluated(order):
    position = order.positions.get()
    return {
        name.removeprefix("offlinesales_"): value["evaluate"](position, order, order.event)
        for name, value in placeholders(order.event).items()
    }


def test_layouts_can_say_which_ticket_it_is(batch, order):
    assert evaluated(order) == {
        "batch": str(batch.pk),
        "number": "2",
        "number_padded": "0002",
        "amount": "3",
        "seller": "",
        "comment": "Kiosk",
    }


def test_layouts_of_other_orders_leave_the_place_empty(order):
    order.meta_info = json.dumps({})
    assert set(evaluated(order).values()) == {""}


def test_the_editor_shows_samples(anna, event, layout):
    samples = {name: (str(value["label"]), str(value["editor_sample"])) for name, value in placeholders(event).items()}
    assert samples == {
        "offlinesales_batch": ("Offline sales: batch number", "3"),
        "offlinesales_number": ("Offline sales: ticket number", "17"),
        "offlinesales_number_padded": ("Offline sales: ticket number with leading zeros", "0017"),
        "offlinesales_amount": ("Offline sales: number of tickets in the batch", "200"),
        "offlinesales_seller": ("Offline sales: seller", "Tourist office"),
        "offlinesales_comment": ("Offline sales: internal comment of the batch", "Kiosk at the harbour"),
    }
    editor = anna.get(f"/control/event/{event.organizer.slug}/{event.slug}/pdfoutput/{layout.pk}/editor/")
    assert "Offline sales: ticket number with leading zeros" in editor.content.decode()


@pytest.fixture
def preview(anna, event, layout):
    """``preview(content, text)``: the lines of what the host's layout editor shows of a text box."""

    def preview(content, text=""):
        box = {
            "type": "textarea", "left": "10", "bottom": "200", "width": "150", "fontsize": "10", "align": "left",
            "fontfamily": "Open Sans", "bold": False, "italic": False, "downward": True, "rotation": 0,
            "color": [0, 0, 0, 1], "content": content, "text": text,
        }  # fmt: skip
        editor = f"/control/event/{event.organizer.slug}/{event.slug}/pdfoutput/{layout.pk}/editor/"
        response = anna.post(editor, {"preview": "true", "data": json.dumps([box])})
        with pypdfium2.PdfDocument(response.content) as pdf:
            return pdf[0].get_textpage().get_text_range().splitlines()

    return preview


def test_the_preview_of_the_editor_shows_samples(preview):
    names = ("batch", "number", "number_padded", "amount", "comment")
    shown = [preview(f"offlinesales_{name}") for name in names]
    assert shown == [["3"], ["17"], ["0017"], ["200"], ["Kiosk at the harbour"]]
    assert preview("other", "No. {offlinesales_number}") == ["No. 17"]


def test_without_the_plugin_the_host_prints_braces_as_they_are(preview, event):
    """As the documentation says."""
    event.disable_plugin("pretix_offlinesales")
    event.save()
    assert preview("other", "No. {offlinesales_number}") == ["No. {offlinesales_number}"]
    assert preview("offlinesales_number") == []


def test_without_the_plugin_histories_lead_to_no_page_of_ours(anna, make, event, pages, orders):
    batch = make(amount=2)
    order = batch.tickets.first().order
    anna.post(f"{pages}{batch.pk}/return", {"lines": "1", "kind": "unsold", "confirmed": "on"})
    job = Job.objects.get(kind=RETURN.identifier)
    runner.run(event, job.pk)

    def told():
        [returned, _issued] = batch.all_logentries()
        return returned.display(), links_to(anna.get(f"{orders}{order.code}/"), f"{pages}{batch.pk}/")

    text, origin = "1 ticket has been returned (unsold).", f"Offline sales batch {batch.pk}, ticket 1 of 2"
    links = [f"#{batch.pk}-1 · {origin}", f"#{batch.pk}", origin]
    assert told() == (f'{text} <a href="{pages}results/{job.pk}/">Show result</a>', links)
    event.disable_plugin("pretix_offlinesales")
    event.save()
    assert told() == (text, [])
    assert f"{origin}." in words(soup(anna.get(f"{orders}{order.code}/")))


def test_the_comment_and_the_seller_cost_one_query_a_batch_and_the_rest_none(batch):
    positions = [ticket.order.positions.select_related("order").get() for ticket in batch.tickets.all()]
    variables = placeholders(batch.event)
    with CaptureQueriesContext(connection) as captured:
        for position in positions:
            for variable in variables.values():
                variable["evaluate"](position, position.order, batch.event)
    assert len(captured) == 2


# What an order is called


@pytest.fixture
def orders_found(anna, api, event, orders):
    """``orders_found("#3-17")``: what the host's pages and its API find in the event."""

    def orders_found(query):
        page = soup(anna.get(orders, {"query": query})).select("tbody tr td:nth-of-type(2) a[href*='/orders/']")
        everywhere = soup(anna.get("/control/search/orders/", {"query": query})).select("tbody a[href*='/orders/']")
        url = f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/orders/"
        results = [order["code"] for order in api.get(url, {"search": query}).data["results"]]
        return [{link["href"].split("/")[-2] for link in links} for links in (page, everywhere)] + [set(results)]

    return orders_found


@pytest.mark.parametrize(
    ("name", "numbers"), [("#{}-2", {2}), ("#{}-0002", {2}), (" #{}: 2-9 ", {2, 3}), ("#{}-4", set())]
)
def test_the_search_of_the_host_finds_what_its_page_calls_it(orders_found, make, batch, name, numbers):
    make(amount=3)
    codes = {ticket.order.code for ticket in batch.tickets.filter(number__in=numbers)}
    assert orders_found(name.format(batch.pk)) == [codes] * 3


@pytest.mark.parametrize("query", ["#", "#1", "#x-1", "#1-x", f"#{'9' * 18}-1", "#1-" + "9" * 12, "Kiosk"])
def test_other_searches_find_what_they_found(orders_found, batch, query):
    assert orders_found(query) == [set()] * 3


def test_our_own_searches_find_it_too(anna, pages, make, batch):
    make(amount=3)
    assert [row[0] for row in rows(anna.get(pages, {"query": f"#{batch.pk}-2"}))] == [f"#{batch.pk}"]
    assert [row[0] for row in rows(anna.get(f"{pages}{batch.pk}/", {"query": f"#{batch.pk}-2"}))] == ["2"]


def test_the_list_of_plugins_leads_to_our_pages(anna, event, pages):
    page = anna.get(f"/control/event/{event.organizer.slug}/{event.slug}/settings/plugins")
    links = {link["href"]: words(link) for link in soup(page).select("#page-wrapper a[href*='/offlinesales/']")}
    assert links == {
        pages: "Offline sales > All batches",
        f"{pages}add": "Offline sales > Issue a batch of tickets",
        f"{pages}return": "Offline sales > Return tickets",
    }
    assert [anna.get(link).status_code for link in links] == [200, 200, 200]
