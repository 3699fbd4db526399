"""Asking for a batch: the form, what it says while it is filled in, and what comes of it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils.timezone import now
from pretix.base.models import Event, Item, Order, User

from pretix_offlinesales.jobs import runner
from pretix_offlinesales.models import Job, OfflineSalesBatch
from tests.support.pages import alerts, errors, shown, soup, words
from tests.support.plugins import PLUGINS


def options(response, name):
    return [words(option) for option in soup(response).select(f"[name={name}] option")]


def value(response, name):
    field = soup(response).select_one(f"[name={name}]")
    selected = field.select_one("option[selected]")
    return words(selected) if selected else field.get("value")


def checked(response, name):
    return soup(response).select_one(f"[name={name}][checked]")["value"]


# The form


def test_what_can_be_chosen_and_what_is_preset(anna, pages, event, organizer, item, layout):
    organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api", position=9)
    workshop = event.items.create(name="Workshop", default_price=5, position=5)
    workshop.variations.create(value="Adult")
    workshop.variations.create(value="Retired", active=False)
    event.items.create(name="Gone", default_price=5, active=False)
    form = anna.get(f"{pages}add")
    assert options(form, "itemvar") == ["", "Ticket", "Workshop – Adult"]
    assert options(form, "sales_channel") == ["Online shop", "Kiosk"]
    assert options(form, "layout") == ["As the event prints them", "Paper"]
    assert value(form, "sales_channel") == "Online shop"
    assert (checked(form, "numbering"), value(form, "first_number")) == ("on", None)
    assert soup(form).select("[name=subevent]") == []


@pytest.mark.parametrize("testmode", [True, False])
def test_test_mode_is_preset_as_the_event_is(anna, pages, event, testmode):
    event.testmode = testmode
    event.save()
    assert soup(anna.get(f"{pages}add")).select_one("[name=testmode]").has_attr("checked") == testmode


def test_each_field_has_a_label(anna, organizer, series, series_item):
    form = soup(anna.get(f"/control/event/{organizer.slug}/{series.slug}/offlinesales/add")).select_one(
        "form[data-asynctask]"
    )
    labels = {label.get("for"): words(label) for label in form.select("label")}
    fields = [field for field in form.select("input, select, textarea") if field.get("type") != "hidden"]
    assert {field["name"]: labels.get(field["id"], field.get("aria-label")) for field in fields} == {
        "itemvar": "Product",
        "subevent": "Date",
        "amount": "Number of tickets",
        "numbering": "Start again with 1: other tickets of this product may have the same numbers, and only the number "
        "of the batch tells them apart",
        "first_number": "First ticket number",
        "consignment": "Consignment",
        "sales_channel": "Sales channel",
        "testmode": "Test mode",
        "layout": "Ticket layout Optional",
        "book_size": "Tickets in a book Optional",
        "comment": "Internal comment Optional",
    }


def test_when_it_begins_is_asked_of_products_whose_validity_begins_when_they_are_bought(
    anna, pages, event, item, validity
):
    """The host's scripts hide the field, and send nothing, as long as another product is chosen."""
    assert soup(anna.get(f"{pages}add")).select("[name^=valid_from]") == []
    day = event.items.create(name="Day pass", default_price=5, **validity)
    family = event.items.create(name="Family", default_price=5)
    family.bundles.create(bundled_item=day, count=4)
    event.items.create(name="Gone", default_price=5, active=False, **validity)
    date, time = soup(anna.get(f"{pages}add")).select("[name^=valid_from]")
    for field, label in ((date, "Start date"), (time, "Start time")):
        told = ("aria-label", "data-display", "data-disable")
        assert {name: content for name, content in field.attrs.items() if name.startswith(told)} == {
            "aria-label": label,
            "data-display-dependency": "#id_itemvar",
            "data-display-dependency-regex": f"/^({day.pk}|{family.pk})(-|$)/",
            "data-disable-dependent": "",
        }


def test_tickets_are_valid_from_then_on(event, quota, make, validity):
    day = event.items.create(name="Day pass", default_price=5, **validity)
    quota.items.add(day)
    start = now().replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=30)
    local = start.astimezone(event.timezone)
    batch = make(itemvar=day.pk, valid_from_0=f"{local:%Y-%m-%d}", valid_from_1=f"{local:%H:%M}")
    assert batch.valid_from == start


@pytest.fixture
def validity():
    """Valid for a day from the moment of the purchase, or from one that can be chosen."""
    return {
        "validity_mode": Item.VALIDITY_MODE_DYNAMIC,
        "validity_dynamic_duration_days": 1,
        "validity_dynamic_start_choice": True,
    }


