"""
What is due agrees with the host's ledger (``Transaction``), to the cent and by tax rate, whatever has happened to the
orders of a batch: on its page, the statement, in the report and in the API.
"""

import csv
from collections import Counter
from decimal import Decimal
from io import StringIO

import pytest
from django.db.models import F, Sum
from pretix.base.models import Checkin, Order, Transaction
from pretix.base.services.orders import (
    cancel_order,
    reactivate_order,
)

from pretix_offlinesales.documents.contents import Statement
from pretix_offlinesales.exporters import OfflineSalesExporter
from pretix_offlinesales.kinds import UNDO_RETURN
from pretix_offlinesales.tickets.figures import total
from pretix_offlinesales.tickets.numbers import DASH, format_numbers
from pretix_offlinesales.tickets.state import with_state
from tests.support.after_sale import change, deal_with, report_lost, take_back
from tests.support.history import History
from tests.support.jobs import skipped

pytestmark = pytest.mark.django_db

NOTHING = Decimal("0.00")


@pytest.fixture
def drink(event, item, quota):
    """Comes with each ticket, as part of its price, and is taxed otherwise. What it costs has odd cents."""
    drink = event.items.create(
        name="Drink", default_price=Decimal("4.00"), tax_rule=event.tax_rules.create(name="Food", rate=Decimal("7.00"))
    )
    quota.items.add(drink)
    item.bundles.create(bundled_item=drink, count=1, designated_price=Decimal("3.33"))
    return drink


@pytest.fixture
def poster(event, quota):
    poster = event.items.create(name="Poster", default_price=Decimal("5.00"), admission=False)
    quota.items.add(poster)
    return poster


def ledger(batch):
    """What the host's books say of the batch's orders, by tax rate: gross and tax."""
    entries = Transaction.objects.filter(order__offline_sales_ticket__batch=batch)
    sums = entries.values("tax_rate", "tax_code").annotate(
        gross=Sum(F("price") * F("count")), tax=Sum(F("tax_value") * F("count"))
    )
    rows = {(row["tax_rate"], row["tax_code"] or ""): (cents(row["gross"]), cents(row["tax"])) for row in sums}
    return {key: amounts for key, amounts in rows.items() if any(amounts)}


def ledger_of(order):
    return cents(order.transactions.aggregate(sum=Sum(F("price") * F("count")))["sum"])


def cents(value):
    return (value or NOTHING).quantize(NOTHING)


def report(batch):
    """Of each ticket: what is due in the ledger, and besides."""
    exporter = OfflineSalesExporter(batch.event, batch.event.organizer)
    _name, _type, content = exporter.render({"_format": "tickets:default"})
    rows = csv.DictReader(StringIO(content.decode()))
    columns = ("Due", "Due besides: returned, but let in")
    return {int(row["Ticket number"]): tuple(Decimal(row[name]) for name in columns) for row in rows}


def let_in_though_returned(batch):
    """Numbers, as one asks the host: orders that our return has canceled, and whose ticket was let in."""
    return {
        ticket.number
        for ticket in batch.tickets.select_related("order")
        if ticket.order.status == Order.STATUS_CANCELED
        and ticket.returned == ticket.order.cancellation_date
        and Checkin.objects.filter(position__order=ticket.order, position__positionid=1, type="entry").exists()
    }


class Paid(History):
    """On consignment, or where it costs more now."""

    def then_it_is_paid(self, order, number):
        if order.status == Order.STATUS_PENDING and order.pending_sum > 0:
            order.payments.create(provider="manual", amount=order.pending_sum).confirm(ignore_date=True)


@pytest.mark.parametrize("rounding", ["line", "sum_by_net", "sum_by_net_keep_gross"])
@pytest.mark.parametrize(("seed", "consignment"), [(0, False), (1, False), (2, False), (3, True), (4, True)])
def test_what_is_due_is_what_the_ledger_says(
    event, drink, poster, tax_rule, make_batch, api, url, rounding, seed, consignment
):
    event.settings.tax_rounding = rounding
    batch = make_batch(amount=5, consignment=consignment)
    history = Paid(batch, poster, tax_rule, f"{rounding} {seed}")
    for _step in range(30):
        history.go_on()
    in_ledger = {ticket.number: ledger_of(ticket.order) for ticket in batch.tickets.all()}
    let_in = let_in_though_returned(batch)
    counted, statement, told = total(batch.tickets.all()), Statement.of(batch), history.told

    assert counted.due.value == sum(in_ledger.values()), told
    by_tax = {(tax.rate, tax.code): (tax.gross, tax.tax) for tax in statement.taxes if tax.gross or tax.tax}
    assert by_tax == ledger(batch), told
    assert {number: due for number, (due, _besides) in report(batch).items()} == in_ledger, told
    shown = api.get(f"{url}{batch.pk}/tickets/").data["results"]
    assert {ticket["number"]: Decimal(ticket["due"]) for ticket in shown} == in_ledger, told

    # … and besides
    besides = {number: besides for number, (_due, besides) in report(batch).items() if besides}
    assert set(besides) == let_in, told
    assert {ticket["number"] for ticket in shown if Decimal(ticket["due_besides"])} == let_in, told
    assert counted.due_besides.value == sum(besides.values()), told
    assert sum(tax.gross for tax in statement.taxes_besides) == sum(besides.values()), told
    assert statement.numbers.get("due_besides", "") == format_numbers(sorted(let_in), DASH), told

    # … and all of them are somewhere
    assert counted.issued.count == 5, told
    fates = Counter(with_state(batch.tickets).values_list("fate", flat=True))
    assert {name: getattr(counted, name).count for name in fates} == dict(fates), told


