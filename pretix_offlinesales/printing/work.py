"""A printing job is done, by as many workers as there are; or a data file is made, by one."""

import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from types import MappingProxyType
from typing import BinaryIO

from django.db import transaction
from django.utils.translation import gettext as _

from ..jobs import files
from ..jobs.registry import kind_of, request_of
from ..models import Job, OfflineSalesBatch, PrintPart
from ..tickets.numbers import format_numbers
from .choice import numbers_of
from .data import DataOptions, write_data
from .log import Row, compare, log_prints
from .look import Look, facts, settled
from .parts import print_part
from .printout import BatchPrintout, Printout
from .tickets import Printed

#: How often something is done again because tickets have changed meanwhile. Somebody may replace one after the other.
MAX_REPETITIONS = 5


def print_tickets(job: Job, printout: Printout | None = None) -> None:
    """
    Workers render parts until none is left to be taken. The last one merges the parts.

    :param printout: tickets of the job's batch, if nothing else is said
    """
    printout = printout or BatchPrintout(job)
    printout.settle()
    for left in reversed(range(MAX_REPETITIONS + 1)):
        total = job.parts.count()
        while _print_part(job, printout):
            job.report(job.parts.filter(printed__isnull=False).count(), total + 1)
        if job.parts.filter(printed__isnull=True).exists() or _finish(job, printout, is_last=not left):
            return
    raise RuntimeError(f"Parts of job {job} are lost again and again")


def _print_part(job: Job, printout: Printout) -> bool:
    """Render a part that nobody renders. The lock of its row goes with the worker, and what it stored is not kept."""
    with files.draft("part.zip", "application/zip", job.pk) as file, transaction.atomic():
        part = job.parts.filter(printed__isnull=True).select_for_update(skip_locked=True).first()
        if not part:
            return False
        [part.facts] = printout.facts_of([part])
        with tempfile.TemporaryFile() as output:
            plan, units = printout.units_of(part)
            part.printed = print_part(plan, units, output, lambda done, total: job.check_lock())
            file.store(output)
        before, part.file = part.file, file.keep()
        part.save(update_fields=["printed", "facts", "file"])
        job.commit_progress()
        if before:
            transaction.on_commit(before.delete)
    return True


def _finish(job: Job, printout: Printout, is_last: bool) -> bool:
    """
    Merge the parts, unless another worker does. Tickets count as printed if they are now as they were rendered.
    Where some have changed, or files are gone, these parts are to be rendered again. Returns whether none are.

    :param is_last: then changed tickets stay as they are; it is said of them that they are not valid
    """
    with files.draft(printout.filename, printout.mime_type, whose=job.pk) as file, transaction.atomic():
        mine = job.row.filter(state=Job.State.RUNNING, attempts=job.attempts).select_for_update(skip_locked=True)
        if not mine.exists() or job.parts.filter(printed__isnull=True).exists():
            return True
        parts = list(job.parts.select_related("file"))
        printed = set().union(*map(printed_on, parts))  # Pieces of one position may lie on sheets of several parts.
        with ExitStack() as opened, tempfile.TemporaryFile() as output:
            contents = {part: _open(opened, part) for part in parts}
            if lost := [part for part, content in contents.items() if not content]:
                return _render_again(job, lost)
            current = printout.facts_of(parts)
            outdated = [part for part, known in zip(parts, current, strict=True) if part.facts != known]
            if not is_last and outdated:
                return _render_again(job, outdated)
            printout.merge(contents, output)
            file.store(output)
        # From here on others may wait for the orders.
        same, changed = compare(printed, lock=True)
        if changed and not is_last:
            return _render_again(job, _with_any(changed, parts))
        job.update(file=file.keep(job.file_id or job.pk))
        batches = {each.position: printout.batch_of(part) for part in parts for each in printed_on(part)}
        blocked = _log(job, printout, batches, same, changed)
        warning = _warning(changed, batches if len(printout.plans) > 1 else {})
        job.succeed(warning, result={"blocked": blocked} if blocked else {})
        transaction.on_commit(lambda: _clean_up(job, parts))
    return True


