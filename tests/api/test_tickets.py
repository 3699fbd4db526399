"""What the API says about each ticket of a batch."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pretix.api.pagination import Pagination as HostPagination
from pretix.base.models import Order
from pretix.base.models.orders import PrintLog
from rest_framework.request import Request

from pretix_offlinesales.api.tickets import TicketPagination


@pytest.fixture
def batch(make_batch):
    return make_batch(amount=4)


@pytest.fixture
def listed(api, url, batch):
    """``listed(printed="true")``: what the list of the batch's tickets says."""

    def listed(**query):
        response = api.get(f"{url}{batch.pk}/tickets/", query)
        assert response.status_code == 200, response.data
        return response.data["results"]

    return listed


def positions(batch):
    return [ticket.order.all_positions.get() for ticket in batch.tickets.order_by("number")]


def note_print(position, **values):
    PrintLog.objects.create(position=position, **{"type": PrintLog.TYPE_TICKET, "source": "test"} | values)


def check_in(position):
    checkin_list, _new = position.order.event.checkin_lists.get_or_create(name="All", all_products=True)
    position.all_checkins.create(list=checkin_list, datetime=now())


@pytest.fixture
def mixed(api, url, batch, worker):
    """The first was returned, the second printed and let in, the third is not paid any more, the fourth as issued."""
    _first, second, third, _fourth = positions(batch)
    with worker():
        api.post(f"{url}{batch.pk}/return/", {"tickets": "1", "kind": "lost"}, format="json")
    note_print(second)
    check_in(second)
    Order.objects.filter(pk=third.order_id).update(status=Order.STATUS_PENDING)


def test_all_about_each_ticket(listed, batch, mixed):
    first, second, third, fourth = positions(batch)
    shown = {
        "status": "p",
        "split_to": None,
        "returned": None,
        "lost": False,
        "blocked": None,
        "due": "23.00",
        "due_besides": "0.00",
        "printed": False,
        "checked_in": False,
        "seller": None,
        "state": "stock",
    }

    def ticket(number, position, **values):
        return {"number": number, "order": position.order.code, "secret": position.secret, **shown, **values}

    assert listed() == [
        ticket(1, first, status="c", returned="lost", due="0.00", state="returned"),
        ticket(2, second, printed=True, checked_in=True, state="sold"),
        ticket(3, third, status="n"),
        ticket(4, fourth),
    ]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"status": "p"}, [2, 4]),
        ({"status": "c"}, [1]),
        ({"status": "n"}, [3]),
        ({"returned": "lost"}, [1]),
        ({"returned": "unsold"}, []),
        ({"printed": "true"}, [2]),
        ({"printed": "false"}, [1, 3, 4]),
        ({"checked_in": "true"}, [2]),
        ({"checked_in": "false"}, [1, 3, 4]),
        ({"checked_in": "yes"}, [2]),
        ({"printed": "0"}, [1, 3, 4]),
        ({"number": "3"}, [3]),
        ({"status": "p", "printed": "false"}, [4]),
        ({"ordering": "-number"}, [4, 3, 2, 1]),
    ],
)
def test_filters(listed, mixed, query, numbers):
    assert [ticket["number"] for ticket in listed(**query)] == numbers


@pytest.mark.parametrize("name", ["status", "returned", "lost", "blocked", "printed", "checked_in", "seller", "state"])
def test_nonsense_names_the_filter(api, url, batch, name):
    response = api.get(f"{url}{batch.pk}/tickets/", {name: "x"})
    assert (response.status_code, set(response.data)) == (400, {name})


def test_a_ticket_whose_position_alone_was_canceled(listed, batch):
    first = positions(batch)[0]
    first.canceled = True
    first.save()
    assert [(ticket["status"], ticket["secret"]) for ticket in listed(number=1)] == [("c", first.secret)]


