"""
What would become of the tickets that lines name, in words: for whoever scans one paper after the other, and looks up
only if something is wrong.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import chain

from django.utils.translation import gettext as _
from pretix.base.models import Event

from ..models import OfflineSalesBatch
from .lines import as_lines, read_lines, too_many
from .reasons import OF_OTHER_BATCH, TEXTS, UNKNOWN
from .selection import By, Choice, Selection, Ticket, find_elsewhere

#: What was chosen, and why it is left alone; empty if it is not.
Examined = tuple[Choice, str]

#: How many lines one asks about at once.
MAX_LINES = 500

#: How many of the refused are named in one verdict.
MAX_NAMED = 5


class Level(StrEnum):
    """How a verdict is shown. The values are those of the stylesheet."""

    #: All can be done as one thinks.
    SUCCESS = "success"
    #: Some of it can't, or one should know something; or it belongs to another batch.
    WARNING = "warning"
    DANGER = "danger"


@dataclass(frozen=True)
class Verdict:
    level: Level
    text: str
    #: Those that something can be done about: the code of the order, and the batch.
    tickets: dict[str, int]

    @property
    def data(self) -> dict:
        """As JSON."""
        return asdict(self)


class Reasons:
    """Why tickets are left alone, in words: what a batch does not know may be a ticket of another one."""

    def __init__(self, event: Event, batch: OfflineSalesBatch | None, refused: Iterable[tuple[str, str]]):
        """:param refused: what was given, and why it is left alone"""
        unknown = [value for value, reason in refused if reason == UNKNOWN] if batch else []
        self.elsewhere = find_elsewhere(event, unknown)

    @classmethod
    def of(cls, event: Event, batch: OfflineSalesBatch | None, examined: Iterable[Examined]) -> "Reasons":
        return cls(event, batch, [(choice.value, reason) for choice, reason in examined])

    def ticket(self, value: str, reason: str) -> Ticket | None:
        """The ticket of another batch."""
        return self.elsewhere.get(value) if reason == UNKNOWN else None

    def text(self, value: str, reason: str) -> str:
        if ticket := self.ticket(value, reason):
            return f"{OF_OTHER_BATCH.format(batch=ticket.batch_id)} ({ticket.name})"
        return str(TEXTS[reason])


@dataclass(frozen=True)
class Question:
    """Some lines that somebody asks about, each with all that it names. What is named again is looked up once."""

    #: Of each line.
    entries: tuple[tuple[str, ...], ...]
    #: What is to be examined.
    selection: Selection

    @classmethod
    def read(cls, lines: Sequence[str], event: Event, batch: OfflineSalesBatch | None) -> "Question":
        """
        :param batch: whose numbers are meant where none is named
        :raises ValueError: with a message for people, if these are more than one may ask about
        """
        if len(lines) > MAX_LINES:
            raise too_many()
        entries = tuple(tuple(dict.fromkeys(as_lines(line))) for line in lines)
        return cls(entries, Selection(By.EACH, tuple(read_lines(dict.fromkeys(chain(*entries)), event, batch))))

    def answer(self, examined: Iterable[Examined], judge: "Judge") -> list[Verdict]:
        """
        A verdict for each line.

        :param examined: all that the selection names
        """
        by_entry: dict[str, list[Examined]] = {}
        for choice, reason in examined:
            by_entry.setdefault(choice.line, []).append((choice, reason))
        return [judge.verdict([pair for entry in line for pair in by_entry[entry]]) for line in self.entries]


@dataclass(frozen=True)
class Judge:
    """Says what would become of the tickets that a line names."""

    #: What is said of a ticket that something can be done about: ``can be returned``.
    good: str
    reasons: Reasons
    #: The orders of tickets that were reported lost, where one should know that.
    lost: Collection[int] = ()

    def verdict(self, examined: Sequence[Examined]) -> Verdict:
        if not examined:
            return Verdict(Level.DANGER, str(TEXTS[UNKNOWN]), {})
        good = {choice.ticket.code: choice.ticket for choice, reason in examined if choice.ticket and not reason}
        refused = [(choice.value, reason) for choice, reason in examined if reason]
        lost = [ticket for ticket in good.values() if ticket.order_id in self.lost]
        texts = [*self._of_good(list(good.values())), *_of_lost(good, lost), *self._of_refused(refused, examined)]
        level = self._level(bool(good), refused, lost)
        return Verdict(level, ", ".join(texts), {code: ticket.batch_id for code, ticket in good.items()})

    def _level(self, is_good: bool, refused: list[tuple[str, str]], lost: list[Ticket]) -> Level:
        if not refused and not lost:
            return Level.SUCCESS
        return Level.WARNING if is_good or all(self.reasons.ticket(*pair) for pair in refused) else Level.DANGER

    def _of_good(self, tickets: list[Ticket]) -> Iterator[str]:
        if len(tickets) == 1:
            yield f"{self.good} ({tickets[0].name})"
        elif tickets:
            yield f"{self.good}: {len(tickets)}"

    def _of_refused(self, refused, examined):
        """By name, if there is anything else to be said."""
        if len(examined) == 1:
            return [self.reasons.text(*pair) for pair in refused]
        named = [f"{value}: {self.reasons.text(value, reason)}" for value, reason in refused[:MAX_NAMED]]
        return named + (["…"] if len(refused) > MAX_NAMED else [])


def _of_lost(good, lost):
    if lost:
        text = _("reported lost or stolen")
        yield text if len(good) == 1 else f"{text}: {len(lost)}"
