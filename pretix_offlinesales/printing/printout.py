"""What a printing job prints: parts of one plan or of several, one after the other, that become a file."""

from collections.abc import Mapping, Sequence
from typing import BinaryIO

from ..jobs import files
from ..jobs.registry import request_of
from ..models import Job, OfflineSalesBatch, PrintPart
from .look import facts, settled
from .parts import merge_parts
from .plan import Plan


class Printout:
    """The units of all plans are counted from 1, as one."""

    mime_type = files.PDF

    def __init__(self, job: Job, plans: Sequence[Plan]):
        self.job, self.plans = job, plans

    def settle(self) -> None:
        """Give the plans their looks, the same for all workers."""
        raise NotImplementedError

    @property
    def filename(self) -> str:
        raise NotImplementedError

    def merge(self, contents: Mapping[PrintPart, BinaryIO], output: BinaryIO) -> None:
        """
        Write the file of all.

        :param contents: the files of the parts, in their order
        :raises JobFailed: if no ticket is on their pages
        """
        raise NotImplementedError

    def parts(self) -> list[range]:
        """The units in parts. None is of two plans."""
        parts: list[range] = []
        before = 0
        for plan in self.plans:
            parts += (range(units[0] + before, units[-1] + before + 1) for units in plan.parts())
            before += len(plan)
        return parts

    def units_of(self, part: PrintPart) -> tuple[Plan, range]:
        """Its plan, and what is to be printed of that."""
        before = 0
        for plan in self.plans:
            if part.first <= before + len(plan):
                return plan, range(part.first - before, part.last - before + 1)
            before += len(plan)
        raise LookupError(f"Part {part} is of no plan")

    def batch_of(self, part: PrintPart) -> OfflineSalesBatch:
        plan, _units = self.units_of(part)
        return plan.batch

    def facts_of(self, parts: Sequence[PrintPart]) -> list[str]:
        """Of each, what its tickets may say of the event."""
        batches = {batch.pk: batch for batch in map(self.batch_of, parts)}
        known = {pk: facts(batch) for pk, batch in batches.items()}
        return [known[self.batch_of(part).pk] for part in parts]


class BatchPrintout(Printout):
    """Tickets of the job's batch."""

    def __init__(self, job: Job):
        self.batch: OfflineSalesBatch = job.batch  # type: ignore[assignment]  # it is always about one
        super().__init__(job, [Plan(self.batch, request_of(job))])

    def settle(self) -> None:
        [plan] = self.plans
        plan.look = settled(self.job, plan.numbers)

    @property
    def filename(self) -> str:
        return files.filename(self.batch, "pdf")

    def merge(self, contents: Mapping[PrintPart, BinaryIO], output: BinaryIO) -> None:
        [plan] = self.plans
        merge_parts(plan, contents.values(), output)
