"""Personal data is deleted on the host's own pages, and what nobody needs any more is not kept at all."""

import json
import time
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.db import connection
from django.utils.timezone import now
from pretix.base.logentrytypes import log_entry_types
from pretix.base.models import CachedFile, LogEntry, Organizer

from pretix_offlinesales.documents.kept import pdf
from pretix_offlinesales.jobs import runner
from pretix_offlinesales.jobs.retention import delete_old
from pretix_offlinesales.kinds import RETURN
from pretix_offlinesales.models import Job, JobStep, Movement
from pretix_offlinesales.shredders import COMMENTED, DocumentShredder
from pretix_offlinesales.tickets.selection import Selection
from tests.support.jobs import done, skipped
from tests.support.pages import alerts
from tests.support.sellers import handed_over, make_seller
from tests.support.statements import sell, state

PERSONAL = ("Anna Miller", "Bob Smith", "Cleo Jones", "Dora Brown")


@pytest.fixture
def shredder_pages(anna, event):
    """The host wants the event to be over and its shop closed, and to know who it is."""
    event.live, event.date_from = False, now() - timedelta(days=90)
    event.save()
    session = anna.session
    session["pretix_auth_login_time"] = int(time.time())
    session.save()
    return f"/control/event/{event.organizer.slug}/{event.slug}/shredder/"


@pytest.fixture
def export(anna, shredder_pages):
    """``export()``: ask the host for what would be deleted; the answer is the page that offers it."""

    def export():
        return anna.post(f"{shredder_pages}export", {"shredder": "pretix_offlinesales"}, follow=True)

    return export


@pytest.fixture
def shred(anna, event, export, shredder_pages):
    """``shred()``: export and delete, and get the files of the download by name."""

    def shred():
        file = export().context["file"]
        with ZipFile(BytesIO(file.file.read())) as archive:
            files = {name: json.loads(archive.read(name)) for name in archive.namelist() if "offlinesales" in name}
        done = anna.post(f"{shredder_pages}shred", {"slug": event.slug, "file": file.pk}, follow=True)
        assert alerts(done)[0] == "The selected data was deleted successfully."
        return files

    return shred


@pytest.fixture
def people(anna, event, pages, make, worker, layout):
    """A batch whose comment was changed, a failed request, a return with mistyped lines, and a print."""
    batch = make(comment="Anna Miller")
    anna.post(f"{pages}{batch.pk}/comment", {"comment": "Bob Smith"})
    with worker():
        anna.post(f"{pages}{batch.pk}/return", {"lines": "1\nCleo Jones", "kind": "unsold", "confirmed": "on"})
        anna.post(f"{pages}{batch.pk}/print")
    request = Job.objects.get(kind="issue").request | {"comment": "Dora Brown"}
    Job.objects.create(event=event, kind="issue", state="failed", finished=now(), request=request, locale="en")
    return batch


def stored() -> str:
    """All that the database knows of batches, jobs and their history, as text."""
    found = []
    with connection.cursor() as cursor:
        for table in (*connection.introspection.table_names(),):
            if table.startswith("pretix_offlinesales") or table == LogEntry._meta.db_table:
                cursor.execute(f"SELECT * FROM {table}")
                found += cursor.fetchall()
    return repr(found)


def test_the_host_offers_it(anna, shredder_pages):
    assert "Offline sales" in anna.get(shredder_pages).content.decode()


