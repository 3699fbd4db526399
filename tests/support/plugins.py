"""Plugins that are active in an event, and for its organizer."""

from contextlib import contextmanager

PLUGINS = "pretix.plugins.ticketoutputpdf,pretix_offlinesales"

#: Those of its organizer.
ORGANIZER_PLUGINS = "pretix_offlinesales"


@contextmanager
def receiver_of_a_plugin(settings, signal, receiver):
    """Signals go to active plugins, and to the host's own modules, of which the receiver's now seems to be."""
    settings.CORE_MODULES = {*settings.CORE_MODULES, receiver.__module__}
    signal.connect(receiver)
    try:
        yield
    finally:
        signal.disconnect(receiver)
