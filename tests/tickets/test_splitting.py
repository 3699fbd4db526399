"""Staff splits something off from a ticket's order: only what was issued is the batch's ticket."""

import json
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pretix.base.models import Order

from pretix_offlinesales.jobs import runner
from pretix_offlinesales.kinds import PRINT
from pretix_offlinesales.printing.choice import choose
from pretix_offlinesales.printing.tickets import ValidTickets
from pretix_offlinesales.tickets.origin import Origin
from pretix_offlinesales.tickets.placeholders import text_variables
from pretix_offlinesales.tickets.splitting import find_split_off
from pretix_offlinesales.tickets.state import with_state
from tests.support.after_sale import change, take_back
from tests.support.pages import soup, words


@pytest.fixture
def poster(event, quota):
    """Another product, without a ticket of its own."""
    poster = event.items.create(name="Poster", default_price=Decimal("5.00"), admission=False)
    quota.items.add(poster)
    return poster


@pytest.fixture
def batch(make_batch):
    return make_batch(amount=3)


@pytest.fixture
def order(batch, poster):
    """The order of the first ticket, to which somebody has added a poster."""
    order = batch.tickets.get(number=1).order
    change(order, lambda manager: manager.add_position(poster, None, Decimal("5.00"), None))
    return order


def split(order, number):
    """Split off the position with this number. Returns the new order."""
    position = order.positions.get(positionid=number)
    return change(order, lambda manager: manager.split(position)).split_order


@pytest.fixture
def poster_gone(order):
    return split(order, 2)


@pytest.fixture
def ticket_gone(order):
    return split(order, 1)


def control(order):
    return f"/control/event/{order.event.organizer.slug}/{order.event.slug}/orders/{order.code}/"


def panel(page):
    """What an order's page says of offline sales; None, if it says nothing."""
    titles = [title for title in soup(page).select(".panel-title") if words(title) == "Offline sales"]
    return words(titles[0].find_parent(class_="panel").select_one(".panel-body")) if titles else None


# The mark


def test_what_was_split_off_is_not_the_batchs_ticket(batch, order, poster_gone):
    assert poster_gone.meta_info == order.meta_info
    assert (Origin.of(order), Origin.of(poster_gone)) == (Origin(batch.pk, 1, 3), None)


def test_nor_where_the_ticket_itself_was(batch, order, ticket_gone):
    assert (Origin.of(order), Origin.of(ticket_gone)) == (Origin(batch.pk, 1, 3), None)


def test_marks_from_before_they_named_their_order_are_told_apart_by_the_ticket(batch, order, poster_gone):
    mark = json.dumps({"offlinesales": {"batch": batch.pk, "number": 1, "amount": 3}})
    Order.objects.filter(pk__in=[order.pk, poster_gone.pk]).update(meta_info=mark)
    issued, other = (Order.objects.get(pk=pk) for pk in (order.pk, poster_gone.pk))
    assert (Origin.of(issued), Origin.of(other)) == (Origin(batch.pk, 1, 3), None)
    with CaptureQueriesContext(connection) as captured:
        Origin.of(issued), Origin.of(other)
    assert len(captured) == 0  # asked once an order


def test_only_one_order_claims_to_be_the_ticket(api, event, batch, order, poster_gone):
    url = f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/orders/"
    said = {row["code"]: row["plugin_data"] for row in api.get(url).data["results"]}
    assert said[order.code] == {"offlinesales": {"batch": batch.pk, "number": 1}}
    assert said[poster_gone.code] == {}


def test_layouts_say_nothing_of_the_batch_in_the_other_order(event, poster_gone):
    position = poster_gone.positions.get()
    said = {variable["evaluate"](position, poster_gone, event) for variable in text_variables(event).values()}
    assert said == {""}


def test_only_its_page_names_the_batch(client, user, team, batch, order, poster_gone):
    client.force_login(user)
    assert (
        panel(client.get(control(order))) == f"#{batch.pk}-1 · Offline sales batch {batch.pk}, ticket 1 of 3 In stock"
    )
    assert panel(client.get(control(poster_gone))) is None


# The ticket itself was split off


def test_the_page_of_the_order_says_where_the_ticket_went(client, user, team, batch, order, ticket_gone):
    client.force_login(user)
    assert panel(client.get(control(order))) == (
        f"#{batch.pk}-1 · Offline sales batch {batch.pk}, ticket 1 of 3 Canceled "
        f"The ticket has been split off to order {ticket_gone.code} . "
        "It got a new code there, and is not a ticket of this batch any more."
    )
    assert panel(client.get(control(ticket_gone))) is None


def test_the_page_of_the_batch_says_where_the_ticket_went(client, user, team, batch, order, ticket_gone):
    client.force_login(user)
    page = client.get(f"/control/event/museum/night/offlinesales/{batch.pk}/")
    assert [ticket.status for ticket in page.context["tickets"]] == [
        f"Canceled (split off to order {ticket_gone.code})",
        "In stock",
        "In stock",
    ]
    table = client.get(f"/control/event/museum/night/offlinesales/{batch.pk}/tickets.csv").content.decode()
    assert f'"{order.code}"' in table
    assert f'"Canceled (split off to order {ticket_gone.code})"' in table


