"""The page on which one chooses what is printed, and on what sheets."""

import json
from io import BytesIO

import pikepdf
import pytest
from bs4 import BeautifulSoup
from django.core.files.base import ContentFile
from django_scopes import scope
from pretix.base.models import Event
from pretix.base.models.orders import PrintLog

from pretix_offlinesales.control import picture
from pretix_offlinesales.jobs import queries
from pretix_offlinesales.kinds import PRINT
from pretix_offlinesales.models import Job, SheetPreset
from pretix_offlinesales.printing import limits
from pretix_offlinesales.printing.presets import PRESETS
from pretix_offlinesales.printing.sheets import Sheet
from tests.support.after_sale import cancel
from tests.support.layouts import make_blank
from tests.support.pages import alerts, errors, soup, words

MM = 72 / 25.4


@pytest.fixture
def card(event):
    """A layout of 100 × 60 mm, with its code in the middle."""
    from reportlab.pdfgen.canvas import Canvas

    background = BytesIO()
    canvas = Canvas(background, pagesize=(100 * MM, 60 * MM))
    canvas.showPage()
    canvas.save()
    code = '[{"type": "barcodearea", "page": 1, "left": "30", "bottom": "15", "size": "30", "content": "secret"}]'
    layout = event.ticket_layouts.create(name="Card", default=True, layout=code)
    layout.background.save("background.pdf", ContentFile(background.getvalue()))
    return layout


@pytest.fixture(autouse=True)
def media_files(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def batch(make, card):
    return make(amount=12, layout=card.pk)


@pytest.fixture
def at(pages, batch):
    return f"{pages}{batch.pk}/print/"


@pytest.fixture
def filled_out():
    """The smallest form for sheets."""
    return {"pages": "sheets", "paper": "A4"}


@pytest.fixture
def order_print(anna, at, worker):
    """``order_print(pages="single")``: fill in the form, and let a worker print."""

    def order_print(**values):
        with worker():
            return anna.post(f"{at}options", values)

    return order_print


@pytest.fixture
def preview(anna, at):
    def preview(**values):
        response = anna.get(f"{at}preview", values)
        assert response.status_code == 200
        return BeautifulSoup(response.content.decode(), "lxml")

    return preview


def opened(response) -> pikepdf.Pdf:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return pikepdf.open(BytesIO(content))


def size(page) -> tuple[int, int]:
    return tuple(round(float(length) / MM) for length in page.mediabox[2:])


# Printing


def test_sheets(anna, order_print, filled_out):
    pdf = opened(anna.get(order_print(**filled_out)["Location"], follow=True))
    assert [size(page) for page in pdf.pages] == [(210, 297), (210, 297)]


def test_single_pages_of_some(anna, order_print):
    pdf = opened(anna.get(order_print(pages="single", tickets="2-4, 7")["Location"], follow=True))
    assert [size(page) for page in pdf.pages] == [(100, 60)] * 4


def test_all_on_single_pages_is_what_the_button_prints(order_print):
    order_print(pages="single")
    assert Job.objects.get(kind=PRINT.identifier).request == {}


def test_only_those_that_were_never_printed(order_print, batch):
    order_print(pages="single", tickets="1-10")
    order_print(pages="single", only="unprinted")
    assert Job.objects.filter(kind=PRINT.identifier).last().request == {"tickets": "11-12"}


def test_everything_that_can_be_chosen(order_print, filled_out):
    response = order_print(
        **filled_out | {"paper": "other", "paper_x": "320", "paper_y": "450", "landscape": "on", "order": "stack"},
        columns="2",
        rows="3",
        margin_x="10",
        margin_y="12.5",
        gutter_x="3",
        gutter_y="4",
        cell_x="110",
        cell_y="70",
        rotate="no",
        crop_marks="on",
        running_text="on",
        duplex="short",
        offset_x="-1.5",
        offset_y="2",
    )
    assert response.status_code == 302, errors(response)
    assert Sheet.parse(Job.objects.get(kind=PRINT.identifier).request["sheet"]) == Sheet(
        paper=(320, 450),
        landscape=True,
        columns=2,
        rows=3,
        margin=(10, 12.5),
        gutter=(3, 4),
        cell=(110, 70),
        rotate=False,
        crop_marks=True,
        running_text=True,
        order="stack",
        duplex="short",
        offset=(-1.5, 2),
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"tickets": "5-2"}, {"tickets": ["“5-2” is not a range of ticket numbers."]}),
        ({"tickets": "13"}, {"tickets": ["This batch has no tickets with these numbers: 13"]}),
        ({"columns": "2"}, {"rows": ["Columns and rows are only given together."]}),
        (
            {"columns": "3", "rows": "4", "rotate": "no"},
            {"columns": ["At most 2 × 4 tickets of 100 × 60 mm fit on this sheet."]},
        ),
        ({"margin_x": "105"}, {"margin_x": ["These margins leave nothing of the paper."]}),
        ({"gutter_x": "-1"}, {"gutter_x": ["Ensure this value is greater than or equal to 0."]}),
        ({"offset_x": "51"}, {"offset_x": ["Ensure this value is less than or equal to 50."]}),
        (
            {"cell_x": "50", "cell_y": "30"},
            {"cell_x": ["Tickets of 100 × 60 mm do not fit. At most 50 × 30 mm do."]},
        ),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(order_print, filled_out, values, expected):
    response = order_print(**filled_out | values)
    assert {name: messages for name, messages in errors(response).items() if messages} == expected
    assert not Job.objects.filter(kind=PRINT.identifier).exists()