def test_what_was_canceled_with_a_ticket_is_its_value(drink, poster, make_batch):
    """A poster that was added and removed before is not, nor is a fee that was kept."""
    batch = make_batch(amount=4)
    for number, order in enumerate((ticket.order for ticket in batch.tickets.order_by("number")), 1):
        change(order, lambda manager: manager.add_position(poster, None, Decimal("5.00"), None))
        if number < 3:
            change(order, lambda manager: manager.cancel(manager.order.positions.get(item=poster)))
    first, second, third, fourth = (ticket.order for ticket in batch.tickets.order_by("number"))
    cancel_order(first)
    cancel_order(second, cancellation_fee=Decimal("5.00"))
    cancel_order(third, cancellation_fee=Decimal("5.00"))
    assert total(batch.tickets.all()).canceled.value == Decimal("23.00") * 2 + Decimal("28.00")
    change(fourth, lambda manager: manager.cancel(manager.order.positions.get(positionid=1)))  # the poster stays
    assert total(batch.tickets.all()).canceled.value == Decimal("23.00") * 3 + Decimal("28.00")
    assert total(batch.tickets.all()).due.value == Decimal("5.00") * 3


def test_the_page_and_the_report_agree_on_what_each_ticket_costs(client, user, team, poster, make_batch):
    """Neither a fee that was kept nor what is left of the order is its price."""
    batch = make_batch(amount=4)
    first, second, third, _fourth = (ticket.order for ticket in batch.tickets.order_by("number"))
    cancel_order(first, cancellation_fee=Decimal("5.00"))
    for order in (second, third):
        change(order, lambda manager: manager.add_position(poster, None, Decimal("5.00"), None))
    change(second, lambda manager: manager.cancel(manager.order.positions.get(positionid=1)))
    change(third, lambda manager: manager.split(manager.order.positions.get(positionid=1)))
    client.force_login(user)
    page = client.get(f"/control/event/museum/night/offlinesales/{batch.pk}/tickets.csv").content.decode()
    exporter = OfflineSalesExporter(batch.event, batch.event.organizer)
    _name, _type, content = exporter.render({"_format": "tickets:default"})
    prices = [[row["Price"] for row in csv.DictReader(StringIO(text))] for text in (page, content.decode())]
    assert prices == [["23.00"] * 4] * 2


def test_a_price_that_is_changed_at_the_same_moment_does_not_count(poster, make_batch):
    batch = make_batch(amount=1)
    order = batch.tickets.get().order
    change(order, lambda manager: manager.add_position(poster, None, Decimal("5.00"), None))
    ticket, extra = Order.objects.get(pk=order.pk).positions.order_by("positionid")
    change(order, lambda manager: manager.cancel(ticket), lambda manager: manager.change_price(extra, Decimal("7.00")))
    counted = total(batch.tickets.all())
    assert (counted.canceled.value, counted.due.value) == (Decimal("23.00"), Decimal("7.00"))


def test_what_the_host_cancels_after_it_was_valid_again_was_not_returned(make_batch):
    batch = make_batch(amount=1)
    take_back(batch, "1", "unsold")
    order = batch.tickets.get().order
    reactivate_order(order, force=True)
    cancel_order(order)
    counted = total(batch.tickets.all())
    assert (counted.canceled.count, counted.returned.count) == (1, 0)
    job = deal_with(batch, "1", UNDO_RETURN)
    assert [line["reason"] for line in skipped(job)] == ["not_returned"]


def test_lost_paper_is_in_the_ledger_until_it_is_written_off(drink, make_batch):
    batch = make_batch(amount=4)
    report_lost(batch, "1-3")
    take_back(batch, "3", "lost")
    counted, due = total(batch.tickets.all()), Decimal("69.00")
    assert (counted.reported_lost.value, counted.lost.value, counted.outstanding.value, counted.due.value) == (
        *(Decimal("46.00"), Decimal("23.00"), Decimal("23.00"), due),
    )
    assert sum(ledger_of(ticket.order) for ticket in batch.tickets.all()) == due
    assert Statement.of(batch).numbers["reported_lost"] == "1–2"
