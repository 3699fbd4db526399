"""
Workers and storage that fail while they print: the file arrives, once, and nothing else stays. And others who change
tickets meanwhile.
"""

import os
import signal
import zipfile
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from django.conf import settings
from django.utils.timezone import now
from pretix.base.models import CachedFile, OrderPosition
from pretix.base.models.orders import PrintLog
from pretix.base.services.cleanup import clean_cached_files

from pretix_offlinesales import tasks
from pretix_offlinesales.kinds import MAKE_DATA
from pretix_offlinesales.models import Job, OfflineSalesBatch
from pretix_offlinesales.printing.data import DataOptions, Format, Pictures
from pretix_offlinesales.tickets.state import with_state

from . import witness
from .moments import at, claimed, job_of
from .processes import Worker, wait_until

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("layout")]

AMOUNT = 3_000


@pytest.fixture
def batch(client, worker):
    return client.wait(client.ask(amount=AMOUNT)).json()["id"]


def files(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file()]


@pytest.fixture
def stored():
    """``stored()``: the files that were stored since the test began."""
    before = set(files(settings.MEDIA_ROOT))
    return lambda: set(files(settings.MEDIA_ROOT)) - before


def pages(response):
    assert response.status_code == 200, response.text
    with pikepdf.open(BytesIO(response.content)) as pdf:
        return len(pdf.pages)


@pytest.mark.parametrize("moments", [[claimed], [at(25), at(50)]], ids=["at the beginning", "twice in the middle"])
def test_kill_9_while_printing(client, worker, batch, hit, stored, moments):
    download = client.ask_to_print(batch)
    job = job_of(download)
    for attempt, moment in enumerate(moments, start=1):
        moment(job, attempt)
        worker = hit(worker)
        client.get(download)
    assert pages(client.wait(download)) == AMOUNT
    assert pages(client.get(download)) == AMOUNT
    assert len(stored()) == 1
    assert files(Worker.temporary_files()) == []


def test_kill_9_while_printing_sheets(client, worker, batch, hit, stored):
    """Four on each, in stacks. All of them are there, and recorded once."""
    download = client.ask_to_print(batch, sheet={"paper": [420, 594], "order": "stack"})
    job = job_of(download)
    at(25)(job, 1)
    hit(worker)
    client.get(download)
    response = client.wait(download)
    assert pages(response) == AMOUNT / 4
    with pikepdf.open(BytesIO(response.content)) as pdf:
        labels = [str(label.P) for label in list(pdf.Root.PageLabels.Nums)[1::2]]
    assert labels == [f"{sheet:04} … {sheet + 2250:04}" for sheet in range(1, 751)]
    assert PrintLog.objects.filter(info__job=str(job.pk)).count() == AMOUNT
    assert len(stored()) == 1


def test_kill_9_while_a_data_file_is_made(worker, batch, hit, stored):
    options = DataOptions(Format.CSV, Pictures.PNG)
    job = MAKE_DATA.ask(OfflineSalesBatch.objects.get(pk=batch), options, {})
    tasks.start(job)
    at(25)(job)
    hit(worker)

    def finished():
        job.refresh_from_db()
        tasks.recover(job)  # as whoever looks at the page of the batch does
        return job.finished

    wait_until(finished)
    assert (job.state, job.attempts) == ("succeeded", 2)
    with zipfile.ZipFile(job.file.file) as archive:
        names = [f"codes/{number:04}.png" for number in range(1, AMOUNT + 1)]
        assert sorted(archive.namelist()) == [*names, "tickets.csv"]
    assert len(stored()) == 1
    assert files(Worker.temporary_files()) == []


def test_a_print_that_is_interrupted_again_and_again_is_given_up(client, worker, batch, hit, stored):
    download = client.ask_to_print(batch)
    job = job_of(download)
    for attempt in (1, 2, 3):
        claimed(job, attempt)
        worker = hit(worker)
        client.get(download)
    assert client.wait(download).status_code == 410
    assert stored() == set()
    assert pages(client.wait(client.ask_to_print(batch))) == AMOUNT


def test_broken_storage_is_an_interruption_and_the_next_attempt_works(client, worker, batch, stored):
    media = Path(settings.MEDIA_ROOT)
    away = media.rename(media.with_name("media that is away"))
    media.write_text("not a folder")
    try:
        download = client.ask_to_print(batch)
        wait_until(lambda: job_of(download).interruptions)
        assert job_of(download).state == Job.State.WAITING
    finally:
        media.unlink()
        away.rename(media)
    assert stored() == set()
    assert pages(client.wait(download)) == AMOUNT


def test_two_prints_at_once_are_two_files(client, worker, batch, stored):
    downloads = [client.ask_to_print(batch) for _ in range(2)]
    assert [pages(client.wait(download)) for download in downloads] == [AMOUNT, AMOUNT]
    assert len(stored()) == 2
    assert Job.objects.filter(batch=batch, attempts=1, state=Job.State.SUCCEEDED).count() == 3