def test_other_paper_needs_a_size(order_print):
    assert "paper" in errors(order_print(pages="sheets", paper="other"))


def test_nothing_is_left(order_print, batch, filled_out):
    for ticket in batch.tickets.all():
        cancel(ticket)
    assert "tickets" in errors(order_print(**filled_out))


def test_too_many_unfinished_jobs(order_print, filled_out, make_job, monkeypatch):
    monkeypatch.setattr(queries, "MAX_UNFINISHED", 1)
    make_job()
    assert any("too many unfinished jobs" in text for text in alerts(order_print(**filled_out)))


# What is shown before


def test_a_picture_of_the_first_sheet(preview, filled_out):
    shown = preview(**filled_out)
    assert words(shown.p) == "12 tickets , on 2 sheets (2 × 4)"
    assert [label.text for label in shown.svg.select("text")] == [f"{number:04}" for number in range(1, 9)]
    assert shown.svg["viewbox"] == "-1 -1 212 299"


def test_the_picture_shows_what_a_stack_has_on_top(preview, filled_out):
    labels = [label.text for label in preview(**filled_out, order="stack").svg.select("text")]
    assert labels[:3] == ["0001", "0003", "0005"]


def test_crop_marks_are_in_the_picture(preview, filled_out):
    assert preview(**filled_out).svg.select("line") == []
    assert preview(**filled_out, crop_marks="on").svg.select("line") != []


def test_single_pages_have_no_picture(preview):
    shown = preview(pages="single", tickets="1-3")
    assert (words(shown.p), shown.svg) == ("3 tickets", None)


def test_who_prints_again_is_warned(preview, batch):
    for ticket in batch.tickets.all()[:2]:
        position = ticket.order.positions.get()
        PrintLog.objects.create(position=position, type=PrintLog.TYPE_TICKET, source="test")
    [warning] = preview(pages="single").select(".alert")
    assert words(warning).startswith("2 of these tickets have been printed before.")
    assert preview(pages="single", tickets="3-4").select(".alert") == []


@pytest.fixture
def two_blocked(batch):
    """Of twelve."""
    for number in (3, 7):
        position = batch.tickets.get(number=number).order.positions.get()
        position.blocked = ["admin"]
        position.save()


def test_blocked_tickets_are_counted_before_they_are_printed(preview, two_blocked):
    [warning] = preview(pages="single").select(".alert")
    assert words(warning).startswith("2 of these tickets are blocked. They are printed all the same")
    [warning] = preview(pages="single", tickets="1-3").select(".alert")
    assert words(warning).startswith("1 of these tickets is blocked. It is printed all the same")
    assert preview(pages="single", tickets="1-2").select(".alert") == []


