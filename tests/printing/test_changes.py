"""Tickets that are replaced or returned while they are printed: new codes are on the paper, or it does not count."""

import csv
import json
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.utils.timezone import now
from pretix.base.models import CachedFile, Event, Order
from pretix.base.models.orders import PrintLog
from pretix.base.services.cleanup import clean_cached_files
from pypdf import PdfReader

from pretix_offlinesales.jobs import runner
from pretix_offlinesales.kinds import MAKE_DATA, PRINT, REPLACE, RETURN
from pretix_offlinesales.models import Job, JobLost, OfflineSalesBatch
from pretix_offlinesales.printing import plan as plan_module, work
from pretix_offlinesales.printing.choice import choose
from pretix_offlinesales.printing.data import DataOptions, Format
from pretix_offlinesales.printing.log import compare
from pretix_offlinesales.printing.request import EVERYTHING, PrintRequest
from pretix_offlinesales.printing.sheets import Sheet
from pretix_offlinesales.printing.tickets import Printed
from pretix_offlinesales.tickets.selection import Selection
from pretix_offlinesales.tickets.state import with_state
from tests.support.layouts import code, make_blank, text
from tests.support.pdf import rasterized, read_codes
from tests.support.printing import tickets

State = Job.State


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(plan_module, "PART_SIZE", 2)


@pytest.fixture
def batch(ask, api, make_layout):
    """As it is issued."""
    layout = make_layout([code(left="5", bottom="5", size="30")], make_blank((80, 50)))
    made = api.get(ask(amount=5, layout=layout.pk).data["check"])
    return OfflineSalesBatch.objects.get(pk=made.data["id"])


@pytest.fixture
def while_storing(monkeypatch):
    """``while_storing(suffix, act)``: something else happens each time that such a file is stored."""

    def while_storing(suffix, act):
        save = FileSystemStorage._save

        def act_and_save(storage, name, content):
            if name.endswith(suffix):
                act()
            return save(storage, name, content)

        monkeypatch.setattr(FileSystemStorage, "_save", act_and_save)

    return while_storing


def once(act):
    """The second time, nothing happens."""
    acts = [act]
    return lambda: acts.pop()() if acts else None


def deal_with(batch, kind, numbers):
    job = kind.ask(batch.event, Selection.from_json({"tickets": numbers}), {}, batch)
    runner.run(batch.event, job.pk)


def replace(batch, numbers):
    deal_with(batch, REPLACE, numbers)


def run(job):
    runner.run(Event.objects.get(pk=job.event_id), job.pk)
    job.refresh_from_db()


@pytest.fixture
def print_job():
    """``print_job(batch, request)``: do such a job, and return it."""

    def print_job(batch, request=EVERYTHING):
        job = PRINT.ask(batch, {}, request)
        run(job)
        return job

    return print_job


def codes_on_paper(job) -> list[list[str]]:
    """On each page."""
    with job.file.file.open() as file:
        return [[barcode.text for barcode in read_codes(page)] for page in rasterized(file.read())]


def valid_codes(batch) -> list[str]:
    tickets = batch.tickets.exclude(order__status=Order.STATUS_CANCELED).order_by("number")
    return list(tickets.values_list("order__all_positions__secret", flat=True))


def printed(batch) -> list[int]:
    """The numbers of tickets that count as printed."""
    return list(with_state(batch.tickets.order_by("number")).filter(printed=True).values_list("number", flat=True))


def entry(batch, action):
    return batch.all_logentries().filter(action_type=f"pretix_offlinesales.batch.{action}").get()


def test_codes_that_are_replaced_after_their_part_is_drawn(batch, print_job, while_storing):
    while_storing(".zip", once(lambda: replace(batch, "1-2")))
    before = valid_codes(batch)
    job = print_job(batch)
    after = valid_codes(batch)
    assert (job.state, job.message) == (State.SUCCEEDED, "")
    assert (before[:2] != after[:2], before[2:] == after[2:]) == (True, True)
    assert codes_on_paper(job) == [[code] for code in after]
    assert printed(batch) == [1, 2, 3, 4, 5]
    assert entry(batch, "printed").parsed_data == {"amount": 5}


