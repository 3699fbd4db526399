"""
The files that jobs make. None is ever replaced by an attempt that has lost its job, and none is forgotten.

Whoever makes a file may die, or stand still until somebody else has made it. So each attempt stores a draft, under a
name of its own, that a row knows before there is any content: when that expires, the host deletes both, whatever has
become of us. Only in the transaction in which the job is still ours, the content gets to where others look for it.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import BinaryIO
from uuid import UUID, uuid4, uuid5

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.timezone import now
from pretix.base.models import CachedFile

from ..models import RESULT_LIFETIME, OfflineSalesBatch

logger = logging.getLogger(__name__)

PDF = "application/pdf"

#: Nobody will ever save a file by this name.
_DRAFT = "draft of {}"

#: Copies have a key that is made of this and of the name of what they are copies of.
COPIES = UUID("5f0c8d0e-64a1-4b0a-9a0c-6f1d3b8e7a52")

#: Jobs may wait before they begin to use a copy.
COPY_LIFETIME = 2 * RESULT_LIFETIME

#: A copy that has less time left may be about to be deleted.
MARGIN = timedelta(hours=1)


def filename(batch: OfflineSalesBatch, suffix: str) -> str:
    """What files made of this batch are called when they are saved."""
    return f"{batch.event.slug}-offlinesales-{batch.pk}.{suffix}"


def reserve(pk: UUID, name: str, mime_type: str = PDF) -> CachedFile:
    """A row without content, since its key must be known before there is any. See ``Draft.keep``."""
    return CachedFile.objects.create(pk=pk, **_values(name, mime_type))


def _values(name: str, mime_type: str, lifetime: timedelta = RESULT_LIFETIME) -> dict:
    moment = now()
    return {
        "filename": name,
        "type": mime_type,
        "date": moment,
        "expires": moment + lifetime,
        "web_download": False,
    }


class Draft:
    """Content that nobody knows but a row of its own, until it is kept. See ``draft``."""

    def __init__(self, name: str, mime_type: str, whose: UUID | None):
        self._name, self._type = name, mime_type
        row = CachedFile(**_values(_DRAFT.format(whose), mime_type))
        #: What the storage calls the content.
        self._path = default_storage.get_available_name(row.file.field.generate_filename(row, name))
        row.file.name = self._path
        row.save(force_insert=True)
        self._row = row
        self._kept: UUID | None = None

    def store(self, content: BinaryIO | File) -> None:
        content.seek(0)
        self._path = default_storage.save(self._path, File(content))

    def keep(self, pk: UUID | None = None, lifetime: timedelta = RESULT_LIFETIME) -> CachedFile:
        """
        Make it the content of the row with this key, whether or not that exists, or of a new one. Call this in the
        transaction in which it is made sure that nobody else has done so.
        """
        pk = pk or uuid4()
        values = {"file": self._path, **_values(self._name, self._type, lifetime)}
        kept, created = CachedFile.objects.get_or_create(pk=pk, defaults=values)
        if not created:
            before = CachedFile.objects.select_for_update().get(pk=pk).file.name
            CachedFile.objects.filter(pk=pk).update(**values)
            kept.refresh_from_db()
            if before:
                transaction.on_commit(partial(_delete_content, before))
        _forget(self._row)
        self._kept = kept.pk
        return kept

    def close(self) -> None:
        """Delete what nobody names. What is lost if that fails, too, the host finds by the row."""
        try:
            if self._kept and self._is_named(self._kept):
                return
            default_storage.delete(self._path)
            _reconnect()
            _forget(self._row)
        except Exception:
            logger.exception("File %s could not be deleted", self._path)

    def _is_named(self, pk: UUID) -> bool:
        """Even if the connection was lost while it was committed, the content is there."""
        _reconnect()
        return CachedFile.objects.filter(pk=pk, file=self._path).exists()


@contextmanager
def draft(name: str, mime_type: str = PDF, whose: UUID | None = None) -> Iterator[Draft]:
    """
    A file to be stored and kept. Begin this before the transaction in which that is done: its row must be there,
    whatever becomes of the transaction. What was not kept in the end is deleted.

    :param whose: the key of the job
    """
    draft = Draft(name, mime_type, whose)
    try:
        yield draft
    finally:
        draft.close()


def copy(name: str) -> UUID:
    """
    The key of a copy of what is stored under this name, which will live on if that is deleted. Contents never change
    under their names, so that it is made once for many who ask for it.
    """
    pk, moment = uuid5(COPIES, name), now()
    living = CachedFile.objects.filter(pk=pk, expires__gt=moment + MARGIN)
    if not living.update(expires=moment + COPY_LIFETIME):
        with draft("copy") as file, default_storage.open(name) as content, transaction.atomic():
            file.store(content)
            file.keep(pk, COPY_LIFETIME)
    return pk


def drafts(whose: UUID) -> QuerySet[CachedFile]:
    """
    What dead workers have left of a job that is over, to be discarded. If one of them is not dead but stands still, its
    row must stay, for what it may store later.
    """
    return CachedFile.objects.filter(filename=_DRAFT.format(whose))


def discard(files: Iterable[CachedFile | None]) -> None:
    """Delete the contents. If that fails, the host does it when the rows expire."""
    for name in [file.file.name for file in files if file]:
        if name:
            try:
                _delete_content(name)
            except Exception:
                logger.exception("File %s could not be deleted", name)


def _delete_content(name: str) -> None:
    default_storage.delete(name)


def _forget(row: CachedFile) -> None:
    """Delete a row, and not what it names, as the host would do."""
    CachedFile(pk=row.pk).delete()


def _reconnect() -> None:
    """Who was frozen for long, or cut off, finds a dead connection."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
