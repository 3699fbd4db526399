"""Statements of many sellers are asked for on a page of the organizer's."""

from datetime import timedelta

import pytest
from django.utils.timezone import now
from pretix.base.models import Event, Organizer, User

from pretix_offlinesales import tasks
from pretix_offlinesales.jobs.queries import MAX_UNFINISHED
from pretix_offlinesales.kinds import STATE_ALL
from pretix_offlinesales.models import Job, Statement
from tests.support.pages import soup, words
from tests.support.pdf import extracted_text
from tests.support.people import PEOPLE
from tests.support.plugins import ORGANIZER_PLUGINS
from tests.support.sellers import handed_over, make_seller

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(organizer):
    return f"/control/organizer/{organizer.slug}/offlinesales/statements/all"


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer, "Kiosk", commission_percent=10)


@pytest.fixture
def office(organizer):
    return make_seller(organizer, "Tourist office")


@pytest.fixture
def sold(make_batch, kiosk, office):
    """The kiosk has sold two tickets, the office none."""
    batch = make_batch(amount=6)
    handed_over(batch, kiosk, "1-3")
    handed_over(batch, office, "4")
    batch.tickets.filter(number__in=[1, 2]).update(sold=now())
    return batch


def test_what_is_asked_for_is_made_and_downloaded(anna, page, sold, event, kiosk, worker):
    shown = soup(anna.get(page))
    assert [words(each) for each in shown.select("#id_sellers label, [name=sellers] + label, .checkbox label")][1:] == [
        "Kiosk",
        "Tourist office",
    ]
    assert shown.select_one(f"input[name=events][value='{event.pk}'][checked]")
    with worker():
        response = anna.post(page, {"events": [event.pk]})
    waiting = anna.get(response.url)
    result = soup(anna.get(waiting.url))
    [row] = result.select("tbody tr")
    assert words(row) == "Statement 1 Kiosk 2 €41.40"
    assert "Tourist office" in words(result.select_one("#page-wrapper"))
    file = anna.get(f"{waiting.url}file")
    assert (file.status_code, file["Content-Type"], file["Cache-Control"]) == (
        200,
        "application/pdf",
        "private, no-store",
    )
    assert len(extracted_text(b"".join(file.streaming_content))) == 1
    assert waiting.url in anna.get(page).content.decode()


def test_only_chosen_sellers_up_to_a_day_each_in_a_file(anna, page, sold, event, kiosk, office, worker):
    sold.tickets.filter(number=1).update(sold=now() - timedelta(days=5))
    day = (now() - timedelta(days=3)).date()
    values = {"events": [event.pk], "sellers": [kiosk.pk], "until": day.isoformat(), "apart": "apart"}
    with worker():
        assert anna.post(page, values).status_code == 302
    job = Job.objects.get(kind=STATE_ALL.identifier)
    assert (job.request["sellers"], job.request["apart"], job.file.type) == ([kiosk.pk], True, "application/zip")
    [statement] = Statement.objects.all()
    assert (statement.total, statement.until.astimezone(kiosk.organizer.timezone).date()) == (23, day)


def test_if_there_is_nothing_the_page_says_so(anna, page, make_batch, kiosk, event, worker):
    handed_over(make_batch(), kiosk, "1")
    with worker():
        response = anna.post(page, {"events": [event.pk]})
    failed = soup(anna.get(anna.get(response.url).url))
    assert words(failed.select_one(".alert-danger")).startswith("There is nothing to be stated")
    job = Job.objects.get(kind=STATE_ALL.identifier)
    assert anna.get(f"{page}/{job.pk}/file").status_code == 404


def test_nobody_was_handed_anything(anna, page, event):
    shown = soup(anna.get(page))
    assert "No seller was handed tickets" in words(shown.select_one(".alert-info"))
    assert not shown.select("form[data-asynctask]")
    assert anna.post(page, {"events": [event.pk]}).status_code == 200
    assert not Job.objects.filter(kind=STATE_ALL.identifier).exists()


