"""What would become of tickets, and what has become of them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Self

from pretix.base.models import Event

from ..db.queries import planned_plainly
from ..models import Job, OfflineSalesBatch
from ..tickets.selection import Choice, Selection, choose
from .attempt import order_ids, refusals
from .kind import CHUNK, AfterSale
from .orders import fetch


def examine(
    event: Event,
    batch: OfflineSalesBatch | None,
    selection: Selection,
    kind: AfterSale,
    sellers: Collection[int] = (),
) -> Iterator[tuple[Choice, str]]:
    """
    What would become of each of the chosen tickets: why it would be skipped, or nothing. Changes nothing.

    :param sellers: as in ``AfterSaleRequest``
    """
    choices = choose(event, batch, selection, kind.candidates, kind.dead)
    once = list({choice.ticket: choice for choice in choices if not choice.reason}.values())
    refused: dict[int, str] = {}
    for start in range(0, len(once), CHUNK):
        chunk = once[start : start + CHUNK]
        with planned_plainly():
            refused |= refusals(kind, fetch(event, order_ids(chunk)), chunk, sellers)
    for choice in choices:
        yield choice, choice.refusal(refused)


@dataclass(frozen=True)
class Result:
    """What has become of the tickets so far."""

    #: The codes of the orders that were dealt with.
    done: list[str]
    #: What was left alone, as the API tells it.
    skipped: list[dict]

    @classmethod
    def of(cls, job: Job) -> Self:
        steps = list(job.steps.all())
        return cls([code for step in steps for code in step.done], [line for step in steps for line in step.skipped])
