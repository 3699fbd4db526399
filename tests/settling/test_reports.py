"""
Where the host's own reports have paper on consignment: in its ledger from the day of issue, paid when it is settled. As
``docs/consignment.rst`` has it, with the same figures.
"""

from decimal import Decimal
from io import BytesIO

import pytest
from pretix.base.exporters.orderlist import PaymentListExporter
from pretix.base.services.stats import order_overview
from pretix.plugins.reports.accountingreport import ReportExporter
from pypdf import PdfReader

from tests.support.after_sale import take_back
from tests.support.consignment import paid, stated
from tests.support.jobs import run
from tests.support.pages import soup
from tests.support.returning import codes
from tests.support.sellers import handed_over, make_seller

pytestmark = pytest.mark.django_db

PLACE = "/control/event/museum/night/"


@pytest.fixture
def batch(organizer, make_batch):
    """Six on consignment: one is settled, two are on a statement, and three are held. One is of another batch."""
    kiosk = make_seller(organizer, "Kiosk", commission_percent=10)
    batch, _other = make_batch(amount=6, consignment=True), make_batch(amount=1)
    for job in paid(stated(kiosk, "6", batch)):
        run(job)
    stated(kiosk, "4-5", batch)
    handed_over(batch, kiosk, "1-3")
    return batch


def accounting_report(event):
    """Its lines, one number a line."""
    _name, _type, pdf = ReportExporter(event, event.organizer).render({"no_testmode": True, "date_range": None})
    text = "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
    return [line.strip() for line in text.splitlines()]


def after(lines, word, count):
    start = lines.index(word)
    return lines[start + 1 : start + 1 + count]


def test_the_accounting_report_has_the_sale_at_issue_and_the_payment_when_it_is_settled(event, batch):
    report = accounting_report(event)
    assert after(report, "Ticket", 6) == ["€23.00", "19 %", "7", "€135.31", "€25.69", "€161.00"]
    assert after(report, "Offline sales", 1) == ["€46.00"]
    assert "€115.00" in after(report, "Open items", 20)
    take_back(batch, "1-3", "unsold")
    assert "€46.00" in after(accounting_report(event), "Open items", 20)  # what is stated and not paid


def test_the_overview_has_it_as_pending_until_it_is_settled(event, batch):
    found = order_overview(event)[1]["num"]
    assert (found["pending"][:2], found["paid"][:2]) == ((5, Decimal("115.00")), (2, Decimal("46.00")))
    assert (found["expired"][0], found["canceled"][0]) == (0, 0)


def test_the_payment_names_the_statement(event, batch):
    exporter = PaymentListExporter(event, event.organizer)
    values = {"_format": "default", "payment_states": ["confirmed"], "refund_states": ["done"]}
    _name, _type, data = exporter.render(values)
    header, *rows = [line.strip('"').split('","') for line in data.decode().splitlines()]
    by_order = {row[header.index("Order")]: row[header.index("Matching ID")] for row in rows}
    assert (by_order[codes(batch)[5]], sorted(by_order.values())) == ("1", ["", "1"])


@pytest.mark.parametrize(("status", "amount"), [("o", 0), ("n", 5), ("pendingnopayment", 5), ("p", 2), ("pv", 7)])
def test_filters_of_orders(batch, team, user, client, status, amount):
    client.force_login(user)
    assert len(soup(client.get(f"{PLACE}orders/?status={status}")).select("tbody tr")) == amount


def test_the_door_expects_all_of_them(event, batch):
    door = event.checkin_lists.create(name="Door", all_products=True)
    assert door.position_count == 7