def test_dates_are_searched_for_with_the_hosts_picker(anna, organizer, series, subevent):
    pages = f"/control/event/{organizer.slug}/{series.slug}/"
    picker = soup(anna.get(f"{pages}offlinesales/add")).select_one("[name=subevent]")
    assert picker["data-select2-url"] == f"{pages}subevents/select2"
    assert picker.select("option") == []


# From the form to the batch


def test_a_batch_is_made_as_asked_for(anna, pages, organizer, event, item, quota, layout, user, make):
    kiosk = organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api")
    batch = make(
        amount=4,
        first_number=101,
        sales_channel=kiosk.pk,
        layout=layout.pk,
        testmode="on",
        comment="For the kiosk ✓",
    )
    assert {name: getattr(batch, name) for name in ("event", "item", "variation", "subevent", "sales_channel")} == {
        "event": event,
        "item": item,
        "variation": None,
        "subevent": None,
        "sales_channel": kiosk,
    }
    assert (batch.amount, batch.numbers, batch.layout) == (4, range(101, 105), layout)
    assert (batch.testmode, batch.comment, batch.user) == (True, "For the kiosk ✓", user)
    assert Order.objects.filter(offline_sales_ticket__batch=batch, testmode=True, status="p").count() == 4


def test_the_smallest_form_leaves_the_layout_to_the_event(anna, pages, filled_in, layout, worker):
    with worker():
        anna.post(f"{pages}add", filled_in)
    batch = OfflineSalesBatch.objects.get()
    assert (batch.layout, batch.testmode, batch.comment, batch.first_number) == (None, False, "", 1)


def test_it_ends_on_the_page_of_the_batch(anna, pages, make, filled_in):
    batch = make()
    job = Job.objects.get()
    response = anna.get(f"{pages}add", {"async_id": job.pk}, follow=True)
    assert response.redirect_chain == [(f"{pages}{batch.pk}/", 302)]
    assert alerts(response) == ["The tickets have been issued."]


def test_nothing_is_sent_where_too_few_are_left(anna, pages, filled_in):
    response = anna.post(f"{pages}add", filled_in | {"amount": "101"})
    assert (response.status_code, errors(response)) == (200, {"amount": ["There are only 100 tickets left."]})
    assert Job.objects.count() == 0


def test_tickets_that_are_sold_meanwhile_are_told_of_by_the_list(anna, pages, event, quota, filled_in):
    anna.post(f"{pages}add", filled_in | {"amount": "100"})
    quota.size = 99
    quota.save()
    job = Job.objects.get()
    runner.run(event, job.pk)
    response = anna.get(f"{pages}add", {"async_id": job.pk}, follow=True)
    assert response.redirect_chain == [(pages, 302)]
    [alert] = alerts(response)
    assert alert.startswith(
        "100 tickets of “Ticket” could not be issued. "
        'There is not enough quota available on quota "House" to perform the operation.'
    )
    assert (OfflineSalesBatch.objects.count(), Order.objects.count()) == (0, 0)


# Errors stand at their fields


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"itemvar": ""}, {"itemvar": ["This field is required."]}),
        ({"itemvar": "0"}, {"itemvar": ["Select a valid choice. 0 is not one of the available choices."]}),
        ({"amount": ""}, {"amount": ["This field is required."]}),
        ({"amount": "0"}, {"amount": ["Ensure this value is greater than or equal to 1."]}),
        ({"amount": "10001"}, {"amount": ["Ensure this value is less than or equal to 10000."]}),
        ({"amount": "x"}, {"amount": ["Enter a whole number."]}),
        ({"first_number": "0"}, {"first_number": ["Ensure this value is greater than or equal to 1."]}),
        ({"numbering": "x"}, {"numbering": ["Select a valid choice. x is not one of the available choices."]}),
        ({"numbering": "from", "first_number": ""}, {"first_number": ["This field is required."]}),
        ({"first_number": "7"}, {"first_number": ["You have not chosen to start with a number of your choice."]}),
        (
            {"sales_channel": "0"},
            {"sales_channel": ["Select a valid choice. That choice is not one of the available choices."]},
        ),
        ({"layout": "0"}, {"layout": ["Select a valid choice. That choice is not one of the available choices."]}),
    ],
)
def test_wrong_values(anna, pages, filled_in, values, expected):
    response = anna.post(f"{pages}add", filled_in | values)
    assert (response.status_code, errors(response)) == (200, expected)
    assert Job.objects.count() == 0


def test_what_does_not_fit_the_product_is_said_at_the_field_that_the_form_has(anna, pages, quota, filled_in):
    quota.delete()
    assert errors(anna.post(f"{pages}add", filled_in)) == {"itemvar": ["This product is not assigned to a quota."]}


