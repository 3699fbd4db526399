"""
Remembers what a print looks like from when somebody asks for it: layouts may be edited, replaced and deleted before it
begins, and between two of its parts.

What differs from ticket to ticket can only be known by plugins that choose layouts. They want to see each ticket, which
would take too long for a request: the first worker asks them when work begins, for all parts.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from hashlib import sha256

from django.core.files.storage import default_storage
from django.db import transaction
from pretix.base.models import (
    CachedFile,
    Event,
    EventMetaValue,
    Item,
    ItemMetaValue,
    ItemVariation,
    Order,
    OrderPosition,
    SubEvent,
    SubEventMetaValue,
)
from pretix.plugins.ticketoutputpdf.models import TicketLayout
from pretix.plugins.ticketoutputpdf.signals import override_layout

from ..host.rendering import TicketOutput
from ..jobs import files
from ..models import Job, OfflineSalesBatch
from ..tickets.layouts import usual_layout
from .document import TicketDocument
from .tickets import ValidTickets

logger = logging.getLogger(__name__)


class Look:
    """
    Layouts as they were, and what they are for. As JSON knows it, in ``data``:

    - ``layouts``: each with ``pk``, ``name``, ``layout``, the name of its ``background``, and the key of a ``copy``;
    - ``all``: which of them (by its place) is for all tickets; or, if the event chooses,
    - ``items``: the keys of products, each with the place of its layout in this sales ``channel``;
    - ``chosen``: if plugins choose, for each place the keys of positions; ``None`` until they were asked.
    """

    def __init__(self, data: dict):
        self.data = data

    @classmethod
    def of(cls, batch: OfflineSalesBatch, with_backgrounds: bool = True) -> "Look":
        """
        What the batch would look like now.

        :param with_backgrounds: whether they are rendered, and not only what the layouts say is read
        """
        look = cls({"layouts": []})
        if batch.layout:
            look.data["all"] = look._remember(batch.event, batch.layout, with_backgrounds)
            return look
        look.data |= {"channel": batch.sales_channel.identifier, "items": []}
        for item in batch.event.items.filter(pk__in=_items(batch)):
            layout = usual_layout(batch.event, item, batch.sales_channel)
            place = look._remember(batch.event, layout or TicketOutput(batch.event).default_layout, with_backgrounds)
            look.data["items"].append([item.pk, place])
        if override_layout.has_listeners(batch.event):
            look.data["chosen"] = None
        return look

    def with_choices(
        self, job: Job, batch: OfflineSalesBatch, numbers: Sequence[int], with_backgrounds: bool
    ) -> "Look":
        """This look, together with what plugins choose for these tickets of a batch."""
        look = Look(self.data | {"layouts": list(self.data["layouts"]), "chosen": None})
        tickets = ValidTickets(batch, numbers)
        chooser, chosen = _Chooser(tickets.event, look=self), {}
        for _number, positions in tickets:
            job.check_lock()
            for position in positions:
                place = look._remember(tickets.event, chooser.choose(position), with_backgrounds)
                chosen.setdefault(place, []).append(position.pk)
        look.data["chosen"] = sorted(chosen.items())
        return look

    @property
    def is_complete(self) -> bool:
        """Whether plugins were asked, or need not be."""
        return self.data.get("chosen", ()) is not None

    def layout_for(self, position: OrderPosition) -> TicketLayout | None:
        """Nothing, if the event's choice is ``for_items``."""
        place = self.data["all"] if "all" in self.data else self._by_position.get(position.pk)
        return None if place is None else self._layouts[place]

    def for_items(self) -> dict[tuple[int, str], TicketLayout]:
        """As the host knows it, by product and sales channel."""
        return {(item, self.data["channel"]): self._layouts[place] for item, place in self.data.get("items", ())}

    def background_of(self, layout: TicketLayout) -> str:
        """The name of the file that people know, and not that of its copy."""
        key = (layout.pk, layout.layout)
        found = (known["background"] for known in self.data["layouts"] if (known["pk"], known["layout"]) == key)
        return next(found, layout.background.name)

    @cached_property
    def _by_position(self) -> dict[int, int]:
        return {pk: place for place, pks in self.data.get("chosen") or () for pk in pks}

    @cached_property
    def _layouts(self) -> list[TicketLayout]:
        remembered = self.data["layouts"]
        copies = CachedFile.objects.filter(pk__in=[layout["copy"] for layout in remembered if layout["copy"]])
        names = {str(pk): name for pk, name in copies.values_list("pk", "file")}
        return [
            TicketLayout(
                pk=layout["pk"],
                name=layout["name"],
                layout=layout["layout"],
                background=_existing(names.get(layout["copy"])) or layout["background"],
            )
            for layout in remembered
        ]

    def _remember(self, event: Event, layout: TicketLayout, with_backgrounds: bool) -> int:
        """Add the layout, if it is not there, and return its place in ``layouts``."""
        background = layout.background.name if layout.background else ""

        def same_content(known: dict) -> bool:
            return (known["layout"], known["background"]) == (layout.layout, background)

        for place, known in enumerate(self.data["layouts"]):
            if known["pk"] == layout.pk and (layout.pk or same_content(known)):
                return place
        self.data["layouts"].append(
            {
                "pk": layout.pk,
                "name": layout.name,
                "layout": _objects(event, layout),
                "background": background,
                "copy": _copy(background) if background and with_backgrounds else None,
            }
        )
        return len(self.data["layouts"]) - 1


