"""Returning, undoing that, replacing; and the host's cancellation and reactivation of one order after the other."""

from contextlib import ExitStack
from unittest import mock

from django.db import connection
from pretix.base.models import Order, OrderPosition
from pretix.base.services.orders import cancel_order, reactivate_order

from pretix_offlinesales.after_sale.kind import AfterSale
from pretix_offlinesales.db import rows
from pretix_offlinesales.kinds import DECLARE_SOLD, REPLACE, RETURN, UNDO_RETURN, UNDO_SOLD
from pretix_offlinesales.models import OfflineSalesTicket
from pretix_offlinesales.tickets.selection import ALL, Selection

from .apart import Measured
from .issuing import phases, shopper
from .printing import the_batch
from .world import NOBODY, done


def host_cancel(batch_pk: int) -> dict:
    """Without mail."""
    orders = _orders(batch_pk).values_list("pk", flat=True)
    with Measured() as measured:
        for order in list(orders):
            cancel_order.apply(kwargs={"order": order, "send_mail": False}, throw=True)
    _expect(batch_pk, Order.STATUS_CANCELED)
    return measured.found


def host_reactivate(batch_pk: int) -> dict:
    orders = list(_orders(batch_pk).select_related("event"))
    with Measured() as measured:
        for order in orders:
            reactivate_order(order)
    _expect(batch_pk, Order.STATUS_PAID)
    return measured.found


def _orders(batch_pk: int):
    return Order.objects.filter(offline_sales_ticket__batch=batch_pk)


def _expect(batch_pk: int, status: str):
    assert set(_orders(batch_pk).values_list("status", flat=True)) == {status}


def return_all(batch_pk: int) -> dict:
    """The whole job: every ticket of the batch comes back, as scanned codes. Also what is sent for it."""
    batch = the_batch(batch_pk)
    secrets = OrderPosition.objects.filter(order__in=_orders(batch_pk)).values_list("secret", flat=True)
    with _BytesSent() as sent:
        measured = _after_sale(batch_pk, RETURN, Selection.parse("\n".join(secrets), batch.event, batch))
    _expect(batch_pk, Order.STATUS_CANCELED)
    return {**measured.found, "bytes": sent.bytes}


class _BytesSent:
    """How much goes to the database meanwhile: what statements have as parameters, and what is brought by ``COPY``."""

    def __enter__(self):
        self.bytes = 0
        copy = mock.patch.object(rows, "_copy", self._copy)
        self._stack = ExitStack()
        for context in (connection.execute_wrapper(self._execute), copy):
            self._stack.enter_context(context)
        return self

    def __exit__(self, *exc_info):
        self._stack.close()

    def _execute(self, execute, sql, params, many, context):
        self.bytes += sum(len(str(param)) for param in params or ())
        return execute(sql, params, many, context)

    def _copy(self, cursor, statement, data, _copy=rows._copy):
        self.bytes += len(data)
        return _copy(cursor, statement, data)


def undo_all(batch_pk: int) -> dict:
    """The whole job: all that came back is valid again, while another process asks for the quota's lock."""
    with shopper(the_batch(batch_pk).item) as found, phases() as phase:
        measured = _after_sale(batch_pk, UNDO_RETURN)
    _expect(batch_pk, Order.STATUS_PAID)
    return {**measured.found, "held": phase.longest["locked"], **found}


def replace_all(batch_pk: int) -> dict:
    """The whole job: every ticket gets a new code."""
    secrets = OrderPosition.objects.filter(order__in=_orders(batch_pk)).values_list("secret", flat=True)
    before = set(secrets)
    measured = _after_sale(batch_pk, REPLACE)
    assert len(set(secrets.all()) - before) == len(before)
    return measured.found


def declare_all(batch_pk: int) -> dict:
    """The whole job: every ticket is declared as sold. Afterwards, none is: others want to hand them over."""
    tickets = OfflineSalesTicket.objects.filter(batch=batch_pk)
    measured = _after_sale(batch_pk, DECLARE_SOLD)
    assert not tickets.filter(sold=None).exists()
    _after_sale(batch_pk, UNDO_SOLD)
    assert not tickets.exclude(sold=None).exists()
    return measured.found


def _after_sale(batch_pk: int, kind: AfterSale, selection: Selection = ALL) -> Measured:
    batch = the_batch(batch_pk)
    with Measured() as measured:
        done(kind.ask(batch.event, selection, NOBODY, batch))
    return measured
