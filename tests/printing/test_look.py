"""What a print looks like is fixed when it is asked for, whatever becomes of the layouts before it is done."""

import json
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from pretix.base.models import CachedFile, Event
from pretix.plugins.ticketoutputpdf.models import TicketLayout
from pretix.plugins.ticketoutputpdf.signals import override_layout

from pretix_offlinesales.jobs import runner
from pretix_offlinesales.kinds import MAKE_DATA, PRINT
from pretix_offlinesales.models import Job, OfflineSalesBatch
from pretix_offlinesales.printing import plan as plan_module
from pretix_offlinesales.printing.data import DataOptions, Format
from pretix_offlinesales.printing.look import Look
from tests.support.layouts import background_pdf, code, text
from tests.support.pdf import extracted_text, rasterized
from tests.support.plugins import receiver_of_a_plugin
from tests.support.printing import print_batch, tickets


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(plan_module, "PART_SIZE", 2)


@pytest.fixture
def evening(make_layout):
    return make_layout([text(text="19:00"), text("order", bottom="60")], background_pdf(), default=True)


@pytest.fixture(params=["the batch's", "the event's"])
def batch(request, make_batch, evening):
    return make_batch(5, evening if request.param == "the batch's" else None)


@pytest.fixture
def between_parts(monkeypatch):
    """``between_parts(act)``: when the first part is stored, this happens."""
    save = FileSystemStorage._save
    acts = []

    def act_and_save(storage, name, content):
        if name.endswith(".zip") and acts:
            acts.pop()()
        return save(storage, name, content)

    monkeypatch.setattr(FileSystemStorage, "_save", act_and_save)
    return acts.append


def printed_now(batch) -> bytes:
    output = BytesIO()
    print_batch(batch, output)
    return output.getvalue()


def run(job) -> bytes:
    runner.run(Event.objects.get(pk=job.event_id), job.pk)
    job.refresh_from_db()
    assert (job.state, job.message) == (Job.State.SUCCEEDED, "")
    with job.file.file.open() as file:
        return file.read()


def edit(layout):
    TicketLayout.objects.filter(pk=layout.pk).update(layout=json.dumps([text(text="20:00")]))


def replace_background(layout):
    """As the host does it."""
    layout = TicketLayout.objects.get(pk=layout.pk)
    layout.background.delete()
    layout.background.save("background.pdf", ContentFile(background_pdf(size=(500, 500))))


def delete(layout):
    layout = TicketLayout.objects.get(pk=layout.pk)
    layout.background.delete()
    layout.delete()


def assign_another(layout):
    other = layout.event.ticket_layouts.create(name="Other", layout=json.dumps([text(text="20:00")]))
    item = layout.event.items.get()
    other.item_assignments.create(item=item, sales_channel=layout.event.organizer.sales_channels.get(identifier="web"))


def make_another_the_default(layout):
    TicketLayout.objects.update(default=False)
    layout.event.ticket_layouts.create(name="Other", layout=json.dumps([text(text="20:00")]), default=True)


CHANGES = [edit, replace_background, delete, assign_another, make_another_the_default]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("when", ["before it begins", "between two parts"])
def test_all_pages_look_as_when_they_were_asked_for(batch, evening, between_parts, change, when):
    wanted = printed_now(batch)
    job = PRINT.ask(batch, {})
    if when == "before it begins":
        change(evening)
    else:
        between_parts(lambda: change(evening))
    pdf = run(job)
    assert rasterized(pdf) == rasterized(wanted)
    assert extracted_text(pdf) == extracted_text(wanted)


def test_a_default_that_is_not_in_the_database(make_batch, event, between_parts):
    batch = make_batch(3)
    wanted = printed_now(batch)
    between_parts(lambda: event.ticket_layouts.create(name="New", layout=json.dumps([text()]), default=True))
    assert rasterized(run(PRINT.ask(batch, {}))) == rasterized(wanted)


def test_old_settings_of_the_event_where_the_layout_says_nothing(make_batch, event, make_layout, between_parts):
    """From before there were layouts."""
    event.settings.set("ticketoutput_pdf_background", "file://old.pdf")
    event.settings.set("ticketoutput_pdf_order_s", 20)
    batch = make_batch(3, make_layout([], background_pdf()))
    wanted = printed_now(batch)
    between_parts(lambda: event.settings.set("ticketoutput_pdf_order_s", 40))
    assert rasterized(run(PRINT.ask(batch, {}))) == rasterized(wanted)


