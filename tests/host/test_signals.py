"""Who hears of a signal is who the host would tell."""

import pytest
from pretix.base.signals import order_paid, order_placed

from pretix_offlinesales.host.signals import active_receivers

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("signal", [order_placed, order_paid])
@pytest.mark.parametrize("plugins", ["", "pretix.plugins.autocheckin"])
def test_those_are_active_that_the_host_calls_in_the_same_order(issued, event, item, quota, signal, plugins):
    order = issued(event, item, amount=1).batch.tickets.get().order
    event.plugins = plugins
    called = [receiver for receiver, _response in signal.send_robust(event, order=order)]
    assert active_receivers(signal, event) == called
    heard = "pretix.plugins.autocheckin.signals" in {receiver.__module__ for receiver in called}
    assert heard == ("autocheckin" in plugins)