def test_blocked_tickets_are_printed_and_counted(anna, order_print, two_blocked, pages, batch):
    pdf = opened(anna.get(order_print(pages="single")["Location"], follow=True))
    assert len(pdf.pages) == 12
    page = soup(anna.get(f"{pages}{batch.pk}/"))
    assert "2 of these tickets were blocked when they were printed." in words(page)
    [entry] = batch.all_logentries().filter(action_type="pretix_offlinesales.batch.printed")
    assert entry.parsed_data == {"amount": 12, "blocked": 2}
    assert entry.display() == "12 tickets have been printed. 2 of them are blocked."


def test_without_blocked_tickets_nothing_is_said_of_them(anna, order_print, pages, batch):
    order_print(pages="single")
    assert "blocked" not in words(soup(anna.get(f"{pages}{batch.pk}/")))


def test_the_preview_says_what_is_wrong(preview, filled_out):
    shown = preview(**filled_out, columns="9", rows="9")
    assert "Columns: At most 2 × 4 tickets of 100 × 60 mm fit on this sheet." in [
        words(alert) for alert in shown.select(".alert")
    ]


def test_a_layout_that_can_not_be_used_is_said_by_the_preview_and_by_printing(preview, order_print, filled_out, card):
    card.layout = '[{"type": "barcodearea"}]'
    card.save()
    message = (
        "QR Code “Ticket code (barcode content)” on page 1 of the layout “Card” cannot be drawn. Please check its size "
        "and what it shows."
    )
    assert message in words(preview(**filled_out))
    assert alerts(order_print(**filled_out)) == [message]


def test_a_code_that_would_be_cut_off_is_said_by_the_preview_and_by_printing(preview, order_print, filled_out, card):
    card.layout = card.layout.replace('"left": "30"', '"left": "2"')
    card.save()
    wanted = filled_out | {"paper": "other", "paper_x": "101", "paper_y": "61", "offset_x": "-10"}
    assert "A code on page 1 of the tickets (“secret”) would be cut off on the sheets" in words(preview(**wanted))
    [message] = alerts(order_print(**wanted))
    assert message.startswith("A code on page 1 of the tickets (“secret”) would be cut off on the sheets")
    assert not Job.objects.filter(kind=PRINT.identifier).exists()


def test_the_first_sheet_can_be_looked_at(anna, at, filled_out):
    response = anna.post(f"{at}sheet", filled_out)
    assert response["Cache-Control"] == "private, no-store"
    assert [size(page) for page in opened(response).pages] == [(210, 297)]
    assert not PrintLog.objects.exists()


def test_a_code_near_the_edge_is_warned_of(anna, at, card):
    assert "Scanners may not find" not in anna.get(f"{at}options").content.decode()
    card.layout = card.layout.replace('"bottom": "15"', '"bottom": "0", "nowhitespace": true')
    card.save()
    [warning] = [text for text in alerts(anna.get(f"{at}options")) if "Scanners" in text]
    assert warning.startswith("A code on page 1 of the ticket layout has only 0.0 mm clear around it.")


def test_letters_that_a_font_does_not_have_are_warned_of(anna, at, card, worker):
    assert "does not have these letters" not in anna.get(f"{at}options").content.decode()
    text = {"type": "textcontainer", "page": 1, "left": "5", "bottom": "50", "width": "60", "height": "8"}
    text |= {"fontsize": "12", "lineheight": "1", "color": [0, 0, 0, 1], "fontfamily": "Open Sans", "align": "left"}
    text |= {"bold": False, "italic": False, "content": "other", "text": "Night of 音楽"}
    card.layout = json.dumps([*json.loads(card.layout), text])
    card.save()
    warning = (
        "The font “Open Sans” of the ticket layout does not have these letters,"
        " so that boxes are printed in their place: 音楽"
    )
    batch = at.removesuffix("print/")
    assert [[text for text in alerts(anna.get(page)) if "letters" in text] for page in (f"{at}options", batch)] == [
        *([warning], [warning])
    ]
    with worker():
        anna.post(at.removesuffix("/"))
    assert alerts(anna.get(batch)) == []  # whoever has printed it knows


