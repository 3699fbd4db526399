"""
The kinds of jobs. Each is one class, and all that the engine, the pages, the API, histories and webhooks know of it.

A kind lives in the room that does its work, in a module ``kinds``, and is registered there.
"""

from dataclasses import MISSING, Field, asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import UUID, uuid4

from django.utils.translation import get_language, gettext_lazy as _
from pretix.base.models import CachedFile, Event
from pretix.base.signals import Registry

from ..models import Job, OfflineSalesBatch

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: By their identifiers.
KINDS = Registry({"identifier": lambda kind: kind.identifier})


@dataclass(frozen=True)
class Stored:
    """What a column of a job says, as JSON. What is as it is by default is not written."""

    @classmethod
    def read(cls, data: dict) -> Self:
        """:raises TypeError: if there is anything that nobody would take along"""
        return cls(**data)

    @property
    def data(self) -> dict:
        defaults = {each.name: _default_of(each) for each in fields(self)}
        return {name: value for name, value in asdict(self).items() if value != defaults[name]}


def _default_of(field: Field) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()  # MISSING, if there is none


@dataclass(frozen=True)
class Checkpoint(Stored):
    """How far the rest of pretix knows what a job has made, by the places of orders (see ``announcing``)."""

    #: Up to there, everybody knows.
    announced: int = 0
    #: How often it was tried to go on from there.
    tries: int = 0
    #: Up to there, orders are announced one by one.
    alone_until: int = 0


class Kind:
    """What there is to know of a kind of job. One object for all of them, without a state."""

    #: In the database and the API.
    identifier: ClassVar[str]
    #: For people.
    name: "ClassVar[StrOrPromise]"
    #: What its jobs are asked, and from where they go on.
    Request: ClassVar[type[Stored]] = Stored
    Checkpoint: ClassVar[type[Checkpoint]] = Checkpoint

    #: Several workers may do it together.
    is_shared = False
    #: What is said if somebody gives it up while it waits, and if it is too late for that. None, if nobody can.
    canceled: "ClassVar[StrOrPromise | None]" = None
    too_late: "ClassVar[StrOrPromise | None]" = None
    #: What is said of one that is not done yet.
    halfway: "ClassVar[StrOrPromise]" = _("This is still being worked on.")

    #: What it writes into the history of a batch, as the end of ``pretix_offlinesales.batch.…``, and how that reads.
    #: None, if it writes nothing there.
    entry: ClassVar[str | None] = None
    history: "ClassVar[StrOrPromise]"
    #: What webhooks about such an entry are called; none, if there are none.
    webhook: "ClassVar[StrOrPromise | None]" = None

    def create(
        self,
        event: Event,
        request: Stored,
        requested_by: dict,
        batch: OfflineSalesBatch | None = None,
        pk: UUID | None = None,
        **values: object,
    ) -> Job:
        """
        :param requested_by: values for the fields of ``Requested``
        :param pk: the job's key, where the same request may come twice: then there is one job
        :param values: of what other columns the kind needs
        """
        values |= requested_by | {"event": event, "kind": self.identifier, "batch": batch}
        values |= {"request": request.data, "locale": get_language()}
        job, _created = Job.objects.get_or_create(pk=pk or uuid4(), defaults=values)
        return job

    def work(self, job: Job) -> None:
        """
        What a worker does. It may be done again, by another one, from wherever it was.

        :raises JobFailed: if it can't be done, for a reason that people must know
        """
        raise NotImplementedError

    def is_committed(self, job: Job) -> bool:
        """
        Has something been done that others can see already? Then the job must be finished, whatever happens: it goes on
        or waits, and does not fail. This must be known of every row, also of one that nobody can read.
        """
        return False

    def workers_wanted(self, job: Job) -> int:
        """How many workers can do something useful for it at the same time."""
        return 1

    def amount(self, job: Job) -> int | None:
        """How many tickets it is about; None, if that is not known, or can't be read."""
        raise NotImplementedError

    def dealt_with(self, job: Job) -> int:
        """How many tickets it was about, now that it is done."""
        return self.amount(job) or 0

    def files(self, job: Job) -> list[CachedFile | None]:
        """What it has stored, to be discarded if it comes to nothing."""
        return [job.file]

    def followers(self, job: Job) -> list[UUID]:
        """The keys of jobs that it has asked for. Whoever has run it starts them."""
        return []

    def describe(self, data: dict) -> str:
        """
        What the history of a batch says.

        :param data: of the log entry
        """
        return str(self.history % data)

    @property
    def api_name(self) -> str:
        """What the API calls it."""
        return self.identifier

    @property
    def action(self) -> str:
        """Of its log entries in the histories of batches."""
        return f"pretix_offlinesales.batch.{self.entry}"


def all_kinds() -> list[Kind]:
    return list(KINDS.registered_entries)


def all_that_write() -> list[Kind]:
    """One for each entry in the histories of batches: two kinds may write the same, and some write nothing."""
    return list({kind.action: kind for kind in all_kinds() if kind.entry}.values())


def is_known(job: Job) -> bool:
    """Whether anybody has registered its kind. Not so, where another version of the plugin has asked for it."""
    kind, _meta = KINDS.get(identifier=job.kind)
    return kind is not None


def is_committed(job: Job) -> bool:
    """Whether it must be finished (see ``Kind.is_committed``). Of an unknown kind, whatever was begun."""
    return kind_of(job).is_committed(job) if is_known(job) else bool(job.batch_id and job.checkpoint)


def kind_of(job: Job) -> Kind:
    """:raises LookupError: if it is not known"""
    kind, _meta = KINDS.get(identifier=job.kind)
    if not kind:
        raise LookupError(f"There is no kind of jobs called {job.kind!r}")
    return kind


def request_of(job: Job) -> Any:
    """What was asked for, as the kind's ``Request``."""
    return kind_of(job).Request.read(job.request)


def checkpoint_of(job: Job) -> Any:
    """Where to go on, as the kind's ``Checkpoint``."""
    return kind_of(job).Checkpoint.read(job.checkpoint)


def checkpoint(job: Job, **values: Any) -> dict:
    """The job's checkpoint with these values, to be written."""
    return replace(checkpoint_of(job), **values).data
