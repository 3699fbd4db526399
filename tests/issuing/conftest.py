"""Batches that are made at the same time."""

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
