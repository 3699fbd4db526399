"""Tickets that sellers still hold when the agreed deadline has passed."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from freezegun import freeze_time
from pretix.base.models import LogEntry, NotificationSetting, OutgoingMail, User
from pretix.base.notifications import get_all_notification_types
from pretix.base.signals import periodic_task

from pretix_offlinesales import tasks
from pretix_offlinesales.kinds import UNDO_SOLD
from pretix_offlinesales.models import DeadlineAction, Job, Seller
from pretix_offlinesales.sellers.accounts import overdue
from pretix_offlinesales.sellers.statements import make
from pretix_offlinesales.settling import deadlines
from pretix_offlinesales.tickets.state import state_of_ticket, with_state
from tests.support.after_sale import check_in, deal_with, report_lost, take_back
from tests.support.returning import orders
from tests.support.sellers import NOBODY, handed_over, make_seller
from tests.support.workers import Other

pytestmark = pytest.mark.django_db

#: The event is on May 8 in the evening, in Berlin: until May 1, its tickets may come back.
DAYS = 7
IN_TIME = datetime(2027, 5, 1, 21, 59, tzinfo=UTC)
LATE = datetime(2027, 5, 1, 22, 1, tzinfo=UTC)


@pytest.fixture
def kiosk(organizer):
    """What she has not brought back by then counts as sold."""
    return make_seller(organizer, deadline_days=DAYS, deadline_action=DeadlineAction.SOLD)


@pytest.fixture
def office(organizer):
    """What it has not brought back by then is overdue."""
    return make_seller(organizer, "Office", deadline_days=DAYS)


@pytest.fixture
def passing(worker):
    """``passing(moment)``: what the host does every few minutes is done at this moment."""

    def passing(moment=LATE):
        with freeze_time(moment), worker():
            tasks.pass_deadlines()

    return passing


def states(batch):
    return [str(state_of_ticket(ticket)) for ticket in with_state(batch.tickets.order_by("number"))]


def wants_to_know(person, event):
    NotificationSetting.objects.create(
        user=person, action_type=deadlines.PASSED, event=event, method="mail", enabled=True
    )


def told(event):
    entries = event.all_logentries().filter(action_type=deadlines.PASSED).order_by("pk")
    return [entry.display() for entry in entries]


def test_what_was_agreed_to_count_as_sold_is_sold(event, kiosk, make_batch, passing):
    batch = make_batch(amount=8)
    handed_over(batch, kiosk, "1-6")
    check_in(batch.tickets.get(number=1))
    report_lost(batch, "2")
    take_back(batch, "3", "unsold")
    passing(IN_TIME)
    assert (states(batch)[3], Job.objects.filter(kind="sold").count(), told(event)) == ("held", 0, [])
    passing()
    assert states(batch) == ["sold", "lost", "returned", "sold", "sold", "sold", "stock", "stock"]
    assert told(event) == [f"Kiosk: the deadline has passed, and 3 tickets count as sold. (#{batch.pk}: 4–6)"]
    job = Job.objects.get(kind="sold")
    assert (job.state, job.requester_name) == ("succeeded", "")
    [entry, *_others] = batch.all_logentries()
    assert entry.display().startswith("The deadline has passed: 3 tickets count as sold.")
    last = orders(batch)[3].all_logentries().order_by("pk").last()
    assert (last.display(), last.user) == ("The deadline has passed, so the ticket counts as sold.", None)


def test_what_was_agreed_to_stay_is_overdue(event, office, make_batch, passing):
    batch = make_batch(amount=2)
    handed_over(batch, office, "1-2")
    passing()
    assert (states(batch), Job.objects.filter(kind="sold").exists()) == (["held", "held"], False)
    assert told(event) == [f"Office: the deadline has passed, and 2 tickets are not back. (#{batch.pk}: 1–2)"]
    with freeze_time(LATE):
        assert overdue(Seller.objects.all()) == {office.pk}


def test_it_is_done_and_said_once(event, kiosk, office, make_batch, passing):
    batch = make_batch(amount=4)
    handed_over(batch, kiosk, "1-2")
    handed_over(batch, office, "3-4")
    passing()
    deal_with(batch, "1", UNDO_SOLD)  # the team thinks otherwise
    passing(LATE + timedelta(minutes=5))
    passing(LATE + timedelta(days=9))
    assert states(batch) == ["held", "sold", "held", "held"]
    assert (len(told(event)), Job.objects.filter(kind="sold").count()) == (2, 1)


def test_statements_are_nothing_that_was_agreed(event, kiosk, make_batch, passing):
    batch = make_batch(amount=2)
    handed_over(batch, kiosk, "1-2")
    batch.tickets.filter(number=1).update(sold=IN_TIME)
    with freeze_time(IN_TIME):
        make(kiosk, [event], IN_TIME, NOBODY)
    passing()
    assert states(batch) == ["sold", "sold"]
    assert told(event) == [f"Kiosk: the deadline has passed, and 1 ticket counts as sold. (#{batch.pk}: 2)"]


def test_what_is_handed_over_after_the_deadline_is_dealt_with_too(event, kiosk, make_batch, passing):
    batch = make_batch(amount=3)
    handed_over(batch, kiosk, "1")
    passing()
    with freeze_time(LATE + timedelta(days=1)):
        handed_over(batch, kiosk, "2-3")
    passing(LATE + timedelta(days=1, minutes=5))
    assert states(batch) == ["sold"] * 3
    assert len(told(event)) == 2


def test_the_terms_count_that_were_agreed(event, kiosk, make_batch, passing):
    batch = make_batch(amount=2)
    handed_over(batch, kiosk, "1")
    kiosk.deadline_days = None
    kiosk.save()
    handed_over(batch, kiosk, "2")
    passing()
    assert states(batch) == ["sold", "held"]


def test_each_date_has_its_own_deadline(series, series_item, subevent, kiosk, issued, passing):
    series.settings.timezone = "Europe/Berlin"
    later = series.subevents.create(name="Evening", date_from=datetime(2027, 5, 20, 18, tzinfo=UTC), active=True)
    series.quotas.create(name="Late", size=10, subevent=later).items.add(series_item)
    first = issued(series, series_item, amount=2, subevent=subevent).batch
    second = issued(series, series_item, amount=2, subevent=later).batch
    handed_over(first, kiosk, "1-2")
    handed_over(second, kiosk, "1-2")
    passing()
    assert (states(first), states(second)) == (["sold", "sold"], ["held", "held"])
    passing(datetime(2027, 5, 14, tzinfo=UTC))
    assert states(second) == ["sold", "sold"]
    assert len(told(series)) == 2
    assert Job.objects.filter(kind="sold").count() == 2


def test_one_document_of_two_dates_is_dealt_with_date_by_date(series, series_item, subevent, office, issued, passing):
    from pretix_offlinesales.sellers.handing_over import hand_over
    from pretix_offlinesales.tickets.selection import Selection, choose
    from tests.support.sellers import NOBODY

    later = series.subevents.create(name="Evening", date_from=datetime(2027, 5, 20, 18, tzinfo=UTC), active=True)
    series.quotas.create(name="Late", size=10, subevent=later).items.add(series_item)
    batches = [issued(series, series_item, amount=1, subevent=each).batch for each in (subevent, later)]
    lines = "\n".join(f"#{batch.pk}: 1" for batch in batches)
    hand_over(series, office, choose(series, None, Selection.parse(lines, series, None)), NOBODY)
    passing()
    passing(LATE + timedelta(days=1))
    assert len(told(series)) == 1
    passing(datetime(2027, 5, 15, tzinfo=UTC))
    assert len(told(series)) == 2


@pytest.mark.parametrize("off", ["event", "organizer"])
def test_without_the_plugin_nothing_happens(event, organizer, kiosk, office, make_batch, passing, off):
    batch = make_batch(amount=2)
    handed_over(batch, kiosk, "1")
    handed_over(batch, office, "2")
    place = {"event": event, "organizer": organizer}[off]
    place.plugins = ""
    place.save()
    passing()
    assert (states(batch), told(event), Job.objects.filter(kind="sold").count()) == (["held", "held"], [], 0)


def test_of_an_event_that_is_long_over_nobody_wants_to_hear(event, kiosk, make_batch, passing):
    batch = make_batch(amount=1)
    handed_over(batch, kiosk, "1")
    passing(event.date_from + deadlines.OVER + timedelta(minutes=1))
    assert (states(batch), told(event)) == (["held"], [])


def test_who_has_a_firm_sale_has_bought_them_already(event, organizer, make_batch, passing):
    batch = make_batch(amount=1)
    seller = make_seller(organizer, firm=True, deadline_days=DAYS, deadline_action=DeadlineAction.SOLD)
    handed_over(batch, seller, "1")
    passing()
    assert told(event) == []


def test_what_came_back_before_a_worker_came_is_not_sold(event, kiosk, make_batch):
    batch = make_batch(amount=2)
    handed_over(batch, kiosk, "1-2")
    with freeze_time(LATE):
        [job] = deadlines.pass_deadlines()
        handed_over(batch, None, "2")
        tasks.runner.run(event, job.pk)
    assert states(batch) == ["sold", "stock"]


def test_events_of_all_organizers_and_one_that_fails(event, organizer, kiosk, make_batch, passing, monkeypatch):
    """One that fails holds nobody up, and is tried again."""
    batch = make_batch(amount=1)
    handed_over(batch, kiosk, "1")
    tried = []

    def fail(*args):
        tried.append(args)
        raise RuntimeError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(deadlines, "_log", fail)
        passing()
    assert (len(tried), states(batch), told(event)) == (1, ["held"], [])
    passing()
    assert (states(batch), len(told(event))) == (["sold"], 1)


def test_the_host_asks_for_it(event, kiosk, make_batch, worker):
    batch = make_batch(amount=1)
    handed_over(batch, kiosk, "1")
    with freeze_time(LATE), worker():
        periodic_task.send(sender=None)
    assert states(batch) == ["sold"]


def test_as_long_as_nothing_is_new_it_takes_few_queries(event, kiosk, office, make_batch, passing, organizer):
    def queries(moment):
        with CaptureQueriesContext(connection) as captured, freeze_time(moment):
            tasks.pass_deadlines()
        return len(captured)

    assert queries(LATE) == 1  # nobody has agreed on a deadline
    for _each in range(2):
        batch = make_batch(amount=4)
        handed_over(batch, kiosk, "1-2")
        handed_over(batch, office, "3-4")
    before = queries(IN_TIME)
    assert before <= 9
    for _each in range(3):
        handed_over(make_batch(amount=2), make_seller(organizer, "Other", deadline_days=1), "1-2")
    assert queries(IN_TIME) == before
    passing()
    assert queries(LATE) <= before


# The team hears of it:


def entries(event):
    return list(LogEntry.objects.filter(event=event, action_type=deadlines.PASSED))


def test_the_team_is_notified_as_each_member_wants_it(event, user, team, office, kiosk, make_batch, passing, settings):
    settings.SITE_URL = "https://tickets.example.org"
    batch = make_batch(amount=5)
    handed_over(batch, office, "1-3")
    handed_over(batch, kiosk, "5")
    NotificationSetting.objects.create(
        user=user, action_type=deadlines.PASSED, event=event, method="mail", enabled=True
    )
    silent = User.objects.create_user("bert@example.org", "a long enough passphrase")
    team.members.add(silent)
    passing()
    mails = OutgoingMail.objects.filter(user=user).order_by("pk")
    assert OutgoingMail.objects.filter(user=silent).count() == 0
    [first, second] = sorted(mails, key=lambda each: each.subject)
    assert first.subject.endswith("NIGHT: Kiosk: the deadline has passed, and 1 ticket counts as sold.")
    assert second.subject.endswith("NIGHT: Office: the deadline has passed, and 3 tickets are not back.")
    assert f"#{batch.pk}: 1–3" in second.body_plain
    assert "05/01/2027" in second.body_plain or "2027-05-01" in second.body_plain
    assert "https://tickets.example.org/control/event/museum/night/offlinesales/" in second.body_plain


def test_it_can_be_chosen_among_the_notifications(client, user, team, event):
    client.force_login(user)
    assert deadlines.PASSED in get_all_notification_types(event)
    page = client.get("/control/settings/notifications/")
    assert "Deadline of a seller of offline sales has passed" in page.content.decode()


def test_who_may_not_read_orders_is_not_told(event, organizer, office, make_batch, passing):
    other = User.objects.create_user("bert@example.org", "a long enough passphrase")
    door = organizer.teams.create(name="Door", all_events=True, limit_event_permissions={"event.orders:checkin": True})
    door.members.add(other)
    NotificationSetting.objects.create(
        user=other, action_type=deadlines.PASSED, event=event, method="mail", enabled=True
    )
    batch = make_batch(amount=1)
    handed_over(batch, office, "1")
    passing()
    assert (len(entries(event)), OutgoingMail.objects.count()) == (1, 0)


def test_a_seller_or_date_that_is_gone_is_not_named(event, office, make_batch, passing):
    batch = make_batch(amount=1)
    handed_over(batch, office, "1")
    passing()
    [entry] = entries(event)
    assert "Office" not in entry.data
    office.name = "Deleted seller 7"
    office.save()
    assert told(event)[0].startswith("Deleted seller 7: the deadline")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_it_once(event, kiosk, office, issued, item, quota, layout):
    batch = issued(event, item, amount=20).batch
    handed_over(batch, kiosk, "1-10")
    handed_over(batch, office, "11-20")
    with freeze_time(LATE):
        others = [Other(tasks.pass_deadlines) for _each in range(3)]
        for each in others:
            each.join()
        assert [each.result for each in others] == [None] * 3
    assert states(batch) == ["sold"] * 10 + ["held"] * 10
    assert (len(told(event)), Job.objects.filter(kind="sold").count()) == (2, 1)
