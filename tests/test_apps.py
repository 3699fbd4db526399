"""What the host's page of plugins says when nobody has tried this plugin with the host."""

import pretix
import pytest
from bs4 import BeautifulSoup
from django.apps import apps

from pretix_offlinesales.apps import NEWEST_TESTED

PLUGIN = apps.get_app_config("pretix_offlinesales")


def test_it_was_tested_with_this_pretix():
    """Whoever has made all tests pass with a newer one sets ``NEWEST_TESTED``."""
    assert PLUGIN.compatibility_warnings == []


@pytest.mark.parametrize(
    ("version", "warned"),
    [
        ("2026.3.0", False),
        (NEWEST_TESTED, False),
        (f"{NEWEST_TESTED}.99", False),
        (f"{NEWEST_TESTED}.0.post1", False),
        ("2099.1.0.dev0", True),
        ("2099.1.0", True),
    ],
)
def test_a_newer_pretix_is_warned_of(monkeypatch, version, warned):
    monkeypatch.setattr(pretix, "__version__", version)
    assert len(PLUGIN.compatibility_warnings) == warned


def test_the_page_of_plugins_says_so_and_the_plugin_stays_on(client, user, team, event, monkeypatch):
    monkeypatch.setattr(pretix, "__version__", "2099.1.0")
    client.force_login(user)
    page = client.get(f"/control/event/{event.organizer.slug}/{event.slug}/settings/plugins")
    alerts = [alert.get_text(" ", strip=True) for alert in BeautifulSoup(page.content, "lxml").select(".alert")]
    assert [alert for alert in alerts if "2099.1.0" in alert] == [
        "This plugin reports the following problems: "
        f"This plugin was tested with pretix up to {NEWEST_TESTED}, and this is pretix 2099.1.0. Please issue and "
        "print a batch in test mode first, and look for a newer version of the plugin."
    ]
    assert "pretix_offlinesales" in event.get_plugins()
