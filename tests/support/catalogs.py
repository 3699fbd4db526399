"""The translations, compiled as the Makefile does it: with Babel, which pretix brings."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import pretix_offlinesales

LOCALE = Path(pretix_offlinesales.__file__).parent / "locale"


def compile_catalogs() -> None:
    for catalog in LOCALE.glob("*/LC_MESSAGES/*.po"):
        with catalog.open("rb") as texts, catalog.with_suffix(".mo").open("wb") as compiled:
            write_mo(compiled, read_po(texts))
