"""The host is the oracle: our page looks as the one that it draws itself."""

from io import BytesIO
from itertools import product

import pikepdf
import pytest
from django.core.files.base import ContentFile
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from i18nfield.strings import LazyI18nString
from PIL import Image
from pretix.base.pdf import Renderer
from pretix.base.services.placeholders import SimpleFunctionalTextPlaceholder
from pretix.base.signals import layout_text_variables, register_text_placeholders

from tests.support.layouts import background_pdf, code, text
from tests.support.pdf import difference, rasterized
from tests.support.plugins import receiver_of_a_plugin
from tests.support.printing import assert_looks_as_the_hosts, printed, tickets

ARABIC = "مرحبا بالعالم 2027"
HEBREW = "לילה ארוך: כרטיס"
LONG = "A long night in all museums of the town, with guided tours, music, and something to eat. " * 3

POWERED_BY = {"type": "poweredby", "page": 1, "left": "10", "bottom": "15", "size": "10", "content": "dark"}
PICTURE = {"type": "imagearea", "page": 1, "left": "50", "bottom": "60", "width": "40", "height": "20"}


def test_the_oracle_sees_a_difference(make_batch, make_layout):
    here, there = (
        rasterized(printed(make_batch(1, make_layout([text(text="X", left=left)], background_pdf()))))[0]
        for left in ("20", "20.2")
    )
    assert difference(here, there) > 0


def test_default_layout(make_batch, layout):
    assert_looks_as_the_hosts(make_batch(2, layout))


@pytest.mark.parametrize(
    "objects",
    [
        [text("event_name"), text("item", bottom="80", bold=True), text("price", bottom="60", italic=True)],
        [text(text="Turned", rotation=angle, bottom=str(60 + angle / 3)) for angle in (-30, 45, 90, 180)],
        [text(text=ARABIC), text(text=HEBREW, bottom="80", align="right"), text(text=f"x {HEBREW} y", bottom="60")],
        [text(text=LONG, bottom="90"), text(text=LONG, bottom="40", autoresize=False), text(text="A" * 80)],
        [text(text="e\u0301 – ﬁ\nsecond-line &amp; <b>"), text(text="Wide", lineheight="2.5", verticalalign="bottom")],
        [text(text="Below", color=[255, 0, 0, 1]), text(text="Above", color=[0, 0, 255, 1], left="22"), code()],
        [text(text=LONG, type="textarea", downward=True), text(text="Up", type="textarea", bottom="50", rotation=20)],
        [{"type": "textarea", "left": "20", "bottom": "80", "width": "60", "fontsize": "12", "color": [9, 9, 9, 1],
          "fontfamily": "Helvetica", "bold": False, "italic": False, "align": "center", "content": "event_name",
          "text": ""}],
        [text(text="{meta:None}{unknown} {event_name} {now_date}"), text("nothing_known", bottom="50")],
        [POWERED_BY, {**POWERED_BY, "content": "white", "left": "60", "size": "8"}, text(text="Over it", bottom="15")],
        [{**PICTURE, "content": "missing"}, text(text="Over the box", left="50", bottom="60")],
        [],
        [text("event_name", bottom=str(20 * n), fontsize=str(6 + 3 * n), align=("left", "center", "right")[n % 3],
              color=[40 * n, 0, 200, 1], bold=n % 2 == 0, rotation=3 * n) for n in range(5)],
        [text("order", color=[255, 0, 0, 1]), text(text="MMMM", color=[0, 255, 0, 1], left="22"),
         text("order", left="24")],
        [text("attendee_name"), text(text=""), text(text=" "), text("order", bottom="80"), text(text="\n", bottom="9")],
        [{**PICTURE, "content": "missing"}, code(content="order"), {**PICTURE, "content": "none", "bottom": "20"},
         text("order"), code(bottom="60", color=[0, 90, 0, 1])],
        [{"type": "hologram", "page": 1}, text("order")],
    ],
    ids=["styles", "rotation", "right to left", "too long", "characters", "overlap", "textarea", "legacy textarea",
         "placeholders", "powered by", "missing picture", "nothing", "one text in many styles",
         "between what changes", "empty texts", "transparency", "unknown type"],
)  # fmt: skip
def test_objects(make_batch, make_layout, objects):
    # What is drawn for the first time, for the second time, and then again, is drawn in different ways.
    assert_looks_as_the_hosts(make_batch(3, make_layout(objects, background_pdf())))


CHANGING = [
    "{order}", "No. {order} of many", "{order}-1", "1-{order}-{order}", "Café {order}", "{order}\n{order}",
    "({order}) & <{order}>", "{order} -", f"{HEBREW} {{order}}", "{order} " * 12,
]  # fmt: skip