def _log(
    job: Job,
    printout: Printout,
    batches: Mapping[int, OfflineSalesBatch],
    same: Sequence[Row],
    changed: Collection[Printed],
) -> int:
    """
    Write what is printed into the histories of batches and orders, and return how many tickets are blocked.

    :param batches: of positions
    """
    rows: dict[OfflineSalesBatch, list[Row]] = defaultdict(list)
    for row in same:
        rows[batches[row.position]].append(row)
    total = 0
    for plan in {plan.batch.pk: plan for plan in printout.plans}.values():
        of_batch, of_them = rows[plan.batch], [each for each in changed if batches[each.position] == plan.batch]
        if not of_batch and not of_them:
            continue
        blocked = {row.order for row in of_batch if row.is_blocked}
        about_blocked = {"blocked": len(blocked)} if blocked else {}
        about_sheet = {"sheet": plan.sheet.data} if plan.sheet else {}
        entry = {"amount": log_prints(job, plan.batch, of_batch), **about_blocked, **about_sheet, **_changed(of_them)}
        job.log(plan.batch, kind_of(job).action, entry)
        total += len(blocked)
    return total


def _clean_up(job: Job, parts: Collection[PrintPart] = ()) -> None:
    for part in parts:
        part.file.delete()
    files.discard(files.drafts(job.pk))


def _open(opened: ExitStack, part: PrintPart) -> BinaryIO | None:
    """Nothing, if it is not there any more, or not as a whole."""
    try:
        content = opened.enter_context(part.file.file.open()) if part.file else None
    except FileNotFoundError:
        return None
    return content if content and zipfile.is_zipfile(content) else None


def printed_on(part: PrintPart) -> set[Printed]:
    return {Printed(*each) for each in part.printed}


def _with_any(printed: set[Printed], parts: Collection[PrintPart]) -> list[PrintPart]:
    return [part for part in parts if not printed.isdisjoint(printed_on(part))]


def _render_again(job: Job, parts: Collection[PrintPart]) -> bool:
    """Nobody has them, since all are done, and who thinks so, too, has not got the job's row."""
    job.parts.filter(pk__in=[part.pk for part in parts]).update(printed=None)
    return False


def make_data_file(job: Job) -> None:
    options = request_of(job)
    look = settled(job, numbers_of(job.batch, options.tickets), with_backgrounds=False)
    for left in reversed(range(MAX_REPETITIONS + 1)):
        if _make_data_file(job, options, look, is_last=not left):
            return


def _make_data_file(job: Job, options: DataOptions, look: Look | None, is_last: bool) -> bool:
    """As ``_finish``: codes are as they are in the end."""
    name, before = files.filename(job.batch, options.suffix), facts(job.batch)
    with files.draft(name, options.mime_type, job.pk) as file, tempfile.TemporaryFile() as output:
        written = write_data(job.batch, options, output, job.report, look)
        file.store(output)
        with transaction.atomic():
            changed = compare(written).changed
            if not is_last and (changed or facts(job.batch) != before):
                return False
            job.update(file=file.keep(job.file_id or job.pk))
            amount = len({printed.number for printed in written})
            entry = {"amount": amount, **_changed(changed), **asdict(options)}
            job.log(job.batch, kind_of(job).action, entry)
            job.succeed(_warning(changed))
            transaction.on_commit(lambda: _clean_up(job))
    return True


def _changed(printed: Collection[Printed]) -> dict:
    """For the log."""
    return {"changed": _numbers(printed)} if printed else {}


def _warning(changed: Collection[Printed], batches: Mapping[int, OfflineSalesBatch] = MappingProxyType({})) -> str:
    """:param batches: of positions, if they are of several"""
    if not changed:
        return ""
    by_batch: dict[OfflineSalesBatch | None, list[Printed]] = defaultdict(list)
    for each in changed:
        by_batch[batches.get(each.position)].append(each)
    numbers = (f"{batch}: {_numbers(each)}" if batch else _numbers(each) for batch, each in by_batch.items())
    return _(
        "Some tickets were changed again and again meanwhile. What this file has of them is not valid: {numbers}"
    ).format(numbers="; ".join(numbers))


def _numbers(printed: Collection[Printed]) -> str:
    return format_numbers(sorted({each.number for each in printed}))