def test_what_is_wrong_with_a_sheet_does_not_matter_where_there_is_none(anna, at, worker):
    with worker():
        anna.post(f"{at}options", {"pages": "single", "offset_x": "99", "columns": "-1"})
    job = Job.objects.get(kind=PRINT.identifier)
    assert (job.state, job.request.get("sheet")) == ("succeeded", None)


# Calibration


def test_a_calibration_page_in_the_size_of_the_paper(anna, at):
    pdf = opened(anna.post(f"{at}calibration", {"pages": "single", "paper": "Letter", "landscape": "on"}))
    assert [size(page) for page in pdf.pages] == [(279, 216)]


def test_a_calibration_page_of_nonsense(anna, at):
    response = anna.post(f"{at}calibration", {"paper": "A4", "margin_x": "200"})
    assert set(errors(response)) == {"margin_x"}


# Presets


def test_the_presets_of_the_plugin_can_be_used(anna, at, order_print):
    for key, preset in PRESETS.items():
        page = soup(anna.get(f"{at}options", {"preset": key})).select_one("form[data-asynctask]")
        assert page.select_one("[name=paper] option[selected]")["value"] == preset.sheet.paper
        assert page.select_one("[name=columns]")["value"] == str(preset.sheet.columns)
        assert float(page.select_one("[name=cell_x]")["value"]) == preset.sheet.cell[0]
    assert anna.get(f"{at}options", {"preset": "nothing"}).status_code == 404
    assert anna.get(f"{at}options", {"preset": "9999"}).status_code == 404


def test_a_sheet_is_saved_under_a_name(anna, at, event, filled_out):
    response = anna.post(f"{at}presets", filled_out | {"name": "Kiosk", "offset_x": "1.5"}, follow=True)
    preset = event.offline_sales_presets.get()
    assert (preset.name, Sheet.parse(preset.sheet)) == ("Kiosk", Sheet("A4", offset=(1.5, 0), running_text=False))
    assert response.redirect_chain == [(f"{at}options?preset={preset.pk}", 302)]
    assert soup(response).select_one("form[data-asynctask] [name=offset_x]")["value"] == "1.5"


def test_the_same_name_is_overwritten(anna, at, event, filled_out):
    anna.post(f"{at}presets", filled_out | {"name": "Kiosk"})
    anna.post(f"{at}presets", filled_out | {"name": "Kiosk", "paper": "A3"})
    assert [preset.sheet["paper"] for preset in event.offline_sales_presets.all()] == ["A3"]


def test_a_preset_is_deleted_after_a_question(anna, at, event, filled_out):
    anna.post(f"{at}presets", filled_out | {"name": "Kiosk"})
    [link] = [link for link in soup(anna.get(f"{at}options")).select("a") if words(link) == "Delete"]
    question = soup(anna.get(link["href"]))
    assert "Do you really want to delete the preset Kiosk ?" in words(question.select_one("#page-wrapper form p"))
    assert [back["href"] for back in question.select("a.btn-cancel")] == [f"{at}options"]
    assert event.offline_sales_presets.exists()
    response = anna.post(link["href"], follow=True)
    assert (response.redirect_chain, alerts(response)) == ([(f"{at}options", 302)], ["The preset has been deleted."])
    assert not event.offline_sales_presets.exists()


def test_the_history_of_the_event_knows(anna, at, event, filled_out):
    anna.post(f"{at}presets", filled_out | {"name": "Kiosk"})
    anna.post(f"{at}presets", filled_out | {"name": "Kiosk"})
    anna.post(f"{at}presets/{event.offline_sales_presets.get().pk}/delete")
    entries = event.all_logentries().filter(action_type__startswith="pretix_offlinesales.preset").order_by("pk")
    assert [entry.display() for entry in entries] == [
        f"The preset “Kiosk” for printing offline sales has been {done}." for done in ("saved", "changed", "deleted")
    ]