@pytest.mark.parametrize(
    "style",
    [
        {"align": "center"},
        {"align": "right"},
        {"align": "right", "rotation": 30},
        {"verticalalign": "top", "lineheight": "2.5"},
        {"verticalalign": "bottom", "bold": True, "italic": True, "color": [200, 30, 30, 1]},
        {"fontsize": "40", "height": "8"},
        {"fontsize": "40", "height": "8", "autoresize": False},
        {"width": "15", "splitlongwords": False},
        {"width": "15", "autoresize": False},
        {"type": "textarea"},
        {"type": "textarea", "align": "center", "downward": True},
        {"type": "textarea", "align": "right", "rotation": -45},
        {"fontfamily": "Unknown"},
    ],
)
def test_text_that_changes_on_every_ticket(make_batch, make_layout, style):
    objects = [
        text(text=content, **{"bottom": str(5 + 13 * n), "height": "10", **style}) for n, content in enumerate(CHANGING)
    ]
    assert_looks_as_the_hosts(make_batch(3, make_layout(objects, background_pdf())))


NASTY = [
    "Plain", "Other", "Plain", "", "Other", "Two words", "Two  blanks", " around ", "A-B", "C-D", "E-F-G", "x - y",
    "-a", "a-", "a--b", "Ümläut", "A-Ü", "<b>bold</b>", mark_safe("<b>bold</b>"), "<b>bold</b>", mark_safe("Plain"),
    "R&D", "(round)", "back\\slash", "tab\there", "two\nlines", "soft\xadhyphen", "no\xa0break", "ﬁ e\u0301", ARABIC,
    HEBREW, gettext_lazy("Yes"), LazyI18nString({"en": "Lazy", "de": "Faul"}), None, "100% {braces} ~", "{event_name}",
    "Plain", *("W" * n for n in range(10, 22)), *(("iW " * n).strip() for n in range(10, 20)), LONG, "W" * 90, "After",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["textcontainer", "textarea"])
def test_any_text_may_follow_any_other(make_batch, make_layout, settings, kind):
    """Objects of all sorts on one page say all this, on one ticket after the other."""
    batch = make_batch(len(NASTY))
    says = dict(zip(tickets(batch), NASTY, strict=True))

    def own_variables(sender, **kwargs):
        return {"own": {"label": "Own", "evaluate": lambda position, order, event: says[position]}}

    objects = []
    for row, (align, autoresize) in enumerate(product(["left", "center", "right"], [True, False])):
        own = text("own", type=kind, align=align, autoresize=autoresize, bottom=str(25 + 45 * row))
        objects += [own, {**own, "left": "120", "fontsize": "9", "width": "60"}]
    batch.layout = make_layout(objects, background_pdf(size=(600, 900)))
    with receiver_of_a_plugin(settings, layout_text_variables, own_variables):
        assert_looks_as_the_hosts(batch)


@pytest.mark.parametrize(
    ("content", "laid_out"),
    [
        # What is always the same is drawn for the first ticket, and once more to be referred to from then on.
        ({"content": "event_name"}, 2),
        ({"text": ARABIC}, 2),
        # Plain lines are drawn for the first ticket, which is the pattern for all others.
        ({"content": "order"}, 1),
        ({"text": "{order}-1 of {event_name}", "align": "right"}, 1),
        ({"text": "{order}", "type": "textarea", "align": "center"}, 1),
        # All others are the host's.
        ({"text": "Café {order}"}, 10),
    ],
)
def test_how_often_the_host_lays_out_a_text(make_batch, make_layout, monkeypatch, content, laid_out):
    host, calls = Renderer._text_paragraph, []

    def text_paragraph(*args, **kwargs):
        calls.append(args)
        return host(*args, **kwargs)

    monkeypatch.setattr(Renderer, "_text_paragraph", text_paragraph)
    printed(make_batch(10, make_layout([text(**content)], background_pdf())))
    assert len(calls) == laid_out


def test_pictures(event, make_batch, make_layout, tmp_path):
    question = event.questions.create(question="Picture?", type="F", identifier="PICTURE")
    layout = make_layout(
        [
            {**PICTURE, "content": "question_PICTURE"},
            text(text="Over the picture", left="50", bottom="60"),
            {**PICTURE, "content": "question_PICTURE", "bottom": "20", "height": "10"},
        ],
        background_pdf(),
    )
    batch = make_batch(3, layout)
    transparent = Image.linear_gradient("L").resize((400, 300))
    transparent.putalpha(Image.radial_gradient("L").resize((400, 300)))
    (tmp_path / "transparent.png").write_bytes(b"")
    transparent.save(tmp_path / "transparent.png")
    Image.new("RGB", (300, 500), "green").save(tmp_path / "high.jpg")
    (tmp_path / "broken.png").write_bytes(b"This is no picture.")
    for position, name in zip(tickets(batch), ("transparent.png", "high.jpg", "broken.png"), strict=True):
        answer = position.answers.create(question=question, answer="file://")
        answer.file.save(name, ContentFile((tmp_path / name).read_bytes()))
    assert_looks_as_the_hosts(batch)
    with pikepdf.open(BytesIO(printed(batch))) as pdf:
        assert pdf.check_pdf_syntax() == []


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize(
    "boxes",
    [
        {},
        {"cropbox": (50, 30, 280, 380)},
        {"mediabox": (-40, -60, 300, 400)},
        {"mediabox": (10, 10, 290, 390), "cropbox": (0, 50, 250, 500)},
    ],
    ids=["plain", "cropped", "moved", "both"],
)
def test_backgrounds(make_batch, make_layout, rotate, boxes):
    objects = [text(text="Here", bottom="15"), code(left="30", bottom="30", size="30")]
    layout = make_layout(objects, background_pdf(rotate=rotate, **boxes))
    assert_looks_as_the_hosts(make_batch(1, layout))


