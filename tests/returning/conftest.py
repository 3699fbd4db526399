"""Tickets that come back, and the door that they may have been let in at."""

import pytest

from tests.support import needs


@pytest.fixture
def gate(event):
    """A check-in list of everything."""
    return event.checkin_lists.create(name="Gate", all_products=True)


@pytest.fixture
def on_postgresql(transactional_db):
    """With several connections at once."""
    needs.insist_on("postgresql")