@pytest.mark.parametrize(
    ("values", "wrong"), [({"name": ""}, {"name"}), ({"pages": "single"}, {"pages"}), ({"rows": "3"}, {"columns"})]
)
def test_a_preset_that_can_not_be_saved(anna, at, filled_out, values, wrong):
    response = anna.post(f"{at}presets", filled_out | {"name": "Kiosk"} | values)
    assert set(errors(response)) == wrong
    assert not SheetPreset.objects.exists()


def test_presets_of_another_event_stay_there(anna, at, series):
    preset = SheetPreset.objects.create(event=series, name="Kiosk", sheet={"paper": "A4"})
    assert anna.get(f"{at}options", {"preset": str(preset.pk)}).status_code == 404
    assert anna.post(f"{at}presets/{preset.pk}/delete").status_code == 404
    assert SheetPreset.objects.exists()


def test_a_copied_event_has_its_own(event, organizer):
    preset = SheetPreset.objects.create(event=event, name="Kiosk", sheet={"paper": "A3"})
    copy = Event.objects.create(organizer=organizer, name="Next year", slug="next", date_from=event.date_from)
    with scope(organizer=organizer):
        copy.copy_data_from(event)
    [copied] = copy.offline_sales_presets.all()
    assert (copied.name, copied.sheet, copied.pk == preset.pk) == ("Kiosk", {"paper": "A3"}, False)


def test_what_the_batch_was_printed_on_last_can_be_chosen_again(anna, at, order_print, filled_out):
    def offered():
        return [option.get("value") for option in soup(anna.get(f"{at}options")).select("[name=preset] option")][:2]

    assert offered() == ["", "avery-32010"]
    assert anna.get(f"{at}options", {"preset": "last"}).status_code == 404
    order_print(**filled_out, columns="1", rows="3", offset_x="1.5", tickets="1-6")
    assert offered() == ["", "last"]
    form = soup(anna.get(f"{at}options", {"preset": "last"})).select_one("form[data-asynctask]")
    assert [form.select_one(f"[name={name}]").get("value") for name in ("tickets", "columns", "rows", "offset_x")] == [
        None, "1", "3", "1.5",
    ]  # fmt: skip
    order_print(pages="single")
    assert offered() == ["", "avery-32010"]


def folded(response) -> dict[str, bool]:
    """What is folded on the page, and whether it is open."""
    return {words(part.summary): part.has_attr("open") for part in soup(response).select("details")}


def test_what_is_chosen_seldom_is_folded_until_it_is_wrong(anna, at, order_print, filled_out):
    closed = {"Margins, gutters and labels": False, "Printer": False, "Save as preset": False}
    page = soup(anna.get(f"{at}options"))
    seldom = {field["name"] for field in page.select("details [name]")}
    assert folded(anna.get(f"{at}options")) == closed
    assert seldom == {
        *(f"{name}_{axis}" for name in ("margin", "gutter", "cell", "offset") for axis in "xy"),
        *("rotate", "running_text", "name"),
    }
    assert folded(order_print(**filled_out, columns="x")) == closed
    assert folded(order_print(**filled_out, margin_x="105")) == closed | {"Margins, gutters and labels": True}
    assert folded(order_print(**filled_out, offset_y="51")) == closed | {"Printer": True}
    assert folded(anna.post(f"{at}presets", filled_out)) == closed | {"Save as preset": True}


def test_the_page_of_the_batch_leads_there(anna, ron, pages, batch, at):
    link = f"{at}options"
    assert [words(a) for a in soup(anna.get(f"{pages}{batch.pk}/")).select(f'a[href="{link}"]')] == ["Print options …"]
    assert soup(ron.get(f"{pages}{batch.pk}/")).select(f'a[href="{link}"]') == []


# What is too large, or wrong


def break_layout(card, **values):
    o = {"type": "poweredby", "page": 1, "left": "5", "bottom": "5", "size": "20", "content": "dark"} | values
    card.layout = json.dumps([o])
    card.save()


