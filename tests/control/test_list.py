"""The list of batches."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from pretix_offlinesales.models import Job, OfflineSalesBatch, OfflineSalesTicket
from tests.support.after_sale import cancel, check_in, report_lost, take_back
from tests.support.pages import alerts, rows, soup, words

#: With what has become of the tickets.
COUNTED = {"counted": "yes"}


def numbers(response):
    """Of the batches that are listed, in their order."""
    assert response.status_code == 200
    return [int(row[0].split()[0].removeprefix("#")) for row in rows(response) if row[0].startswith("#")]


def test_it_is_found_under_orders_by_those_who_may_see_them(anna, ron, event, pages):
    for browser in (anna, ron):
        for page in (pages, pages.replace("/offlinesales/", "/orders/")):
            entries = soup(browser.get(page)).select(f'.nav-second-level a[href="{pages}"]')
            assert [words(entry) for entry in entries] == ["Offline sales"]
            under = entries[0].find_parent("ul").find_parent("li").find("a")
            assert words(under).startswith("Orders")


@pytest.mark.parametrize("page", ["", "add", "{batch}/"])
def test_the_navigation_knows_that_we_are_here(anna, pages, make, page):
    batch = make()
    page = soup(anna.get(pages + page.format(batch=batch.pk)))
    assert [words(entry) for entry in page.select(".nav-second-level a.active")] == ["Offline sales"]


def test_without_a_batch_there_is_one_sentence_and_one_button(anna, ron, pages):
    page = soup(anna.get(pages)).select_one(".empty-collection")
    assert [words(part) for part in page.select("p, a")] == [
        "You haven't issued any tickets to be sold offline yet.",
        "Issue a batch of tickets",
    ]
    page = soup(ron.get(pages)).select_one(".empty-collection")
    assert [words(part) for part in page.select("p, a")] == ["You haven't issued any tickets to be sold offline yet."]


def test_it_shows_everything_about_a_batch(anna, pages, user, item, make):
    user.fullname = "Anna"
    user.save()
    batch = make(amount=4, comment="Kiosk\n<b>harbour</b>", testmode="on")
    OfflineSalesBatch.objects.update(creation=datetime(2027, 3, 1, 12, 30, tzinfo=UTC))
    first, second, third, _fourth = batch.tickets.all()
    cancel(first)
    check_in(second)
    check_in(third)
    assert rows(anna.get(pages, COUNTED)) == [
        [
            f"#{batch.pk} TEST MODE",
            "2027-03-01 13:30 Anna",
            "Ticket",
            "Online shop",
            "4",
            "0 + 1 canceled",
            "3",
            "2",
            "€69.00",
            "Kiosk <b>harbour</b>",
        ]
    ]


def totals(response):
    return [words(cell) for cell in soup(response).select("tfoot th, tfoot td")]


def test_it_adds_up_what_the_filter_lets_through(anna, pages, some):
    take_back(some["plain"], "1", "unsold")
    take_back(some["comment"], "101", "lost")
    check_in(some["channel"].tickets.first())
    total = ["Total (without test mode)", "10", "2", "8", "1", "€184.00", ""]
    product = {"item": some["plain"].item_id}
    asked = [
        ({}, total),
        ({"page_size": "1", "page": "2"}, total),
        (product | {"page_size": "25"}, total),
        (product | {"query": "Bookshop"}, []),  # the row says it already
        ({"testmode": "yes"}, []),
    ]
    assert asked == [(query, totals(anna.get(pages, query | COUNTED))) for query, _expected in asked]


def test_what_is_lost_is_not_missing_from_the_sums(anna, pages, make):
    batch = make(amount=5)
    report_lost(batch, "2-3")
    take_back(batch, "3", "lost")
    [row] = rows(anna.get(pages, COUNTED))
    assert row[4:9] == ["5", "1", "3 + 1 lost or stolen", "0", "€92.00"]


# What is counted later


def names(response, which):
    """Of the cells whose figures the page knows, or does not."""
    attribute = f"data-offlinesales-{which}"
    return [cell[attribute] for cell in soup(response).select(f"[{attribute}]")]


@pytest.mark.parametrize(
    "query", [{}, {"page_size": "3"}, {"page_size": "1", "page": "2", "ordering": "amount"}, {"query": "Bookshop"}]
)
def test_what_it_does_not_know_is_known_where_its_link_leads(anna, pages, some, query):
    page = anna.get(pages, query)
    link = soup(page).select_one("[data-offlinesales-count] a")
    counted = anna.get(pages + link["href"])
    assert (names(page, "known"), names(counted, "unknown")) == ([], [])
    assert names(page, "unknown") == list(dict.fromkeys(names(counted, "known"))) != []
    assert numbers(page) == numbers(counted)
    assert soup(counted).select("[data-offlinesales-count]") == []


def test_it_does_not_look_at_tickets_before_it_is_asked_to(anna, pages, some):
    def queries(query):
        with CaptureQueriesContext(connection) as captured:
            assert anna.get(pages, query).status_code == 200
        return [query["sql"] for query in captured if OfflineSalesTicket._meta.db_table in query["sql"]]

    assert (len(queries({})), len(queries(COUNTED))) == (0, 2)


def test_who_has_no_scripts_goes_on_with_figures(anna, pages, some):
    page = soup(anna.get(pages, COUNTED | {"page_size": "1"}))
    assert page.select_one(".filter-form [name=counted]")["value"] == "yes"
    assert all("counted=yes" in link["href"] for link in page.select(".pagination a[href^='?'], thead a"))
    assert soup(anna.get(pages)).select(".filter-form [name=counted]") == []


def test_there_is_nothing_to_count_yet(anna, pages, make_job):
    make_job(Job.State.RUNNING)
    page = soup(anna.get(pages))
    assert page.select("[data-offlinesales-unknown], tfoot") == []
    assert page.select_one("[data-offlinesales-count] a").has_attr("hidden")


def test_in_a_series_it_shows_the_date(anna, organizer, series, series_item, subevent, web, worker):
    pages = f"/control/event/{organizer.slug}/{series.slug}/offlinesales/"
    variation = series_item.variations.create(value="Child")
    subevent.quotas.get().variations.add(variation)
    form = {
        "itemvar": f"{series_item.pk}-{variation.pk}",
        "subevent": subevent.pk,
        "amount": 2,
        "sales_channel": web.pk,
    }
    with worker():
        anna.post(f"{pages}add", form)
    [row] = rows(anna.get(pages))
    assert row[2:4] == ["Tour – Child", "Morning – Sat, May 8, 2027 08:00"]


@pytest.fixture
def some(event, item, quota, organizer, make):
    """Four batches that differ in everything, by what is special about them."""
    kiosk = organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api", position=9)
    other = event.items.create(name="Other", default_price=5, position=-1)
    variation = other.variations.create(value="Child")
    quota.items.add(other)
    quota.variations.add(variation)
    return {
        "plain": make(amount=2, first_number=1),
        "comment": make(amount=5, first_number=101, comment="Bookshop"),
        "channel": make(amount=3, first_number=201, sales_channel=kiosk.pk),
        "product": make(amount=4, itemvar=f"{other.pk}-{variation.pk}", testmode="on"),
    }


def test_the_newest_comes_first(anna, pages, some):
    assert numbers(anna.get(pages)) == [some[name].pk for name in ("product", "channel", "comment", "plain")]


def test_it_can_be_sorted(anna, pages, some):
    orders = {
        "number": ["plain", "comment", "channel", "product"],
        "-number": ["product", "channel", "comment", "plain"],
        "creation": ["plain", "comment", "channel", "product"],
        "amount": ["plain", "channel", "product", "comment"],
        "-amount": ["comment", "product", "channel", "plain"],
        "product": ["product", "channel", "comment", "plain"],
        "-channel": ["channel", "product", "comment", "plain"],
        "nonsense": ["product", "channel", "comment", "plain"],
    }
    names = {batch.pk: name for name, batch in some.items()}
    assert orders == {
        ordering: [names[number] for number in numbers(anna.get(pages, {"ordering": ordering}))] for ordering in orders
    }


def test_it_can_be_filtered(anna, pages, some):
    everything = ["product", "channel", "comment", "plain"]
    filters = [
        ({"query": "bookSHOP"}, ["comment"]),
        ({"query": str(some["channel"].pk)}, ["channel"]),
        ({"query": f"#{some['channel'].pk}"}, ["channel"]),
        ({"query": code(some["product"])}, ["product"]),
        ({"query": code(some["product"]).lower()}, ["product"]),
        ({"query": "NIGHT-" + code(some["plain"])}, ["plain"]),
        ({"query": "nothing of this kind"}, []),
        ({"query": "9" * 30}, []),
        ({"item": str(some["plain"].item_id)}, ["channel", "comment", "plain"]),
        ({"item": f"{some['product'].item_id}-{some['product'].variation_id}"}, ["product"]),
        ({"sales_channel": some["channel"].sales_channel_id}, ["channel"]),
        ({"testmode": "yes"}, ["product"]),
        ({"testmode": "no"}, ["channel", "comment", "plain"]),
        ({"testmode": "no", "query": "Bookshop"}, ["comment"]),
        ({"item": "nonsense"}, everything),
    ]
    names = {batch.pk: name for name, batch in some.items()}
    assert filters == [
        (query, [names[number] for number in numbers(anna.get(pages, query))]) for query, _expected in filters
    ]


def code(batch):
    return batch.tickets.first().order.code


def test_finding_nothing_is_not_the_same_as_having_nothing(anna, pages, some):
    response = anna.get(pages, {"query": "nothing of this kind"})
    assert rows(response) == [["No batch matches your search."]]
    assert soup(response).select(".empty-collection") == []


def test_a_scanned_ticket_finds_its_batch(anna, pages, some):
    secret = some["comment"].tickets.first().order.positions.get().secret
    assert numbers(anna.get(pages, {"query": secret})) == [some["comment"].pk]


def test_it_has_pages(anna, pages, event, item, web):
    batches = [
        OfflineSalesBatch.objects.create(
            event=event, item=item, sales_channel=web, amount=1, completed=datetime.now(tz=UTC)
        )
        for _ in range(30)
    ]
    newest_first = [batch.pk for batch in reversed(batches)]
    assert numbers(anna.get(pages)) == newest_first[:25]
    assert numbers(anna.get(pages, {"page": 2})) == newest_first[25:]


# What is being made


def test_a_batch_that_is_being_made_shows_how_far_it_is(anna, pages, make_job, make):
    batch = make()
    make_job(Job.State.RUNNING, amount=50, comment="Kiosk", progress=40)
    first, second = rows(anna.get(pages))
    assert [first[0], *first[2:]] == ["40 %", "Ticket", "Online shop", "50", "Being issued …", "Kiosk"]
    assert second[0] == f"#{batch.pk}"
    bar = soup(anna.get(pages)).select_one("[role=progressbar]")
    assert (bar["aria-valuenow"], bar["aria-label"]) == ("40", "Being issued …")


def test_a_batch_that_waits_can_be_canceled(anna, pages, make_job):
    job = make_job(Job.State.WAITING)
    assert rows(anna.get(pages))[0][-2] == "Waiting to be issued Cancel"
    response = anna.post(f"{pages}jobs/{job.pk}/cancel", follow=True)
    assert alerts(response) == ["The batch will not be issued."]
    assert len(soup(response).select(".empty-collection")) == 1


def test_a_batch_that_is_being_made_can_not_be_canceled(anna, pages, make_job):
    job = make_job(Job.State.RUNNING)
    response = anna.post(f"{pages}jobs/{job.pk}/cancel", follow=True)
    assert alerts(response) == ["It is too late to cancel this batch, it is being issued."]
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING


def test_what_is_being_made_comes_before_the_first_page(anna, pages, make_job, make):
    batch = make(comment="Kiosk")
    make_job(Job.State.WAITING)
    assert len(rows(anna.get(pages))) == len(rows(anna.get(pages, {"ordering": "number"}))) == 2
    assert numbers(anna.get(pages, {"query": "Kiosk"})) == [batch.pk]
    assert rows(anna.get(pages, {"query": "Bookshop"})) == [["No batch matches your search."]]
    OfflineSalesBatch.objects.bulk_create(
        OfflineSalesBatch(
            event=batch.event, item=batch.item, sales_channel=batch.sales_channel, amount=1, completed=now()
        )
        for _ in range(25)
    )
    second_page = anna.get(pages, {"page": 2})
    assert [row[0] for row in rows(second_page)] == [f"#{batch.pk}"]
    assert soup(second_page).select("[data-offlinesales-working]") == []


@pytest.mark.parametrize(
    ("state", "values", "told"),
    [
        (Job.State.SUCCEEDED, {}, "It was too late to cancel this, it is done."),
        (Job.State.FAILED, {"message": "Too few."}, "This had come to its end already: Too few."),
    ],
)
def test_a_job_that_ended_meanwhile_can_not_be_canceled(anna, pages, make_job, state, values, told):
    job = make_job(state, dismissed=True, **values)
    response = anna.post(f"{pages}jobs/{job.pk}/cancel", follow=True)
    assert (response.redirect_chain, alerts(response)) == ([(pages, 302)], [told])


def test_who_dismisses_second_has_nothing_to_do(anna, pages, make_job):
    job = make_job(Job.State.FAILED)
    for _ in range(2):
        response = anna.post(f"{pages}jobs/{job.pk}/dismiss", follow=True)
        assert (response.redirect_chain, alerts(response)) == ([(pages, 302)], [])


def test_only_failures_can_be_dismissed(anna, pages, make_job):
    job = make_job(Job.State.WAITING)
    response = anna.post(f"{pages}jobs/{job.pk}/dismiss", follow=True)
    assert alerts(response) == ["This has not failed, so there is nothing to dismiss."]
    job.refresh_from_db()
    assert not job.dismissed


def test_a_failure_stays_when_its_user_goes(anna, pages, make_job):
    job = make_job(Job.State.FAILED, message="There are too few.")
    Job.objects.filter(pk=job.pk).update(user=None)
    assert len(alerts(anna.get(pages))) == 1


def test_many_failures_are_told_in_turns(anna, pages, make_job):
    jobs = [make_job(Job.State.FAILED, message=f"Reason {number}.") for number in range(7)]
    page = anna.get(pages)
    assert [alert.split("issued. ")[1].split(".")[0] for alert in alerts(page)] == [
        f"Reason {number}" for number in (6, 5, 4, 3, 2)
    ]
    more = "And {} more that could not be issued. {} shown once you have dismissed others."
    assert more.format(2, "They are") in words(soup(page).select_one("#page-wrapper"))
    page = anna.post(f"{pages}jobs/{jobs[6].pk}/dismiss", follow=True)
    assert more.format(1, "It is") in words(soup(page).select_one("#page-wrapper"))


def test_screen_readers_are_told_of_failures_without_buttons(anna, pages, make_job):
    make_job(Job.State.FAILED, amount=50, message="There are too few.")
    status = soup(anna.get(pages)).select_one("[role=status]")
    assert words(status) == "50 tickets of “Ticket” could not be issued. There are too few."
    assert status.select("a, button") == []


def test_trying_again_takes_the_place_of_the_failure(anna, pages, filled_in, make_job):
    job = make_job(Job.State.FAILED, message="There are too few.")
    form = soup(anna.get(f"{pages}add", {"again": str(job.pk)}))
    again = {"again": form.select_one("[name=again]")["value"]}
    anna.post(f"{pages}add", filled_in | again | {"amount": "0"})
    assert len(alerts(anna.get(pages))) == 1
    anna.post(f"{pages}add", filled_in | again)
    assert alerts(anna.get(pages)) == []


def test_a_failure_stays_until_it_is_dismissed(anna, ron, pages, make_job):
    job = make_job(Job.State.FAILED, amount=50, message="There are too few.")
    for browser in (anna, ron, anna):
        [alert] = alerts(browser.get(pages))
        assert alert.startswith("50 tickets of “Ticket” could not be issued. There are too few.")
    assert soup(ron.get(pages)).select(".alert form, .alert a") == []
    response = anna.post(f"{pages}jobs/{job.pk}/dismiss", follow=True)
    assert alerts(response) == []
    assert alerts(anna.get(pages)) == []


def test_what_an_api_client_could_not_get_is_not_told_here(ask, anna, pages):
    ask(amount=101)
    assert Job.objects.get().state == Job.State.FAILED
    assert alerts(anna.get(pages)) == []


def test_a_failure_can_be_tried_again(anna, pages, make_job):
    job = make_job(Job.State.FAILED, amount=50, comment="Kiosk", finished=now() - timedelta(days=20))
    [link] = soup(anna.get(pages)).select(".alert a")
    form = soup(anna.get(link["href"]))
    assert words(link) == "Try again"
    assert form.select_one("[name=amount]")["value"] == "50"
    assert words(form.select_one("[name=comment]")) == "Kiosk"
    assert words(form.select_one("[name=itemvar] [selected]")) == "Ticket"
    assert str(job.pk) in link["href"]


@pytest.mark.parametrize("again", ["nonsense", "29891ede-196f-4942-9e26-d055a36e98b8"])
def test_unknown_failures_can_not_be_tried_again(anna, pages, again):
    assert anna.get(f"{pages}add", {"again": again}).status_code == 404


def test_what_a_failed_batch_was_to_be_made_of_may_be_gone(anna, pages, item, quota, make_job):
    job = make_job(Job.State.FAILED, amount=2, message="Gone.")
    quota.delete()
    item.delete()
    [alert] = alerts(anna.get(pages))
    assert alert.startswith("2 tickets of “” could not be issued. Gone.")
    assert anna.get(f"{pages}add", {"again": str(job.pk)}).status_code == 200


# Queries


@pytest.mark.parametrize("query", [{}, COUNTED])
@pytest.mark.parametrize("who", ["anna", "ron"])
def test_more_batches_need_no_more_queries(request, who, query, pages, make, make_job):
    browser = request.getfixturevalue(who)

    def queries(amount):
        for number in range(amount):
            make(amount=2, comment=f"Batch {number}")
            make_job(Job.State.RUNNING)
            make_job(Job.State.FAILED)
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(pages, query).status_code == 200
        return len(captured)

    queries(1)  # fills what is remembered
    assert queries(2) == queries(9)