def test_the_dialog_is_told_how_far_it_is(anna, page, sold, event):
    started = anna.post(page, {"events": [event.pk], "ajax": "1"}).json()
    assert anna.get(started["check_url"]).json()["ready"] is False
    assert anna.get(started["check_url"].replace("&ajax=1", "")).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("events", []),
        ("events", ["x"]),
        ("events", ["999999999"]),
        ("sellers", ["999999999"]),
        ("until", "2999-01-01"),
        ("until", "1989-12-31"),
        ("until", "x"),
        ("apart", "x"),
    ],
)
def test_what_is_wrong_is_named(anna, page, sold, event, field, value):
    shown = soup(anna.post(page, {"events": [event.pk], field: value}))
    assert [each.select_one(f"[name={field}]") is not None for each in shown.select(".has-error")] == [True]
    assert not Job.objects.filter(kind=STATE_ALL.identifier).exists()


def test_events_and_sellers_of_others_can_not_be_chosen(anna, page, sold, event, kiosk, series):
    circus = Organizer.objects.create(name="Circus", slug="circus", plugins=ORGANIZER_PLUGINS)
    show = circus.events.create(name="Show", slug="show", currency="EUR", date_from=now(), plugins=ORGANIZER_PLUGINS)
    theirs = make_seller(circus, "Theirs")
    for values in ({"events": [show.pk]}, {"events": [series.pk]}, {"events": [event.pk], "sellers": [theirs.pk]}):
        shown = anna.post(page, values)
        assert (shown.status_code, "Theirs" in shown.content.decode()) == (200, False)
    assert not Job.objects.filter(kind=STATE_ALL.identifier).exists()


def test_events_that_do_not_use_the_plugin_are_not_offered(anna, page, sold, event):
    Event.objects.filter(pk=event.pk).update(plugins="")
    assert not soup(anna.get(page)).select("[name=events]")
    anna.post(page, {"events": [event.pk]})
    assert not Job.objects.filter(kind=STATE_ALL.identifier).exists()


def test_whoever_has_asked_for_too_much_waits(anna, page, sold, event, make_job):
    for _each in range(MAX_UNFINISHED):
        make_job()
    shown = anna.post(page, {"events": [event.pk]})
    assert "too many unfinished jobs" in shown.content.decode()


@pytest.fixture
def done(page, sold, event, worker, user):
    job = STATE_ALL.ask_for([event], now(), {"user": user})
    with worker():
        tasks.start(job)
    return f"{page}/{job.pk}/"


#: To ask for it, to see what was made, and to download it.
MATRIX = {
    "nobody": (302, 302, 302),
    "a user without a team": (404, 404, 404),
    "who reads sellers": (403, 200, 200),
    "who changes sellers": (200, 200, 200),
    "who changes, but does not read": (403, 403, 403),
    "who may do all": (200, 200, 200),
    "who may do all in events": (403, 403, 403),
    "another organizer's member": (404, 404, 404),
    "all, organizer without plugin": (404, 404, 404),
    "all, only the organizer has it": (200, 200, 200),
}


def test_all_people_are_tried():
    assert MATRIX.keys() == PEOPLE.keys()


@pytest.mark.parametrize(("who", "expected"), list(MATRIX.items()))
def test_who_may_do_what(who, expected, page, done, organizer, event):
    client = PEOPLE[who](organizer, event)
    assert tuple(client.get(address).status_code for address in (page, done, f"{done}file")) == expected
    before = Job.objects.count()
    client.post(page, {"events": [event.pk]})
    # Where no event uses the plugin, there is none to choose.
    is_asked = expected[0] == 200 and who != "all, only the organizer has it"
    assert Job.objects.count() == before + is_asked


def test_jobs_of_others_are_not_found(anna, page, done, sold):
    other = Organizer.objects.create(name="Circus", slug="circus", plugins=ORGANIZER_PLUGINS)
    Event.objects.update(organizer=other)
    for address in (done, f"{done}file", f"{page}?async_id={done.split('/')[-2]}", f"{page}?async_id=x"):
        assert anna.get(address).status_code == 404


def test_the_list_of_statements_leads_there(anna, page, organizer, event):
    for who, is_shown in (("who reads sellers", False), ("who changes sellers", True)):
        User.objects.filter(email="member@example.org").delete()
        shown = soup(PEOPLE[who](organizer, event).get(page.removesuffix("all")))
        assert bool(shown.select(f'a[href="{page}"]')) == is_shown


@pytest.mark.parametrize("end", ["", "pdf", "payment"])
def test_a_statement_that_is_none_is_not_found(anna, page, sold, end):
    for number in ("0", "99999999999999999999"):
        assert anna.get(f"{page.removesuffix('all')}{number}/{end}").status_code == 404
