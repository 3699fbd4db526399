"""What the host has written for itself, and is as good for us: taken as it is."""

from defusedcsv.csv import _escape as defused
from pretix.helpers.database import OF_SELF, rolledback_transaction
from pretix.helpers.http import ChunkBasedFileResponse
from pretix.helpers.iter import chunked_iterable
from pretix.helpers.json import CustomJSONEncoder
from pretix.helpers.periodic import minimum_interval
from pretix.helpers.reportlab import ThumbnailingImageReader

__all__ = [
    "OF_SELF",
    "ChunkBasedFileResponse",
    "CustomJSONEncoder",
    "ThumbnailingImageReader",
    "chunked_iterable",
    "defused",
    "minimum_interval",
    "rolledback_transaction",
]
