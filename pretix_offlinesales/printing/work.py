"""A printing job is done, by as many workers as there are; or a data file is made, by one."""

import tempfile
from contextlib import ExitStack
from typing import BinaryIO

from django.core.files import File
from django.db import transaction
from django.utils.timezone import now
from pretix.base.models import CachedFile

from ..models import RESULT_LIFETIME, Job
from . import Plan, merge_parts, print_part
from .data import DataOptions, write_data
from .log import count_blocked, log_prints


def print_tickets(job: Job) -> None:
    """Whoever works on it draws parts until none is left to be taken. Who finds all of them done puts them together."""
    plan, total = Plan(job.batch, job.data), job.parts.count()
    while _print_part(job, plan):
        job.report(job.parts.filter(positions__isnull=False).count(), total + 1)
    with transaction.atomic():
        mine = job.row.filter(state=Job.State.RUNNING, attempts=job.attempts).select_for_update(skip_locked=True)
        if mine.exists() and not job.parts.filter(positions__isnull=True).exists():
            _finish(job, plan)


def _print_part(job: Job, plan: Plan) -> bool:
    """Draw a part that nobody draws. The lock of its row goes with the worker, and what it stored is stored again."""
    with transaction.atomic():
        part = job.parts.filter(positions__isnull=True).select_for_update(skip_locked=True, of=("self",)).first()
        if not part:
            return False
        with tempfile.TemporaryFile() as output:
            part.positions = print_part(plan, part.units, output, lambda done, total: job.check_lock())
            _store(part.file, output)
        part.save(update_fields=["positions"])
    return True


def _finish(job: Job, plan: Plan) -> None:
    done = list(job.parts.select_related("file"))
    with ExitStack() as files, tempfile.TemporaryFile() as output:
        merge_parts(plan, [files.enter_context(part.file.file.open()) for part in done], output)
        _store(job.file, output)
    job.file.expires = now() + RESULT_LIFETIME
    job.file.save(update_fields=["expires"])
    # Pieces of one position may lie on sheets of several parts.
    positions = list({position for part in done for position in part.positions})
    amount, blocked = log_prints(job, positions), count_blocked(positions)
    about_blocked = {"blocked": blocked} if blocked else {}
    job.data |= about_blocked
    job.write_down(job.batch, "pretix_offlinesales.batch.printed", {"amount": amount, **about_blocked})
    job.succeed()
    transaction.on_commit(lambda: [part.file.delete() for part in done])


def make_data_file(job: Job) -> None:
    options = DataOptions.parse(job.data)
    with tempfile.TemporaryFile() as output:
        amount = write_data(job.batch, options, output, job.report)
        with transaction.atomic():
            _store(job.file, output)
            job.file.expires = now() + RESULT_LIFETIME
            job.file.save(update_fields=["expires"])
            entry = {"amount": amount, **options.data}
            job.batch.log_action("pretix_offlinesales.batch.data", entry, **job.requester)
            job.succeed()


def _store(file: CachedFile, content: BinaryIO) -> None:
    content.seek(0)
    file.file.storage.delete(file.file.name)  # what a dead worker has left
    file.file.storage.save(file.file.name, File(content))
