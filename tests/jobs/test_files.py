"""Files that jobs make: none is replaced by who came too late, and none is forgotten."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction
from django.utils.timezone import now
from pretix.base.models import CachedFile
from pretix.base.services.cleanup import clean_cached_files

from pretix_offlinesales.jobs import files, runner
from pretix_offlinesales.kinds import MAKE_DATA
from pretix_offlinesales.models import RESULT_LIFETIME, Job, JobLost
from pretix_offlinesales.printing.data import DataOptions

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media_files(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


def stored():
    """The names of all files, and their content."""
    folder = Path(default_storage.path(""))
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def job(make_batch, layout):
    """A data file that somebody works on."""
    job = MAKE_DATA.ask(make_batch(), DataOptions(), {})
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING, attempts=1)
    job.refresh_from_db()
    return job


def finish(job, content, meanwhile=lambda: None):
    """What every job does that makes a file. It stands still before the content is stored."""
    with files.draft("tickets.pdf") as draft:
        meanwhile()
        draft.store(BytesIO(content))
        with transaction.atomic():
            draft.keep(job.pk)
            job.succeed()


def test_a_draft_becomes_the_content_of_the_row_that_was_there_before(job, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        finish(job, b"tickets")
    file = CachedFile.objects.get()
    assert (file.pk, file.filename, file.type) == (job.pk, "tickets.pdf", "application/pdf")
    assert (file.expires - file.date, file.web_download) == (RESULT_LIFETIME, False)
    assert stored() == {file.file.name: b"tickets"}


def test_a_row_knows_the_content_before_there_is_any():
    with files.draft("tickets.pdf"):
        file = CachedFile.objects.get()
        assert (stored(), file.expires > now()) == ({}, True)
        default_storage.save(file.file.name, ContentFile(b"what a dead worker has left"))
        CachedFile.objects.update(expires=now() - timedelta(seconds=1))
        clean_cached_files(None)
        assert (stored(), CachedFile.objects.count()) == ({}, 0)


def test_what_is_not_kept_is_deleted():
    with files.draft("tickets.pdf") as draft:
        draft.store(BytesIO(b"tickets"))
    assert (stored(), CachedFile.objects.count()) == ({}, 0)


def test_half_of_a_file_is_deleted(monkeypatch):
    def save(storage, name, content):
        Path(storage.path(name)).parent.mkdir(parents=True, exist_ok=True)
        Path(storage.path(name)).write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", save)
    with pytest.raises(OSError), files.draft("tickets.pdf") as draft:
        draft.store(BytesIO(b"tickets"))
    assert (stored(), CachedFile.objects.count()) == ({}, 0)


def test_who_comes_too_late_replaces_nothing_and_leaves_nothing(job):
    late = Job.objects.get(pk=job.pk)
    with pytest.raises(JobLost):
        finish(late, b"old codes", meanwhile=lambda: finish(job, b"new codes"))
    assert stored() == {CachedFile.objects.get().file.name: b"new codes"}


def test_who_comes_after_the_file_has_expired_leaves_nothing(job):
    late = Job.objects.get(pk=job.pk)

    def a_day_passes():
        finish(job, b"new codes")
        CachedFile.objects.update(expires=now() - timedelta(seconds=1))
        clean_cached_files(None)

    with pytest.raises(JobLost):
        finish(late, b"old codes", meanwhile=a_day_passes)
    assert (stored(), CachedFile.objects.count()) == ({}, 0)


def test_a_row_that_the_host_has_deleted_while_the_job_waited_comes_back(job, make_batch):
    CachedFile.objects.update(expires=now() - timedelta(seconds=1))
    clean_cached_files(None)
    Job.objects.update(state=Job.State.WAITING)
    runner.run(job.event, job.pk)
    waited = Job.objects.get(pk=job.pk)
    assert (waited.state, waited.file_id) == (Job.State.SUCCEEDED, job.pk)
    assert waited.file.file.read(2) == b"PK"


# Copies


@pytest.fixture
def background():
    return default_storage.save("pub/background.pdf", ContentFile(b"%PDF"))


def test_a_copy_lives_on_and_is_made_once(background):
    copy = CachedFile.objects.get(pk=files.copy(background))
    default_storage.delete(background)
    assert files.copy(background) == copy.pk
    assert stored() == {copy.file.name: b"%PDF"}
    assert CachedFile.objects.count() == 1


def test_whoever_asks_for_a_copy_has_it_for_two_days(background):
    pk = files.copy(background)
    CachedFile.objects.update(expires=now() + timedelta(hours=2))
    files.copy(background)
    assert CachedFile.objects.get(pk=pk).expires - now() > timedelta(hours=47)


def test_a_copy_that_has_expired_is_made_again(background, django_capture_on_commit_callbacks):
    pk = files.copy(background)
    CachedFile.objects.update(expires=now() - timedelta(seconds=1))
    with django_capture_on_commit_callbacks(execute=True):
        assert files.copy(background) == pk
    assert stored() == {background: b"%PDF", CachedFile.objects.get().file.name: b"%PDF"}
