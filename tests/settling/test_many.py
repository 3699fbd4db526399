"""Statements of many sellers by one job: each once and whole, whatever dies, and one file of all."""

import zipfile
from datetime import timedelta
from decimal import Decimal

import pikepdf
import pytest
from django.db import OperationalError
from django.utils.timezone import now
from pretix.base.models import Event

from pretix_offlinesales import tasks
from pretix_offlinesales.documents import bundle
from pretix_offlinesales.documents.kept import pdf
from pretix_offlinesales.jobs.interruptions import MAX_INTERRUPTIONS
from pretix_offlinesales.kinds import STATE_ALL
from pretix_offlinesales.models import Document, Job, Seller, Statement
from pretix_offlinesales.sellers.accounts import accounts
from pretix_offlinesales.sellers.payments import write_payment
from pretix_offlinesales.sellers.statements import make
from pretix_offlinesales.settling import many
from tests.support.after_sale import take_back
from tests.support.jobs import run
from tests.support.pdf import extracted_text
from tests.support.sellers import NOBODY, handed_over, make_seller
from tests.support.workers import Killed, die

State = Job.State


def sell(batch, seller, numbers):
    """Hand over and declare as sold."""
    document = handed_over(batch, seller, numbers)
    batch.tickets.filter(document=document).update(sold=now())


@pytest.fixture
def batch(make_batch):
    return make_batch(amount=20)


@pytest.fixture
def sellers(organizer, batch):
    """Anna, Berta and Carla, who have sold one, two and three tickets; and Dora, who has sold none of hers."""
    made = {name: make_seller(organizer, name, commission_percent=10) for name in ("Carla", "Anna", "Dora", "Berta")}
    for name, numbers in {"Anna": "1", "Berta": "2-3", "Carla": "4-6"}.items():
        sell(batch, made[name], numbers)
    handed_over(batch, made["Dora"], "7")
    return made


@pytest.fixture
def asked(event, user):
    """``asked()``: a job for all sellers of the event, up to now."""

    def asked(*events, until=None, **values):
        return STATE_ALL.ask_for(events or [event], until or now(), {"user": user}, **values)

    return asked


def statements():
    """Of each its number, whose it is, and what she owes."""
    rows = Statement.objects.order_by("document__number")
    return list(rows.values_list("document__number", "seller__name", "due"))


def end(job):
    return job.state, job.message


ALL = [(1, "Anna", Decimal("20.70")), (2, "Berta", Decimal("41.40")), (3, "Carla", Decimal("62.10"))]


def content(job):
    with job.file.file.open() as file:
        return file.read()


def test_all_who_have_something_to_be_stated_get_one(asked, sellers, user):
    job = run(asked())
    assert (end(job), job.progress, statements()) == ((State.SUCCEEDED, ""), 100, ALL)
    made = list(Statement.objects.order_by("document__number").values_list("seller", "pk"))
    assert job.result == {"made": [list(each) for each in made], "nothing": [sellers["Dora"].pk]}
    assert [document.user for document in Document.objects.filter(kind="statement")] == [user] * 3
    assert [account.unstated for account in accounts(sellers.values()).values()] == [0] * 4


def test_the_file_has_all_in_the_order_of_their_numbers(asked, sellers):
    job = run(asked())
    assert (job.file.filename, job.file.type) == ("museum-offlinesales-statements.pdf", "application/pdf")
    texts = extracted_text(content(job))
    single = [extracted_text(pdf(document).read()) for document in many.documents_of(job)]
    assert texts == [page for pages in single for page in pages]
    with pikepdf.open(job.file.file.open()) as whole, whole.open_outline() as outline:
        assert [item.title for item in outline.root] == [
            "Statement 1: Anna",
            "Statement 2: Berta",
            "Statement 3: Carla",
        ]


def test_a_file_for_each_in_an_archive(asked, sellers):
    job = run(asked(apart=True))
    assert (job.file.filename, job.file.type) == ("museum-offlinesales-statements.zip", "application/zip")
    with zipfile.ZipFile(job.file.file.open()) as archive:
        names = ["statement-1-anna.pdf", "statement-2-berta.pdf", "statement-3-carla.pdf"]
        assert archive.namelist() == names
        assert [archive.read(name) for name in names] == [pdf(each).read() for each in many.documents_of(job)]


