"""Batches to print, made of plain orders, and the pages that come out of it: ours, and the host's."""

import json
from decimal import Decimal
from random import Random

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.timezone import now
from pretix.base.models import Order

from pretix_offlinesales.models import OfflineSalesBatch

#: What order codes are made of.
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ379"


@pytest.fixture(autouse=True)
def media_files(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def make_order(event, item, web):
    """
    An order as issuing makes it: paid, with one position for each of the items.

    Its code is the same on each run. The rasterizer draws letters in steps of a third of a pixel: where one lies at the
    end of a step, the same place in other numbers may look different. With random codes, this happened now and then.
    Secrets may be random, since where the modules of a QR code lie does not depend on them.
    """
    codes = Random("order codes")

    def make_order(items=(), event=event, **kwargs):
        with transaction.atomic():
            order = Order.objects.create(
                event=event,
                datetime=now(),
                expires=now(),
                total=Decimal("23.00"),
                **{
                    "code": "".join(codes.choices(CODE_LETTERS, k=5)),
                    "status": Order.STATUS_PAID,
                    "locale": "en",
                    "sales_channel": web,
                    **kwargs,
                },
            )
            for positionid, product in enumerate(items or [item], start=1):
                order.all_positions.create(
                    organizer=event.organizer, item=product, price=product.default_price, positionid=positionid
                )
            order.create_transactions(is_new=True)
        return order

    return make_order


@pytest.fixture
def make_batch(make_order):
    """A batch of these orders, or of so many new ones."""

    def make_batch(orders=1, layout=None):
        if isinstance(orders, int):
            orders = [make_order() for _ in range(orders)]
        batch = OfflineSalesBatch.objects.create(
            event=orders[0].event,
            item=orders[0].all_positions.first().item,
            sales_channel=orders[0].sales_channel,
            amount=len(orders),
            layout=layout,
            completed=now(),
        )
        for number, order in enumerate(orders, start=1):
            batch.tickets.create(order=order, number=number)
        return batch

    return make_batch


@pytest.fixture
def make_layout(event):
    """A layout with these objects and, if one is given, this background (a PDF's bytes)."""

    def make_layout(objects, background=None, **kwargs):
        layout = event.ticket_layouts.create(**{"name": "Paper", "layout": json.dumps(objects), **kwargs})
        if background:
            layout.background.save("background.pdf", ContentFile(background))
        return layout

    return make_layout