def test_tickets_that_are_blocked_or_lost(listed, batch):
    first, second, *_others = positions(batch)
    first.blocked = ["admin", "api:wallet"]
    first.save()
    second.blocked = ["offlinesales"]
    second.save()
    batch.tickets.filter(number=2).update(lost=now())
    shown = [(ticket["blocked"], ticket["lost"], ticket["due"]) for ticket in listed()]
    assert shown == [
        (["admin", "api:wallet"], False, "23.00"),
        (["offlinesales"], True, "23.00"),
        (None, False, "23.00"),
        (None, False, "23.00"),
    ]
    assert [[ticket["number"] for ticket in listed(blocked=value)] for value in ("true", "false")] == [[1, 2], [3, 4]]
    assert [[ticket["number"] for ticket in listed(lost=value)] for value in ("true", "false")] == [[2], [1, 3, 4]]


def test_a_returned_ticket_that_is_let_in_all_the_same_is_due_besides(api, url, listed, batch, mixed):
    check_in(positions(batch)[0])
    assert [(ticket["due"], ticket["due_besides"]) for ticket in listed(returned="lost", checked_in="true")] == [
        ("0.00", "23.00")
    ]


def test_prints_that_failed_or_were_of_something_else(listed, batch):
    first, second, *_others = positions(batch)
    note_print(first, successful=False)
    note_print(second, type=PrintLog.TYPE_BADGE)
    assert listed(printed="true") == []


def test_it_comes_in_pages(api, url, batch):
    first = api.get(f"{url}{batch.pk}/tickets/", {"page_size": 3}).data
    second = api.get(first["next"]).data
    assert (first["count"], second["next"]) == (4, None)
    assert [ticket["number"] for page in (first, second) for ticket in page["results"]] == [1, 2, 3, 4]


@pytest.mark.parametrize("size", ["1", "50", "51", "500", "501", "0", "-1", "1.5", "nonsense", ""])
def test_pages_are_as_long_as_the_host_would_have_them_but_for_the_longest(rf, size):
    request = Request(rf.get("/", {"page_size": size}))
    ours, host = TicketPagination().get_page_size(request), HostPagination().get_page_size(request)
    assert ours == {"51": 51, "500": 500, "501": 500}.get(size, host)


@pytest.mark.parametrize("page", ["0", "-1", "2", "3", "last", "nonsense", ""])
def test_pages_that_there_are_not_are_answered_as_the_host_does(api, url, batch, page):
    orders = url.replace("offlinesalesbatches", "orders")
    ours, host = (api.get(address, {"page": page, "page_size": 2}) for address in (f"{url}{batch.pk}/tickets/", orders))
    assert (ours.status_code, ours.data.get("detail")) == (host.status_code, host.data.get("detail"))


def test_every_page_takes_as_many_queries(api, url, batch):
    def queries(page):
        with CaptureQueriesContext(connection) as captured:
            api.get(f"{url}{batch.pk}/tickets/", {"page": page, "page_size": 1})
        return len(captured)

    queries(1)
    assert len({queries(page) for page in (1, 2, 3, 4)}) == 1


def test_more_tickets_cost_no_more_queries(api, url, make_batch):
    def queries(batch):
        with CaptureQueriesContext(connection) as captured:
            api.get(f"{url}{batch.pk}/tickets/")
        return len(captured)

    small, large = make_batch(amount=1), make_batch(amount=7)
    queries(small)
    assert queries(small) == queries(large)


def test_batches_that_are_not_there(api, url, batch, series):
    assert api.get(f"{url}99999999999999999999/tickets/").status_code == 404
    assert api.get(f"{url.replace('night', series.slug)}{batch.pk}/tickets/").status_code == 404
    type(batch).objects.update(completed=None)
    assert api.get(f"{url}{batch.pk}/tickets/").status_code == 404


def test_it_can_only_be_read(api, url, batch):
    assert api.post(f"{url}{batch.pk}/tickets/", {}, format="json").status_code == 405