# Others who change tickets meanwhile


def hidden_texts(content, amount):
    """What machines read on the first pages: the codes."""
    pdf = pypdfium2.PdfDocument(content)
    return [pdf[page].get_textpage().get_text_range() for page in range(amount)]


def secrets(batch, amount):
    positions = OrderPosition.all.filter(order__offline_sales_ticket__batch=batch)
    return list(positions.order_by("order__offline_sales_ticket__number").values_list("secret", flat=True)[:amount])


def printed(batch):
    """How many tickets are known to be."""
    return with_state(OfflineSalesBatch.objects.get(pk=batch).tickets.all()).filter(printed=True).count()


@pytest.mark.parametrize("suffix", [".zip", ".pdf"], ids=["a part is drawn", "all parts are put together"])
def test_what_is_replaced_while_it_is_printed_is_on_the_paper(client, worker, batch, stored, frozen_at, suffix):
    frozen_at(suffix)
    download = client.ask_to_print(batch)
    wait_until(witness.frozen)
    before = secrets(batch, 6)
    check = client.post(f"{batch}/replace/", {"tickets": "1-5"}).json()["check"]
    assert len(client.wait(check).json()["replaced"]) == 5
    after = secrets(batch, 6)
    assert (set(before) & set(after), before[5]) == ({after[5]}, after[5])
    witness.thaw()
    response = client.wait(download)
    assert pages(response) == AMOUNT
    texts = hidden_texts(response.content, 6)
    assert [secret for secret, text in zip(after, texts, strict=True) if secret not in text] == [], (after, texts)
    assert printed(batch) == AMOUNT
    assert len(stored()) == 1


def test_what_is_returned_while_it_is_printed_is_not_on_the_paper(client, worker, batch, frozen_at):
    frozen_at(".pdf")
    download = client.ask_to_print(batch)
    wait_until(witness.frozen)
    check = client.post(f"{batch}/return/", {"tickets": "1-5"}).json()["check"]
    assert len(client.wait(check).json()["returned"]) == 5
    witness.thaw()
    response = client.wait(download)
    assert pages(response) == AMOUNT - 5
    assert printed(batch) == AMOUNT - 5


# Workers that stand still, until others have done it


@pytest.fixture
def frozen_at():
    """``frozen_at(suffix)``: whoever stores such a file next stands still. Nobody does so after the test."""
    yield witness.freeze_whoever_stores
    if process := witness.frozen():
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    for note in Path(settings.DATA_DIR).glob("fr[eo]*ze*"):
        note.unlink()


@pytest.fixture
def cut_off(servers):
    """Who stands still in a transaction is not connected any more, so that others take the job to be abandoned."""

    def cut_off():
        servers.sql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND state LIKE 'idle in%%'",
            [settings.NAME],
        )

    return cut_off


def expire():
    """A day later, the host has cleaned up."""
    CachedFile.objects.update(expires=now() - timedelta(seconds=1))
    clean_cached_files(None)


@pytest.mark.parametrize("suffix", [".zip", ".pdf"], ids=["a part", "the whole"])
@pytest.mark.parametrize("expired", [False, True], ids=["still there", "expired"])
def test_a_worker_that_was_frozen_while_others_printed(
    client, start_worker, batch, stored, frozen_at, cut_off, suffix, expired
):
    start_worker(ready=True)
    frozen_at(suffix)
    download = client.ask_to_print(batch)
    wait_until(witness.frozen)
    cut_off()
    response = client.wait(download)
    assert pages(response) == AMOUNT
    if expired:
        expire()
    files_before = {path: path.read_bytes() for path in stored()}
    assert len(files_before) == (0 if expired else 1)
    witness.thaw()
    wait_until(lambda: stored() == set(files_before))
    assert {path: path.read_bytes() for path in stored()} == files_before
    assert client.get(download).status_code == (404 if expired else 200)
    named = CachedFile.objects.values_list("file", flat=True)
    assert {str(path.relative_to(settings.MEDIA_ROOT)) for path in stored()} <= set(named)


@pytest.mark.parametrize("expired", [False, True], ids=["still there", "expired"])
def test_a_worker_that_was_frozen_while_others_made_the_data_file(
    start_worker, worker, batch, stored, frozen_at, cut_off, expired
):
    start_worker(ready=True)
    frozen_at(".csv")
    job = MAKE_DATA.ask(OfflineSalesBatch.objects.get(pk=batch), DataOptions(Format.CSV), {})
    tasks.start(job)
    wait_until(witness.frozen)
    cut_off()

    def finished():
        job.refresh_from_db()
        tasks.recover(job)
        return job.finished

    wait_until(finished)
    assert (job.state, job.attempts) == ("succeeded", 2)
    if expired:
        expire()
    files_before = {path: path.read_bytes() for path in stored()}
    assert len(files_before) == (0 if expired else 1)
    witness.thaw()
    wait_until(lambda: stored() == set(files_before))
    assert {path: path.read_bytes() for path in stored()} == files_before