def test_an_event_that_is_renamed_between_two_parts_has_one_name_on_all_pages(batch, print_job, while_storing, event):
    event.ticket_layouts.filter(pk=batch.layout_id).update(
        layout=json.dumps([text("event_name", left="5", bottom="30", width="70")])
    )
    batch.layout.refresh_from_db()
    while_storing(".zip", once(lambda: Event.objects.filter(pk=batch.event_id).update(name="Longer Night")))
    job = print_job(batch)
    with job.file.file.open() as file:
        pages = PdfReader(BytesIO(file.read())).pages
        assert [page.extract_text().strip() for page in pages] == ["Longer Night"] * 5


def test_codes_that_are_replaced_while_parts_are_put_together(batch, print_job, while_storing):
    while_storing(".pdf", once(lambda: replace(batch, "4")))
    job = print_job(batch)
    assert codes_on_paper(job) == [[code] for code in valid_codes(batch)]
    assert printed(batch) == [1, 2, 3, 4, 5]
    assert PrintLog.objects.count() == 5


def test_only_parts_with_changed_tickets_are_drawn_again(batch, print_job, while_storing):
    drawn = []
    while_storing(".pdf", once(lambda: replace(batch, "4")))
    while_storing(".zip", lambda: drawn.append("part"))
    print_job(batch)
    assert len(drawn) == 3 + 1


def test_a_ticket_that_is_returned_meanwhile_is_not_on_the_paper(batch, print_job, while_storing):
    while_storing(".zip", once(lambda: deal_with(batch, RETURN, "2")))
    job = print_job(batch)
    assert codes_on_paper(job) == [[code] for code in valid_codes(batch)]
    assert printed(batch) == [1, 3, 4, 5]


def test_all_are_returned_meanwhile(batch, print_job, while_storing, worker):
    while_storing(".pdf", once(lambda: deal_with(batch, RETURN, "1-5")))
    with worker():
        job = print_job(batch)
    assert job.state == State.FAILED
    message = "There is nothing to print, because all tickets of this batch have been canceled or split off."
    assert job.message == message
    folder = Path(default_storage.path("cachedfiles"))
    assert (printed(batch), [path for path in folder.iterdir() if path.suffix in (".zip", ".pdf")]) == ([], [])


def test_on_sheets_all_others_keep_their_places(batch, print_job, while_storing):
    sheet = Sheet.parse({"paper": "A4", "order": "stack", "columns": 1, "rows": 2})

    def change():
        deal_with(batch, RETURN, "2")
        replace(batch, "5")

    while_storing(".zip", once(change))
    job = print_job(batch, PrintRequest.of(batch, choose(batch), sheet))
    first, third, fourth, fifth = valid_codes(batch)
    # As they lie there from top to bottom. There is a hole where the second one was.
    assert codes_on_paper(job) == [[first, fourth], [fifth], [third]]
    assert printed(batch) == [1, 3, 4, 5]


def test_codes_that_are_replaced_again_and_again(batch, print_job, while_storing, anna_reads):
    """It comes to an end, says which paper is not valid, and that does not count as printed."""
    while_storing(".pdf", lambda: replace(batch, "1, 3-4"))
    job = print_job(batch)
    warning = "Some tickets were changed again and again meanwhile. What this file has of them is not valid: 1, 3-4"
    assert (job.state, job.message) == (State.SUCCEEDED, warning)
    [_, [second], _, _, [fifth]], valid = codes_on_paper(job), valid_codes(batch)
    assert (second, fifth, printed(batch)) == (valid[1], valid[4], [2, 5])
    assert choose(batch, only="unprinted") == [1, 3, 4]
    logged = entry(batch, "printed")
    assert logged.parsed_data == {"amount": 2, "changed": "1, 3-4"}
    assert logged.display() == (
        "2 tickets have been printed. "
        "Tickets that were changed meanwhile, so that what was made of them is not valid: 1, 3-4"
    )
    assert warning in anna_reads(batch)


