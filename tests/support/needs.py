"""
What tests need that not every run has. A test says so with a marker of that name (``pyproject.toml`` lists them), and
what becomes of it where that is missing is decided here, and nowhere else.
"""

import ctypes.util
import os
import shutil
from functools import cache, partial

import pytest
from django.conf import settings
from django.db import connection

from .repository import ROOT


def insist_on(need: str) -> None:
    """Skip the test that runs, if it can't here. In CI it fails instead, unless it is the business of another run."""
    if elsewhere := OF_ANOTHER_RUN.get(need, _nothing)():
        pytest.skip(elsewhere)
    if missing := TO_BE_INSTALLED.get(need, _nothing)():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"Missing: {missing}")


def _nothing() -> str:
    return ""


def _unless(here, reason) -> str:
    return "" if here() else reason


def _programs(*names) -> str:
    return ", ".join(name for name in names if not shutil.which(name))


def _browser() -> str:
    from tests.e2e.browser import what_is_missing

    return what_is_missing() or ""


def _readers() -> str:
    zbar = "" if ctypes.util.find_library("zbar") else "libzbar0"
    return ", ".join(filter(None, [_programs("qpdf", "mutool", "gs"), zbar]))


@cache
def _servers() -> str:
    import psycopg2
    import redis

    database = settings.DATABASES["default"]
    try:
        psycopg2.connect(
            host=database["HOST"],
            port=database["PORT"] or None,
            user=database["USER"],
            password=database["PASSWORD"],
            dbname="postgres",
        ).close()
        redis.Redis.from_url(settings.REDIS).ping()
    except (psycopg2.OperationalError, redis.ConnectionError) as error:
        return str(error)
    return ""


#: Why this run leaves it to another one.
OF_ANOTHER_RUN = {
    "postgresql": partial(_unless, lambda: connection.vendor == "postgresql", "on PostgreSQL only"),
    "sqlite": partial(_unless, lambda: connection.vendor == "sqlite", "on SQLite only"),
    "browser": partial(
        _unless, lambda: "PYTEST_XDIST_WORKER" not in os.environ, "one browser, not one for each worker: make e2e"
    ),
    "servers": partial(
        _unless,
        lambda: os.environ["DJANGO_SETTINGS_MODULE"] == "tests.faults.settings",
        "on servers that may be hurt: make faults",
    ),
}

#: What is not there, of all that could be.
TO_BE_INSTALLED = {
    "browser": _browser,
    "gettext": partial(_programs, "msgattrib"),
    "pgbouncer": partial(_programs, "pgbouncer"),
    "readers": _readers,
    "repository": lambda: _unless((ROOT / "Makefile").exists, "the repository's Makefile"),
    "servers": _servers,
}
