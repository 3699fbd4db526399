"""
Makes one thing of each page of a background, to be drawn as a whole.

The host turns and moves a page by parsing all that is drawn on it, in Python: 3 seconds a megabyte, which may be a
kilobyte in the file. When a page does nothing but refer to a form, of all that it drew before, there is nothing left to
parse.
"""

import zlib
from collections.abc import Iterator
from contextlib import suppress
from math import inf

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream

from .canvas import EVERYWHERE

#: How pages refer to their form.
NAME = "/OfflineSalesPage"

#: What is unpacked at once, in bytes that are packed; it may become a thousand times as much.
CHUNK = 2**14

#: Filters that may make much of little.
PACKING = {"/FlateDecode", "/Fl", "/LZWDecode", "/LZW", "/RunLengthDecode", "/RL"}

#: Streams of a page that draws several one after the other.
Streams = list[Stream]


def wrap_pages(pdf: pikepdf.Pdf) -> None:
    """Make each page of this file look as it does, and draw a form. What only the host can read is left as it is."""
    joined: dict[tuple, bytes] = {}
    for page in pdf.pages:
        with suppress(pikepdf.PdfError, zlib.error, AttributeError, TypeError, ValueError):
            if "/Contents" in page.obj:
                _wrap(pdf, page, joined)


def joined_size(pdf: pikepdf.Pdf, most: int) -> float:
    """
    How much is unpacked to wrap all pages, in bytes: what one draws that is in several streams. As soon as it is more
    than so much, it is not counted any further.
    """
    size, known, counted = 0, {}, set()
    for page in pdf.pages:
        streams = _streams(page.obj.get("/Contents"))
        if (key := _key(streams)) in counted:
            continue
        counted.add(key)
        for stream in streams:
            if stream.objgen not in known:
                known[stream.objgen] = _size(stream, most)
            size += known[stream.objgen]
            if size > most:
                return size
    return size


def _wrap(pdf: pikepdf.Pdf, page: pikepdf.Page, joined: dict[tuple, bytes]) -> None:
    contents = page.obj.Contents
    # What is cut off is up to the page.
    left, bottom, right, top = (float(side) for side in page.mediabox)
    resources = page.resources
    if isinstance(contents, Stream):
        # As it is compressed.
        how = {key: contents[key] for key in ("/Filter", "/DecodeParms") if key in contents}
        form = pdf.make_stream(contents.read_raw_bytes(), how)
    else:
        streams = _streams(contents)
        key = _key(streams)
        if key not in joined:
            joined[key] = _joined(streams)
        form = pdf.make_stream(joined[key], Filter=Name.FlateDecode)
    form.Type, form.Subtype, form.Resources = Name.XObject, Name.Form, resources
    form.BBox = (
        *(min(left, right, EVERYWHERE[0]), min(bottom, top, EVERYWHERE[1])),
        *(max(left, right, EVERYWHERE[2]), max(bottom, top, EVERYWHERE[3])),
    )
    page.obj.Contents = pdf.make_stream(f"{NAME} Do".encode())
    page.obj.Resources = Dictionary(XObject=Dictionary({NAME: form}))


def _streams(contents: Object | None) -> Streams:
    """Empty, if it is one stream, or nothing that can be drawn."""
    return [stream for stream in contents if isinstance(stream, Stream)] if isinstance(contents, Array) else []


def _key(streams: Streams) -> tuple:
    return tuple(stream.objgen for stream in streams)


def _joined(streams: Streams) -> bytes:
    """Packed again at once: together, they may be large."""
    packer, packed = zlib.compressobj(), []
    for number, stream in enumerate(streams):
        if number:
            packed.append(packer.compress(b"\n"))
        packed += map(packer.compress, _unpacked(stream))
    return b"".join([*packed, packer.flush()])


def _size(stream: Stream, most: int) -> float:
    """In bytes. What can't be unpacked is left to the host, which takes longest."""
    size = 0
    with suppress(pikepdf.PdfError, zlib.error):
        if _is_packed_twice(stream):
            return inf
        for chunk in _unpacked(stream):
            size += len(chunk)
            if size > most:
                break
    return size


def _is_packed_twice(stream: Stream) -> bool:
    """Nobody does so but who means harm: of a kilobyte, it makes a gigabyte."""
    return sum(name in PACKING for name in _filters(stream)) > 1


def _filters(stream: Stream) -> list[str]:
    found = stream.get("/Filter", [])
    return [str(name) for name in (found if isinstance(found, (Array, list)) else [found])]


def _unpacked(stream: Stream) -> Iterator[bytes]:
    """:raises ValueError, pikepdf.PdfError, zlib.error: if it can't be"""
    if _is_packed_twice(stream):
        raise ValueError("Packed twice")
    if _filters(stream) != ["/FlateDecode"] or "/DecodeParms" in stream:
        yield stream.read_bytes()
        return
    packed, unpacker = stream.read_raw_bytes(), zlib.decompressobj()
    for start in range(0, len(packed), CHUNK):
        yield unpacker.decompress(packed[start : start + CHUNK])
    yield unpacker.flush()
