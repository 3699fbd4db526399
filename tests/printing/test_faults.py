"""Whatever is wrong with a layout is said by name, wherever it is drawn."""

from io import BytesIO

import pikepdf
import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError
from django.utils.translation import override
from pretix.base.pdf import Renderer

from pretix_offlinesales.models import Job, JobFailed, OfflineSalesBatch
from pretix_offlinesales.printing.choice import choose
from pretix_offlinesales.printing.clearance import tight_codes
from pretix_offlinesales.printing.data import DataOptions, write_data
from pretix_offlinesales.printing.request import PrintRequest
from pretix_offlinesales.printing.sheets import Sheet
from tests.support.layouts import background_pdf, code, text
from tests.support.printing import printed
from tests.support.specimens import first_sheet, specimen

SHEET = {"paper": "A3"}

POWERED_BY = {"type": "poweredby", "page": 1, "left": "5", "bottom": "5", "size": "20", "content": "dark"}

#: Objects that the host can't draw, and what they are called.
OBJECTS = {
    "no width": (text("event_name", width="0"), "Text box “Event name” on page 1"),
    "less than no width": (text(text="Hello", width="-5"), "Text box “Hello” on page 1"),
    "no width in the old form": (text("order", type="textarea", width="0"), "Text box “Order code” on page 1"),
    "no size": ({**POWERED_BY, "size": "0"}, "pretix Logo on page 1"),
    "too much for a code": (
        code(content="other", text="ä" * 1600),
        "QR Code “äääääääääääääääääääääääääääääääääääääää…” on page 1",
    ),
    "too much for an ASCII code": (code(content="other", text="x" * 3000), "QR Code “xxx"),
    "no place": ({"type": "barcodearea", "content": "secret"}, "QR Code “Ticket code (barcode content)” on page 1"),
    "a font size of words": (text("item", fontsize="large"), "Text box “Product name” on page 1"),
    "a color that is none": (text("item", color=["red"]), "Text box “Product name” on page 1"),
    "on another page": (
        text("other_i18n", text_i18n={"en": "Back", "de": "Hinten"}, width="0", page=2),
        "Text box “Back” on page 2",
    ),
    "an object of no type": ({"page": 1, "content": "item"}, "“Product name” on page 1"),
}


def protected() -> bytes:
    with pikepdf.open(BytesIO(background_pdf())) as pdf:
        output = BytesIO()
        pdf.save(output, encryption=pikepdf.Encryption(owner="owner", user="user"))
    return output.getvalue()


def without_pages() -> bytes:
    output = BytesIO()
    pikepdf.new().save(output)
    return output.getvalue()


BACKGROUNDS = {
    "no pages": (without_pages(), "has no pages."),
    "no PDF": (b"This is no PDF.", "is no PDF file that can be read."),
    "empty": (b" ", "is no PDF file that can be read."),
    "a part of a PDF": (background_pdf()[:300], "is no PDF file that can be read."),
    "a password": (protected(), "is protected with a password. Please upload it without one."),
    "gone": (None, "does not exist any more. Please upload it again."),
}


@pytest.fixture(params=OBJECTS)
def bad_object(request, make_layout):
    """A layout with an object that can't be drawn among others that can, and what is said about it."""
    o, message = OBJECTS[request.param]
    pages = o.get("page", 1)
    background = background_pdf(pages=pages, size=(800, 600))
    return make_layout([text(), o, code(left="60")], background, name="Glossy"), message


@pytest.fixture(params=BACKGROUNDS)
def bad_background(request, make_layout):
    content, message = BACKGROUNDS[request.param]
    layout = make_layout([text(), code()], content or background_pdf(), name="Glossy")
    if not content:
        layout.background.storage.delete(layout.background.name)
    file = layout.background.name.rpartition("/")[2]
    return layout, f"The background “{file}” of the layout “Glossy” {message}"


def failures(batch, layout, quota) -> dict[str, str]:
    """What everything says that draws with this layout."""
    unsaved = OfflineSalesBatch(
        event=batch.event, item=batch.item, sales_channel=batch.sales_channel, amount=1, layout=layout
    )
    ways = {
        "pages": lambda: printed(batch),
        "sheets": lambda: PrintRequest.of(batch, choose(batch), Sheet.parse(SHEET)),
        "first ticket": lambda: first_sheet(batch, PrintRequest.of(batch, choose(batch))),
        "specimen": lambda: specimen(unsaved),
    }
    said = {}
    for name, draw in ways.items():
        with pytest.raises(JobFailed) as failure:
            draw()
        said[name] = str(failure.value)
    return said


def test_the_object_is_named_everywhere(make_batch, bad_object, quota):
    layout, message = bad_object
    said = failures(make_batch(2, layout), layout, quota)
    [what] = set(said.values())
    assert (message in what, "of the layout “Glossy” cannot be drawn. Please check its size" in what) == (True, True)