def settled(job: Job, numbers: Sequence[int], with_backgrounds: bool = True) -> Look | None:
    """
    The job's look, the same for all workers: the first one asks plugins, if there are any to ask.

    :param numbers: of the tickets that it is about
    """
    if not job.look:
        return None  # from before jobs remembered it
    look = Look(job.look)
    if not look.is_complete:
        asked = look.with_choices(job, job.batch, numbers, with_backgrounds)
        with transaction.atomic():
            job.look = job.row.select_for_update().values_list("look", flat=True).get()
            if not Look(job.look).is_complete:  # else somebody else was faster
                job.update(look=asked.data)
        look = Look(job.look)
    return look


def settled_by_batch(job: Job, numbers: Mapping[OfflineSalesBatch, Sequence[int]]) -> dict[int, Look]:
    """As ``settled``, where a job prints tickets of several batches, and remembers a look for the key of each."""

    def is_complete() -> bool:
        return all(Look(data).is_complete for data in job.look.values())

    if not is_complete():
        asked = dict(job.look)
        for batch, of_batch in numbers.items():
            look = Look(job.look[str(batch.pk)])
            if not look.is_complete:
                asked[str(batch.pk)] = look.with_choices(job, batch, of_batch, with_backgrounds=True).data
        with transaction.atomic():
            job.look = job.row.select_for_update().values_list("look", flat=True).get()
            if not is_complete():
                job.update(look=asked)
    return {int(pk): Look(data) for pk, data in job.look.items()}


def facts(batch: OfflineSalesBatch) -> str:
    """
    A digest of what tickets may say of the event, its date and its products, besides what layouts say. If that changes
    while tickets are rendered, some say something else than others.
    """
    items = _items(batch)
    rows = (
        Event.objects.filter(pk=batch.event_id),
        EventMetaValue.objects.filter(event=batch.event_id),
        SubEvent.objects.filter(pk=batch.subevent_id),
        SubEventMetaValue.objects.filter(subevent=batch.subevent_id),
        Item.objects.filter(pk__in=items),
        ItemMetaValue.objects.filter(item__in=items),
        ItemVariation.objects.filter(item__in=items),
    )
    content = [list(each.order_by("pk").values()) for each in rows]
    return sha256(json.dumps(content, default=str).encode()).hexdigest()


class _Chooser(TicketDocument):
    """Says which layout the host would render with, plugins asked."""

    def choose(self, position: OrderPosition) -> TicketLayout:
        self.generate(position)
        return self._chosen

    def draw_with(self, layout: TicketLayout, op: OrderPosition, order: Order) -> None:
        self._chosen = layout


def _items(batch: OfflineSalesBatch) -> list[int]:
    """The products of all tickets."""
    positions = OrderPosition.objects.filter(order__offline_sales_ticket__batch=batch)
    return list(positions.order_by().values_list("item", flat=True).distinct())


def _objects(event: Event, layout: TicketLayout) -> str:
    """As it is stored, even if nobody can read it. Where there is nothing, the host takes old settings of the event."""
    with suppress(ValueError):
        if not json.loads(layout.layout):
            return json.dumps(TicketOutput(event).legacy_objects())
    return layout.layout


def _copy(background: str) -> str | None:
    """Without a copy, all is well as long as nobody deletes the background."""
    try:
        return str(files.copy(background))
    except Exception:
        logger.exception("Background %s could not be copied", background)
        return None


def _existing(name: str | None) -> str | None:
    return name if name and default_storage.exists(name) else None