def test_plugins_choose_once_for_all_parts(make_batch, make_layout, settings, between_parts):
    batch = make_batch(5)
    words = ["first", "second", "third"]
    layouts = [make_layout([text(text=word)], background_pdf(), name=word) for word in words]
    order = {position.pk: number for number, position in enumerate(tickets(batch))}
    asked = []

    def override(sender, layout, orderposition, **kwargs):
        number = order[orderposition.pk]
        asked.append(number)
        if number == 4:
            return TicketLayout(name="not stored", layout=json.dumps([text(text="unstored")]))
        return TicketLayout.objects.get(pk=layouts[number % 3 if len(asked) <= 5 else 0].pk)

    def change_all():
        for layout in layouts:
            edit(layout)

    between_parts(change_all)
    with receiver_of_a_plugin(settings, override_layout, override):
        pdf = run(PRINT.ask(batch, {}))
    assert asked == [0, 1, 2, 3, 4]
    shown = [page.split()[-1] for page in extracted_text(pdf)]
    assert shown == ["first", "second", "third", "first", "unstored"]


def test_plugins_are_asked_about_what_was_there_when_it_was_asked_for(make_batch, evening, settings):
    batch, seen = make_batch(1), []

    def override(sender, layout, orderposition, **kwargs):
        seen.append(layout.pk)
        return layout

    with receiver_of_a_plugin(settings, override_layout, override):
        job = PRINT.ask(batch, {})
        edit(evening)
        assert "19:00" in extracted_text(run(job))[0]
    assert seen == [evening.pk]


def test_a_background_is_copied_once_for_all_prints(make_batch, evening):
    batch = make_batch(1, evening)
    background = evening.background.name
    for _ in range(2):
        PRINT.ask(batch, {})
    assert CachedFile.objects.filter(filename="copy").count() == 1
    assert len(list(Path(default_storage.path("cachedfiles")).iterdir())) == 1
    replace_background(evening)
    batch.layout.refresh_from_db()
    assert batch.layout.background.name != background
    PRINT.ask(batch, {})
    assert CachedFile.objects.filter(filename="copy").count() == 2


def test_a_background_that_can_not_be_copied_is_used_as_long_as_it_is_there(make_batch, evening, monkeypatch):
    batch = make_batch(1, evening)
    wanted = printed_now(batch)
    with monkeypatch.context() as patched:
        patched.setattr(FileSystemStorage, "_save", lambda *args: (_ for _ in ()).throw(OSError("full")))
        job = PRINT.ask(batch, {})
    assert rasterized(run(job)) == rasterized(wanted)


def test_a_copy_that_is_gone_is_not_missed_as_long_as_the_background_is_there(make_batch, evening):
    batch = make_batch(1, evening)
    wanted = printed_now(batch)
    job = PRINT.ask(batch, {})
    copy = CachedFile.objects.get(filename="copy")
    default_storage.delete(copy.file.name)
    assert rasterized(run(job)) == rasterized(wanted)


def test_a_layout_that_is_no_layout_fails_when_it_is_drawn(make_batch, evening):
    batch = make_batch(1, evening)
    evening.layout = "no JSON"
    evening.save()
    batch.layout.refresh_from_db()
    job = PRINT.ask(batch, {})
    runner.run(batch.event, job.pk)
    job.refresh_from_db()
    assert job.message == (
        "The tickets could not be drawn with the layout “Paper”. Please check it and its background."
    )


def test_jobs_from_before_looks_were_remembered(make_batch, evening):
    batch = make_batch(1, evening)
    job = PRINT.ask(batch, {})
    Job.objects.update(look={})
    assert rasterized(run(job)) == rasterized(printed_now(batch))


def test_data_files_hold_what_codes_said_when_they_were_asked_for(ask, api, make_layout):
    layout = make_layout([code(content="order")])
    batch = OfflineSalesBatch.objects.get(pk=api.get(ask(layout=layout.pk).data["check"]).data["id"])
    job = MAKE_DATA.ask(batch, DataOptions(Format.CSV), {})
    assert CachedFile.objects.filter(filename="copy").count() == 0
    layout.delete()
    lines = run(job).decode("utf-8-sig").splitlines()
    codes = [ticket.order.code for ticket in batch.tickets.order_by("number")]
    assert [line.split(",")[4].strip('"') for line in lines[1:]] == codes


def test_what_is_remembered_is_json(batch):
    data = Look.of(batch).data
    assert json.loads(json.dumps(data)) == data
