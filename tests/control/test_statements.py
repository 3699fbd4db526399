"""The organizer's pages about statements and payments of sellers."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from freezegun import freeze_time
from pretix.base.models import Event, LogEntry

from pretix_offlinesales.control.statements import OPEN_AGAIN
from pretix_offlinesales.models import OfflineSalesTicket, SellerPayment, Statement
from pretix_offlinesales.sellers.payments import write_payment
from pretix_offlinesales.sellers.statements import make
from tests.support.after_sale import check_in, take_back
from tests.support.pages import alerts, errors, figures_shown, rows, shown, soup, words
from tests.support.plugins import PLUGINS
from tests.support.sellers import NOBODY, handed_over, make_seller

pytestmark = pytest.mark.django_db


@pytest.fixture
def february():
    """Whoever logs in then stays logged in."""
    with freeze_time("2027-02-03 12:00:00"):
        yield


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer, commission_percent=10, commission_tax_rate=19)


@pytest.fixture
def place(organizer):
    return f"/control/organizer/{organizer.slug}/offlinesales/"


@pytest.fixture
def page(place, kiosk):
    """Where a statement of the kiosk is made."""
    return f"{place}sellers/{kiosk.pk}/statement"


@pytest.fixture
def sold(kiosk, make_batch):
    """``sold(1, 2)``: a batch of ten of which the kiosk holds eight, and has sold these."""

    def sold(*numbers):
        batch = make_batch(amount=10)
        handed_over(batch, kiosk, "1-8")
        declare_sold(batch, *numbers)
        kiosk.refresh_from_db()
        return batch

    return sold


def asked(queries):
    """How much of the database. (The session is written now and then.)"""
    return len([query for query in queries if query["sql"].startswith("SELECT")])


def declare_sold(batch, *numbers, when=None):
    OfflineSalesTicket.objects.filter(batch=batch, number__in=numbers).update(sold=when or now())


def state(seller, *events, until=None):
    return make(seller, events, until or now(), NOBODY)


def pay(statement, amount, reference="", day=None):
    return write_payment(statement, Decimal(amount), day or date(2026, 1, 31), reference, NOBODY)[0]


@pytest.fixture
def look(anna, page, event):
    """What one sees before a statement is made."""

    def look(**values):
        return anna.post(page, {"events": [event.pk]} | values)

    return look


@pytest.fixture
def confirm(anna, page):
    """Press the button that one sees."""

    def confirm(seen):
        filled = {}
        for field in soup(seen).select("form:has([name=seen]) [name]"):
            filled.setdefault(field["name"], []).append(field.get("value"))
        return anna.post(page, filled)

    return confirm


def title(response):
    return words(soup(response).select_one("#page-wrapper h1"))


def test_a_statement_is_made_as_seen(anna, page, sold, look, confirm, event, kiosk, place):
    batch = sold(1, 2, 3)
    form = soup(anna.get(page))
    assert [words(each) for each in form.select("#offlinesales-statement .checkbox label")] == [
        "Long Night · Sat, May 8, 2027"
    ]
    seen = look()
    line = [["Long Night", "Ticket", f"#{batch.pk}: 1–3", "€23.00", "3", "€69.00", "€57.99", "€11.01 19 %"]]
    sums = [
        ["Sold tickets", "€69.00"],
        ["in €69.00: 19 % tax", "€11.01"],
        ["less commission", "€6.90"],
        ["less tax of the commission", "€1.31"],
    ]
    assert rows(seen) == line
    assert figures_shown(seen) == sums
    assert Statement.objects.count() == 0
    done = confirm(seen)
    statement = Statement.objects.get()
    assert done["Location"] == f"{place}statements/{statement.pk}/"
    shown_page = anna.get(done["Location"])
    assert title(shown_page) == "Statement 1 Kiosk Open"
    assert alerts(shown_page) == ["The statement has been made: Statement 1"]
    assert rows(shown_page) == line
    assert figures_shown(shown_page) == [["Due", "€60.79"], ["Payments for this statement", "€0.00"], *sums]
    details = shown(shown_page)
    assert (details["Created by"], details["Self-billing invoice"], details["Tickets"]) == (
        "anna@example.org",
        "1",
        "3",
    )


def test_nothing_to_state_is_said(anna, look, sold, kiosk, event):
    assert "This seller was never handed any tickets." in alerts(look())[0]
    sold()
    assert alerts(look()) == ["There is nothing to be stated: nothing has changed since the last statement."]
    assert not soup(look()).select("[name=seen]")


def test_who_clicks_twice_or_goes_back_gets_one_statement(look, confirm, sold):
    sold(1)
    seen = look()
    first, second = confirm(seen), confirm(seen)
    with freeze_time(now() + timedelta(hours=2)):
        third = confirm(seen)
    assert first["Location"] == second["Location"] == third["Location"]
    assert Statement.objects.count() == 1


def test_what_has_changed_since_is_shown_and_nothing_is_made(look, confirm, sold):
    batch = sold(1, 2)
    seen = look()
    take_back(batch, "2", "unsold")
    again = confirm(seen)
    assert alerts(again)[0] == (
        "No statement was made, because something has changed since you have looked. Please look at it again."
    )
    assert rows(again)[0][2:5] == [f"#{batch.pk}: 1", "€23.00", "1"]
    assert Statement.objects.count() == 0
    confirm(again)
    assert Statement.objects.get().total == Decimal("23.00")
    assert Statement.objects.get().document.number == 1


def test_what_is_missing_on_the_paper_is_said_before_it_is_made(look, sold, event, kiosk):
    sold(1)
    assert alerts(look()) == [
        "A statement never changes, and this will be missing in it: "
        "The VAT ID of the seller, since it is an invoice about the commission. "
        "The address of the seller, since it is an invoice about the commission. "
        "Your own address and tax number, which pretix has in the settings of invoices. "
        "The account to pay to, which pretix has in the settings of bank transfers."
    ]
    kiosk.vat_id, kiosk.address = "DE123456789", "Quay 1"
    kiosk.save()
    event.settings.invoice_address_from_name = "Museum"
    event.settings.invoice_address_from = "Island 1"
    event.settings.payment_banktransfer_bank_details = "IBAN DE02 1203 0000 0000 2020 51"
    assert alerts(look()) == []


def test_what_is_sold_after_one_has_looked_is_for_the_next_one(look, confirm, sold):
    batch = sold(1)
    seen = look()
    declare_sold(batch, 2)
    confirm(seen)
    confirm(look())
    assert [statement.total for statement in Statement.objects.all()] == [Decimal("23.00")] * 2


def test_if_nothing_is_left_that_is_said(look, confirm, sold):
    batch = sold(1)
    seen = look()
    take_back(batch, "1", "unsold")
    assert alerts(confirm(seen)) == ["No statement was made, because there is nothing to be stated any more."]


def test_a_day_ends_where_the_organizer_is(february, look, confirm, sold, organizer):
    organizer.settings.timezone = "Pacific/Auckland"
    batch = sold()
    # In Auckland, the first is over at 11:00 on the first, in UTC.
    declare_sold(batch, 1, when=datetime.fromisoformat("2027-02-01T10:59:00Z"))
    declare_sold(batch, 2, when=datetime.fromisoformat("2027-02-01T11:01:00Z"))
    assert rows(look(until="2027-02-01"))[0][2] == f"#{batch.pk}: 1"
    assert rows(look(until="2027-02-02"))[0][2] == f"#{batch.pk}: 1–2"
    assert rows(look(until="2027-02-04"))[0][2] == f"#{batch.pk}: 1–2"  # it is tomorrow already
    confirm(look(until="2027-02-01"))
    confirm(look(until="2027-02-04"))
    first, second = Statement.objects.order_by("pk")
    assert first.until.isoformat() == "2027-02-01T10:59:59.999999+00:00"
    assert second.until == now()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"until": "2027-02-04"}, {"until": ["This day is not over yet, and what will be sold on it nobody knows."]}),
        ({"until": "yesterday"}, {"until": ["Enter a valid date."]}),
        ({"events": []}, {"events": ["This field is required."]}),
        ({"events": ["999999"]}, {"events": ["Select a valid choice. 999999 is not one of the available choices."]}),
    ],
)
def test_what_is_wrong_is_said(february, look, sold, values, expected):
    sold(1)
    answer = look(**values)
    assert errors(answer) == expected
    assert not soup(answer).select("[name=seen]")


@pytest.mark.parametrize("looked", ["soon", "2999-01-01T00:00:00+00:00", "2026-01-01T00:00:00", "\0"])
def test_nobody_has_looked_at_another_moment(look, sold, looked):
    sold(1)
    answer = look(looked=looked, seen="x")
    assert answer.status_code == 200
    assert Statement.objects.count() == 0


def test_only_events_of_which_she_was_handed_tickets_can_be_chosen(anna, page, sold, organizer, look):
    sold(1)
    other = Event.objects.create(
        organizer=organizer, name="Tours", slug="tours", currency="EUR", date_from=now(), plugins=PLUGINS
    )
    assert len(soup(anna.get(page)).select("[name=events]")) == 1
    assert "events" in errors(look(events=[other.pk]))


# Payments


@pytest.fixture
def statement(sold, kiosk, event):
    """Of 60.79."""
    sold(1, 2, 3)
    return state(kiosk, event)


@pytest.fixture
def write(anna, place, statement):
    def write(confirmed=None, **values):
        values = {"amount": "10.00", "date": "2026-01-31", "reference": "Transfer 7"} | values
        return anna.post(
            f"{place}statements/{statement.pk}/payment", values | ({"confirmed": confirmed} if confirmed else {})
        )

    return write


def money_of(response):
    """Of the page of a statement: what it says of how far it is paid."""
    [table] = [each for each in soup(response).select("table.offlinesales-figures") if "Due" in words(each)]
    return [[words(cell) for cell in row.select("th, td")] for row in table.select("tr")]


def test_what_is_open_is_filled_in(anna, place, statement):
    pay(statement, "20.00")
    form = soup(anna.get(f"{place}statements/{statement.pk}/payment"))
    assert form.select_one("[name=amount]")["value"] == "40.79"
    assert form.select_one("[name=date]")["value"] == now().date().isoformat()


def test_payments_in_parts_settle_a_statement(anna, place, statement, write):
    address = f"{place}statements/{statement.pk}/"
    assert write()["Location"] == address
    part = anna.get(address)
    assert title(part) == "Statement 1 Kiosk Open"
    assert [row for row in money_of(part) if row[0] != "To be paid until"] == [
        ["Due", "€60.79"],
        ["Payments for this statement", "€10.00"],
        ["Open", "€50.79"],
    ]
    assert rows(part)[0][:4] == ["2026-01-31", "Transfer 7", "anna@example.org", "€10.00"]
    write(amount="50.79", reference="")
    assert title(anna.get(address)) == "Statement 1 Kiosk Settled"
    statement.refresh_from_db()
    assert statement.settled


def test_who_clicks_twice_has_paid_once(write, statement):
    assert write()["Location"] == write()["Location"]
    assert SellerPayment.objects.count() == 1
    write(reference="Transfer 8")
    with freeze_time(now() + timedelta(minutes=2)):
        write()
    assert SellerPayment.objects.count() == 3


def test_who_opens_the_form_again_has_paid_the_same_again(anna, place, statement, write):
    def opened():
        return soup(anna.get(f"{place}statements/{statement.pk}/payment")).select_one("[name=after]").get("value", "")

    for _time in range(2):
        after = opened()
        for _click in range(2):
            write(after=after)
    assert [each.amount for each in SellerPayment.objects.all()] == [Decimal("10.00")] * 2


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"amount": ""}, {"amount": ["This field is required."]}),
        ({"amount": "0"}, {"amount": ["Nothing is no payment."]}),
        ({"amount": "1.001"}, {"amount": ["Ensure that there are no more than 2 decimal places."]}),
        ({"amount": "1e30"}, {"amount": ["Ensure that there are no more than 18 digits in total."]}),
        ({"amount": "NaN"}, {"amount": ["Enter a number."]}),
        ({"date": ""}, {"date": ["This field is required."]}),
        ({"date": "2999-01-01"}, {"date": ["This day is in the future."]}),
        ({"date": "0001-01-01"}, {"date": ["Ensure this value is greater than or equal to 1990-01-01."]}),
        ({"reference": "x" * 191}, {"reference": ["Ensure this value has at most 190 characters (it has 191)."]}),
    ],
)
def test_bad_payments_are_refused(write, values, expected):
    assert errors(write(**values)) == expected
    assert SellerPayment.objects.count() == 0


@pytest.mark.usefixtures("german")
def test_amounts_are_written_and_confirmed_as_the_language_has_them(anna, place, statement, write):
    form = soup(anna.get(f"{place}statements/{statement.pk}/payment"))
    assert (form.select_one("[name=amount]")["type"], form.select_one("[name=amount]")["value"]) == ("text", "60,79")
    write(amount="12,50")
    asked = soup(write(amount="1070,79"))
    amount, confirmed = (asked.select_one(f"[name={name}]")["value"] for name in ("amount", "confirmed"))
    write(amount=amount, confirmed=confirmed)
    assert [str(each.amount) for each in SellerPayment.objects.order_by("pk")] == ["12.50", "1070.79"]


def test_more_than_is_open_is_confirmed_and_pays_the_next(anna, place, statement, write, kiosk, event):
    batch = OfflineSalesTicket.objects.filter(statement=statement).first().batch
    declare_sold(batch, 4)
    second = state(kiosk, event)
    asked = write(amount="70.79")
    assert SellerPayment.objects.count() == 0
    assert "€70.79 are more than what is open of this statement (€60.79)." in alerts(asked)[0]
    write(amount="80.79", confirmed="70.79")  # another amount
    assert SellerPayment.objects.count() == 0
    write(amount="70.79", confirmed="70.79")
    assert money_of(anna.get(f"{place}statements/{statement.pk}/")) == [
        ["Due", "€60.79"],
        ["Payments for this statement", "€70.79"],
        ["Used for other statements", "-€10.00"],
        ["Open", "€0.00"],
    ]
    assert ["From other payments and credits", "€10.00"] in money_of(anna.get(f"{place}statements/{second.pk}/"))


def test_a_wrong_payment_is_answered_by_a_negative_one(anna, place, statement, write):
    write(amount="60.79")
    payment = SellerPayment.objects.get()
    address = f"{place}statements/{statement.pk}/"
    [link] = [each["href"] for each in soup(anna.get(address)).select("a[href*=correct]")]
    form = soup(anna.get(link))
    assert words(form.select_one("#page-wrapper h1")) == "Correct a payment Statement 1, Kiosk"
    filled = {name: form.select_one(f"[name={name}]")["value"] for name in ("amount", "reference")}
    assert filled == {"amount": "-60.79", "reference": "Correction: Transfer 7"}
    anna.post(link, filled | {"date": "2026-02-01"})
    page = anna.get(address)
    warning = str(OPEN_AGAIN)
    settling = "Orders of Long Night are going to be marked as paid in pretix."
    assert alerts(page) == ["The payment of -€60.79 has been written down.", warning, warning, settling]
    assert ["Open", "€60.79"] in money_of(page)
    payment.refresh_from_db()
    assert payment.amount == Decimal("60.79")


def test_payments_of_other_statements_are_not_corrected_here(anna, place, statement, kiosk, event):
    batch = OfflineSalesTicket.objects.filter(statement=statement).first().batch
    declare_sold(batch, 4)
    payment = pay(state(kiosk, event), "1.00")
    for wrong in (payment.pk, "x", "9" * 30, 0):
        assert anna.get(f"{place}statements/{statement.pk}/payment?correct={wrong}").status_code == 404


# Lists


@pytest.fixture
def several(organizer, make_batch, event):
    """Three statements: one that is paid, one that is overdue, one that is open."""
    batch = make_batch(amount=9)
    made = []
    for place, (name, days) in enumerate({"Archive": 14, "Bakery": 0, "Castle": 14}.items()):
        seller = make_seller(organizer, name, payment_days=days)
        handed_over(batch, seller, f"{3 * place + 1}-{3 * place + 3}")
        declare_sold(batch, 3 * place + 1)
        with freeze_time(now() - timedelta(days=3)):
            declare_sold(batch, 3 * place + 1)
            seller.refresh_from_db()
            made.append(state(seller, event))
    pay(made[0], "23.00", "First")
    pay(made[1], "3.00", "Second")
    return made


def listed(response, column=0):
    return [row[column] for row in rows(response)]


def test_all_statements_are_listed_with_sums(anna, place, several):
    page = anna.get(f"{place}statements/")
    assert [row[:2] + row[5:] for row in rows(page)] == [
        ["Statement 3", "Castle", "Open", "€23.00", "€0.00", "€23.00"],
        ["Statement 2", "Bakery", "Overdue", "€23.00", "€3.00", "€20.00"],
        ["Statement 1", "Archive", "Settled", "€23.00", "€23.00", "–"],
    ]
    assert [words(cell) for cell in soup(page).select("tfoot td, tfoot th")] == ["Total", "€69.00", "€26.00", "€43.00"]


def test_statements_are_filtered_and_sorted(anna, place, several, event):
    def found(**values):
        return listed(anna.get(f"{place}statements/", values), 1)

    assert found(stage="overdue") == ["Bakery"]
    assert found(stage="open") == ["Castle"]
    assert found(stage="settled") == ["Archive"]
    assert found(seller=several[0].seller.pk) == ["Archive"]
    assert found(event=event.pk) == ["Castle", "Bakery", "Archive"]
    assert found(until=(now() - timedelta(days=2)).date().isoformat()) == ["Castle", "Bakery", "Archive"]
    nothing = anna.get(f"{place}statements/", {"since": (now() - timedelta(days=1)).date().isoformat()})
    assert listed(nothing) == ["No statement matches your search."]
    assert found(ordering="seller") == ["Archive", "Bakery", "Castle"]
    assert found(stage="overdue", ordering="pay_until") == ["Bakery"]


def test_payments_are_listed_with_sums(anna, place, several):
    page = anna.get(f"{place}payments/")
    assert [row[1:4] + row[5:6] for row in rows(page)] == [
        ["Bakery", "Statement 2", "Second", "€3.00"],
        ["Archive", "Statement 1", "First", "€23.00"],
    ]
    assert words(soup(page).select_one("tfoot")) == "Total €26.00"
    for values, expected in (
        ({"query": "fir"}, ["Archive"]),
        ({"query": "2"}, ["Bakery"]),
        ({"seller": several[1].seller.pk}, ["Bakery"]),
        ({"ordering": "-amount"}, ["Archive", "Bakery"]),
    ):
        assert listed(anna.get(f"{place}payments/", values), 1) == expected


def test_where_there_is_nothing_it_is_said_how_to_begin(anna, place, organizer):
    for name, words_there in (("statements", "No statement has been made yet."), ("payments", "No payment has been")):
        assert words_there in words(soup(anna.get(f"{place}{name}/")).select_one(".empty-collection"))


@pytest.mark.parametrize("name", ["statements", "payments"])
def test_lists_take_a_constant_number_of_queries(anna, place, several, event, name, kiosk, sold):
    anna.get(f"{place}{name}/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        anna.get(f"{place}{name}/")
    sold(1)
    pay(state(kiosk, event), "1.00")
    with CaptureQueriesContext(connection) as more:
        anna.get(f"{place}{name}/")
    assert asked(more) == asked(few)


def test_histories_say_it_with_links(anna, place, statement, write, kiosk):
    write()
    page = soup(anna.get(f"{place}sellers/{kiosk.pk}/"))
    history = [words(each) for each in page.select(".list-group-item.logentry")]
    text = " ".join(history)
    assert "A statement of €60.79 has been made. Statement 1" in text
    assert "A payment of €10.00 on 2026-01-31 has been written down. Statement 1" in text
    assert page.select(f'.logentry a[href="{place}statements/{statement.pk}/"]')
    assert LogEntry.objects.filter(action_type="pretix_offlinesales.seller.paid").count() == 1


def test_let_in_tickets_are_on_the_page_of_the_seller(anna, place, sold, kiosk):
    batch = sold(1)
    check_in(batch.tickets.get(number=2))
    page = soup(anna.get(f"{place}sellers/{kiosk.pk}/"))
    [panel] = page.select(".panel-warning")
    assert "Let in, although the seller has not said that they were sold" in words(panel)
    assert [words(each) for each in panel.select("a")] == [f"{batch.tickets.get(number=2)}"]


def test_the_page_of_a_seller_takes_a_constant_number_of_queries(anna, place, sold, kiosk, event, make_batch):
    batch = sold(1, 2)
    pay(state(kiosk, event), "1.00")
    check_in(batch.tickets.get(number=3))
    address = f"{place}sellers/{kiosk.pk}/"
    anna.get(address)
    with CaptureQueriesContext(connection) as few:
        anna.get(address)
    declare_sold(batch, 4, 5)
    pay(state(kiosk, event), "2.00")
    check_in(batch.tickets.get(number=6))
    declare_sold(batch, 7)
    with CaptureQueriesContext(connection) as more:
        page = anna.get(address)
    assert asked(more) == asked(few)
    assert [row[0] for row in rows(page)[:2]] == ["Statement 2", "Statement 1"]


def test_sales_over_time_are_also_a_table_of_one_event_or_all(anna, place, sold, event):
    sold(1, 2)
    address = f"{place}sellers/sales"
    chart = soup(anna.get(address)).select_one(".panel:has(#offlinesales-sales)")
    assert [words(cell) for cell in chart.select("thead th")] == ["Time", "Kiosk"]
    assert [words(cell) for cell in chart.select("tbody td")] == ["2"]
    assert anna.get(address)["Content-Security-Policy"]
    assert soup(anna.get(address, {"event": event.pk})).select("#offlinesales-sales")
    assert anna.get(address, {"event": "x"}).status_code == 200


@pytest.mark.parametrize(("file", "content_type"), [("pdf", "application/pdf"), ("csv", "text/csv"), ("json", "json")])
def test_the_page_of_a_statement_leads_to_its_files(anna, place, statement, file, content_type):
    address = f"{place}statements/{statement.pk}/"
    [link] = soup(anna.get(address)).select(f'a[href="{address}{file}"]')
    answer = anna.get(link["href"])
    assert (answer.status_code, content_type in answer["Content-Type"]) == (200, True)
