"""Several batches at once: the form, what is seen before, and what comes of it."""

from io import BytesIO

import pikepdf
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pretix_offlinesales.models import Job, OfflineSalesBatch
from tests.support.pages import alerts, errors, rows, soup, words
from tests.support.sellers import held, make_seller

SOLD_OUT = "Quota “House”: 120 are needed for all batches together, and 100 are left."


@pytest.fixture
def page(pages):
    return f"{pages}add/several"


@pytest.fixture
def workshop(event, quota):
    item = event.items.create(name="Workshop", default_price=5, position=5)
    child = item.variations.create(value="Child")
    quota.items.add(item)
    quota.variations.add(child)
    return child


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer)


@pytest.fixture
def office(organizer):
    return make_seller(organizer, "Tourist office", identifier="K-7")


@pytest.fixture
def values(web, quota):
    """``values([("7", 3)], kiosk, …)``: the form with these lines for these sellers."""

    def values(lines, *sellers, **others):
        filled = {
            "lines-TOTAL_FORMS": str(len(lines)),
            "lines-INITIAL_FORMS": "0",
            "sales_channel": str(web.pk),
            "numbering": "on",
            "sellers": [str(seller.pk) for seller in sellers],
        }
        for number, (product, amount) in enumerate(lines):
            key = f"{product.item_id}-{product.pk}" if hasattr(product, "item_id") else str(product.pk)
            filled |= {f"lines-{number}-itemvar": key, f"lines-{number}-amount": str(amount)}
        return filled | others

    return values


@pytest.fixture
def confirm(anna, page, worker):
    """Press the button that one sees, and let a worker come."""

    def confirm(seen):
        form = soup(seen).select_one("form:has([name=confirmed])")
        filled = {}
        for field in form.select("[name]"):
            filled.setdefault(field["name"], []).append(field.get("value"))
        with worker():
            return anna.post(page, filled)

    return confirm


def tables(response):
    """The rows of each table."""
    found = soup(response).select("form:has([name=confirmed]) table")
    return [[[words(cell) for cell in row.select("td")] for row in table.select("tbody tr")] for table in found]


def button(response):
    found = soup(response).select_one("form:has([name=confirmed]) button[type=submit]")
    return found and words(found)


def batches():
    return [(each.product, each.amount, each.numbers[0]) for each in OfflineSalesBatch.objects.order_by("pk")]


def test_what_would_be_made_is_seen_before(anna, page, values, item, workshop, kiosk, office):
    kiosk.credit_limit = 100
    kiosk.save()
    seen = anna.post(page, values([(item, 3), (workshop, 4)], kiosk, office))
    lines, sellers, quotas = tables(seen)
    assert lines == [
        ["Kiosk", "Ticket", "€23.00", "3", "€69.00"],
        ["Kiosk", "Workshop – Child", "€5.00", "4", "€20.00"],
        ["Tourist office", "Ticket", "€23.00", "3", "€69.00"],
        ["Tourist office", "Workshop – Child", "€5.00", "4", "€20.00"],
    ]
    assert sellers == [
        ["Kiosk", "7", "€89.00", "€89.00", "€100.00"],
        ["Tourist office", "7", "€89.00", "€89.00", ""],
    ]
    assert quotas == [["House", "14", "100"]]
    assert button(seen) == "Issue 4 batches"
    assert Job.objects.count() == 0


def test_what_was_seen_is_made(anna, page, values, confirm, item, workshop, event):
    seen = anna.post(page, values([(item, 3), (workshop, 4)], comment="For the bus", book_size="2"))
    assert [[row[0] for row in table] for table in tables(seen)] == [["Ticket", "Workshop – Child"], ["House"]]
    ended = anna.get(confirm(seen).url, follow=True)
    assert words(soup(ended).select_one("h1")) == "Issue several batches"
    first, second = OfflineSalesBatch.objects.order_by("pk")
    assert [row[:5] for row in rows(ended)] == [
        [f"#{first.pk}", "Ticket", "1 – 3", "3", "€69.00"],
        [f"#{second.pk}", "Workshop – Child", "1 – 4", "4", "€20.00"],
    ]
    assert [(each.comment, each.book_size) for each in (first, second)] == [("For the bus", 2)] * 2
    assert (event.orders.count(), alerts(ended)) == (7, [])