def test_only_sellers_who_are_chosen(asked, sellers):
    run(asked(sellers=[sellers["Carla"], sellers["Anna"]]))
    assert [name for _number, name, _due in statements()] == ["Anna", "Carla"]


def test_up_to_a_moment(asked, sellers, batch):
    batch.tickets.filter(number__in=[2, 4]).update(sold=now() - timedelta(days=3))
    run(asked(until=now() - timedelta(days=1)))
    assert [(name, due) for _number, name, due in statements()] == [
        ("Berta", Decimal("20.70")),
        ("Carla", Decimal("20.70")),
    ]


def test_each_of_the_events_whose_tickets_she_was_handed(asked, sellers, event, series):
    run(asked(event, series))
    assert {tuple(each.events.all()) for each in Statement.objects.all()} == {(event,)}
    assert set(Document.objects.filter(kind="statement").values_list("event", flat=True)) == {event.pk}


def test_there_is_nothing_to_be_stated(asked, sellers):
    run(asked())
    job = run(asked())
    assert end(job) == (
        State.FAILED,
        "There is nothing to be stated: nothing has changed since the last statements.",
    )
    assert (statements(), job.file) == (ALL, None)


def test_nobody_was_handed_anything(asked, event):
    assert run(asked()).state == State.FAILED


def test_what_one_is_refused_does_not_stop_the_others(asked, sellers, monkeypatch):
    state = many.state

    def fail(seller, *args):
        if seller.name == "Berta":
            raise ValueError("Something is wrong with her")
        return state(seller, *args)

    monkeypatch.setattr(many, "state", fail)
    job = run(asked())
    assert end(job) == (State.SUCCEEDED, "1 statement could not be made.")
    assert [(number, name) for number, name, _due in statements()] == [(1, "Anna"), (2, "Carla")]
    [(pk, reason)] = job.result["refused"]
    assert (pk, bool(reason), "Berta" in str(job.result)) == (sellers["Berta"].pk, True, False)
    monkeypatch.setattr(many, "state", state)
    run(asked())
    assert [(number, name) for number, name, _due in statements()][2:] == [(3, "Berta")]


# Whatever dies


@pytest.mark.parametrize("moment", range(3))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_is_replaced_and_nobody_gets_two(asked, sellers, monkeypatch, moment, when):
    state, deaths = many.state, []

    def die_once(*args):
        now_it_is = Statement.objects.count() == moment and not deaths
        made = state(*args) if when == "after" or not now_it_is else None
        if now_it_is:
            deaths.append(moment)
            raise Killed
        return made

    monkeypatch.setattr(many, "state", die_once)
    job = asked()
    assert (die(job), Statement.objects.count()) == (State.WAITING, moment)
    job = run(job)
    assert (end(job), job.attempts, statements()) == ((State.SUCCEEDED, ""), 2, ALL)
    assert len(extracted_text(content(job))) == 3


def test_a_worker_that_dies_while_it_draws(asked, sellers, monkeypatch):
    merge, deaths = bundle.merge, []

    def die_once(*args):
        if not deaths:
            deaths.append(args)
            raise Killed
        merge(*args)

    monkeypatch.setattr(bundle, "merge", die_once)
    job = asked()
    assert (die(job), statements()) == (State.WAITING, ALL)
    assert end(run(job)) == (State.SUCCEEDED, "")
    assert statements() == ALL


def test_whoever_kills_each_worker_is_left_out(asked, sellers, monkeypatch):
    state = many.state

    def die_of_berta(seller, *args):
        if seller.name == "Berta":
            raise Killed
        return state(seller, *args)

    monkeypatch.setattr(many, "state", die_of_berta)
    job = asked()
    for _attempt in range(MAX_INTERRUPTIONS):
        assert die(job) == State.WAITING
    job = run(job)
    assert end(job) == (State.SUCCEEDED, "1 statement could not be made.")
    assert [name for _number, name, _due in statements()] == ["Anna", "Carla"]


