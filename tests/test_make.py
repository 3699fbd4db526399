"""What the README promises of its commands."""

import gettext
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.catalogs import LOCALE
from tests.support.repository import ROOT

pytestmark = pytest.mark.repository


@pytest.fixture
def make(tmp_path):
    """``make("demo")``: as in a fresh clone whose environment was just made ready, where there is nothing but make."""
    copied = ("Makefile", "pyproject.toml", "setup.py")
    for name in copied:
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(LOCALE, tmp_path / LOCALE.relative_to(ROOT), ignore=shutil.ignore_patterns("*.mo"))
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "make").symlink_to(shutil.which("make"))
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (tmp_path / ".venv" / "ready").touch()

    def make(*arguments, **environment):
        own = {name: value for name, value in os.environ.items() if not _is_of_make(name)}
        environment = own | {"PATH": str(tmp_path / "tools")} | environment
        return subprocess.run(
            ["make", *arguments], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
        ).stdout

    return make


def _is_of_make(name):
    """What an outer make, of which these tests are part, hands on to inner ones."""
    return name.startswith("MAKE") or name in ("MFLAGS", "VENV", "PYTHON", "PRETIX", "ARGS")


def test_without_a_package_index_it_says_that_it_needs_one(make, tmp_path):
    for path in ("bin", "ready"):
        (tmp_path / ".venv" / path).unlink()
    with pytest.raises(subprocess.CalledProcessError) as failed:
        make(f"PYTHON={sys.executable}", "demo", PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert "pretix and what the plugin needs could not be installed into .venv." in failed.value.stderr
    assert "a Python package index" in failed.value.stderr
    assert not (tmp_path / ".venv" / "ready").exists()


@pytest.mark.parametrize("command", ["demo", "serve", "test", "e2e", "faults", "screenshots"])
def test_what_shows_pages_has_them_in_german_without_gettext(make, tmp_path, command):
    [catalog] = [path.relative_to(ROOT).with_suffix(".mo") for path in LOCALE.glob("de/LC_MESSAGES/*.po")]
    commands = make("--dry-run", command).splitlines()
    assert [line for line in commands if str(catalog) in line] == commands[:1] != []
    make(str(catalog))
    with (tmp_path / catalog).open("rb") as compiled:
        assert gettext.GNUTranslations(compiled).gettext("Offline sales") == "Offline-Verkauf"
    assert not any(str(catalog) in line for line in make("--dry-run", command).splitlines())