def test_each_seller_gets_hers_with_a_document(anna, page, values, confirm, item, workshop, kiosk, office):
    ended = anna.get(confirm(anna.post(page, values([(item, 3), (workshop, 4)], kiosk, office))).url, follow=True)
    first, second, third, fourth = OfflineSalesBatch.objects.order_by("pk")
    assert [row[:7] for row in rows(ended)] == [
        [f"#{first.pk}", "Kiosk", "Ticket", "1 – 3", "3", "€69.00", "Delivery note 1"],
        [f"#{second.pk}", "Kiosk", "Workshop – Child", "1 – 4", "4", "€20.00", "Delivery note 2"],
        [f"#{third.pk}", "Tourist office", "Ticket", "4 – 6", "3", "€69.00", "Delivery note 3"],
        [f"#{fourth.pk}", "Tourist office", "Workshop – Child", "5 – 8", "4", "€20.00", "Delivery note 4"],
    ]
    assert [held(kiosk, each) for each in (first, second, third)] == [[1, 2, 3], [1, 2, 3, 4], []]
    [notes] = [link["href"] for link in soup(ended).select("a[href$='notes.pdf']")]
    with pikepdf.open(BytesIO(anna.get(notes).content)) as whole:
        assert len(whole.pages) == 4
    [link] = soup(ended).select("a[href*=print-for-sellers]")
    assert link["href"].endswith(f"?seller={kiosk.pk}&seller={office.pk}")
    assert anna.get(link["href"]).status_code == 200


def test_who_may_not_read_sellers_sees_no_documents(anna, page, pages, ron, values, confirm, item, kiosk):
    ended = confirm(anna.post(page, values([(item, 3)], kiosk))).url
    seen = ron.get(anna.get(ended).url)
    assert rows(seen)[0][1:7] == ["Kiosk", "Ticket", "1 – 3", "3", "€69.00", "Delivery note 1"]
    assert soup(seen).select("tbody a[href*=documents], a[href$='notes.pdf']") == []
    assert ron.get(f"{anna.get(ended).url}notes.pdf").status_code == 403


def test_numbers_go_on_or_begin_again(anna, page, values, confirm, item):
    confirm(anna.post(page, values([(item, 3), (item, 2)])))
    confirm(anna.post(page, values([(item, 1), (item, 2)], numbering="again")))
    assert batches() == [("Ticket", 3, 1), ("Ticket", 2, 4), ("Ticket", 1, 1), ("Ticket", 2, 1)]


def test_whoever_clicks_twice_gets_them_once(anna, page, values, confirm, item):
    [token] = [field["value"] for field in soup(anna.get(page)).select("#offlinesales-several [name=token]")]
    seen = anna.post(page, values([(item, 3)], token=token))
    first = anna.get(confirm(seen).url)
    assert confirm(seen).url == first.url
    assert batches() == [("Ticket", 3, 1)]


def test_all_together_are_too_many(anna, page, values, item, workshop, kiosk, office):
    seen = anna.post(page, values([(item, 30), (workshop, 30)], kiosk, office))
    assert errors(seen) == {"lines-1-amount": [SOLD_OUT]}
    assert (tables(seen)[2], button(seen)) == ([["House", "120", "100"]], None)


def test_a_seller_would_hold_too_much(anna, page, values, item, workshop, kiosk, office):
    office.credit_limit = 80
    office.save()
    seen = anna.post(page, values([(item, 3), (workshop, 4)], kiosk, office))
    message = "Tourist office: The seller would hold or owe €89.00, and the credit limit is €80.00."
    assert (errors(seen), button(seen)) == ({"sellers": [message]}, None)
    assert soup(seen).select("[name=over_limit]")
    confirmed = values([(item, 3), (workshop, 4)], kiosk, office, over_limit="on")
    assert button(anna.post(page, confirmed)) == "Issue 4 batches"
    anna.post(page, confirmed | {"confirmed": "on"})
    assert [each["over_limit"] for each in Job.objects.get().request["batches"]] == [True] * 4


def test_what_is_wrong_is_said_at_its_line(anna, page, values, item, workshop, kiosk, office, event):
    pass_only = event.items.create(name="Pass", default_price=5, active=True)
    seen = anna.post(page, values([(item, 3), (pass_only, 4), (workshop, 0)], kiosk, office))
    assert errors(seen) == {"lines-2-amount": ["Ensure this value is greater than or equal to 1."]}
    seen = anna.post(page, values([(item, 3), (pass_only, 4)], kiosk, office))
    assert errors(seen) == {"lines-1-itemvar": ["This product is not assigned to a quota."]}
    seen = anna.post(page, values([(item, 3)], kiosk, testmode="on"))
    assert errors(seen) == {"testmode": ["Ticket: Tickets of test mode cannot be handed over."]}


def test_something_is_to_be_named(anna, page, values):
    assert "Please name at least one product." in alerts(anna.post(page, values([])))[-1]


