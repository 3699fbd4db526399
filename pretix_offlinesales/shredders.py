"""What of ours may be about people, for the host's page where an event's personal data is deleted."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from pretix.base.models import CachedFile, Event, LogEntry
from pretix.base.shredder import BaseDataShredder, ShredError, shred_log_fields

from .db.queries import unscoped
from .documents import kept
from .models import Document, JobStep, Statement

#: The action of the log entries that say what the comment of a batch was changed to.
COMMENTED = "pretix_offlinesales.batch.changed"

#: In what a job was asked: each of several batches, as if it was asked for alone.
SEVERAL = "batches"

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
        yield _file("jobs", {str(pk): said for pk, said in _jobs(self.event) if said})

    def shred_data(self, progress_callback: Callable | None = None) -> None:
        _refuse_unfinished(self.event)
        _commented(self.event).update(comment="")
        for entry in _history(self.event):
            shred_comment(entry)
        jobs = self.event.offline_sales_jobs.order_by()
        jobs.filter(selection__isnull=False).update(selection=None)
        for job in jobs.filter(Q(request__has_key="comment") | Q(request__has_key=SEVERAL)):
            job.row.update(request=_without_comments(job.request))
        for step in _skipping(self.event):
            skipped = [line | {"value": SHREDDED} for line in step.skipped]
            JobStep.objects.filter(pk=step.pk).update(skipped=skipped)
        CachedFile.objects.filter(Q(pk__in=jobs.values("file")) | Q(pk__in=jobs.values("parts__file"))).delete()


class DocumentShredder(BaseDataShredder):
    """What the host does with invoices: numbers and sums stay, since they are in the books."""

    identifier = "pretix_offlinesales_documents"
    verbose_name = _("Documents of offline sales")
    tax_relevant = True
    description = _(
        "This will remove the names, addresses and comments from all documents by which tickets of this event were "
        "handed over to sellers, from statements about these, and their PDFs. Their numbers, tickets and totals will "
        "be conserved. The sellers themselves belong to the organizer, and are not changed."
    )

    def generate_files(self) -> Iterator[File]:
        for document in self._documents.order_by("pk").iterator(chunk_size=20):
            with kept.pdf(document).open("rb") as file:
                yield f"offlinesales-documents/{document.kind}-{document.number}.pdf", "application/pdf", file.read()

    def shred_data(self, progress_callback: Callable | None = None) -> None:
        kept.forget_in(self._documents)

    @property
    def _documents(self) -> QuerySet[Document]:
        """Statements that are about other events, too, are among them."""
        stated = unscoped(Statement.objects).filter(events=self.event).values("document")
        return unscoped(Document.objects).filter(Q(event=self.event) | Q(pk__in=stated))


def shred_comment(entry: LogEntry) -> None:
    """:param entry: one that says what a comment was changed to"""
    shred_log_fields(entry, banlist=["comment"])


def _refuse_unfinished(event: Event) -> None:
    if event.offline_sales_jobs.filter(finished=None).exists():
        raise ShredError(_("Offline sales still works on jobs of this event. Please wait until they are done."))


def _commented(event: Event) -> QuerySet:
    return event.offline_sales_batches.exclude(comment="")


def _history(event: Event) -> QuerySet[LogEntry]:
    return event.logentry_set.filter(action_type=COMMENTED, shredded=False).order_by("pk")


def _jobs(event: Event) -> Iterator[tuple[UUID, dict]]:
    """What was said to make each, and in what became of it, one after the other: they may be long."""
    skipped: dict[UUID, list[dict]] = defaultdict(list)
    for step in _skipping(event):
        skipped[step.job_id] += (line for line in step.skipped if line["value"] != SHREDDED)
    jobs = event.offline_sales_jobs.order_by("pk").values_list("pk", "selection", "request")
    for pk, selection, request in jobs.iterator(chunk_size=20):
        comments = dict.fromkeys(each["comment"] for each in request.get(SEVERAL, ()) if each.get("comment"))
        said = {
            "selection": selection,
            "comment": request.get("comment"),
            "comments": list(comments),
            "skipped": skipped[pk],
        }
        yield pk, {name: value for name, value in said.items() if value}


def _without_comments(request: dict) -> dict:
    left = {name: value for name, value in request.items() if name != "comment"}
    return left | {SEVERAL: list(map(_without_comments, left[SEVERAL]))} if SEVERAL in left else left


def _skipping(event: Event) -> Iterator[JobStep]:
    steps = JobStep.objects.filter(job__event=event).exclude(skipped=[])
    return steps.order_by("pk").iterator(chunk_size=20)


def _file(name: str, content: object) -> File:
    return f"offlinesales-{name}.json", "application/json", json.dumps(content, indent=4, ensure_ascii=False)
