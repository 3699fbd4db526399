"""What has become of a ticket is said with the same word by all who say it."""

import csv
from decimal import Decimal
from io import StringIO

import pytest
from django.utils import translation
from pretix.base.models import Order
from pretix.base.services.orders import cancel_order, mark_order_expired

from pretix_offlinesales.control.forms import TicketFilterForm
from pretix_offlinesales.documents.contents import Statement
from pretix_offlinesales.exporters import OfflineSalesExporter
from pretix_offlinesales.models import ReturnKind
from pretix_offlinesales.tickets.figures import LABELS, Figures
from pretix_offlinesales.tickets.state import RETURNED, Fate, in_words, state_of_ticket, status_of, with_state

from ..support.after_sale import change, report_lost, take_back
from ..support.door import check_in

pytestmark = pytest.mark.django_db

EXPECTED = {
    1: "Returned: unsold",
    2: "Returned: lost or stolen",
    3: "Returned: damaged",
    4: "Canceled",
    5: "Canceled (expired)",
    6: "Canceled (split off)",
    7: "Lost or stolen",
    8: "Lost or stolen (not paid)",
    9: "In stock (not paid)",
    10: "In stock",
}


@pytest.fixture
def batch(event, quota, make_batch):
    """All that can become of a ticket."""
    poster = event.items.create(name="Poster", default_price=Decimal("5.00"), admission=False)
    quota.items.add(poster)
    batch = make_batch(amount=10)
    orders = {ticket.number: ticket.order for ticket in batch.tickets.all()}
    for number, kind in enumerate(ReturnKind.values, start=1):
        take_back(batch, str(number), kind)
    cancel_order(orders[4])
    mark_order_expired(orders[5])
    change(orders[6], lambda manager: manager.add_position(poster, None, Decimal("5.00"), None))
    change(orders[6], lambda manager: manager.split(manager.order.positions.get(positionid=1)))
    orders[6].all_logentries().delete()
    report_lost(batch, "7-8")
    Order.objects.filter(pk__in=[orders[8].pk, orders[9].pk]).update(status=Order.STATUS_PENDING)
    return batch


def statuses(text):
    return {int(row["Ticket number"]): row["Status"] for row in csv.DictReader(StringIO(text))}


def test_the_page_its_file_and_the_report_say_the_same(batch, client, user, team):
    client.force_login(user)
    detail = f"/control/event/museum/night/offlinesales/{batch.pk}/"
    page, table = client.get(detail), client.get(f"{detail}tickets.csv")
    exporter = OfflineSalesExporter(batch.event, batch.event.organizer)
    _name, _type, report = exporter.render({"_format": "tickets:default"})
    assert {ticket.number: ticket.status for ticket in page.context["tickets"]} == EXPECTED
    assert statuses(table.content.decode()) == statuses(report.decode()) == EXPECTED


def test_it_is_counted_and_found_by_that_word(batch):
    numbers = {}
    for ticket in with_state(batch.tickets):
        word = in_words(state_of_ticket(ticket)) if ticket.fate == Fate.OUTSTANDING else Fate(ticket.fate).label
        assert EXPECTED[ticket.number].startswith(str(word))
        numbers.setdefault(ticket.fate, []).append(ticket.number)
    statement = Statement.of(batch)
    for fate in Fate:
        form = TicketFilterForm(data={"status": fate.value}, batch=batch)
        assert form.is_valid()
        assert [ticket.number for ticket in form.filter_qs(with_state(batch.tickets))] == numbers[fate]
        assert dict(form.fields["status"].choices)[fate.value] == LABELS[fate.value] == fate.label
        assert getattr(statement.figures, fate.value).count == len(numbers[fate])
        assert (fate.label, getattr(statement.figures, fate.value)) in statement.figures.lines


def test_the_api_names_the_kinds_of_returns_by_it(batch, api, url):
    shown = {ticket["number"]: ticket for ticket in api.get(f"{url}{batch.pk}/tickets/").data["results"]}
    assert {number: ticket["returned"] for number, ticket in shown.items() if ticket["returned"]} == {
        1: "unsold",
        2: "lost",
        3: "damaged",
    }
    assert "".join(shown[number]["status"] for number in EXPECTED) == "ccccecpnnp"


def test_each_has_a_figure_of_its_own_and_each_kind_of_return_is_one():
    assert {fate.value for fate in Fate} <= Figures.__dataclass_fields__.keys()
    assert [fate.value for fate in RETURNED] == ReturnKind.values


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_words_are_of_whoever_reads_them(language):
    with translation.override(language):
        words = {str(fate.label) for fate in Fate}
    assert len(words) == len(Fate)
    assert ("Canceled" in words) == (language == "en")


def test_where_it_was_split_off_to_is_said_if_it_is_known():
    assert status_of("canceled", "p", split_off=True, split_to="ABCDE") == "Canceled (split off to order ABCDE)"


def test_what_is_beside_the_ticket_says_nothing_about_it(batch):
    tickets = {ticket.number: ticket for ticket in with_state(batch.tickets)}
    check_in(tickets[10].order)
    again = with_state(batch.tickets).get(number=10)
    assert (again.fate, again.checked_in, tickets[10].checked_in) == (Fate.OUTSTANDING, True, False)
