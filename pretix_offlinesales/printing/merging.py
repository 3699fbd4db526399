"""The files of a batch's parts become one, in which each thing that they have in common is stored once."""

import hashlib
from collections.abc import Iterable
from contextlib import ExitStack
from typing import BinaryIO

import pikepdf
from pikepdf import Array, Dictionary, Object, Pdf, Stream

from .canvas import BACKGROUND, FORM, make_pages, make_resources, save


def merge(parts: Iterable[BinaryIO], output: BinaryIO, title: str) -> int:
    """Write a file with the pages of all parts, and return how many these are; without any, nothing is written."""
    merged, shared, versions = pikepdf.new(), {}, []
    with ExitStack() as open_parts:
        for part in parts:
            if sheets := _sheets(part):
                # What is copied from a file stays there until the other one is written.
                pdf = open_parts.enter_context(pikepdf.open(part))
                versions.append(pdf.pdf_version)
                make_pages(merged, _copy_resources(merged, shared, pdf), sheets)
        if versions:
            save(merged, output, title, versions)
    return int(merged.Root.Pages.Count)


def _sheets(part: BinaryIO) -> list[tuple[tuple[float, float], bytes]]:
    # The file is closed again at once, and opened another time for what pages refer to: objects that have been looked
    # at stay in memory as long as their file is open, and pages are many.
    with pikepdf.open(part) as pdf:
        return [
            (tuple(float(length) for length in page.MediaBox)[2:], page.Contents.read_raw_bytes())
            for page in pdf.Root.Pages.Kids
        ]


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