def test_numbers_of_a_product_do_not_overlap(anna, pages, filled_in, make):
    batch = make(amount=20, first_number=1)
    response = anna.post(f"{pages}add", filled_in | {"numbering": "from", "first_number": "20"})
    assert errors(response) == {
        "first_number": [f"Some of these numbers are taken: batch #{batch.pk} of this product has tickets 1 to 20."]
    }


def test_numbers_go_on_unless_something_else_is_chosen(make, quota):
    made = [
        make(amount=20, numbering="on"),
        make(amount=5, numbering=""),
        make(amount=5, numbering="from", first_number=101),
        make(amount=5, numbering="on"),
        make(amount=5, numbering="again"),
        make(amount=5, numbering="on"),
    ]
    assert [(batch.numbers[0], batch.numbers[-1]) for batch in made] == [
        (1, 20),
        (21, 25),
        (101, 105),
        (106, 110),
        (1, 5),
        (111, 115),
    ]


def test_two_who_ask_at_the_same_time_get_one_after_the_other(anna, pages, event, filled_in, user):
    """Nobody has chosen a number, so that none can be taken, however long a job waits for a worker."""
    for amount in (3, 4):
        anna.post(f"{pages}add", filled_in | {"amount": amount})
    for job in Job.objects.order_by("created"):
        runner.run(event, job.pk)
    assert [batch.numbers for batch in OfflineSalesBatch.objects.all()] == [range(1, 4), range(4, 8)]


def test_whoever_tries_again_has_chosen_a_number_only_if_so_before(anna, pages, filled_in, quota):
    def offered(**values):
        anna.post(f"{pages}add", filled_in | values)
        Job.objects.update(state=Job.State.FAILED, finished=now())
        form = anna.get(f"{pages}add", {"again": Job.objects.latest("created").pk})
        return checked(form, "numbering"), value(form, "first_number")

    assert offered() == ("on", None)
    assert offered(numbering="from", first_number="101") == ("from", "101")
    assert offered(numbering="again") == ("again", None)


def test_who_asks_for_too_much_at_once_has_to_wait(anna, pages, filled_in, make_job):
    for _ in range(20):
        make_job(Job.State.RUNNING)
    response = anna.post(f"{pages}add", filled_in)
    assert alerts(response) == ["There are too many unfinished jobs of this event. Please wait for some."]
    assert Job.objects.count() == 20


# Sent twice


@pytest.fixture
def page(anna, pages, filled_in):
    """The form as it is filled in on a page that one has opened."""
    return filled_in | {"token": value(anna.get(f"{pages}add"), "token")}


@pytest.mark.parametrize("numbering", [{}, {"numbering": "from", "first_number": "101"}, {"numbering": "again"}])
def test_a_double_click_makes_one_batch(anna, pages, page, quota, worker, numbering):
    """A number, or the last tickets, that the first click has taken are no mistake of the second one."""
    quota.size = 3
    quota.save()
    page |= numbering
    with worker():
        first = anna.post(f"{pages}add", page)
    second = anna.post(f"{pages}add", page)
    batch = OfflineSalesBatch.objects.get()
    assert (first.status_code, first.url) == (302, f"{pages}add?async_id={Job.objects.get().pk}")
    assert (second.status_code, second.url) == (302, f"{pages}{batch.pk}/")