def test_too_many_batches(anna, page, values, item, monkeypatch):
    monkeypatch.setattr("pretix_offlinesales.control.several_forms.MAX_SEVERAL", 1)
    seen = anna.post(page, values([(item, 1), (item, 2)]))
    assert "These would be 2 batches. At most 1 can be issued at once." in alerts(seen)[-1]


def test_what_is_sold_out_meanwhile_is_told(anna, page, values, confirm, item, workshop, quota):
    seen = anna.post(page, values([(item, 3), (workshop, 4), (item, 1)]))
    quota.size = 4
    quota.save()
    with pytest.MonkeyPatch.context() as patch:
        # Nobody has looked since: the shop sells them while the job waits.
        patch.setattr("pretix_offlinesales.issuing.together._share_quotas", lambda together, blueprints: None)
        ended = anna.get(confirm(seen).url, follow=True)
    assert rows(ended)[0] == [
        "4 × Workshop – Child",
        'There is not enough quota available on quota "House" to perform the operation.',
    ]
    assert [row[3] for row in rows(ended)[1:]] == ["3", "1"]


def test_a_failure_is_on_the_list_and_can_be_tried_again(anna, page, pages, values, confirm, item, workshop, quota):
    seen = anna.post(page, values([(item, 3), (workshop, 4)], comment="Bus"))
    quota.size = 2
    quota.save()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pretix_offlinesales.issuing.together._share_quotas", lambda together, blueprints: None)
        ended = anna.get(confirm(seen).url, follow=True)
    assert "2 batches could not be issued" in alerts(ended)[0]
    listed = anna.get(pages)
    assert "2 batches could not be issued" in alerts(listed)[0]
    [again] = [link["href"] for link in soup(listed).select(".alert a")]
    form = soup(anna.get(again))
    assert [words(option) for option in form.select("[name$=itemvar] option[selected]")] == [
        "Ticket",
        "Workshop – Child",
    ]
    assert [field["value"] for field in form.select("[name$=amount]")] == ["3", "4"]
    assert form.select_one("[name=comment]").text.strip() == "Bus"
    quota.size = 10
    quota.save()
    job = Job.objects.get()
    confirm(anna.post(page, values([(item, 3), (workshop, 4)], again=str(job.pk))))
    assert (alerts(anna.get(pages)), len(batches())) == ([], 2)


def test_what_is_being_made_is_on_the_list(anna, page, pages, values, item, workshop):
    anna.post(page, values([(item, 3), (workshop, 4)], confirmed="on"))
    [row] = rows(anna.get(pages))
    assert (row[2], row[4]) == ("2 batches", "7")
    [link] = soup(anna.get(pages)).select("tbody tr a[href*=several]")
    assert "2 batches are left" in alerts(anna.get(link["href"]))[0]


def test_who_may_not_read_sellers_issues_for_the_stock(client, organizer, page, values, item, kiosk, user):
    team = organizer.teams.create(
        name="Writers",
        all_events=True,
        limit_event_permissions={"event.orders:read": True, "event.orders:write": True},
    )
    team.members.add(user)
    client.force_login(user)
    assert soup(client.get(page)).select("[name=sellers]") == []
    lines, _quotas = tables(client.post(page, values([(item, 3)], kiosk)))
    assert lines == [["Ticket", "€23.00", "3", "€69.00"]]


def test_sellers_of_others_and_inactive_ones_can_not_be_chosen(anna, page, values, item, kiosk, office):
    office.active = False
    office.save()
    form = soup(anna.get(f"{page}?seller={kiosk.pk}"))
    assert [words(label) for label in form.select("label:has([name=sellers])")] == ["Kiosk"]
    assert [field["value"] for field in form.select("[name=sellers][checked]")] == [str(kiosk.pk)]
    seen = anna.post(page, values([(item, 3)], office))
    assert list(errors(seen)) == ["sellers"]


def test_queries_do_not_grow_with_the_sellers(anna, page, values, organizer, event, quota, item):
    items = [item, *(event.items.create(name=f"Product {number}", default_price=number + 1) for number in range(2))]
    quota.items.add(*items)
    sellers = [make_seller(organizer, f"Kiosk {number}", credit_limit=10_000) for number in range(12)]

    def queries(ask):
        ask()
        with CaptureQueriesContext(connection) as captured:
            ask()
        return len(captured)

    lines = [(each, 2) for each in items]
    few = queries(lambda: anna.post(page, values(lines, *sellers[:2])))
    many = queries(lambda: anna.post(page, values(lines, *sellers)))
    assert (many, len(tables(anna.post(page, values(lines, *sellers)))[0])) == (few, 36)
    form = queries(lambda: anna.get(page))
    for number in range(20):
        make_seller(organizer, f"Office {number}")
        event.items.create(name=f"Other {number}", default_price=1)
    assert queries(lambda: anna.get(page)) == form
