"""What is asked of one instance is fetched for all that were loaded with it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pretix.base.models import OrderPosition

from pretix_offlinesales.printing.fetching import FetchedTogether
from pretix_offlinesales.printing.tickets import ValidTickets


@pytest.fixture
def queries():
    """``with queries(1): …``"""

    def queries(amount):
        captured = CaptureQueriesContext(connection)

        class Expected:
            def __enter__(self):
                captured.__enter__()

            def __exit__(self, *exc_info):
                captured.__exit__(*exc_info)
                assert len(captured) == amount, [query["sql"] for query in captured]

        return Expected()

    return queries


@pytest.fixture
def positions(make_order):
    for number in range(3):
        position = make_order().positions.get()
        position.linked_media.create(organizer=position.organizer, type="barcode", identifier=str(number))
    return list(OrderPosition.objects.order_by("pk"))


def test_what_is_asked_of_one_is_fetched_for_all(positions, queries):
    FetchedTogether(positions, {"linked_media": ["linked_media"]})
    with queries(1):
        found = [[medium.identifier for medium in position.linked_media.all()] for position in positions]
    assert found == [["0"], ["1"], ["2"]]


def test_it_seems_to_be_there_already(positions):
    """The host looks whether something was prefetched, to go another way if it was not."""
    FetchedTogether(positions, {"linked_media": ["linked_media"]})
    assert "linked_media" in positions[0]._prefetched_objects_cache
    assert "answers" not in positions[0]._prefetched_objects_cache


def test_other_relations_are_as_ever(positions, queries):
    FetchedTogether(positions, {"linked_media": ["linked_media"]})
    with queries(2):
        assert [list(position.answers.all()) for position in positions[:2]] == [[], []]


def test_filters_ask_the_database(positions, queries):
    FetchedTogether(positions, {"linked_media": ["linked_media"]})
    with queries(2):  # one that nobody needed, as after a prefetch
        assert positions[1].linked_media.filter(identifier="1").count() == 1


def test_instances_that_are_gone_are_not_fetched_for(positions):
    FetchedTogether(positions, {"linked_media": ["linked_media"]})
    last = positions.pop()
    del positions[:]
    assert [medium.identifier for medium in last.linked_media.all()] == ["2"]


def test_a_layout_costs_what_it_shows(make_batch, queries):
    batch = make_batch(3)
    shown = [position for _number, positions in ValidTickets(batch, batch.numbers) for position in positions]
    with queries(0):
        assert {(str(position.item.name), position.order.status) for position in shown} == {("Ticket", "p")}
    with queries(1):
        assert [list(position.linked_media.all()) for position in shown] == [[], [], []]


def test_positions_of_an_order_come_with_all_that_may_be_asked_of_them(make_batch, make_order, item, queries):
    batch = make_batch([make_order([item, item]), make_order([item, item])])
    shown = [position for _number, positions in ValidTickets(batch, batch.numbers) for position in positions]
    with queries(6):
        others = [other for position in shown for other in position.order.positions.all()]
    with queries(0):
        assert [(other.positionid, list(other.checkins.all())) for other in others] == 4 * [(1, []), (2, [])]
