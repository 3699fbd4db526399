"""Makes statements and takes payments, for pages, the API and jobs. What is paid in full is paid in pretix, too."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now
from pretix.base.models import Event

from ..db.queries import unscoped
from ..models import REQUESTER, Job, OfflineSalesTicket, Seller, SellerPayment, Statement
from ..models.activation import is_active
from ..sellers.payments import is_paid_for, newly_settled, write_payment
from ..sellers.statements import make
from .settle import SETTLE, UNPAID

#: What a job could not pay is not tried again sooner.
PAUSE = timedelta(hours=1)

#: So many jobs are asked for at once, where something was left undone.
MAX_ASKED = 100


@transaction.atomic
def state(seller: Seller, events: Sequence[Event], until: datetime, requested_by: dict) -> tuple[Statement, list[Job]]:
    """
    Make a statement. Returns also the jobs that must be started: what it gives back may pay older ones.

    :raises NothingToState: see ``sellers.statements.make``
    """
    statement = make(seller, events, until, requested_by)
    newly_settled(statement.seller)
    return statement, settle(statement.seller, requested_by)


@transaction.atomic
def pay(
    statement: Statement, amount: Decimal, day: date, reference: str, requested_by: dict
) -> tuple[SellerPayment, list[Job]]:
    """Write down what a seller has paid. Returns also the jobs that must be started."""
    payment, _settled = write_payment(statement, amount, day, reference, requested_by)
    return payment, settle(payment.seller, requested_by)


def settle(seller: Seller, requested_by: dict) -> list[Job]:
    """
    Jobs that pay in pretix what statements are about that are settled, as far as it is not paid yet: one for each of
    them and its events. They must be started.
    """
    return _ask(_places(_unpaid().filter(statement__seller=seller)), requested_by)


def settle_rest() -> list[Job]:
    """
    The same for what was settled while an event had the plugin off, and for what a job has failed with or left undone.
    Not, where the plugin is off still, or a job has tried it just now. Of all organizers.
    """
    places = _places(_unpaid())
    last = _last_jobs({statement for statement, _event in places})
    left = [place for place in places if place not in last or _is_over_and_failed(last[place])]
    return _ask(left[:MAX_ASKED], dict.fromkeys(REQUESTER), only_active=True)


def _last_jobs(statements: Collection[int]) -> dict[tuple[int, int], Job]:
    """By the keys of statement and event. (What one has left alone, the next one would leave alone, too.)"""
    jobs = Job.objects.filter(kind=SETTLE.identifier, request__statement__in=statements).order_by("created")
    return {(job.request["statement"], job.event_id): job for job in jobs.only("request", "event", "state", "finished")}


def _is_over_and_failed(job: Job) -> bool:
    return job.state == Job.State.FAILED and job.finished is not None and job.finished < now() - PAUSE


def _unpaid() -> QuerySet[OfflineSalesTicket]:
    return unscoped(OfflineSalesTicket.objects).filter(UNPAID, is_paid_for())


def _places(tickets: QuerySet[OfflineSalesTicket]) -> list[tuple[int, int]]:
    """The keys of the statements that these are on, and of their events."""
    return sorted(tickets.order_by().values_list("statement", "batch__event").distinct())


def _ask(places: Sequence[tuple[int, int]], requested_by: dict, only_active: bool = False) -> list[Job]:
    statements = unscoped(Statement.objects).select_related("document").in_bulk({pk for pk, _event in places})
    events = Event.objects.select_related("organizer").in_bulk({event for _pk, event in places})
    return [
        SETTLE.ask_for(statements[pk], events[event], requested_by)
        for pk, event in places
        if is_active(events[event]) or not only_active
    ]
