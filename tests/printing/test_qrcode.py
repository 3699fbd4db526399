"""Codes of ours are the host's in everything that matters to a scanner."""

import random
from io import BytesIO

import pikepdf
import pytest
import zxingcpp
from PIL import Image, ImageChops
from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel
from reportlab.pdfgen.canvas import Canvas

from pretix_offlinesales.printing import qrcode
from tests.support.layouts import code
from tests.support.pdf import extracted_text, rasterized, read_by_zbar, read_codes
from tests.support.printing import printed, printed_by_host, tickets

SECRET = "tdmruoekvkpbv1o2mv8xccvqcikvr58u"


def host_encode(content):
    """The rows of the code as the host's encoder makes them."""
    host_code = QRCode(None, getattr(QRErrorCorrectLevel, qrcode.error_correction(content)))
    host_code.addData(content)
    host_code.make()
    return [b"".join(qrcode.DARK if dark else qrcode.LIGHT for dark in row) for row in host_code.modules]


def scan(rows):
    """What a scanner makes of these modules."""
    image = Image.new("L", [len(rows) + 8] * 2, "white")
    for y, row in enumerate(rows):
        for x, module in enumerate(row):
            if module == qrcode.DARK[0]:
                image.putpixel((x + 4, y + 4), 0)
    found = zxingcpp.read_barcode(image.resize([4 * side for side in image.size]))
    return {
        "bytes": found.bytes,
        "text": found.text,
        "level": found.ec_level,
        "version": found.extra["Version"],
        "kind": (found.content_type, found.symbology_identifier),
    }


@pytest.mark.parametrize(
    "content",
    [
        SECRET,
        "7",
        "ABC-123 $%*+./:",
        "0123456789" * 3,
        # Two kinds of content, which an encoder may pack into a smaller code than the host does.
        "1234567890123456ab",
        "ABCDEFGHIJKLMNOPqr",
        "https://example.org/t/12345678901234567890",
        "x" * 32,
        "x" * 33,
        "x" * 128,
        "x" * 129,
        "x" * 2_000,
        "first\nsecond\tthird",
        "Zürich",
        "€ 23.00",
        "ä" * 32,
        "שלום" * 8,
        "日本語",
        "日本 2027",
        "🎟" * 8,
    ],
)
def test_code_says_the_same_in_the_same_size(content):
    ours = scan(qrcode.encode(content).rows)
    assert ours["text"] == content
    assert ours == scan(host_encode(content))


@pytest.mark.parametrize(
    "alphabet", ["abcdefghijklmnopqrstuvwxyz0123456789", "0123456789", "ABCDEFXYZ 0123456789$%*+-./:", "aA1/"]
)
def test_codes_of_all_lengths_are_as_large_as_the_hosts(alphabet):
    draw = random.Random(alphabet)
    for length in [*range(1, 140), 400, 1_200]:
        content = "".join(draw.choices(alphabet, k=length))
        host_code = QRCode(None, getattr(QRErrorCorrectLevel, qrcode.error_correction(content)))
        host_code.addData(content)
        modules = 17 + 4 * host_code.calculate_version()
        rows = qrcode.encode(content).rows
        assert [len(rows), *{len(row) for row in rows}] == [modules, modules]


@pytest.mark.parametrize("length", [*range(1, 129), 129, 300, 700, 1_200, 2_000, 2_700])
def test_the_mask_is_the_native_encoders_choice(length):
    # It would pack numbers.
    content = "".join(random.Random(length).choices("abcdefghijklmnopqrstuvwxyz", k=length))
    rows = qrcode.encode(content).rows
    native = zxingcpp.create_barcode(
        content,
        zxingcpp.BarcodeFormat.QRCode,
        ec_level=qrcode.error_correction(content),
        version=(len(rows) - 17) // 4,
    )
    assert b"".join(rows) == memoryview(native.to_image(scale=1, add_quiet_zones=False)).tobytes()


@pytest.mark.parametrize("length", [1, 2, 7, 25, 31, 32, 33, 64, 100, 127, 128])
def test_a_code_is_the_hosts_but_for_the_mask(length):
    """Numbers among other letters are stored as such."""
    draw = random.Random(length)
    for alphabet in ("abcdefghijklmnopqrstuvwxyz0123456789", "".join(map(chr, range(128)))):
        content = f"{''.join(draw.choices(alphabet, k=length - 1))}\x7f"
        host_code = QRCode(None, getattr(QRErrorCorrectLevel, qrcode.error_correction(content)))
        host_code.addData(content)
        host_code.version = host_code.calculate_version()
        ours = [[module == qrcode.DARK[0] for module in row] for row in qrcode.encode(content).rows]
        masked = []
        for mask in range(8):
            host_code.makeImpl(False, mask)
            masked.append([list(map(bool, row)) for row in host_code.modules])
        assert ours in masked


