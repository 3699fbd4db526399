"""Batches that are made at the same time, and others who hear of them."""

import pytest
from pretix.base.models import Order

from tests.support.workers import Other, holding_up


@pytest.fixture
def waiting(issued, event, item, quota, transactional_db):
    """``waiting(change, amount=5)``: the job of a batch that waits for another one, while something is changed."""

    def waiting(change, **values):
        with holding_up(Order):
            other = Other(lambda: issued(event, item, amount=1))
            assert other.waits_for_a_lock()
            ours = Other(lambda: issued(event, item, **values))
            assert ours.waits_for_a_lock(waiting=2)
            change()
        for each in (other, ours):
            each.join()
        return ours.result

    return waiting


@pytest.fixture
def hear(settings):
    """Connect a receiver of another plugin for the length of the test."""
    settings.CORE_MODULES = {*settings.CORE_MODULES, "tests"}  # or it would be switched off
    connected = []

    def hear(signal, receiver):
        signal.connect(receiver, weak=False)
        connected.append((signal, receiver))

    yield hear
    for signal, receiver in connected:
        signal.disconnect(receiver)
