"""What the API says about the tickets of all batches of an event, and who holds them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pretix.base.models import Order, Organizer

from pretix_offlinesales.models import OfflineSalesTicket
from tests.support.sellers import handed_over, make_seller


@pytest.fixture
def address(event):
    return f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/offlinesalestickets/"


@pytest.fixture
def listed(api, address):
    """``listed(state="held")``: batch and number of each."""

    def listed(**query):
        answer = api.get(address, query)
        assert answer.status_code == 200, answer.data
        return [(ticket["batch"], ticket["number"]) for ticket in answer.json()["results"]]

    return listed


@pytest.fixture
def batches(make_batch):
    return [make_batch(amount=3), make_batch(amount=2)]


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer)


def ticket(batch, number):
    return OfflineSalesTicket.objects.filter(batch=batch, number=number)


def test_all_about_each_ticket(api, address, url, batches, kiosk):
    first, second = batches
    handed_over(second, kiosk, "1")
    results = api.get(address).json()["results"]
    assert [(each["batch"], each["number"], each["seller"], each["state"], each["active"]) for each in results] == [
        *[(first.pk, number, None, "stock", True) for number in (1, 2, 3)],
        (second.pk, 1, kiosk.pk, "held", True),
        (second.pk, 2, None, "stock", True),
    ]
    assert list(results[0])[:6] == ["batch", "number", "order", "seller", "state", "active"]
    of_batch = api.get(f"{url}{second.pk}/tickets/").json()["results"]
    assert [dict(each, batch=second.pk, active=True) for each in of_batch] == results[3:]


@pytest.fixture
def in_all_states(api, url, worker, make_batch, kiosk, wanted):
    """A batch whose tickets are, by number: in stock, held, sold, let in, lost, returned and canceled."""
    batch = make_batch(amount=7)
    handed_over(batch, kiosk, "2-6")
    ticket(batch, 3).update(sold=now())
    position = ticket(batch, 4).get().order.positions.get()
    position.all_checkins.create(list=batch.event.checkin_lists.create(name="All", all_products=True), datetime=now())
    for number, action in {5: "lost", 6: "return"}.items():
        with worker():
            assert api.post(f"{url}{batch.pk}/{action}/", {"tickets": str(number)}, format="json").status_code == 202
    Order.objects.filter(offline_sales_ticket__in=ticket(batch, 7)).update(status=Order.STATUS_CANCELED)
    return batch


STATES = ["stock", "held", "sold", "sold", "lost", "returned", "canceled"]


def test_in_which_state(api, address, url, in_all_states):
    for place in (address, f"{url}{in_all_states.pk}/tickets/"):
        assert [each["state"] for each in api.get(place).json()["results"]] == STATES
        by_state = {
            state: [each["number"] for each in api.get(place, {"state": state}).json()["results"]] for state in STATES
        }
        assert by_state == {"stock": [1], "held": [2], "sold": [3, 4], "lost": [5], "returned": [6], "canceled": [7]}


def test_who_holds_or_held_them(listed, api, url, kiosk, in_all_states):
    numbers = [number for _batch, number in listed(seller=kiosk.pk)]
    assert numbers == [2, 3, 4, 5, 6]  # whatever became of it: somebody answers for it
    assert [number for _batch, number in listed(seller="null")] == [1, 7]
    of_batch = api.get(f"{url}{in_all_states.pk}/tickets/", {"seller": kiosk.pk}).json()["results"]
    assert [(each["number"], each["seller"]) for each in of_batch] == [(number, kiosk.pk) for number in numbers]


def test_filters(listed, batches, event, item):
    (first, second), other = batches, event.items.create(name="Other", default_price=1)
    all_of_first, all_of_second = [(first.pk, number) for number in (1, 2, 3)], [(second.pk, 1), (second.pk, 2)]
    assert listed() == all_of_first + all_of_second
    assert listed(batch=second.pk) == all_of_second
    assert listed(number=2) == [(first.pk, 2), (second.pk, 2)]
    assert listed(batch=first.pk, number=2) == [(first.pk, 2)]
    assert listed(item=item.pk) == all_of_first + all_of_second
    assert (listed(item=other.pk), listed(printed="true"), listed(returned="lost")) == ([], [], [])
    assert listed(status="p", checked_in="false") == all_of_first + all_of_second


def test_of_a_variation_or_a_date(api, make_batch, listed, item, quota, series, subevent, series_item, issued):
    adult, child = (item.variations.create(value=value) for value in ("Adult", "Child"))
    quota.variations.add(adult, child)
    batch = make_batch(variation=child.pk, amount=1)
    assert (listed(variation=child.pk), listed(variation=adult.pk)) == ([(batch.pk, 1)], [])
    tour = issued(series, series_item, amount=1, subevent=subevent).batch
    later = series.subevents.create(name="Evening", date_from=subevent.date_from, active=True)
    place = f"/api/v1/organizers/{series.organizer.slug}/events/{series.slug}/offlinesalestickets/"
    of_dates = [api.get(place, {"subevent": each.pk}).json()["results"] for each in (subevent, later)]
    assert [[each["batch"] for each in results] for results in of_dates] == [[tour.pk], []]


def test_order(listed, batches):
    first, second = batches
    backwards = [(second.pk, 2), (second.pk, 1), (first.pk, 3), (first.pk, 2), (first.pk, 1)]
    assert listed(ordering="-batch,-number") == backwards
    assert listed(ordering="batch,number") == backwards[::-1]
    assert [number for _batch, number in listed(ordering="-number")] == [3, 2, 2, 1, 1]
    assert listed(ordering="seller") == listed()


@pytest.mark.parametrize("name", ["batch", "seller", "state", "item", "variation", "subevent", "status", "number"])
def test_nonsense_names_the_filter(api, address, name):
    answer = api.get(address, {name: "x"})
    assert (answer.status_code, set(answer.data)) == (400, {name})


def test_what_is_of_other_events_and_organizers_is_unknown(api, address, batches, series, series_item, store_batch):
    stranger = make_seller(Organizer.objects.create(name="Circus", slug="circus"))
    foreign = {"batch": store_batch(event=series, item=series_item).pk, "item": series_item.pk, "seller": stranger.pk}
    for name, pk in foreign.items():
        answers = [api.get(address, {name: value}) for value in (pk, 10**6)]
        assert (answers[0].status_code, answers[0].content) == (400, answers[1].content)


def test_tickets_of_other_events_and_unfinished_batches_are_not_there(listed, batches, issued, series, series_item):
    first, second = batches
    issued(series, series_item, amount=1, subevent=series.subevents.get())
    type(second).objects.filter(pk=second.pk).update(completed=None)
    assert {batch for batch, _number in listed()} == {first.pk}


def test_what_waits_for_approval_is_not_active(api, address, batches):
    orders = Order.objects.filter(offline_sales_ticket__in=ticket(batches[0], 1))
    orders.update(status=Order.STATUS_PENDING, require_approval=True)
    assert [each["active"] for each in api.get(address).json()["results"]] == [False, True, True, True, True]
    orders.update(status=Order.STATUS_PAID)  # by force, as staff may
    assert all(each["active"] for each in api.get(address).json()["results"])


def test_it_comes_in_pages(api, address, batches):
    first = api.get(address, {"page_size": 4}).json()
    second = api.get(first["next"]).json()
    pages = [[(each["batch"], each["number"]) for each in page["results"]] for page in (first, second)]
    assert (first["count"], second["next"], list(map(len, pages))) == (5, None, [4, 1])
    assert sum(pages, []) == sorted(sum(pages, []))


def test_more_tickets_cost_no_more_queries(api, address, make_batch, kiosk):
    def queries(**query):
        with CaptureQueriesContext(connection) as captured:
            assert api.get(address, query).status_code == 200
        return len(captured)

    handed_over(make_batch(amount=2), kiosk, "1")
    queries()
    few = queries(), queries(state="held", seller=kiosk.pk)
    handed_over(make_batch(amount=9), kiosk, "1-7")
    assert (queries(), queries(state="held", seller=kiosk.pk)) == few
    assert queries(page=2, page_size=3) == few[0]


def test_it_can_only_be_read(api, address):
    assert api.post(address, {}, format="json").status_code == 405
