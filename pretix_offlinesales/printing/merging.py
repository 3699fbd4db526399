"""The files of a batch's parts become one, in which each thing that they have in common is stored once."""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import BinaryIO

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, OutlineItem, Pdf, Stream

from .canvas import BACKGROUND, FORM, Page, make_pages, make_resources, save

#: There is a bookmark for the first of so many tickets.
BOOKMARKED = 100


def merge(
    parts: Iterable[BinaryIO], output: BinaryIO, title: str, subject: str, label: Callable[[int], str]
) -> int:
    """
    Write a file with the pages of all parts, and return how many these are. If no ticket is on them, there is none.

    :param label: of the ticket with this number, as people look for it
    """
    merged, shared, versions, tickets = pikepdf.new(), {}, [], []
    with ExitStack() as open_parts:
        for part in parts:
            if pages := _pages(part):
                # What is copied from a file stays there until the other one is written.
                pdf = open_parts.enter_context(pikepdf.open(part))
                versions.append(pdf.pdf_version)
                make_pages(merged, _copy_resources(merged, shared, pdf), pages)
                tickets += (page.tickets for page in pages)
        if not any(tickets):
            return 0
        _label_pages(merged, tickets, label)
        _add_bookmarks(merged, tickets, label)
        save(merged, output, title, versions, subject)
    return len(tickets)


def _pages(part: BinaryIO) -> list[Page]:
    # The file is closed again at once, and opened another time for what pages refer to: objects that have been looked
    # at stay in memory as long as their file is open, and pages are many.
    with pikepdf.open(part) as pdf:
        return [Page.read(page) for page in pdf.Root.Pages.Kids]


def _label_pages(pdf: Pdf, tickets: list[tuple[int, ...]], label: Callable[[int], str]) -> None:
    """Pages are called by the tickets on them, not by how many there are before."""
    # A list, because an array of pikepdf's takes longer for each element the longer it is.
    labels, before = [], None
    for index, numbers in enumerate(tickets):
        if numbers != before:
            labels += [index, Dictionary(P=_name(numbers, label))]
        before = numbers
    pdf.Root.PageLabels = Dictionary(Nums=Array(labels))


def _name(numbers: tuple[int, ...], label: Callable[[int], str]) -> str:
    if not numbers:
        return "–"
    first, last = min(numbers), max(numbers)
    if first == last:
        return label(first)
    between = "–" if last - first < len(numbers) else " … "
    return f"{label(first)}{between}{label(last)}"


def _add_bookmarks(pdf: Pdf, tickets: list[tuple[int, ...]], label: Callable[[int], str]) -> None:
    places = {}
    for index, numbers in enumerate(tickets):
        for number in numbers:
            places.setdefault(number, index)
    numbers = sorted(places)
    with pdf.open_outline() as outline:
        for start in range(0, len(numbers), BOOKMARKED):
            some = numbers[start : start + BOOKMARKED]
            page = pdf.Root.Pages.Kids[places[some[0]]]
            outline.root.append(OutlineItem(_name(some, label), Array([page, Name.Fit])))


def _copy_resources(merged: Pdf, shared: dict[bytes, Object], part: Pdf) -> Dictionary:
    """:param shared: what the merged file has already, by fingerprint"""

    def share(thing: Object) -> Object:
        fingerprint = _fingerprint(thing)
        if fingerprint not in shared:
            shared[fingerprint] = merged.copy_foreign(part.make_indirect(thing))
        return shared[fingerprint]

    drawn, forms, backgrounds = {}, {}, {}
    for category, things in part.Root.Pages.Kids[0].Resources.items():
        drawn[category] = {}
        for name, thing in things.items():
            if name.startswith(f"/{FORM}"):
                forms[name] = thing.read_bytes()  # Not worth to share: small, and bound to the fonts of its part.
            elif name.startswith(f"/{BACKGROUND}"):
                backgrounds[name] = share(thing)
            else:
                drawn[category][name] = share(thing)
    return make_resources(merged, drawn, forms, backgrounds)


def _fingerprint(root: Object) -> bytes:
    """The same for things that are the same, with everything that they refer to, wherever it lies in their file."""
    fingerprint, found, numbers = hashlib.sha256(), [root], {}

    def add(thing: Object) -> None:
        if isinstance(thing, Object) and thing.is_indirect:
            if thing.objgen not in numbers:
                numbers[thing.objgen] = len(numbers)
                found.append(thing)
            fingerprint.update(b"%d R " % numbers[thing.objgen])
        else:
            add_content(thing)

    def add_content(thing: Object) -> None:
        if isinstance(thing, Stream):
            fingerprint.update(hashlib.sha256(thing.read_raw_bytes()).digest())
            add_content(thing.stream_dict)
        elif isinstance(thing, Dictionary):
            fingerprint.update(b"<< ")
            for key in sorted(thing.keys()):
                fingerprint.update(b"%s " % key.encode())
                add(thing[key])
            fingerprint.update(b">> ")
        elif isinstance(thing, Array):
            fingerprint.update(b"[ ")
            for element in thing:
                add(element)
            fingerprint.update(b"] ")
        else:
            fingerprint.update(b"%r " % thing)

    for thing in found:
        add_content(thing)
    return fingerprint.digest()
