"""The pages in German, and that nothing stays English."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from pretix_offlinesales.models import OfflineSalesBatch
from tests.support.after_sale import check_in
from tests.support.catalogs import LOCALE
from tests.support.pages import figures_shown, rows, shown, soup, words

PACKAGE = LOCALE.parent


pytestmark = pytest.mark.gettext


def gettext_tool(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """The catalogs as they are once all texts of the code are gathered anew."""
    copy = tmp_path_factory.mktemp("texts") / PACKAGE.name
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    for domain in ("django", "djangojs"):
        subprocess.run(
            [sys.executable, "-m", "django", "makemessages", "-l", "de", "-d", domain, "--no-location", "--no-wrap"],
            cwd=copy,
            env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
            check=True,
            capture_output=True,
        )
    return sorted((copy / "locale").glob("*/LC_MESSAGES/*.po"))


def test_each_text_is_translated(extracted):
    wrong = {
        (path.parent.parent.name, path.name, option): gettext_tool("msgattrib", "--no-wrap", option, str(path))
        for path in extracted
        for option in ("--untranslated", "--only-fuzzy", "--only-obsolete")
    }
    assert {key: texts for key, texts in wrong.items() if texts} == {}
    assert [(path.parent.parent.name, path.name) for path in extracted] == [("de", "django.po")]


def test_placeholders_are_kept():
    for catalog in LOCALE.glob("*/LC_MESSAGES/django.po"):
        subprocess.run(["msgfmt", "--check-format", "-o", "/dev/null", catalog], check=True)


def test_texts_stand_where_they_are_gathered():
    """``makemessages`` looks into Python and HTML only."""
    others = [path for path in (PACKAGE / "templates").rglob("*.*") if path.suffix != ".html"]
    assert [path for path in others if "i18n" in path.read_text()] == []


def test_the_options_of_a_print_are_as_german_as_whoever_looks_at_them(german, anna, pages, make):
    """Not as whoever started the server."""
    page = soup(anna.get(f"{pages}{make().pk}/print/options"))
    assert [words(option) for option in page.select("[name=duplex] option")] == [
        "Wie andere Seiten",
        "Auf der Rückseite, gewendet über die lange Kante",
        "Auf der Rückseite, gewendet über die kurze Kante",
    ]
    assert [words(option) for option in page.select("[name=paper] option")][3:5] == [
        "SRA3 (320 × 450 mm)",
        "Letter (215,9 × 279,4 mm)",
    ]


def test_the_page_of_a_batch(german, anna, pages, make, user):
    batch = make(amount=3)
    OfflineSalesBatch.objects.update(creation=datetime(2027, 3, 1, 12, 30, tzinfo=UTC))
    first = batch.tickets.first()
    check_in(first)
    page = anna.get(f"{pages}{batch.pk}/")
    assert words(soup(page).h1) == f"Offline-Verkauf: Stapel #{batch.pk}"
    assert shown(page) == {
        "Produkt": "Ticket",
        "Ticketnummern": "1 – 3",
        "Verkaufskanal": "Online-Shop",
        "Ticket-Layout": "So wie die Veranstaltung sie druckt",
        "Erstellungszeitpunkt": "01.03.2027 13:30",
        "Erstellt von": user.email,
    }
    assert figures_shown(page)[:10] == [
        ["Ausgegeben", "3", "69,00 €"],
        ["Zurückgenommen: unverkauft", "0", "0,00 €"],
        ["Zurückgenommen: verloren oder gestohlen", "0", "0,00 €"],
        ["Zurückgenommen: beschädigt", "0", "0,00 €"],
        ["Storniert", "0", "0,00 €"],
        ["Verloren oder gestohlen", "0", "0,00 €"],
        ["Im Umlauf", "3", "69,00 €"],
        ["Eingecheckt", "1", "23,00 €"],
        ["Fällig", "3", "69,00 €"],
        ["Außerdem fällig: zurückgenommen, aber eingelassen", "0", "0,00 €"],
    ]
    assert rows(page)[0] == ["1", first.order.code, "Verkauft", "", "08.05.2027 21:00 · Main entrance"]
    history = [words(entry.select("p")[1]) for entry in soup(page).select(".logentry")]
    assert history == ["3 Tickets wurden für den Offline-Verkauf ausgegeben."]
