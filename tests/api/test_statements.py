"""Statements of sellers and what they have paid, in the API."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from hypothesis import example, given, strategies as st
from pretix.api.webhooks import notify_webhooks
from pretix.base.models import Event, LogEntry, Organizer

from pretix_offlinesales.documents import kept
from pretix_offlinesales.models import Document, Seller, SellerPayment, Statement
from pretix_offlinesales.sellers import records
from pretix_offlinesales.sellers.accounts import accounts
from pretix_offlinesales.sellers.statements import make
from tests.support.after_sale import take_back
from tests.support.fuzz import DEEP, anything, fast, text
from tests.support.receiving import receiving_server
from tests.support.sellers import NOBODY, handed_over, make_seller


@pytest.fixture
def statements(organizer):
    """Their address."""
    return f"/api/v1/organizers/{organizer.slug}/offlinesalesstatements/"


@pytest.fixture
def payments(organizer):
    """Their address."""
    return f"/api/v1/organizers/{organizer.slug}/offlinesalespayments/"


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer, commission_percent=10, commission_tax_rate=19)


@pytest.fixture
def state(api, statements, kiosk):
    return lambda **values: api.post(statements, {"seller": kiosk.pk} | values, format="json")


@pytest.fixture
def pay(api, payments):
    """``pay(statement, "10.00")``: on some day, if nothing else is said."""

    def pay(statement, amount, **values):
        values = {"statement": statement, "amount": amount, "date": "2026-07-01"} | values
        return api.post(payments, values, format="json")

    return pay


def sell(batch, seller, numbers, **values):
    """Hand over and declare as sold."""
    handed_over(batch, seller, numbers)
    batch.tickets.filter(seller=seller, sold=None).update(**({"sold": now()} | values))


@pytest.fixture
def sold(make_batch, kiosk):
    """Four tickets of ten that the kiosk has sold."""
    batch = make_batch(amount=10)
    sell(batch, kiosk, "1-3, 5")
    return batch


SUMS = {
    "currency": "EUR",
    "total": "92.00",
    "commission": "9.20",
    "commission_tax": "1.75",
    "due": "81.05",
    "paid": "0.00",
    "settled": False,
}

CONTENTS = {
    "taxes": [{"rate": "19.00", "gross": "92.00", "net": "77.32", "tax": "14.68"}],
    "commissions": [
        {
            "rate": "Commission: 10 % of the gross price",
            "count": 4,
            "gross": "92.00",
            "commission": "9.20",
            "tax_rate": "19.00",
            "tax": "1.75",
            "tax_text": "",
            "invoiced_by": "organizer",
        }
    ],
}


def line(batch):
    return {
        "event": "night",
        "item": batch.item_id,
        "variation": None,
        "subevent": None,
        "product": "Ticket",
        "tickets": {str(batch.pk): "1-3, 5"},
        "price": "23.00",
        "tax_rate": "19.00",
        "count": 4,
        "gross": "92.00",
        "net": "77.32",
        "tax": "14.68",
        "taxes": CONTENTS["taxes"],
        "rate": "10 % of the gross price",
    }


def test_a_statement_with_all_that_it_says(api, statements, state, sold, kiosk, organizer, token):
    before = now()
    made = state()
    statement = Statement.objects.get(seller=kiosk)
    assert before <= statement.until <= now()
    moments = {
        name: moment.isoformat().replace("+00:00", "Z")
        for name, moment in (("until", statement.until), ("created", statement.document.created))
    }
    today = now().astimezone(ZoneInfo("Europe/Berlin")).date()
    shown = {
        "id": statement.pk,
        "number": 1,
        "seller": kiosk.pk,
        **SUMS,
        **moments,
        "events": ["night"],
        "pay_until": (today + timedelta(days=14)).isoformat(),
        "invoice_number": 1,
    }
    in_full = shown | {"lines": [line(sold)]} | CONTENTS
    assert (made.status_code, made.json()) == (201, in_full)
    assert api.get(f"{statements}{statement.pk}/").json() == in_full
    assert api.get(statements).json() == {"count": 1, "next": None, "previous": None, "results": [shown]}
    assert list(made.json()["lines"][0]) == list(line(sold))
    assert list(made.json()) == [
        *("id", "number", "seller", "currency", "until", "total", "commission", "commission_tax", "due", "paid"),
        *("settled", "events", "created", "pay_until", "invoice_number", "lines", "taxes", "commissions"),
    ]
    entry = LogEntry.objects.get(action_type="pretix_offlinesales.seller.stated")
    assert (entry.api_token, entry.organizer, statement.document.api_token) == (token, organizer, token)


def test_what_would_be_said_is_what_is_said(api, state, sold, kiosk):
    draft = state(dry_run=True)
    assert (draft.status_code, Document.objects.filter(kind="statement").count()) == (200, 0)
    made = state()
    of_the_made = {name: made.json()[name] for name in ("id", "number", "until", "created", "invoice_number")}
    assert made.json() == draft.json() | of_the_made
    assert [draft.json()[name] for name in ("id", "number", "created", "invoice_number")] == [None] * 4


def test_there_is_nothing_to_state(state, sold, make_seller_nobody):
    nothing = {"non_field_errors": ["There is nothing to be stated: nothing has changed since the last statement."]}
    state()
    for answer in (state(), state(dry_run=True), state(seller=make_seller_nobody.pk), state(events=["night"])):
        assert (answer.status_code, answer.json()) == (400, nothing)
    assert Statement.objects.count() == 1


@pytest.fixture
def make_seller_nobody(organizer):
    return make_seller(organizer, "Who has sold nothing")


@pytest.fixture
def sold_of_both(sold, make_batch, kiosk, series_item, subevent, worker, api, url):
    """The kiosk has sold one of the tours, too."""
    tours = url.replace("/night/", "/tours/")
    wanted = {"item": series_item.pk, "subevent": subevent.pk, "amount": 2, "sales_channel": "web"}
    with worker():
        made = api.post(tours, wanted, format="json")
    batch = series_item.event.offline_sales_batches.get(pk=api.get(made.data["check"]).data["id"])
    sell(batch, kiosk, "1")
    return batch


def test_of_the_events_that_are_named_or_of_all(state, sold_of_both):
    drafts = [
        state(dry_run=True, **which).json()
        for which in ({}, {"events": ["tours"]}, {"events": ["night"]}, {"events": ["tours", "night", "tours"]})
    ]
    assert [(draft["events"], draft["total"], [line["event"] for line in draft["lines"]]) for draft in drafts] == [
        (["night", "tours"], "104.00", ["night", "tours"]),
        (["tours"], "12.00", ["tours"]),
        (["night"], "92.00", ["night"]),
        (["night", "tours"], "104.00", ["night", "tours"]),
    ]
    assert [line["subevent"] for line in drafts[0]["lines"]][0] is None
    assert "Morning" in drafts[0]["lines"][1]["subevent"]


def test_an_event_that_does_not_use_the_plugin_any_more_is_left_out(state, sold_of_both):
    Event.objects.filter(slug="night").update(plugins="")
    assert state(dry_run=True).json()["events"] == ["tours"]
    answer = state(events=["tours", "night"])
    assert (answer.status_code, answer.json()) == (
        400,
        {"events": ["The event “night” does not use offline sales."]},
    )
    Event.objects.update(plugins="")
    assert set(state().json()) == {"non_field_errors"}


def test_events_in_another_currency_are_refused(state, sold, series):
    Event.objects.filter(pk=series.pk).update(currency="USD")
    assert state(events=["night", "tours"]).json() == {
        "events": ["This seller sells in EUR, and the tickets of this event are sold in USD."]
    }


def test_events_and_sellers_of_others_are_as_unknown_as_those_that_there_are_not(state, sold):
    circus = Organizer.objects.create(name="Circus", slug="circus", plugins="pretix_offlinesales")
    circus.events.create(name="Show", slug="show", currency="EUR", date_from=now(), plugins="pretix_offlinesales")
    theirs = make_seller(circus)
    for slug in ("show", "shw"):
        answer = state(events=["night", slug])
        assert (answer.status_code, answer.json()) == (400, {"events": [f"There is no event “{slug}”."]})
    for pk in (theirs.pk, theirs.pk + 1):
        answer = state(seller=pk)
        expected = {"seller": [f'Invalid pk "{pk}" - object does not exist.']}
        assert (answer.status_code, answer.json()) == (400, expected)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seller", None),
        ("seller", "x"),
        ("seller", 1e400),
        ("seller", 10**30),
        ("seller", []),
        ("events", []),
        ("events", None),
        ("events", "night"),
        ("events", {"night": 1}),
        ("events", [1]),
        ("events", ["night\0"]),
        ("events", ["x" * 100_000]),
        ("events", ["night"] * 10_001),
        ("until", None),
        ("until", ""),
        ("until", 1),
        ("until", []),
        ("until", "tomorrow"),
        ("until", "2026-02-30"),
        ("until", "0001-01-01"),
        ("until", "0001-01-01T00:00:00+14:00"),
        ("until", "0001-01-01T00:00:00"),
        ("until", "1989-12-31T23:59:59Z"),
        ("until", "9999-12-31"),
        ("until", "9999-12-31T23:59:59-14:00"),
        ("dry_run", "true"),
        ("dry_run", None),
        ("dryrun", True),
    ],
)
def test_what_is_wrong_is_named(api, statements, kiosk, sold, field, value):
    body = json.dumps({"seller": kiosk.pk, field: value})
    answer = api.post(statements, body, content_type="application/json")
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not Statement.objects.exists()


def test_it_says_of_whom(api, statements):
    answer = api.post(statements, {}, format="json")
    assert (answer.status_code, list(answer.json())) == (400, ["seller"])


# Until when


def test_up_to_a_moment(state, sold):
    sold.tickets.filter(number=1).update(sold=now() - timedelta(days=3))
    moment = now() - timedelta(days=2)
    shown = state(until=moment.isoformat(), dry_run=True).json()
    assert (shown["until"], shown["total"]) == (moment.isoformat().replace("+00:00", "Z"), "23.00")
    for later in (now() + timedelta(minutes=1), now() + timedelta(days=400)):
        assert list(state(until=later.isoformat()).json()) == ["until"]


def test_a_day_is_over_when_it_is_over_for_the_organizer(state, sold, organizer):
    organizer.settings.timezone = "Pacific/Auckland"
    zone = ZoneInfo("Pacific/Auckland")
    last = datetime(2026, 7, 31, 23, 59, 59, 999999, tzinfo=zone)
    sold.tickets.filter(number=1).update(sold=last)
    sold.tickets.filter(number=2).update(sold=last + timedelta(microseconds=1))
    shown = state(until="2026-07-31", dry_run=True).json()
    assert (datetime.fromisoformat(shown["until"]), shown["total"]) == (last, "23.00")
    today = now().astimezone(zone).date()
    before = now()
    shown = state(until=today.isoformat(), dry_run=True).json()
    assert (before <= datetime.fromisoformat(shown["until"]) <= now(), shown["total"]) == (True, "92.00")
    assert list(state(until=(today + timedelta(days=1)).isoformat()).json()) == ["until"]


# What is paid


def test_a_payment(api, payments, statements, state, pay, sold, kiosk, token):
    statement = state().json()["id"]
    made = pay(statement, "80.00", reference="Transfer 17")
    payment = SellerPayment.objects.get()
    shown = {
        "id": payment.pk,
        "statement": statement,
        "seller": kiosk.pk,
        "amount": "80.00",
        "currency": "EUR",
        "date": "2026-07-01",
        "reference": "Transfer 17",
        "created": payment.created.isoformat().replace("+00:00", "Z"),
    }
    assert (made.status_code, made.json()) == (201, shown)
    assert list(made.json()) == list(shown)
    assert api.get(f"{payments}{payment.pk}/").json() == shown
    assert api.get(payments).json() == {"count": 1, "next": None, "previous": None, "results": [shown]}
    assert payment.api_token == token
    shown = api.get(f"{statements}{statement}/").json()
    assert (shown["paid"], shown["settled"]) == ("80.00", False)


def test_a_wrong_payment_is_answered_by_a_negative_one(api, statements, state, pay, sold, kiosk):
    statement = state().json()["id"]

    def shown():
        told = api.get(f"{statements}{statement}/").json()
        return told["paid"], told["settled"], str(accounts([kiosk])[kiosk.pk].balance)

    history = []
    for amount in ("80.00", "1.05", "-80.00", 80, 80.0):
        assert pay(statement, amount).status_code == 201
        history.append(shown())
    # What was settled once is not taken back, and says what is paid now.
    assert history == [
        ("80.00", False, "1.05"),
        ("81.05", True, "0.00"),
        ("1.05", True, "80.00"),
        ("81.05", True, "0.00"),
        ("81.05", True, "-80.00"),
    ]


def test_a_credit_pays_older_statements(api, statements, state, sold):
    first = state().json()["id"]
    take_back(sold, "1", "unsold")
    second = state().json()["id"]
    shown = [
        [told["due"], told["paid"], told["settled"], told["pay_until"] is None]
        for told in api.get(statements).json()["results"]
    ]
    assert [first, second] == list(Statement.objects.values_list("pk", flat=True))
    assert shown == [["81.05", "20.26", False, False], ["-20.26", "-20.26", True, True]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[
            ("amount", value)
            for value in (
                *("NaN", "sNaN", "Infinity", "-Infinity", "", "x", "0", "0.00", "-0", "1.005", "1e-3", "1e400", "1e30"),
                *(0, 1e400, float("nan"), 10**17, 1.001, None, [], {}, True, "9" * 5_000, "1,00", "\0"),
            )
        ],
        *[
            ("date", value)
            for value in (
                *(
                    "",
                    "x",
                    "2026-02-30",
                    "1989-12-31",
                    "3000-01-01",
                    "0000-00-00",
                    "10000-01-01",
                    None,
                    1,
                    [],
                    {},
                    True,
                ),
                "2026-07-01T12:00:00Z",
            )
        ],
        *[("reference", value) for value in (None, [], {}, True, "x" * 191, "a\0", "\ud800")],
        *[("statement", value) for value in (None, "x", 0, -1, 10**30, 1e400, [], {}, True)],
        ("refrence", "Transfer"),
    ],
)
def test_what_is_wrong_with_a_payment_is_named(api, payments, state, sold, field, value):
    values = {"statement": state().json()["id"], "amount": "1.00", "date": "2026-07-01", field: value}
    answer = api.post(payments, json.dumps(values), content_type="application/json")
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not SellerPayment.objects.exists()


def test_a_payment_has_no_cents_where_its_currency_has_none(event, state, pay, sold, kiosk):
    type(event).objects.update(currency="JPY")
    Document.objects.update(currency="JPY")
    type(kiosk).objects.update(currency="JPY")
    statement = state().json()
    assert (statement["currency"], statement["due"]) == ("JPY", "81.00")
    refused = pay(statement["id"], "80.50")
    assert (refused.status_code, list(refused.json())) == (400, ["amount"])
    assert pay(statement["id"], "81.00").status_code == 201


def test_what_a_payment_needs(api, payments):
    answer = api.post(payments, {}, format="json")
    assert (answer.status_code, set(answer.json())) == (400, {"statement", "amount", "date"})


def test_statements_of_others_are_as_unknown_as_those_that_there_are_not(api, statements, payments, state, pay, sold):
    mine = state().json()["id"]
    assert pay(mine, "1.00").status_code == 201
    circus = Organizer.objects.create(name="Circus", slug="circus", plugins="pretix_offlinesales")
    Document.objects.filter(pk=mine).update(organizer=circus)
    Seller.objects.update(organizer=circus)
    answers = [pay(pk, "1.00") for pk in (mine, mine + 1)]
    assert [(answer.status_code, list(answer.json())) for answer in answers] == [(400, ["statement"])] * 2
    for pk in (mine, mine + 1, 0, 10**30):
        assert [api.get(f"{statements}{pk}/{end}").status_code for end in ("", "pdf/")] == [404, 404]
    assert api.get(f"{payments}{SellerPayment.objects.get().pk}/").status_code == 404
    assert [api.get(address).json()["count"] for address in (statements, payments)] == [0, 0]
    for address in (statements, payments):
        wrong = [api.get(address, {"seller": pk}) for pk in Seller.objects.values_list("pk", flat=True)]
        assert {answer.status_code for answer in wrong} == {400}
    assert api.get(payments, {"statement": mine}).status_code == 400


def test_neither_is_ever_changed(api, statements, payments, state, pay, sold):
    statement = state().json()["id"]
    payment = pay(statement, "1.00").json()["id"]
    for address in (f"{statements}{statement}/", f"{payments}{payment}/"):
        for method in ("put", "patch", "delete"):
            assert getattr(api, method)(address, {}, format="json").status_code == 405


def test_the_same_request_twice_makes_it_once(api, statements, payments, state, sold, kiosk):
    again = {"HTTP_X_IDEMPOTENCY_KEY": "once"}
    answers = [api.post(statements, {"seller": kiosk.pk}, format="json", **again) for _each in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert json.loads(answers[0].content) == json.loads(answers[1].content)
    values = {"statement": Statement.objects.get().pk, "amount": "1.00", "date": "2026-07-01"}
    again = {"HTTP_X_IDEMPOTENCY_KEY": "pay once"}
    assert [api.post(payments, values, format="json", **again).status_code for _each in range(2)] == [201, 201]
    assert SellerPayment.objects.count() == 1


# Lists


@pytest.fixture
def several(organizer, kiosk, make_batch):
    """Three statements: paid, overdue, and of another seller."""
    office, batch = make_seller(organizer, "Tourist office"), make_batch(amount=6)
    made = []
    for seller, number in ((kiosk, 1), (kiosk, 2), (office, 3)):
        sell(batch, seller, str(number))
        made.append(make(seller, [batch.event], now(), NOBODY))
    paid, late, _other = made
    Statement.objects.filter(pk__in=[paid.pk, late.pk]).update(pay_until=now().date() - timedelta(days=2))
    SellerPayment.objects.create(
        seller=kiosk, statement=paid, amount=paid.due, date=now().date(), reference="Transfer 1"
    )
    SellerPayment.objects.create(seller=kiosk, statement=late, amount=1, date=now().date() - timedelta(days=9))
    Statement.objects.filter(pk=paid.pk).update(settled=now())
    Document.objects.filter(pk=paid.pk).update(created=now() - timedelta(days=3))
    return [each.pk for each in made]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [1, 2, 3]),
        ({"settled": "true"}, [1]),
        ({"settled": "false"}, [2, 3]),
        ({"overdue": "true"}, [2]),
        ({"overdue": "false"}, [1, 3]),
        ({"number": "3"}, [3]),
        ({"event": "night"}, [1, 2, 3]),
        ({"event": "tours"}, []),
        ({"ordering": "-id"}, [3, 2, 1]),
        ({"ordering": "-number"}, [3, 2, 1]),
        ({"ordering": "-created"}, [3, 2, 1]),
        ({"ordering": "due"}, [1, 2, 3]),
        ({"ordering": "comment"}, [1, 2, 3]),
    ],
)
def test_filters(api, statements, several, series, query, found):
    assert [each["number"] for each in api.get(statements, query).json()["results"]] == found


def test_a_statement_that_is_open_again_is_overdue(api, statements, several, pay):
    pay(several[0], "-1.00")
    assert [each["number"] for each in api.get(statements, {"overdue": "true"}).json()["results"]] == [1, 2]


def test_of_a_seller_and_of_a_time(api, statements, payments, several, kiosk):
    yesterday = (now() - timedelta(days=1)).isoformat()
    queries = [{"seller": kiosk.pk}, {"created_since": yesterday}, {"created_before": yesterday}]
    found = [[each["number"] for each in api.get(statements, query).json()["results"]] for query in queries]
    assert found == [[1, 2], [2, 3], [1]]


def test_filters_of_payments(api, payments, several, kiosk):
    paid, late, other = several
    day = (now() - timedelta(days=1)).date().isoformat()
    tomorrow = (now() + timedelta(days=1)).isoformat()
    expected = [
        ({"statement": late}, [late]),
        ({"statement": other}, []),
        ({"seller": kiosk.pk}, [paid, late]),
        ({"reference": "Transfer 1"}, [paid]),
        ({"date_since": day}, [paid]),
        ({"date_before": day}, [late]),
        ({"created_since": tomorrow}, []),
        ({"created_before": tomorrow}, [paid, late]),
        ({"ordering": "-id"}, [late, paid]),
        ({"ordering": "date"}, [late, paid]),
        ({"ordering": "-amount"}, [paid, late]),
    ]
    found = [[each["statement"] for each in api.get(payments, query).json()["results"]] for query, _found in expected]
    assert found == [found for _query, found in expected]


@pytest.mark.parametrize(
    ("which", "name", "value"),
    [
        *[("statements", name, "x") for name in ("seller", "number", "settled", "overdue", "created_since")],
        ("statements", "seller", "9" * 30),
        ("statements", "created_before", "0001-01-01T00:00:00+14:00"),
        *[("payments", name, "x") for name in ("seller", "statement", "date_since", "date_before", "created_before")],
        ("payments", "statement", "9" * 30),
    ],
)
def test_nonsense_names_the_filter(request, api, which, name, value):
    answer = api.get(request.getfixturevalue(which), {name: value})
    assert (answer.status_code, set(answer.data)) == (400, {name})


def test_more_statements_cost_no_more_queries(api, statements, payments, organizer, make_batch):
    def queries(address, **query):
        with CaptureQueriesContext(connection) as captured:
            assert api.get(address, query).status_code == 200
        return len(captured)

    def count():
        return queries(statements), queries(statements, overdue="true"), queries(payments), queries(documents)

    documents = f"/api/v1/organizers/{organizer.slug}/offlinesalesdocuments/"
    batch = make_batch(amount=20)

    def add(number):
        seller = make_seller(organizer, f"Seller {number}")
        sell(batch, seller, str(number))
        statement = make(seller, [batch.event], now(), NOBODY)
        SellerPayment.objects.create(seller=seller, statement=statement, amount=1, date=now().date())
        Statement.objects.update(pay_until=now().date() - timedelta(days=2))

    add(1)
    count()
    few = count()
    for number in range(2, 10):
        add(number)
    assert count() == few


# Beside them


def test_documents_tell_which_tickets_a_statement_is_about(api, state, sold, kiosk, organizer):
    state()
    take_back(sold, "2", "unsold")
    credit = state().json()["id"]
    documents = f"/api/v1/organizers/{organizer.slug}/offlinesalesdocuments/"
    batch = str(sold.pk)
    shown = api.get(documents, {"kind": "statement"}).json()["results"]
    assert [(each["number"], each["tickets"], each["from"], each["to"], each["seller"]) for each in shown] == [
        (1, {batch: "1-3, 5"}, None, kiosk.pk, kiosk.pk),
        (2, {batch: "2"}, None, kiosk.pk, kiosk.pk),
    ]
    assert [(each["count"], each["value"], each["event"]) for each in shown] == [
        (4, "92.00", "night"),
        (1, "-23.00", "night"),
    ]
    assert api.get(f"{documents}{credit}/").json() == shown[1]
    assert api.get(documents, {"kind": "delivery"}).json()["results"][0]["tickets"] == {batch: "1-3, 5"}


def test_a_seller_whose_data_was_deleted_still_owes(api, state, sold, kiosk, organizer):
    first = state().json()
    records.erase(kiosk, {"user": None})
    kept.forget(kiosk)
    take_back(sold, "1", "unsold")
    assert state().json()["due"] == "-20.26"
    shown = api.get(f"/api/v1/organizers/{organizer.slug}/offlinesalesstatements/{first['id']}/").json()
    assert shown["lines"] == first["lines"]


def test_webhooks_tell_of_both(state, pay, sold, kiosk, organizer, event, series, settings, worker):
    """Those that are limited to some events, too: these are of none."""
    settings.ALLOW_HTTP_TO_PRIVATE_NETWORKS = True
    with receiving_server() as (url, received):
        webhook = organizer.webhooks.create(target_url=url, enabled=True, all_events=False)
        webhook.limit_events.set([series])
        actions = [f"pretix_offlinesales.seller.{what}" for what in ("stated", "paid")]
        for action in actions:
            webhook.listeners.create(action_type=action)
        with worker():
            statement = state().json()["id"]
        with worker():
            payment = pay(statement, "1.00").json()["id"]
    same = {"organizer": "museum", "seller": kiosk.pk, "statement": statement}
    assert [each | {"notification_id": 0} for each in received] == [
        {"notification_id": 0, **same, "action": actions[0]},
        {"notification_id": 0, **same, "payment": payment, "action": actions[1]},
    ]


def test_a_broker_that_is_away_stops_neither(state, pay, sold, organizer, worker, monkeypatch):
    def away(*args, **kwargs):
        raise ConnectionError("No broker")

    webhook = organizer.webhooks.create(target_url="https://example.org", enabled=True, all_events=True)
    webhook.listeners.create(action_type="pretix_offlinesales.seller.stated")
    monkeypatch.setattr(notify_webhooks, "apply_async", away)
    with worker():
        assert state().status_code == 201


@pytest.mark.parametrize(
    ("end", "content_type", "begins"),
    [
        ("pdf", "application/pdf", b"%PDF-"),
        ("csv", "text/csv; charset=utf-8", b'"Statement"'),
        ("json", "application/json", b'{\n    "id": '),
    ],
)
def test_files(api, statements, state, sold, end, content_type, begins):
    pk = state().json()["id"]
    for headers in ({}, {"Accept": content_type}):
        answer = api.get(f"{statements}{pk}/{end}/", headers=headers)
        content = b"".join(answer) if answer.streaming else answer.content
        assert (answer.status_code, answer["Content-Type"], content[: len(begins)]) == (200, content_type, begins)
        assert answer["Content-Disposition"] == f'attachment; filename="museum-offlinesales-statement-1.{end}"'


# Whatever is sent

ASKED = ("seller", "events", "until", "dry_run")
PAID = ("statement", "amount", "date", "reference")
moments = st.datetimes().map(datetime.isoformat) | st.dates().map(str)


@given(values=st.dictionaries(st.sampled_from(ASKED) | text, anything | moments, min_size=1, max_size=3))
@example(values={"until": "0001-01-01T00:00:00"})
@example(values={"events": ["\0"], "until": "\ud800"})
@fast
def test_a_statement_with_odd_values_is_refused_or_made(api, statements, kiosk, values):
    answer = api.post(statements, json.dumps({"seller": kiosk.pk} | values), content_type="application/json")
    assert answer.status_code == 400, answer.content


@given(body=anything.map(json.dumps).map(str.encode) | st.binary(max_size=50))
@example(body=DEEP)
@example(body=b"\xff\xfe{}")
@fast
def test_something_else_is_refused(api, statements, payments, body):
    for address in (statements, payments):
        assert api.post(address, body, content_type="application/json").status_code == 400


@given(
    values=st.dictionaries(
        st.sampled_from(PAID) | text,
        anything | moments | st.decimals(allow_nan=True).map(str),
        min_size=1,
        max_size=3,
    )
)
@fast
def test_a_payment_with_odd_values_is_refused_or_made(api, payments, statements, one_statement, values):
    body = json.dumps({"statement": one_statement, "amount": "1.00", "date": "2026-07-01"} | values)
    answer = api.post(payments, body, content_type="application/json")
    assert answer.status_code in (201, 400), answer.content
    assert api.get(f"{statements}{one_statement}/").status_code == 200
    assert api.get(statements, {"overdue": "true"}).status_code == 200


@pytest.fixture
def one_statement(state, sold):
    return state().json()["id"]


QUERIES = ("seller", "statement", "number", "event", "settled", "overdue", "created_since", "date_since", "ordering")


@given(
    query=st.dictionaries(
        st.sampled_from(QUERIES), (anything | moments).map(str).map(lambda value: value.encode(errors="replace"))
    )
)
@fast
def test_a_list_with_odd_filters_is_refused_or_shown(api, statements, payments, query):
    for address in (statements, payments):
        assert api.get(address, query).status_code in (200, 400, 404)


def test_large_sums(api, statements, one_statement, pay):
    largest = Decimal("9999999999999.99")
    assert [pay(one_statement, str(amount)).status_code for amount in (largest, largest, -largest)] == [201] * 3
    shown = api.get(f"{statements}{one_statement}/").json()
    assert (shown["paid"], shown["settled"]) == ("81.05", True)