def test_several_pages(make_batch, make_layout):
    objects = [text("order"), text(text="Back", page=2), code(page=2), {**POWERED_BY, "page": 2}]
    batch = make_batch(2, make_layout(objects, background_pdf(pages=3)))
    assert_looks_as_the_hosts(batch)
    assert len(rasterized(printed(batch))) == 6


def test_pages_without_objects_have_the_size_that_the_host_gives_them(make_batch, make_layout):
    batch = make_batch(2, make_layout([text("order", page=2)], background_pdf(pages=2)))
    assert_looks_as_the_hosts(batch)
    assert len({page.size for page in rasterized(printed(batch))}) == 2


def test_annotations_of_the_background_are_printed(make_batch, make_layout):
    with pikepdf.open(BytesIO(background_pdf())) as pdf:
        stamp = pdf.make_stream(b"1 0 0 rg 0 0 60 30 re f", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
        stamp.BBox = [0, 0, 60, 30]
        annotation = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Stamp, Rect=[100, 200, 160, 230], F=4, AP={"/N": stamp}
        )
        pdf.pages[0].Annots = pdf.make_indirect([pdf.make_indirect(annotation)])
        buffer = BytesIO()
        pdf.save(buffer)
    assert_looks_as_the_hosts(make_batch(1, make_layout([text(text="Here", bottom="30")], buffer.getvalue())))


def test_language_of_the_order_and_of_an_object(event, make_order, make_batch, make_layout):
    event.settings.region = "CH"
    event.settings.event_info_text = "{event} {currency}"
    event.name = {"en": "Long Night", "de": "Lange Nacht"}
    event.save()
    objects = [
        text("event_name"),
        text("event_name", locale="de", bottom="80"),
        text("price", bottom="60"),
        text("other_i18n", text_i18n={"en": "Keep me", "de": "Bitte aufheben"}, bottom="40"),
        text("event_info_text", bottom="20"),
        text("event_begin_weekday", left="80"),
    ]
    orders = [make_order(locale=locale) for locale in ("en", "de", "en", "fr")]
    batch = make_batch(orders, make_layout(objects, background_pdf()))
    assert_looks_as_the_hosts(batch)


def test_placeholders_are_evaluated_again_in_another_language(event, make_order, make_batch, make_layout, settings):
    """Those of the event's info text are cached by the host: for a ticket, not for a batch."""
    event.settings.event_info_text = "{greeting}"
    greeting = LazyI18nString({"en": "Welcome", "de": "Willkommen"})

    def placeholders(sender, **kwargs):
        return SimpleFunctionalTextPlaceholder("greeting", ["event"], lambda event: str(greeting), "Hi")

    orders = [make_order(locale=locale) for locale in ("en", "de", "en")]
    batch = make_batch(orders, make_layout([text("event_info_text")], background_pdf()))
    with receiver_of_a_plugin(settings, register_text_placeholders, placeholders):
        assert_looks_as_the_hosts(batch)


def test_layouts_from_before_the_editor(event, make_batch, make_layout):
    """An empty layout stands for the settings that there once were, or for the default layout."""
    layout = make_layout([])
    assert_looks_as_the_hosts(make_batch(1, layout))
    event.settings.ticketoutput_pdf_background = "file://old.pdf"
    event.settings.ticketoutput_pdf_event_s = 30
    event.settings.ticketoutput_pdf_qr_x = 50
    assert_looks_as_the_hosts(make_batch(1, layout))


def test_fonts_of_the_background_stay_its_own(make_batch, make_layout):
    layout = make_layout([text(text="Ours")], background_pdf())
    with pikepdf.open(BytesIO(printed(make_batch(2, layout)))) as pdf:
        (background,) = [
            obj for obj in pdf.objects if isinstance(obj, pikepdf.Stream) and b"Stock 1" in obj.read_bytes()
        ]
        fonts = [str(font.BaseFont) for font in background.Resources.Font.values()]
    assert sorted(set(fonts)) == ["/Helvetica", "/Times-Italic"]