def test_the_options_say_at_once_what_is_wrong(anna, at, card):
    break_layout(card, type="barcodearea", content="order", size="none")
    [problem] = alerts(anna.get(f"{at}options"))
    assert problem.startswith("QR Code “Order code” on page 1 of the layout “Card” cannot be drawn.")


def test_an_object_that_can_not_be_drawn_is_named_by_all_pages(anna, at, preview, order_print, filled_out, card):
    break_layout(card, size="0")
    message = "pretix Logo on page 1 of the layout “Card” cannot be drawn. Please check its size."
    assert message in words(preview(**filled_out))
    assert alerts(order_print(**filled_out)) == [message]
    assert alerts(anna.post(f"{at}sheet", filled_out)) == [message]
    assert alerts(anna.post(f"{at}sheet", {"pages": "single"})) == [message]


def test_a_background_without_pages_is_named_by_all_pages(anna, at, preview, order_print, filled_out, card):
    empty = BytesIO()
    pikepdf.new().save(empty)
    card.background.save("background.pdf", ContentFile(empty.getvalue()))
    file = card.background.name.rpartition("/")[2]
    message = f"The background “{file}” of the layout “Card” has no pages."
    assert message in words(preview(**filled_out))
    assert alerts(order_print(**filled_out)) == [message]
    assert alerts(anna.post(f"{at}sheet", filled_out)) == [message]
    assert alerts(anna.get(f"{at}options")) == [message]


def test_what_is_too_large_is_named_by_all_pages(anna, at, preview, order_print, filled_out, card, monkeypatch):
    monkeypatch.setattr(limits, "MAX_FILE", 10)
    message = "Previews and sheets are made with at most 10 bytes; you can print each ticket on a page of its own."
    assert message in words(preview(**filled_out))
    for response in (
        order_print(**filled_out),
        anna.post(f"{at}sheet", filled_out),
        anna.post(f"{at}sheet", {"pages": "single"}),
        anna.get(f"{at}options"),
    ):
        assert [message in alert for alert in alerts(response)] == [True]
    assert len(opened(anna.get(order_print(pages="single")["Location"], follow=True)).pages) == 12


def test_the_picture_of_many_places_is_as_small_as_that_of_few(preview, card):
    card.background.save("background.pdf", ContentFile(make_blank((20, 20))))
    asked = {"pages": "sheets", "paper": "other", "paper_x": "2100", "paper_y": "2100", "crop_marks": "on"}
    shown = preview(**asked, gutter_x="1", gutter_y="1", columns="100", rows="100", offset_x="5")
    assert words(shown.p) == "12 tickets , on 1 sheet (100 × 100)"
    assert len(str(shown.svg)) < 2_000
    pattern, [rows, others] = shown.svg.pattern, shown.svg.select("g rect")
    lengths = [float(pattern[name]) for name in ("x", "y", "width", "height")]
    assert lengths == pytest.approx([5.5, 0.5, 21, 21], abs=0.1)
    # Twelve tickets fill no row of hundred.
    assert float(rows["height"]) == 0
    assert (float(others["width"]), float(others["height"])) == pytest.approx((12 * 21, 21), abs=0.1)


def test_a_picture_of_many_places_shows_how_much_is_used(preview, filled_out, monkeypatch):
    monkeypatch.setattr(picture, "MAX_PICTURED", 7)
    [rows, others] = preview(**filled_out, columns="2", rows="4", tickets="1-5").svg.select("g rect")
    assert (float(rows["width"]), float(rows["height"])) == pytest.approx((200, 120), abs=0.1)
    assert [float(others[name]) for name in ("y", "width", "height")] == pytest.approx([120, 100, 60], abs=0.1)


@pytest.mark.parametrize("side", [20, 5000])
def test_a_calibration_page_of_any_size(anna, at, side):
    response = anna.post(f"{at}calibration", {"paper": "other", "paper_x": side, "paper_y": side})
    assert [size(page) for page in opened(response).pages] == [(side, side)]
    assert len(response.content) < 100_000