def test_the_second_click_waits_for_the_job_of_the_first(anna, pages, page):
    answers = [anna.post(f"{pages}add", page | {"ajax": "1"}).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert (answers[0]["ready"], answers[0]["async_id"]) == (False, str(Job.objects.get().pk))


def test_the_second_click_is_not_one_too_many(anna, pages, page, make_job):
    for _ in range(19):
        make_job()
    answers = [anna.post(f"{pages}add", page | {"ajax": "1"}).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert Job.objects.count() == 20


def test_who_goes_back_and_changes_something_asks_for_another_batch(anna, pages, page, worker):
    with worker():
        for amount in ("3", "4", "4", "3"):
            anna.post(f"{pages}add", page | {"amount": amount})
    assert sorted(OfflineSalesBatch.objects.values_list("amount", flat=True)) == [3, 4]


def test_who_goes_back_after_a_failure_tries_again(anna, pages, event, page, quota, worker):
    anna.post(f"{pages}add", page)
    quota.size = 2
    quota.save()
    runner.run(event, Job.objects.get().pk)
    quota.size = 100
    quota.save()
    with worker():
        anna.post(f"{pages}add", page)
        anna.post(f"{pages}add", page)
    assert OfflineSalesBatch.objects.get().amount == 3
    assert sorted(Job.objects.values_list("state", flat=True)) == ["failed", "succeeded"]


def test_who_goes_back_to_a_page_later_and_sends_it_again_gets_another_batch(anna, pages, page, worker):
    with worker():
        anna.post(f"{pages}add", page)
    Job.objects.update(finished=now() - timedelta(seconds=61))
    with worker():
        anna.post(f"{pages}add", page)
    assert OfflineSalesBatch.objects.count() == 2


def test_the_page_of_somebody_else_or_of_another_event_leads_to_no_job_of_theirs(
    anna, pages, page, organizer, team, item
):
    other = User.objects.create_user("ben@example.org", "correct horse battery staple 1")
    team.members.add(other)
    ben = Client()
    ben.force_login(other)
    fair = Event.objects.create(
        organizer=organizer, name="Fair", slug="fair", currency="EUR", date_from=now(), plugins=PLUGINS
    )
    ticket = fair.items.create(name="Ticket", default_price=23)
    fair.quotas.create(name="Hall", size=100).items.add(ticket)
    anna.post(f"{pages}add", page)
    ben.post(f"{pages}add", page)
    anna.post(pages.replace("/night/", "/fair/") + "add", page | {"itemvar": str(ticket.pk)})
    assert sorted(Job.objects.values_list("user__email", "event__slug")) == [
        ("anna@example.org", "fair"),
        ("anna@example.org", "night"),
        ("ben@example.org", "night"),
    ]


@pytest.mark.parametrize("token", ["", "x"])
def test_forms_from_nowhere_are_sent_as_often_as_one_likes(anna, pages, page, token):
    for _ in range(2):
        anna.post(f"{pages}add", page | {"token": token})
    assert Job.objects.count() == (0 if token else 2)


# While it is filled in


@pytest.fixture
def preview(anna, pages, filled_in):
    """``preview(amount=5)``: what is shown for the form filled in like that."""

    def preview(**values):
        response = anna.get(f"{pages}preview", filled_in | values)
        assert response.status_code == 200
        return response

    return preview


def test_prices_and_what_is_left(preview):
    response = preview(amount=40, numbering="from", first_number="101")
    assert shown(response) == {
        "Price per ticket": "€23.00",
        "Total": "€920.00 for 40 tickets",
        "Still available": "100",
        "Ticket numbers": "101 – 140",
    }
    assert alerts(response) == []


def test_it_warns_where_too_few_are_left(preview):
    assert alerts(preview(amount=100)) == []
    assert alerts(preview(amount=101)) == ["Number of tickets: There are only 100 tickets left."]


def test_quotas_without_limit(preview, quota):
    quota.size = None
    quota.save()
    assert shown(preview(amount=10_000))["Still available"] == "Unlimited"


def test_prices_are_the_hosts(preview, event, item, quota):
    part = event.items.create(name="Drink", default_price=Decimal("4.00"))
    quota.items.add(part)
    item.bundles.create(bundled_item=part, count=2, designated_price=Decimal("3.00"))
    assert shown(preview(amount=10)) == {
        "Price per ticket": "€23.00",
        "Total": "€230.00 for 10 tickets",
        "Still available": "33",
        "Ticket numbers": "1 – 10",
    }


def test_it_says_what_is_wrong_with_what_is_filled_in_and_is_quiet_about_the_rest(preview, quota):
    assert alerts(preview(amount="", itemvar="")) == []
    assert alerts(preview(amount="0")) == ["Number of tickets: Ensure this value is greater than or equal to 1."]
    quota.delete()
    assert alerts(preview()) == ["Product: This product is not assigned to a quota."]


def test_it_knows_the_next_free_number(preview, make):
    make(amount=20, first_number=1)
    assert shown(preview())["Ticket numbers"] == "21 – 23"
    assert shown(preview(numbering="again"))["Ticket numbers"] == "1 – 3"


@pytest.mark.parametrize("digits", [9, 30, 5000])
def test_numbers_of_many_digits_are_no_products(preview, digits):
    response = preview(itemvar="9" * digits)
    assert alerts(response)[0].startswith("Product: Select a valid choice.")


def test_nobody_keeps_a_specimen(anna, pages, filled_in, layout):
    response = anna.post(f"{pages}specimen", filled_in)
    headers = ("Content-Type", "Content-Disposition", "Cache-Control", "X-Content-Type-Options")
    assert [response[name] for name in headers] == [
        "application/pdf",
        'inline; filename="night-offlinesales-specimen.pdf"',
        "private, no-store",
        "nosniff",
    ]


def test_it_makes_nothing(preview):
    preview()
    assert (Job.objects.count(), Order.objects.count()) == (0, 0)
