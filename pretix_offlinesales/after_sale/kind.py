"""What all jobs have in common that do something with tickets that exist."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from pretix.base.models import Event, Order
from pretix.base.signals import EventPluginSignal

from ..db.rows import sent
from ..jobs.registry import Checkpoint, Kind, Stored, all_kinds, checkpoint_of
from ..models import Job, OfflineSalesBatch
from ..tickets.reasons import REVOKED
from ..tickets.selection import Selection
from .attempt import Attempt
from .orders import Orders
from .pace import Pace

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: How many tickets are dealt with in one transaction: as long as it takes, a scanner may have to wait for it.
CHUNK = 250

#: The keys of the log entries that were written, and the orders that turned out to be impossible, and why.
Outcome = tuple[list[int], dict[int, str]]


@dataclass(frozen=True)
class AfterSaleRequest(Stored):
    """Besides the selection of tickets."""

    #: Change nothing, but say what would become of each.
    dry_run: bool = False
    #: The keys of those one of whom must still hold each ticket; whoever does, if there are none.
    sellers: Sequence[int] = ()


@dataclass(frozen=True)
class AfterSaleCheckpoint(Checkpoint):
    """Orders are announced in the sequence in which they were dealt with, counted from 1."""

    #: Of the last ticket that was looked at: its batch and its number.
    place: Sequence[int] = ()
    #: How many tickets were dealt with.
    amount: int = 0


@dataclass(frozen=True)
class Option:
    """Something that one chooses besides the tickets."""

    label: "StrOrPromise"
    #: Values and what they are called.
    choices: "Sequence[tuple[str, StrOrPromise]]"

    def label_of(self, value: str) -> str:
        return str(dict(self.choices).get(value, value))


class AfterSale(Kind):
    """Something that can be done with tickets that exist: what, with which, and how that is said."""

    Request = AfterSaleRequest
    Checkpoint = AfterSaleCheckpoint

    #: Whether people and programs can ask for it: on pages of its own, and at an address of the API. Without that, it
    #: only needs what its result says.
    is_offered = True

    #: In the API: the end of the address, what it is called among others with the same one, and where the result lists
    #: the orders.
    api_action: ClassVar[str]
    api_of: ClassVar[str | None] = None
    api_done: ClassVar[str]

    #: What one can choose of its ``Request``, by field.
    options: ClassVar[dict[str, Option]] = {}

    # On the pages (where it is called by its name):
    explanation: "ClassVar[StrOrPromise]"
    #: What all tickets of a batch are called.
    everything: "ClassVar[StrOrPromise]"
    #: How many of them there are.
    question: "ClassVar[StrOrPromise]"
    #: What is said of a ticket while one scans.
    verdict: "ClassVar[StrOrPromise]"
    headline: "ClassVar[StrOrPromise]"
    #: What the result says of the tickets, and of each of them.
    result: "ClassVar[StrOrPromise]"
    outcome: "ClassVar[StrOrPromise]"
    #: The icon of its button.
    icon: ClassVar[str]
    #: Which tickets of a batch there must be, for the page of the batch to offer it.
    offered_for = Q()
    #: Whether lost tickets stay lost, which one must know.
    leaves_lost = False
    #: Whether it decides over money.
    moves_money = True
    #: Whether their orders are others afterwards, for quotas and for scanners, which load them again.
    changes_orders = True
    #: Whether the tickets need to be printed afterwards.
    needs_print = False
    #: By which kind of job it can be undone.
    undone_by: "ClassVar[AfterSale | None]" = None
    #: What the history of the order says, if it is we who say it.
    order_history: "ClassVar[StrOrPromise | None]" = None

    #: What all tickets are that something can be done about, by their state.
    candidates: ClassVar[Q]
    #: What is said of paper whose code has been revoked.
    dead: ClassVar[str] = REVOKED

    @property
    def path(self) -> str:
        """Of its page."""
        return self.identifier.replace("_", "/")

    @property
    def api_name(self) -> str:
        return self.api_action if self.is_offered else super().api_name

    @property
    def order_action(self) -> str:
        """Of its log entries in the histories of orders."""
        return f"pretix_offlinesales.order.{self.entry}"

    def describe_order(self, data: dict) -> str:
        """
        What the history of the order says.

        :param data: of the log entry
        """
        return str(self.order_history)

    def chosen(self, job: Job) -> list[str]:
        """What was chosen, in words, also of a request that can't be read."""
        chosen = {name: job.request.get(name, getattr(self.Request, name)) for name in self.options}
        return [self.options[name].label_of(value) for name, value in chosen.items()]

    def ask(
        self,
        event: Event,
        selection: Selection,
        requested_by: dict,
        batch: OfflineSalesBatch | None = None,
        pk: UUID | None = None,
        **request: Any,
    ) -> Job:
        """
        A job that does it.

        :param batch: what all the tickets must belong to; without it, those of the whole event are looked at
        :param pk: as in ``create``
        :param request: the values of the kind's ``Request``
        """
        selected = selection.data
        with transaction.atomic():
            job = self.create(event, self.Request(**request), requested_by, batch, pk, selection=sent(selected))
        job.selection = selected
        return job

    def work(self, job: Job) -> None:
        Attempt(self, job).work()

    def is_committed(self, job: Job) -> bool:
        return bool(job.checkpoint.get("amount")) and not job.request.get("dry_run")

    def amount(self, job: Job) -> None:
        """Nobody knows what becomes of them before they are looked at."""

    def dealt_with(self, job: Job) -> int:
        return checkpoint_of(job).amount

    def pace(self) -> Pace:
        """How many are dealt with at once."""
        return Pace.steady(CHUNK)

    def refusal(self, orders: Orders, pk: int) -> str:
        """Why it can't be done with this order, one of ``tickets.reasons``; empty if it can."""
        raise NotImplementedError

    def deal_with(self, job: Job, orders: Orders, pks: list[int], pace: Pace) -> Outcome:
        """
        In the caller's transaction, in a constant number of queries.

        :param orders: locked
        :param pks: of those that are not refused
        """
        raise NotImplementedError

    def entry_data(self, job: Job) -> dict:
        """What the history of a batch says besides how many they are."""
        return {}

    # What others are told:

    def is_still_so(self, order: Order) -> bool:
        """Whether an order still is what it was made: somebody may have undone it since."""
        return True

    def changes(self, order: Order) -> bool:
        """Whether an order is another one than before for scanners, which load it again then."""
        return self.changes_orders

    def signals(self, order: Order) -> Sequence[EventPluginSignal]:
        """What the host tells other plugins of such an order."""
        return ()

    def before_signals(self, job: Job, orders: Sequence[Order]) -> None:
        """What the host does then, besides."""

    def after_signals(self, job: Job, orders: Sequence[Order]) -> None:
        """What the host does then, besides."""


def all_after_sale() -> list[AfterSale]:
    return [kind for kind in all_kinds() if isinstance(kind, AfterSale)]


def all_offered() -> list[AfterSale]:
    """Those that one can ask for."""
    return [kind for kind in all_after_sale() if kind.is_offered]


def with_action(api_action: str) -> list[AfterSale]:
    """Those with this address in the API."""
    return [kind for kind in all_offered() if kind.api_action == api_action]