def test_the_api_says_where_the_ticket_went(api, url, batch, order, ticket_gone):
    tickets = api.get(f"{url}{batch.pk}/tickets/").data["results"]
    assert [(ticket["order"], ticket["status"], ticket["split_to"]) for ticket in tickets] == [
        (order.code, "c", ticket_gone.code),
        *((ticket.order.code, "p", None) for ticket in batch.tickets.filter(number__gt=1)),
    ]
    assert tickets[0]["secret"] is None


def test_split_off_twice_it_is_where_it_is_now(batch, order, ticket_gone, poster):
    change(ticket_gone, lambda manager: manager.add_position(poster, None, Decimal("5.00"), None))
    last = split(ticket_gone, 1)
    tickets = with_state(batch.tickets)
    find_split_off(tickets)
    assert [ticket.split_to for ticket in tickets] == [last.code, None, None]


def test_that_takes_two_queries_however_many_they_are(batch, order, ticket_gone, poster):
    second = batch.tickets.get(number=2).order
    change(second, lambda manager: manager.add_position(poster, None, Decimal("5.00"), None))
    others = [ticket_gone, split(second, 1)]
    tickets = list(with_state(batch.tickets))
    with CaptureQueriesContext(connection) as captured:
        find_split_off(tickets)
    assert len(captured) <= 2
    assert [ticket.split_to for ticket in tickets] == [others[0].code, others[1].code, None]


def test_where_nothing_was_split_off_it_takes_none(batch, order, poster_gone):
    tickets = list(with_state(batch.tickets))
    with CaptureQueriesContext(connection) as captured:
        find_split_off(tickets)
    assert (len(captured), [ticket.split_to for ticket in tickets]) == (0, [None] * 3)


def test_a_forgotten_history_leaves_only_that_it_was_split_off(client, user, team, batch, order, ticket_gone):
    order.all_logentries().delete()
    client.force_login(user)
    page = client.get(f"/control/event/museum/night/offlinesales/{batch.pk}/")
    assert page.context["tickets"][0].status == "Canceled (split off)"
    assert panel(client.get(control(order))).endswith(
        "The ticket has been split off to another order. It got a new code there, and is not a ticket of this batch "
        "any more."
    )


def printed(batch):
    tickets = ValidTickets(batch, batch.numbers)
    return {number: [str(position.item) for position in positions] for number, positions in tickets}


def test_another_product_is_not_printed_as_the_ticket(batch, order, ticket_gone):
    assert printed(batch) == {2: ["Ticket"], 3: ["Ticket"]}
    assert choose(batch) == [2, 3]


def test_a_batch_with_nothing_but_other_products_has_nothing_to_print(make_batch, poster):
    batch = make_batch(amount=1)
    order = batch.tickets.get().order
    change(order, lambda manager: manager.add_position(poster, None, Decimal("5.00"), None))
    split(order, 1)
    job = PRINT.ask(batch, {})
    runner.run(batch.event, job.pk)
    job.refresh_from_db()
    assert (job.state, job.message) == (
        "failed",
        "There is nothing to print, because all tickets of this batch have been canceled or split off.",
    )


def test_the_ticket_is_printed_when_only_something_else_was_split_off(batch, order, poster_gone):
    assert printed(batch) == {1: ["Ticket"], 2: ["Ticket"], 3: ["Ticket"]}


def test_nor_is_another_product_where_the_ticket_was_canceled_beside_it(batch, order):
    change(order, lambda manager: manager.cancel(order.positions.get(positionid=1)))
    assert printed(batch) == {2: ["Ticket"], 3: ["Ticket"]}
    assert [ticket.canceled for ticket in with_state(batch.tickets)] == [True, False, False]


def test_whoever_is_let_in_for_another_product_is_not_let_in_with_the_ticket(event, batch, order):
    checkin_list = event.checkin_lists.create(name="Shop", all_products=True)
    order.positions.get(positionid=2).all_checkins.create(list=checkin_list)
    assert with_state(batch.tickets).get(number=1).checked_in is False


def test_it_is_neither_returned_nor_replaced(api, url, batch, order, ticket_gone, worker):
    for action, done in (("return", "returned"), ("replace", "replaced")):
        with worker():
            check = api.post(f"{url}{batch.pk}/{action}/", {"tickets": "1"}, format="json").data["check"]
        result = api.get(check).data
        assert (result[done], [skipped["reason"] for skipped in result["skipped"]]) == ([], ["changed"])


def test_its_return_does_not_concern_what_was_split_off_before(batch, order, poster_gone):
    take_back(batch, "1", "unsold")
    assert [Order.objects.get(pk=each.pk).status for each in (order, poster_gone)] == ["c", "n"]