@pytest.fixture
def anna_reads(client, user, team):
    """``anna_reads(batch)``: the page of the batch."""

    def anna_reads(batch):
        client.force_login(user)
        event = batch.event
        place = f"/control/event/{event.organizer.slug}/{event.slug}/offlinesales/{batch.pk}/"
        return client.get(place).content.decode()

    return anna_reads


def test_a_piece_on_another_sheet_that_has_the_old_code_does_not_count(batch):
    """The front is in one part, the back in another one, and only one of them was drawn again."""
    first, second, *_others = tickets(batch)
    old = Printed.of(1, first)
    replace(batch, "1")
    first.refresh_from_db()
    first.order.refresh_from_db()
    new, other = Printed.of(1, first), Printed.of(2, second)
    assert old != new
    compared = compare([old, new, other])
    assert ([row.position for row in compared.same], compared.changed) == ([second.pk], {old, new})
    assert [row.position for row in compare([new, other]).same] == [first.pk, second.pk]


def test_nobody_reads_codes_from_what_is_remembered(batch, print_job):
    job = print_job(batch)
    remembered = str(list(job.parts.values_list("printed", flat=True)))
    assert not any(code in remembered for code in valid_codes(batch))


# Data files


def rows_of(job):
    with job.file.file.open() as file:
        return list(csv.DictReader(StringIO(file.read().decode("utf-8-sig"), newline="")))


def make_data(batch):
    job = MAKE_DATA.ask(batch, DataOptions(Format.CSV), {})
    run(job)
    return job


def test_a_data_file_has_the_codes_of_the_end(batch, while_storing):
    def change():
        deal_with(batch, RETURN, "2")
        replace(batch, "5")

    while_storing(".csv", once(change))
    job = make_data(batch)
    assert (job.state, job.message) == (State.SUCCEEDED, "")
    assert [row["Ticket secret"] for row in rows_of(job)] == valid_codes(batch)
    assert entry(batch, "data").parsed_data["amount"] == 4


def test_a_data_file_of_tickets_that_are_replaced_again_and_again(batch, while_storing, anna_reads):
    while_storing(".csv", lambda: replace(batch, "3"))
    job = make_data(batch)
    warning = "Some tickets were changed again and again meanwhile. What this file has of them is not valid: 3"
    assert (job.state, job.message) == (State.SUCCEEDED, warning)
    data = entry(batch, "data").parsed_data
    assert (data["amount"], data["changed"]) == (5, "3")
    assert warning in anna_reads(batch)


# Attempts that have lost their job


def test_a_part_of_who_has_lost_the_job_is_not_kept(batch):
    job = PRINT.ask(batch, {})
    folder = Path(default_storage.path("cachedfiles"))
    before = set(folder.iterdir())
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING, attempts=2)
    job.attempts = 1
    with pytest.raises(JobLost):
        work.print_tickets(job)
    assert job.parts.filter(printed__isnull=True, file=None).count() == 3
    assert set(folder.iterdir()) == before


# Parts that are gone


def lose_row(part):
    CachedFile.objects.filter(pk=part.file_id).update(expires=now() - timedelta(seconds=1))
    clean_cached_files(None)


def lose_content(part):
    part.file.file.storage.delete(part.file.file.name)


@pytest.mark.parametrize("lose", [lose_row, lose_content])
def test_a_part_that_is_gone_before_it_is_needed_is_drawn_again(batch, while_storing, lose):
    job = PRINT.ask(batch, {})
    seen = []

    def lose_the_first():
        seen.append(None)
        if len(seen) == 3:
            lose(job.parts.first())

    while_storing(".zip", lose_the_first)
    run(job)
    assert (job.state, len(seen)) == (State.SUCCEEDED, 4)
    assert codes_on_paper(job) == [[code] for code in valid_codes(batch)]


def test_parts_that_are_always_gone_are_not_drawn_for_ever(batch, while_storing):
    job = PRINT.ask(batch, {})
    drawn = []

    def lose_all_others():
        drawn.append(None)
        for part in job.parts.filter(printed__isnull=False):
            lose_content(part)

    while_storing(".zip", lose_all_others)
    run(job)
    assert job.state == State.FAILED
    assert len(drawn) < 3 * (work.MAX_REPETITIONS + 1)