def test_everything_about_people_is_offered_for_download_and_deleted(anna, pages, people, shred):
    batch = people
    assert [name for name in PERSONAL if name not in stored()] == []
    print_job = Job.objects.get(kind="print")
    assert print_job.file.file.storage.exists(print_job.file.file.name)
    entry = LogEntry.objects.get(action_type=COMMENTED)
    failed, returning = Job.objects.get(state="failed"), Job.objects.get(kind="return")
    issued = Job.objects.get(kind="issue", state="succeeded")

    assert shred() == {
        "offlinesales-comments.json": {str(batch.pk): "Bob Smith"},
        "offlinesales-comment-history.json": [
            {"batch": batch.pk, "datetime": entry.datetime.isoformat(), "comment": "Bob Smith"}
        ],
        "offlinesales-jobs.json": {
            str(issued.pk): {"comment": "Anna Miller"},
            str(failed.pk): {"comment": "Dora Brown"},
            str(returning.pk): {"skipped": [{"order": None, "value": "Cleo Jones", "reason": "unknown"}]},
        },
    }
    assert [name for name in PERSONAL if name in stored()] == []
    entry.refresh_from_db()
    assert (entry.shredded, entry.parsed_data) == (True, {"comment": "█"})
    assert not CachedFile.objects.filter(pk=print_job.file_id).exists()
    assert not print_job.file.file.storage.exists(print_job.file.file.name)
    for page in ("", f"{batch.pk}/", f"results/{returning.pk}/", f"add?again={failed.pk}"):
        assert anna.get(pages + page).status_code == 200


def test_twice_deletes_nothing_more(people, shred):
    shred()
    before = stored()
    assert shred() == {
        "offlinesales-comments.json": {},
        "offlinesales-comment-history.json": [],
        "offlinesales-jobs.json": {},
    }
    assert [name for name in PERSONAL if name in before + stored()] == []


def test_other_events_keep_theirs(people, shred, series, store_elsewhere):
    elsewhere = store_elsewhere("Anna Miller")
    shred()
    elsewhere.refresh_from_db()
    assert elsewhere.comment == "Anna Miller"


@pytest.fixture
def store_elsewhere(series, series_item, subevent):
    def store_elsewhere(comment):
        web = Organizer.objects.get().sales_channels.get(identifier="web")
        return series.offline_sales_batches.create(
            item=series_item, subevent=subevent, sales_channel=web, amount=1, comment=comment
        )

    return store_elsewhere


def test_nothing_is_shredded_while_jobs_need_it(event, people, export):
    RETURN.ask(event, Selection.from_json({"lines": ["Cleo Jones"]}), {})
    refused = "Offline sales still works on jobs of this event. Please wait until they are done."
    assert refused in alerts(export())
    assert [name for name in PERSONAL if name not in stored()] == []


def test_each_entry_of_the_history_knows_what_is_personal_in_it(people):
    entries = LogEntry.objects.filter(action_type__startswith="pretix_offlinesales.").order_by("pk")
    before = {entry.pk: entry.data for entry in entries}
    for entry in entries:
        log_entry_types.get(action_type=entry.action_type)[0].shred_pii(entry)
    changed = [entry.action_type for entry in entries.all() if entry.data != before[entry.pk]]
    assert (len(before) > 3, changed) == (True, [COMMENTED])


# What is not needed is not kept


def test_what_was_scanned_and_typed_is_forgotten_when_it_is_done(people):
    job = Job.objects.get(kind="return")
    assert (job.selection, len(done(job)), [line["value"] for line in skipped(job)]) == (
        None,
        1,
        ["Cleo Jones"],
    )


def test_a_return_that_fails_forgets_it_too(event, store_return):
    job = store_return("waiting")
    event.plugins = ""
    event.save()
    runner.run(event, job.pk)
    job.refresh_from_db()
    assert (job.state, job.selection) == ("failed", None)


@pytest.fixture
def store_return(event):
    def store_return(state, **values):
        job = RETURN.ask(event, Selection.from_json({"secrets": ["Cleo Jones"]}), {})
        JobStep.objects.create(job=job, skipped=[{"order": None, "value": "Cleo Jones", "reason": "unknown"}])
        job.row.update(state=state, **values)
        job.refresh_from_db()
        return job

    return store_return


@pytest.mark.parametrize(
    ("state", "age", "kept"),
    [
        ("waiting", None, {"selection", "skipped"}),
        ("running", None, {"selection", "skipped"}),
        ("failed", timedelta(hours=23), {"skipped"}),
        ("failed", timedelta(hours=25), set()),
        ("succeeded", timedelta(hours=23), {"skipped"}),
    ],
)
def test_what_a_dead_worker_left_is_forgotten_by_the_periodic_task(store_return, state, age, kept):
    job = store_return(state, finished=age and now() - age)
    delete_old()
    job.refresh_from_db()
    left = {"selection": job.selection, "skipped": skipped(job)}
    assert {name for name, value in left.items() if value} == kept


