"""Workers and storage that fail while they print: the file arrives, once, and nothing else stays."""

import zipfile
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from django.conf import settings
from pretix.base.models.orders import PrintLog
from pretix.base.services.orders import error_messages

from pretix_offlinesales import jobs, tasks
from pretix_offlinesales.models import Job, OfflineSalesBatch
from pretix_offlinesales.printing.data import DataOptions, Format, Pictures

from .moments import at, claimed, job_of
from .processes import Worker, wait_until

pytestmark = pytest.mark.usefixtures("layout")

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
    job = jobs.create_data(OfflineSalesBatch.objects.get(pk=batch), options, {})
    tasks.start(job)
    at(25)(job)
    hit(worker)

    def finished():
        job.refresh_from_db()
        tasks.revive(job)  # as whoever looks at the page of the batch does
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


def test_broken_storage_is_a_failure_and_the_next_attempt_works(client, worker, batch, stored):
    media = Path(settings.MEDIA_ROOT)
    away = media.rename(media.with_name("media that is away"))
    media.write_text("not a folder")
    try:
        response = client.wait(client.ask_to_print(batch))
    finally:
        media.unlink()
        away.rename(media)
    assert (response.status_code, response.json()) == (
        410,
        {"status": "failed", "message": error_messages["internal"]},
    )
    assert stored() == set()
    assert pages(client.wait(client.ask_to_print(batch))) == AMOUNT


def test_two_prints_at_once_are_two_files(client, worker, batch, stored):
    downloads = [client.ask_to_print(batch) for _ in range(2)]
    assert [pages(client.wait(download)) for download in downloads] == [AMOUNT, AMOUNT]
    assert len(stored()) == 2
    assert Job.objects.filter(batch=batch, attempts=1, state=Job.State.SUCCEEDED).count() == 3
