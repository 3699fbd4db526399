"""One server and one browser for all tests, and somebody who uses them."""

import os

import pytest
from django.test import override_settings

from ..support.catalogs import compile_catalogs
from .browser import DESKTOP, EVENT, LOGIN, Browser, chromium, resize, serving, what_is_missing


@pytest.fixture(scope="session")
def available():
    if "PYTEST_XDIST_WORKER" in os.environ:
        pytest.skip("One browser is enough, not one for each worker: make e2e")
    if missing := what_is_missing():
        if os.environ.get("CI"):
            pytest.fail(f"The pages can't be tested in a browser: {missing}")
        pytest.skip(f"The pages can't be tested in a browser: {missing}")


@pytest.fixture(scope="session")
def server(available, tmp_path_factory):
    compile_catalogs()
    with serving(tmp_path_factory.mktemp("pretix")) as url:
        yield url


@pytest.fixture(scope="session")
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="session")
def driver(server, downloads, tmp_path_factory):
    # pretix forbids its own process to talk to this machine, where the browser is.
    with (
        override_settings(ALLOW_HTTP_TO_PRIVATE_NETWORKS=True),
        chromium(tmp_path_factory.mktemp("profile"), downloads) as driver,
    ):
        yield driver


@pytest.fixture(scope="session")
def shared():
    """What tests have made for others."""
    return {}


@pytest.fixture
def browser(driver, server):
    """Anna's browser, on a desktop, at the offline sales of her event."""
    browser = Browser(driver, server)
    resize(driver, DESKTOP)
    browser.log_in(LOGIN)
    browser.at(EVENT)
    browser.errors()
    return browser
