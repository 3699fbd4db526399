"""What a paper says is kept as it was."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import pypdfium2
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import override
from pretix.base.models import Event

from pretix_offlinesales.documents.batch_papers import DeliveryNotePaper, StatementPaper
from pretix_offlinesales.documents.contents import Delivery, Statement
from pretix_offlinesales.documents.snapshot import Snapshot
from pretix_offlinesales.models import OfflineSalesBatch

from ..support.after_sale import take_back
from ..support.door import check_in

pytestmark = pytest.mark.django_db

PAPERS = pytest.mark.parametrize(("kind", "paper"), [(Delivery, DeliveryNotePaper), (Statement, StatementPaper)])


def draw(paper, event, contents) -> list[str]:
    """The lines of all its pages."""
    output = BytesIO()
    paper(Event.objects.get(pk=event.pk), contents).build(output)
    pages = pypdfium2.PdfDocument(output)
    return [line.strip() for page in pages for line in page.get_textpage().get_text_range().splitlines()]


def through_json(contents):
    return type(contents).from_json(json.loads(json.dumps(contents.to_json())))


@dataclass(frozen=True)
class Part(Snapshot):
    price: Decimal
    name: str


@dataclass(frozen=True)
class Everything(Snapshot):
    part: Part
    parts: tuple[Part, ...]
    by_price: dict[Decimal, Part]
    by_key: dict[int, str]
    day: date
    moment: datetime
    end: datetime | None
    count: int
    yes: bool


def test_all_that_a_snapshot_may_hold_comes_back():
    part = Part(Decimal("1.50"), "Ticket – Reduced")
    moment = datetime(2027, 5, 8, 18, 30, tzinfo=UTC)
    everything = Everything(
        part, (part, part), {Decimal("1.50"): part}, {3: "1-5"}, moment.date(), moment, None, 3, True
    )
    assert through_json(everything) == everything
    assert through_json(replace(everything, end=moment)).end == moment
    assert json.loads(json.dumps(everything.to_json()))["by_price"] == {"1.50": {"price": "1.50", "name": part.name}}


@pytest.fixture
def batch(event, tax_rule, make_batch):
    """Everything that a paper can say: some came back, one of them was let in all the same, and taxes have codes."""
    event.settings.set("invoice_address_from_name", "Museum gGmbH")
    event.settings.set("invoice_address_from_country", "DE")
    event.settings.set("invoice_footer_text", "Registered in Hamburg")
    tax_rule.code = "S/standard"
    tax_rule.save()
    batch = make_batch(amount=6)
    take_back(batch, "2-3", "unsold")
    check_in(batch.tickets.get(number=2).order)
    return batch


@PAPERS
def test_a_snapshot_comes_back_from_json_as_it_was(batch, kind, paper):
    contents = kind.of(batch)
    assert through_json(contents) == contents


@PAPERS
def test_whatever_happens_later_it_is_drawn_as_it_was(batch, event, item, kind, paper):
    contents = kind.of(batch)
    before = draw(paper, event, contents)
    assert {"Museum gGmbH", "Registered in Hamburg", "Ticket"} <= set(before)

    item.name = "Pass"
    item.save()
    batch.sales_channel.label = "Kiosk"
    batch.sales_channel.save()
    event.name, event.currency = "Short Day", "CHF"
    event.date_from = event.date_from.replace(year=2030)
    event.save()
    for name in ("invoice_address_from_name", "invoice_address_from_country", "invoice_footer_text"):
        event.settings.delete(name)
    event.settings.set("timezone", "Asia/Tokyo")
    event.settings.set("locales", ["de"])
    event.settings.set("locale", "de")
    take_back(batch, "4-6", "lost")
    stored = json.dumps(contents.to_json())
    OfflineSalesBatch.objects.get(pk=batch.pk).delete()

    with override("America/New_York"):
        assert draw(paper, event, kind.from_json(json.loads(stored))) == before


@PAPERS
def test_to_draw_it_nothing_is_asked_of_the_batch(batch, event, kind, paper):
    contents = through_json(kind.of(batch))
    with CaptureQueriesContext(connection) as captured:
        draw(paper, event, contents)
    tables = ("offlinesales", "order", "_item", "saleschannel", "subevent")
    asked = [query["sql"].lower().partition(" from ")[2] for query in captured]
    assert [sql for sql in asked if any(table in sql for table in tables)] == []
