"""One server and one browser for all tests, and somebody who uses them."""

import pytest
from django.test import override_settings

from tests.support.catalogs import compile_catalogs

from .browser import DESKTOP, EVENT, LOGIN, Browser, chromium, resize, serving


@pytest.fixture(scope="session")
def directory(tmp_path_factory):
    """Where the server's database is."""
    return tmp_path_factory.mktemp("pretix")


@pytest.fixture(scope="session")
def server(directory):
    compile_catalogs()
    with serving(directory) as url:
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