def test_the_background_is_named_everywhere(make_batch, event, bad_background, quota):
    layout, message = bad_background
    assert set(failures(make_batch(2, layout), layout, quota).values()) == {message}
    with pytest.raises(JobFailed) as failure:
        tight_codes(event, layout)
    assert str(failure.value) == message


@pytest.mark.parametrize("objects", ["no JSON", "5", '{"type": "text"}', "[5]"])
def test_what_is_no_layout_at_all_is_named(make_batch, make_layout, quota, objects):
    layout = make_layout([], background_pdf(), name="Glossy")
    layout.layout = objects
    layout.save()
    said = failures(make_batch(1, layout), layout, quota)
    assert set(said.values()) == {
        "The tickets could not be drawn with the layout “Glossy”. Please check it and its background."
    }


def test_a_code_without_a_place_is_named_where_codes_are_looked_at(event, make_layout):
    with pytest.raises(JobFailed, match="^QR Code “Order code” on page 1 of the layout “Glossy” cannot be drawn"):
        tight_codes(event, make_layout([{"type": "barcodearea", "content": "order"}], background_pdf(), name="Glossy"))


def test_data_files_name_it_too(make_batch, make_layout):
    batch = make_batch(1, make_layout([{"content": "order"}], background_pdf(), name="Glossy"))
    options = DataOptions.read({"format": "csv", "pictures": "", "placeholders": [], "tickets": ""})
    with pytest.raises(JobFailed, match="“Order code” on page 1 of the layout “Glossy” cannot be drawn"):
        write_data(batch, options, BytesIO())


def test_it_is_said_in_the_language_of_who_reads_it(make_batch, make_order, make_layout):
    """Tickets are drawn in the language of their order."""
    layout = make_layout([text("event_name", width="0")], background_pdf(), name="Glossy")
    with override("en"), pytest.raises(JobFailed, match="^Text box “Event name” on page 1"):
        printed(make_batch([make_order(locale="de")], layout))


@pytest.mark.parametrize(
    "error", [OperationalError("the connection is lost"), OSError("the storage is away"), MemoryError()]
)
def test_what_is_away_is_not_the_fault_of_the_layout(make_batch, make_layout, monkeypatch, error):
    def draw(*args, **kwargs):
        raise error

    monkeypatch.setattr(Renderer, "_draw_textcontainer", draw)
    with pytest.raises(type(error)):
        printed(make_batch(1, make_layout([text("order")], background_pdf())))


def test_a_storage_that_is_away_is_not_the_fault_of_the_background(make_batch, make_layout, monkeypatch):
    def open_file(*args, **kwargs):
        raise ConnectionError("the storage is away")

    batch = make_batch(1, make_layout([text()], background_pdf()))
    monkeypatch.setattr(batch.layout.background.storage, "open", open_file)
    with pytest.raises(ConnectionError):
        printed(batch)


def test_a_job_says_it(api, url, make_batch, make_layout, worker):
    batch = make_batch(1, make_layout([text("event_name", width="0")], background_pdf(), name="Glossy"))
    url = f"{url}{batch.pk}/render/"
    with worker():
        download = api.post(url, {}, format="json").data["download"]
    answer = api.get(download)
    message = (
        "Text box “Event name” on page 1 of the layout “Glossy” cannot be drawn. Please check its size and what it "
        "shows."
    )
    assert (answer.status_code, answer.data) == (410, {"status": "failed", "message": message})
    refused = api.post(url, {"sheet": SHEET}, format="json")
    assert (refused.status_code, refused.json()) == (400, {"sheet": [message]})
    assert Job.objects.count() == 1


def test_a_job_says_it_of_a_background_too(api, url, make_batch, bad_background, worker):
    layout, message = bad_background
    batch = make_batch(1, layout)
    with worker():
        download = api.post(f"{url}{batch.pk}/render/", {}, format="json").data["download"]
    answer = api.get(download)
    assert (answer.status_code, answer.data) == (410, {"status": "failed", "message": message})
    refused = api.post(f"{url}{batch.pk}/render/", {"sheet": SHEET}, format="json")
    assert (refused.status_code, refused.json()) == (400, {"sheet": [message]})


def test_it_is_named_on_the_default_background(make_batch, make_layout, quota):
    layout = make_layout([text("event_name", width="0")])
    assert "Text box “Event name”" in failures(make_batch(1, layout), layout, quota)["pages"]


def test_a_background_that_only_its_owner_may_change_is_printed(make_batch, make_layout):
    with pikepdf.open(BytesIO(background_pdf())) as pdf:
        output = BytesIO()
        pdf.save(output, encryption=pikepdf.Encryption(owner="owner", user=""))
    layout = make_layout([code()])
    layout.background.save("background.pdf", ContentFile(output.getvalue()))
    with pikepdf.open(BytesIO(printed(make_batch(1, layout)))) as pdf:
        assert (len(pdf.pages), pdf.is_encrypted) == (1, False)