def test_a_database_that_is_away_for_a_moment(asked, sellers, monkeypatch):
    state, away = many.state, []

    def lose(seller, *args):
        if seller.name == "Carla" and not away:
            away.append(seller)
            raise OperationalError("The database is away")
        return state(seller, *args)

    monkeypatch.setattr(many, "state", lose)
    job = asked()
    assert (run(job).state, run(job).state, statements()) == (State.WAITING, State.SUCCEEDED, ALL)


def test_a_file_that_can_not_be_made_has_an_end(asked, sellers, monkeypatch):
    def lose(*args):
        raise OSError("The storage is away")

    monkeypatch.setattr(bundle, "merge", lose)
    job = asked()
    for _attempt in range(MAX_INTERRUPTIONS):
        assert run(job).state == State.WAITING
    job = run(job)
    assert (end(job), job.file, statements()) == ((State.SUCCEEDED, "The file could not be made."), None, ALL)


def test_what_can_not_be_drawn_is_told_and_left_out(asked, sellers, monkeypatch):
    content_of = bundle.content

    def fail(document):
        if document.number == 2:
            raise ValueError("Something is wrong with it")
        return content_of(document)

    monkeypatch.setattr(bundle, "content", fail)
    job = run(asked())
    assert end(job) == (State.SUCCEEDED, "1 statement could not be drawn.")
    assert job.result["undrawn"] == [document.pk for document in many.documents_of(job) if document.number == 2]
    assert len(extracted_text(content(job))) == 2


# Whatever happens meanwhile


def test_a_plugin_that_is_switched_off_before(asked, sellers, event):
    job = asked()
    Event.objects.filter(pk=event.pk).update(plugins="")
    assert end(run(job)) == (
        State.FAILED,
        "The plugin has been switched off for this event in the meantime.",
    )
    assert statements() == []


def test_a_plugin_that_is_switched_off_in_the_middle(asked, sellers, event, monkeypatch):
    state = many.state

    def switch_off(*args):
        made = state(*args)
        Event.objects.filter(pk=event.pk).update(plugins="")
        return made

    monkeypatch.setattr(many, "state", switch_off)
    job = run(asked())
    assert end(job) == (State.SUCCEEDED, "3 statements could not be made.")
    assert statements() == ALL[:1]
    assert {reason for _seller, reason in job.result["refused"]} == {
        "The plugin has been switched off for an event in the meantime."
    }


def test_a_seller_who_is_erased_is_stated_without_a_name_and_is_in_no_file(asked, sellers):
    from pretix_offlinesales.documents import kept
    from pretix_offlinesales.sellers import records

    job = run(asked())
    name = job.file.file.name
    records.erase(sellers["Berta"], {"user": None})
    kept.forget(sellers["Berta"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(many.transaction, "on_commit", lambda work: work())
        many.forget(Seller.objects.get(pk=sellers["Berta"].pk))
    assert not job.file.file.storage.exists(name)
    assert "Berta" not in str((job.result, job.message, job.request))


def test_what_a_statement_gives_back_settles_older_ones(asked, sellers, batch, event, make_batch, worker):
    """The jobs that pay these in pretix are started by whoever has run the job."""
    anna = sellers["Anna"]
    sell(batch, anna, "10")
    first = make(anna, [event], now(), NOBODY)
    write_payment(first, first.due - Decimal("20.70"), now().date(), "", NOBODY)
    take_back(batch, "1", "unsold")
    job = asked(sellers=[anna])
    with worker():
        tasks.run_job.apply(kwargs={"event": event.pk, "job": str(job.pk)})
    job.refresh_from_db()
    first.refresh_from_db()
    assert (end(job), first.settled is not None) == ((State.SUCCEEDED, ""), True)
    followers = Job.objects.filter(pk__in=STATE_ALL.followers(job))
    assert [(each.kind, each.state) for each in followers] == [("settle", State.SUCCEEDED)]
    assert batch.tickets.get(number=10).settled is not None


def test_sellers_of_other_organizers_are_none_of_ours(asked, sellers, event):
    assert set(many.sellers_of([event])) == set(sellers.values())
    assert list(many.events_of(event.organizer)) == [event]
    theirs = Event.objects.exclude(organizer=event.organizer)
    assert not many.sellers_of(list(theirs))
