"""Printing, and the host's rendering of as many tickets."""

import tempfile
from collections.abc import Callable

from pretix.base.models import CachedFile, OrderPosition
from pretix.plugins.ticketoutputpdf.tasks import bulk_render

from pretix_offlinesales.jobs import runner
from pretix_offlinesales.kinds import PRINT
from pretix_offlinesales.models import Job, OfflineSalesBatch
from pretix_offlinesales.printing.parts import print_part
from pretix_offlinesales.printing.plan import Plan
from pretix_offlinesales.printing.request import EVERYTHING, PrintRequest
from pretix_offlinesales.printing.sheets import Sheet

from .apart import FORK, Measured, apart
from .issuing import new_file
from .world import NOBODY


def host_print(batch_pk: int, amount: int) -> dict:
    """What its API for rendering tickets does, that takes up to 1,000 of them."""
    batch = the_batch(batch_pk)
    positions = OrderPosition.objects.filter(order__offline_sales_ticket__batch=batch).values_list("pk", flat=True)
    wanted = [{"orderposition": pk, "override_layout": batch.layout_id} for pk in positions[:amount]]
    file = new_file("tickets.pdf")
    with Measured() as measured:
        bulk_render.apply(kwargs={"event": batch.event_id, "fileid": str(file.pk), "parts": wanted}, throw=True)
    file.refresh_from_db()
    return {**measured.found, "bytes": file.file.size}


def the_batch(pk: int) -> OfflineSalesBatch:
    return OfflineSalesBatch.objects.select_related("event").get(pk=pk)


def render(batch_pk: int) -> dict:
    """What is drawn, and nothing else: no job, no parts, no file that is kept."""
    batch = the_batch(batch_pk)
    plan = Plan(batch, EVERYTHING)
    with Measured() as measured, tempfile.TemporaryFile() as output:
        print_part(plan, range(len(plan.numbers)), output)
    return measured.found


def print_one(batch_pk: int) -> dict:
    """The whole job, by one worker."""
    return _print(the_batch(batch_pk))


def print_sheets(batch_pk: int) -> dict:
    """Nine on a sheet, to be cut in a stack. The layout measures A4, so the paper is a large one."""
    batch = the_batch(batch_pk)
    sheet = Sheet.parse(
        {"paper": [700, 1000], "columns": 3, "rows": 3, "margin": 10, "gutter": 5, "crop_marks": True, "order": "stack"}
    )
    return _print(batch, lambda: PrintRequest.of(batch, batch.numbers, sheet))


def _print(batch: OfflineSalesBatch, ask: Callable[[], PrintRequest] = PrintRequest) -> dict:
    """From the request on."""
    with Measured() as measured:
        job = PRINT.ask(batch, NOBODY, ask())
        runner.run(batch.event, job.pk)
    return {**measured.found, "bytes": _printed(job).file.size}


def _printed(job: Job) -> CachedFile:
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED, job.message
    return job.file


def print_two(batch_pk: int) -> dict:
    """The whole job, by two workers, that have long been running when it comes."""
    job_pk = apart(_request, batch_pk)
    start = FORK.Barrier(3)
    workers = [FORK.Process(target=_work, args=(batch_pk, job_pk, start)) for _ in range(2)]
    for worker in workers:
        worker.start()
    start.wait()
    with Measured() as measured:
        for worker in workers:
            worker.join()
    _printed(Job.objects.get(pk=job_pk))
    return measured.found


def _request(batch_pk: int):
    return PRINT.ask(the_batch(batch_pk), NOBODY).pk


def _work(batch_pk: int, job_pk, start) -> None:
    batch = the_batch(batch_pk)
    _print(batch, lambda: PrintRequest.of(batch, batch.numbers[:1]))
    start.wait()
    runner.run(batch.event, job_pk)
