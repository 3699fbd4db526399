"""What of ours may be about people, for the host's page where an event's personal data is deleted."""

import json
from collections.abc import Callable, Iterator

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from pretix.base.models import CachedFile, Event, LogEntry
from pretix.base.shredder import BaseDataShredder, ShredError, shred_log_fields

#: The action of the log entries that say what the comment of a batch was changed to.
COMMENTED = "pretix_offlinesales.batch.changed"

#: What the host writes in place of something that it has shredded.
SHREDDED = "█"

File = tuple[str, str, str]


class OfflineSalesShredder(BaseDataShredder):
    """
    Comments often say who sells the tickets; scanned codes and mistyped lines may be anything that somebody had in the
    clipboard. The files of prints and exports show what layouts say, comments too.
    """

    identifier = "pretix_offlinesales"
    verbose_name = _("Offline sales")
    description = _(
        "This will remove the internal comments of batches for offline sales, from their history as well, what was "
        "typed and scanned to return or replace tickets, and the files of prints and data exports. These files will "
        "not be part of the download."
    )

    def generate_files(self) -> Iterator[File]:
        _refuse_unfinished(self.event)
        yield _file("comments", dict(_commented(self.event).values_list("pk", "comment")))
        yield _file(
            "comment-history",
            [
                {"batch": entry.object_id, "datetime": entry.datetime.isoformat(), **entry.parsed_data}
                for entry in _history(self.event)
            ],
        )
        personal = {str(pk): _personal(selection, data) for pk, selection, data in _jobs(self.event)}
        yield _file("jobs", {pk: said for pk, said in personal.items() if said})

    def shred_data(self, progress_callback: Callable | None = None) -> None:
        _refuse_unfinished(self.event)
        _commented(self.event).update(comment="")
        for entry in _history(self.event):
            shred_comment(entry)
        jobs = self.event.offline_sales_jobs.order_by()
        for pk, selection, data in _jobs(self.event):
            if _personal(selection, data):
                jobs.filter(pk=pk).update(selection=None, data=without_personal_data(data))
        CachedFile.objects.filter(Q(pk__in=jobs.values("file")) | Q(pk__in=jobs.values("parts__file"))).delete()


def shred_comment(entry: LogEntry) -> None:
    """:param entry: one that says what a comment was changed to"""
    shred_log_fields(entry, banlist=["comment"])


def without_personal_data(data: dict) -> dict:
    """:param data: of a job that is over; what became of the tickets can still be shown"""
    data = dict(data)
    if "comment" in data:
        data["comment"] = ""
    if "skipped" in data:
        data["skipped"] = [line | {"value": SHREDDED} for line in data["skipped"]]
    return data


def _personal(selection: dict | None, data: dict) -> dict:
    """What of a job it removes."""
    kept = without_personal_data(data)
    said = {key: value for key, value in data.items() if value and value != kept.get(key)}
    return said | ({"selection": selection} if selection else {})


def _refuse_unfinished(event: Event) -> None:
    if event.offline_sales_jobs.filter(finished=None).exists():
        raise ShredError(_("Offline sales still works on jobs of this event. Please wait until they are done."))


def _commented(event: Event) -> QuerySet:
    return event.offline_sales_batches.exclude(comment="")


def _history(event: Event) -> QuerySet[LogEntry]:
    return event.logentry_set.filter(action_type=COMMENTED, shredded=False).order_by("pk")


def _jobs(event: Event) -> Iterator[tuple]:
    """Key, selection and data of each, one after the other: they may be long."""
    return event.offline_sales_jobs.order_by("pk").values_list("pk", "selection", "data").iterator(chunk_size=20)


def _file(name: str, content: object) -> File:
    return f"offlinesales-{name}.json", "application/json", json.dumps(content, indent=4, ensure_ascii=False)
