"""Pages of long lists: what is on them is what a plain paginator would have put there."""

from datetime import timedelta
from random import Random
from types import SimpleNamespace

import pytest
from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from django_scopes import scope
from pretix.base.models import Order
from pretix.base.models.orders import PrintLog

from pretix_offlinesales.api.tickets import TicketFilter, shown
from pretix_offlinesales.control.forms import TicketFilterForm
from pretix_offlinesales.db.pages import KeysFirst
from pretix_offlinesales.tickets.state import Fate, with_state
from tests.support.after_sale import cancel, check_in, report_lost, take_back

AMOUNT = 17


@pytest.fixture(params=range(3))
def batch(request, make_batch):
    """Many things have happened to its tickets."""
    random = Random(request.param)
    batch = make_batch(amount=AMOUNT)

    def some():
        return random.sample(list(batch.tickets.select_related("order")), random.randint(1, 6))

    def named():
        return ", ".join(str(ticket.number) for ticket in some())

    for kind in ("unsold", "lost", "damaged"):
        take_back(batch, named(), kind)
    report_lost(batch, named())
    for ticket in some():
        cancel(ticket)
    Order.objects.filter(offline_sales_ticket__in=some()).update(status=random.choice("nep"))
    moment = now()
    for ticket in some() + some():
        PrintLog.objects.create(
            position=ticket.order.all_positions.get(),
            type=PrintLog.TYPE_TICKET,
            datetime=moment - timedelta(minutes=random.randint(0, 3)),  # some at the same moment
        )
    outstanding = with_state(batch.tickets.all()).filter(fate=Fate.OUTSTANDING)
    for ticket in outstanding[:6]:
        check_in(ticket, moment - timedelta(minutes=random.randint(0, 3)))
    return batch


def of_the_page(batch, **values):
    form = TicketFilterForm(data=values, batch=batch)
    assert form.is_valid()
    return form.filter_qs(with_state(batch.tickets.select_related("order")).order_by("number"))


def of_the_api(batch, **values):
    found = TicketFilter(
        data=values,
        queryset=shown(batch.tickets.select_related("order")),
        request=SimpleNamespace(organizer=batch.event.organizer),
    )
    assert found.is_valid()
    return found.qs.order_by("number")


def everything(page):
    """All that is known of each ticket, in their order."""
    return [
        {name: value for name, value in vars(ticket).items() if name != "_state"} | {"code": ticket.order.code}
        for ticket in page.object_list
    ]


def same(tickets, size):
    plain, ours = Paginator(tickets, size), KeysFirst(tickets, size)
    assert (ours.count, ours.page_range) == (plain.count, plain.page_range)
    for number in plain.page_range:
        one, other = ours.page(number), plain.page(number)
        assert (one.number, one.has_next(), one.start_index()) == (other.number, other.has_next(), other.start_index())
        assert everything(one) == everything(other)


ORDERINGS = ["", *(f"{sign}{key}" for key in TicketFilterForm.orders for sign in ("", "-"))]


def test_the_page_of_a_batch_shows_the_same_whatever_is_asked_for(batch, organizer):
    with scope(organizer=organizer):
        for status in ("", *TicketFilterForm.STATUS):
            for ordering in ORDERINGS:
                same(of_the_page(batch, status=status, ordering=ordering), 4)
        same(of_the_page(batch, query="3"), 4)
        same(of_the_page(batch, query=batch.tickets.first().order.code), 4)


def test_the_api_shows_the_same_whatever_is_asked_for(batch, organizer):
    values = {"status": ("p", "n", "e", "c"), "returned": ("unsold", "lost", "damaged"), "number": ("3", "99")}
    values |= dict.fromkeys(("lost", "blocked", "printed", "checked_in"), ("true", "false"))
    with scope(organizer=organizer):
        same(of_the_api(batch), 5)
        for name, each in values.items():
            for value in each:
                same(of_the_api(batch, **{name: value}), 2)
        same(of_the_api(batch, printed="true", checked_in="false"), 1)


@pytest.mark.parametrize(("number", "error"), [(0, EmptyPage), (5, EmptyPage), ("x", PageNotAnInteger)])
def test_pages_that_there_are_not(make_batch, number, error):
    pages = KeysFirst(with_state(make_batch(amount=AMOUNT).tickets.order_by("number")), 5)
    with pytest.raises(error):
        pages.page(number)


def test_an_empty_list_has_one_page(make_batch):
    assert KeysFirst(with_state(make_batch(amount=1).tickets.filter(number=7)), 5).page(1).object_list == []


def test_every_page_takes_as_many_queries(make_batch):
    pages = KeysFirst(with_state(make_batch(amount=AMOUNT).tickets.order_by("number")), 2)

    def queries(number):
        with CaptureQueriesContext(connection) as captured:
            pages.page(number)
        return len(captured)

    assert pages.count == AMOUNT
    assert len({queries(number) for number in pages.page_range}) == 1
