"""A seller has sold tickets on consignment: they are stated, and paid in pretix once she has paid."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from unittest import mock

from django.db import transaction
from django.utils.timezone import now
from pretix.base.models import Order

from pretix_offlinesales.after_sale import attempt
from pretix_offlinesales.models import Seller
from pretix_offlinesales.sellers.handing_over import hand_over
from pretix_offlinesales.sellers.statements import make
from pretix_offlinesales.settling.paying import pay
from pretix_offlinesales.tickets.selection import ALL, choose

from .apart import Measured
from .world import NOBODY, done, issue_batch, the_item


def host_confirm(amount: int) -> dict:
    """Without mail and invoice."""
    batch = issue_batch(the_item(), amount, consignment=True)
    orders = list(Order.objects.filter(offline_sales_ticket__batch=batch).select_related("event"))
    with Measured() as measured:
        for order in orders:
            payment = order.payments.create(state="created", provider="offlinesales", amount=order.pending_sum)
            payment.confirm(ignore_date=True, generate_invoice=False, send_mail=False)
    _expect_paid(batch)
    return measured.found


def state_and_settle(amount: int) -> dict[str, dict]:
    """From what is sold to the statement, and from the payment to the end of the job; how long the door had to wait."""
    item = the_item()
    batch = issue_batch(item, amount, consignment=True)
    seller = Seller.objects.create(organizer=item.event.organizer, name="Kiosk", commission_percent=10)
    hand_over(item.event, seller, choose(item.event, batch, ALL), NOBODY)
    batch.tickets.update(sold=now())
    with Measured() as stating:
        statement = make(seller, [item.event], now(), NOBODY)
    with _locked() as locked, Measured() as settling:
        _payment, [job] = pay(statement, statement.due, date.today(), "", NOBODY)
        done(job)
    _expect_paid(batch)
    return {"state": stating.found, "settle": {**settling.found, "held": max(locked)}}


@contextmanager
def _locked() -> Iterator[list[float]]:
    """For how long orders were locked each time, in seconds."""
    found: list[float] = []
    fetch = attempt.fetch

    def fetch_and_wait(*args, **kwargs):
        start = time.monotonic()
        transaction.on_commit(lambda: found.append(time.monotonic() - start))
        return fetch(*args, **kwargs)

    with mock.patch.object(attempt, "fetch", fetch_and_wait):
        yield found


def _expect_paid(batch):
    assert set(Order.objects.filter(offline_sales_ticket__batch=batch).values_list("status", flat=True)) == {"p"}
