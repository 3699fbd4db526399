"""Merges the files of parts into one PDF, in which each thing that they have in common is stored once."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import BinaryIO

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream, String

from .canvas import BACKGROUND, FORM, make_resources
from .geometry import Box
from .layers import switch_off_layers
from .part_file import Part
from .writing import PdfWriter, number_of

#: There is a bookmark for the first of so many tickets.
BOOKMARKED = 100


def merge(parts: Iterable[BinaryIO], output: BinaryIO, title: str, subject: str, label: Callable[[int], str]) -> int:
    """
    Write a file with the pages of all parts, and return how many these are. If no ticket is on them, there is none.

    :param label: of the ticket with this number, as people look for it
    """
    with ExitStack() as open_parts:
        parts = [open_parts.enter_context(Part(part)) for part in parts]
        tickets = [numbers for part in parts for numbers in part.tickets]
        if not any(tickets):
            return 0
        # Pages are written one by one. This is all else that is in the file.
        common, shared = _describe(title, subject), {}
        resources = [_copy_resources(common, shared, part.resources) for part in parts]
        switch_off_layers(common)
        root = common.Root
        root.PageLabels, root.Outlines = (common.make_indirect(Dictionary()) for _ in range(2))
        writer = PdfWriter(output, max(part.version for part in parts))
        writer.add_all(common, but=[root.Pages, root.PageLabels, root.Outlines])
        pages = []
        for part, referred in zip(parts, resources, strict=True):
            pages += _add_pages(writer, part, referred, root.Pages)
        kids = b" ".join(b"%d 0 R" % page for page in pages)
        writer.add(b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(pages), kids), number_of(root.Pages))
        writer.add(_page_labels(tickets, label), number_of(root.PageLabels))
        _add_bookmarks(writer, dict(zip(pages, tickets, strict=True)), label, number_of(root.Outlines))
        writer.finish(number_of(root), number_of(common.trailer.Info))
    return len(pages)


def _describe(title: str, subject: str) -> Pdf:
    """A file that says what it is."""
    pdf = pikepdf.new()
    with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
        metadata["dc:title"] = title
        if subject:
            metadata["dc:description"] = subject
        metadata["xmp:CreatorTool"] = "pretix"
    about = {"Title": title, "Subject": subject, "Creator": "pretix"}
    pdf.trailer.Info = pdf.make_indirect(Dictionary({f"/{key}": value for key, value in about.items() if value}))
    return pdf


def _add_pages(writer: PdfWriter, part: Part, resources: Object, tree: Object) -> Iterator[int]:
    """By what numbers others refer to them."""

    @cache
    def same_for_many(size: tuple[float, float], trim: Box, bleed: Box) -> bytes:
        return Dictionary(
            Type=Name.Page, Parent=tree, MediaBox=(0, 0, *size), TrimBox=trim, BleedBox=bleed, Resources=resources
        ).unparse()[:-2]

    for page in part.pages():
        content = writer.add_stream(b"/Filter/FlateDecode", page.content)
        same = same_for_many(page.size, page.trim, page.bleed)
        yield writer.add(b"%s/Contents %d 0 R>>" % (same, content))


def _page_labels(tickets: list[tuple[int, ...]], label: Callable[[int], str]) -> bytes:
    """Pages are called by the tickets on them, not by how many there are before."""
    labels, before = [], None
    for index, numbers in enumerate(tickets):
        if numbers != before:
            labels.append(b"%d<</P%s>>" % (index, String(_name(numbers, label)).unparse()))
        before = numbers
    return b"<</Nums[%s]>>" % b"".join(labels)


def _name(numbers: tuple[int, ...], label: Callable[[int], str]) -> str:
    if not numbers:
        return "–"
    first, last = min(numbers), max(numbers)
    if first == last:
        return label(first)
    between = "–" if last - first < len(numbers) else " … "
    return f"{label(first)}{between}{label(last)}"


def _add_bookmarks(
    writer: PdfWriter, pages: dict[int, tuple[int, ...]], label: Callable[[int], str], outlines: int
) -> None:
    """:param pages: the tickets on them, by what numbers others refer to them"""
    places = {}
    for page, tickets in pages.items():
        for number in tickets:
            places.setdefault(number, page)
    numbers = sorted(places)
    groups = [numbers[start : start + BOOKMARKED] for start in range(0, len(numbers), BOOKMARKED)]
    items = [writer.reserve() for _group in groups]
    for index, (item, group) in enumerate(zip(items, groups, strict=True)):
        title, page = String(_name(group, label)).unparse(), places[group[0]]
        before = b"/Prev %d 0 R" % items[index - 1] if index else b""
        after = b"/Next %d 0 R" % items[index + 1] if item != items[-1] else b""
        writer.add(b"<</Title%s/Parent %d 0 R%s%s/Dest[%d 0 R/Fit]>>" % (title, outlines, before, after, page), item)
    counted = (items[0], items[-1], len(items))
    writer.add(b"<</Type/Outlines/First %d 0 R/Last %d 0 R/Count %d>>" % counted, outlines)


def _copy_resources(merged: Pdf, shared: dict[bytes, Object], part: Pdf) -> Object:
    """:param shared: what the merged file has already, by fingerprint"""

    def share(thing: Object) -> Object:
        fingerprint = _fingerprint(thing)
        if fingerprint not in shared:
            shared[fingerprint] = merged.copy_foreign(part.make_indirect(thing))
        return shared[fingerprint]

    used, forms, backgrounds = {}, {}, {}
    for category, things in part.pages[0].Resources.items():
        used[category] = {}
        for name, thing in things.items():
            if name.startswith(f"/{FORM}"):
                forms[name] = thing.read_bytes()  # Not worth to share: small, and bound to the fonts of its part.
            elif name.startswith(f"/{BACKGROUND}"):
                backgrounds[name] = share(thing)
            else:
                used[category][name] = share(thing)
    return make_resources(merged, used, forms, backgrounds)


def _fingerprint(root: Object) -> bytes:
    """The same for things that are the same, with everything that they refer to, wherever it lies in their file."""
    fingerprint, found, numbers = hashlib.sha256(), [root], {}

    def refer(thing: Object) -> bytes:
        if thing.objgen not in numbers:
            numbers[thing.objgen] = len(numbers)
            found.append(thing)
        return b"%d R " % numbers[thing.objgen]

    for thing in found:
        for token in _tokens(thing, refer):
            fingerprint.update(token)
    return fingerprint.digest()


def _tokens(thing: Object, refer: Callable[[Object], bytes]) -> Iterator[bytes]:
    """
    What tells a thing from others.

    :param refer: says by what number others of its file are called, in the order in which they come
    """

    def inner(part: object) -> Iterable[bytes]:
        return [refer(part)] if isinstance(part, Object) and part.is_indirect else _tokens(part, refer)

    if isinstance(thing, Stream):
        yield hashlib.sha256(thing.read_raw_bytes()).digest()
        yield from _tokens(thing.stream_dict, refer)
    elif isinstance(thing, Dictionary):
        yield b"<< "
        for key in sorted(thing.keys()):
            yield b"%s " % key.encode()
            yield from inner(thing[key])
        yield b">> "
    elif isinstance(thing, Array):
        yield b"[ "
        for element in thing:
            yield from inner(element)
        yield b"] "
    else:
        yield b"%r " % thing