@pytest.mark.django_db
def test_documents_of_the_event_lose_people_and_keep_numbers_and_sums(
    anna, event, organizer, make_batch, shredder_pages, django_capture_on_commit_callbacks
):
    batch = make_batch(amount=4)
    seller = make_seller(organizer, "Anna Miller", address="Main street 1")
    document = handed_over(batch, seller, "1-3", "For Bob Smith")
    pdf(document)
    exported = anna.post(f"{shredder_pages}export", {"shredder": "pretix_offlinesales_documents"}, follow=True)
    file = exported.context["file"]
    with file.file.open("rb") as content, ZipFile(content) as archive:
        assert archive.read("offlinesales-documents/delivery-1.pdf").startswith(b"%PDF")
        code = archive.read("CONFIRM_CODE.txt").decode()  # what may be relevant for taxes must be downloaded first
    with django_capture_on_commit_callbacks(execute=True):
        values = {"slug": event.slug, "file": file.pk, "confirm_code": code}
        index = anna.post(f"{shredder_pages}shred", values, follow=True)
    assert alerts(index)[0] == "The selected data was deleted successfully."
    document.refresh_from_db()
    said = json.dumps(document.snapshot)
    assert not any(each in said for each in ("Anna Miller", "Main street", "Bob Smith"))
    assert (document.number, document.count, document.value) == (1, 3, Decimal("69.00"))
    assert (document.comment, bool(document.file)) == ("", False)
    assert [line["numbers"] for line in document.snapshot["lines"]] == ["1–3"]
    assert Movement.objects.get().numbers == [[1, 3]]
    # The seller is the organizer's, and has other events.
    seller.refresh_from_db()
    assert seller.name == "Anna Miller"
    # Whoever asks for it gets one without names.
    assert pdf(document).read().startswith(b"%PDF")


@pytest.mark.django_db
def test_statements_lose_people_even_if_they_are_about_other_events_too(
    event, series, subevent, series_item, organizer, make_batch, issued, django_capture_on_commit_callbacks
):
    seller = make_seller(organizer, "Anna Miller", commission_percent=10)
    tours = issued(series, series_item, subevent=subevent).batch
    sell(make_batch(amount=4), seller, "1-3")
    sell(tours, seller, "1")
    of_both = state(seller, event, series).document
    sell(tours, seller, "2")
    of_another = state(seller, series).document
    shredder = DocumentShredder(event)
    files = {name: content for name, _type, content in shredder.generate_files()}
    assert set(files) == {f"offlinesales-documents/{name}.pdf" for name in ("delivery-1", "statement-1")}
    with django_capture_on_commit_callbacks(execute=True):
        shredder.shred_data()
    of_both.refresh_from_db(), of_another.refresh_from_db()
    assert "Anna Miller" not in json.dumps(of_both.snapshot)
    assert (of_both.statement.invoice_number, bool(of_both.file)) == (1, False)
    assert "Anna Miller" in json.dumps(of_another.snapshot)


def test_comments_of_several_batches_that_were_asked_for_at_once_are_deleted_too(event, shred):
    asked = {"sales_channel_id": 1, "item_id": 1, "amount": 5}
    request = {"batches": [asked | {"comment": "Anna Miller"}, asked | {"comment": "Anna Miller", "seller_id": 3}]}
    job = Job.objects.create(
        event=event, kind="issue_several", state="failed", finished=now(), request=request, locale="en"
    )
    assert shred()["offlinesales-jobs.json"] == {str(job.pk): {"comments": ["Anna Miller"]}}
    assert "Anna Miller" not in stored()
    job.refresh_from_db()
    assert job.request == {"batches": [asked, asked | {"seller_id": 3}]}