def test_too_much_content():
    with pytest.raises(ValueError, match="too long"):
        qrcode.encode("x" * 3_000)


# On the page


def box_of(page: Image.Image, color) -> tuple[int, int, int, int]:
    """The smallest box around everything of this colour."""
    different = ImageChops.difference(page, Image.new("RGB", page.size, color)).convert("L")
    return different.point(lambda value: 255 if value < 20 else 0).getbbox()


@pytest.mark.parametrize(
    ("options", "color"),
    [
        ({}, (0, 0, 0)),
        ({"nowhitespace": True}, (0, 0, 0)),
        ({"color": [200, 30, 30, 1]}, (200, 30, 30)),
        ({"left": "35.5", "bottom": "41.2", "size": "33.3"}, (0, 0, 0)),
        ({"content": "order"}, (0, 0, 0)),
        ({"content": "secret", "nowhitespace": False, "color": [0, 0, 0, 1]}, (0, 0, 0)),
        ({"content": "other", "text": "{event_name}/{secret}/{order}"}, (0, 0, 0)),
        ({"content": "other", "text": "{secret} " * 5}, (0, 0, 0)),
        ({"content": "other_i18n", "text_i18n": {"en": "Tür {positionid}"}}, (0, 0, 0)),
    ],
)
def test_code_on_the_page(make_batch, make_layout, options, color):
    layout = make_layout([code(**options)], background=blank())
    batch = make_batch(1, layout)
    (ours,), (hosts,) = (rasterized(pdf) for pdf in (printed(batch), printed_by_host(*tickets(batch), layout)))

    def facts(page):
        (found,) = read_codes(page)
        return found.text, found.ec_level, found.extra["Version"], found.orientation

    assert facts(ours) == facts(hosts)
    # Rectangles are drawn up to the next whole pixel, paths are smoothed.
    assert box_of(ours, color) == pytest.approx(box_of(hosts, color), abs=1)


def test_two_codes(make_batch, make_layout):
    layout = make_layout([code(content="order", bottom="90"), code()], background=blank())
    batch = make_batch(2, layout)
    for position, page in zip(tickets(batch), rasterized(printed(batch)), strict=True):
        assert [found.text for found in read_codes(page)] == [position.order.code, position.secret]


@pytest.mark.parametrize("content", [{"content": "attendee_name"}, {"content": "other", "text": " "}])
def test_no_code_without_content(make_batch, make_layout, content):
    layout = make_layout([code(**content)], background=blank())
    (page,) = rasterized(printed(make_batch(1, layout)))
    assert page.getcolors() == [(page.width * page.height, (255, 255, 255))]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"content": "order"},
        {"content": "other", "text": "Zürich {order}"},
        {"content": "other", "text": '({order}) \\ <"{order}"> \x7f'},
    ],
)
def test_what_the_host_hides_beside_a_code(make_batch, make_layout, options):
    """Beside the first one, and beside others like it."""
    layout = make_layout([code(**options)], background=blank())
    batch = make_batch(3, layout)

    hidden = extracted_text(printed(batch))
    assert [text[:11] for text in hidden] == ['{"issuer": '] * 3
    assert hidden == [text for ticket in tickets(batch) for text in extracted_text(printed_by_host(ticket, layout))]


@pytest.mark.readers
def test_an_independent_reader_reads_every_page(make_batch, layout):
    batch = make_batch(5, layout)
    read = [read_by_zbar(page) for page in rasterized(printed(batch))]
    assert read == [[position.secret] for position in tickets(batch)]


def test_a_code_is_one_path_and_its_eyes(make_batch, make_layout):
    """Modules that touch are painted together. The eyes touch nothing."""
    layout = make_layout([code()], background=blank())
    with pikepdf.open(BytesIO(printed(make_batch(3, layout)))) as pdf:
        for page in pdf.pages:
            painted = [str(operator) for operands, operator in pikepdf.parse_content_stream(page)]
            assert painted.count("f") == 1
        eyes = [obj for obj in pdf.objects if isinstance(obj, pikepdf.Stream) and b"7 7 re" in obj.read_bytes()]
        assert len(eyes) == 1


@pytest.mark.parametrize("content", ["7", SECRET, "x" * 300])
def test_every_module_is_where_it_belongs(content):
    code = qrcode.encode(content)
    page = Canvas(buffer := BytesIO(), pagesize=[code.width] * 2)
    page.addLiteral(qrcode.eyes(code.width))
    page.addLiteral(qrcode.path(code))
    page.save()
    (drawn,) = rasterized(buffer.getvalue())
    modules = drawn.convert("L").resize([code.width] * 2, Image.Resampling.NEAREST).tobytes()
    assert modules == b"".join(code.rows)


def blank():
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(300, 400))
        buffer = BytesIO()
        pdf.save(buffer)
    return buffer.getvalue()
