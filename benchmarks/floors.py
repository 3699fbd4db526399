"""What cannot be saved: what the same rows, codes and bytes cost by themselves."""

import tempfile
import zlib
from io import BytesIO

import pikepdf
import zxingcpp
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model
from pretix.base.models import LogEntry, Order, OrderPayment, OrderPosition, Transaction

from pretix_offlinesales.models import Job, OfflineSalesTicket

from .apart import Measured

#: What one ticket is in the database, each with how it is found among the orders of a batch.
ROWS: tuple[tuple[type[Model], str], ...] = (
    (Order, "id IN (SELECT id FROM of_batch)"),
    (OrderPosition, "order_id IN (SELECT id FROM of_batch)"),
    (OrderPayment, "order_id IN (SELECT id FROM of_batch)"),
    (Transaction, "order_id IN (SELECT id FROM of_batch)"),
    (OfflineSalesTicket, "order_id IN (SELECT id FROM of_batch)"),
    (LogEntry, "object_id IN (SELECT id FROM of_batch) AND content_type_id = {order}"),
)


def rows(batch_pk: int) -> dict:
    """All rows of a batch, taken out and brought back by ``COPY``, with all indexes and foreign keys of the tables."""
    tables, order = OfflineSalesTicket._meta.db_table, ContentType.objects.get_for_model(Order).pk
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE of_batch AS SELECT order_id AS id FROM {tables} WHERE batch_id = %s", [batch_pk]
        )
        cursor.execute("ANALYZE of_batch")
        found = [(model._meta.db_table, which.format(order=order)) for model, which in ROWS]
        kept = []
        for table, which in found:
            content = BytesIO()
            cursor.copy_expert(f"COPY (SELECT * FROM {table} WHERE {which}) TO STDOUT", content)
            kept.append((table, content))
        for table, which in reversed(found):
            cursor.execute(f"DELETE FROM {table} WHERE {which}")
        with Measured() as measured:
            cursor.execute("BEGIN")
            for table, content in kept:
                content.seek(0)
                cursor.copy_expert(f"COPY {table} FROM STDIN", content)
            cursor.execute("COMMIT")
    return measured.found


def codes(batch_pk: int) -> dict:
    """The native encoder, for each code."""
    secrets = list(
        OrderPosition.objects.filter(order__offline_sales_ticket__batch=batch_pk).values_list("secret", flat=True)
    )
    with Measured() as measured:
        for secret in secrets:
            zxingcpp.create_barcode(secret, zxingcpp.BarcodeFormat.QRCode, ec_level="H")
    return measured.found


def deflated(batch_pk: int) -> dict:
    """What is on the pages of a printed batch, compressed once more, and written to a file."""
    job = Job.objects.filter(batch=batch_pk, file__isnull=False).latest("finished")
    with job.file.file.open() as file, pikepdf.open(file) as pdf:
        pages = [page.Contents.read_bytes() for page in pdf.pages]
    with Measured() as measured, tempfile.TemporaryFile() as output:
        for page in pages:
            output.write(zlib.compress(page))
    return measured.found
