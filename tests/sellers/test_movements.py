"""
Whatever is done with tickets in whatever order, each is at one place, and the ledger says which: compared with a plain
model that knows no database.
"""

from collections import Counter
from decimal import Decimal

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings, strategies as st

from pretix_offlinesales.kinds import REPLACE, REPORT_LOST, RETURN, UNDO_LOST, UNDO_RETURN
from pretix_offlinesales.models import Document, Movement
from pretix_offlinesales.sellers.handing_over import NotHandedOver
from pretix_offlinesales.tickets.figures import figures, total
from tests.support.after_sale import deal_with
from tests.support.sellers import handed_over, held, make_seller

AMOUNT, PRICE = 6, Decimal("23.00")
STOCK, KIOSK, OFFICE = 0, 1, 2

tickets = st.sets(st.integers(1, AMOUNT), min_size=1)
steps = st.lists(
    st.tuples(st.sampled_from([STOCK, KIOSK, OFFICE]), tickets)
    | st.tuples(st.sampled_from([RETURN, UNDO_RETURN, REPORT_LOST, UNDO_LOST, REPLACE]), tickets),
    min_size=1,
    max_size=8,
)


class Model:
    def __init__(self):
        self.places = dict.fromkeys(range(1, AMOUNT + 1), STOCK)
        self.returned, self.lost = set(), set()
        #: By kind of document, how many tickets.
        self.moved, self.documents = Counter(), Counter()

    def hand_over(self, target, numbers):
        """Whether it can be done."""
        places = {self.places[number] for number in numbers}
        if len(places) > 1 or target in places or numbers & (self.returned | self.lost):
            return False
        [source] = places
        kind = "take_back" if target == STOCK else "transfer" if source else "delivery"
        self.places |= dict.fromkeys(numbers, target)
        self.moved[kind] += len(numbers)
        self.documents[kind] += 1
        return True

    def deal_with(self, kind, numbers):
        if kind is RETURN:
            self.returned |= numbers
        elif kind is UNDO_RETURN:
            self.returned -= numbers
        elif kind is REPORT_LOST:
            self.lost |= numbers - self.returned
        elif kind is UNDO_LOST:
            self.lost -= numbers - self.returned


@pytest.mark.django_db
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=steps)
def test_each_ticket_is_where_the_ledger_says(steps, issued, event, item, quota, organizer):
    with transaction.atomic():
        batch = issued(event, item, amount=AMOUNT).batch
        sellers = [None, make_seller(organizer), make_seller(organizer, "Tourist office")]
        model = Model()
        for what, numbers in steps:
            text = ", ".join(map(str, sorted(numbers)))
            if not isinstance(what, int):
                deal_with(batch, text, what)
                model.deal_with(what, numbers)
            elif model.hand_over(what, numbers):
                handed_over(batch, sellers[what], text)
            else:
                with pytest.raises(NotHandedOver):
                    handed_over(batch, sellers[what], text)
            compare(batch, sellers, model)
        transaction.set_rollback(True)


def compare(batch, sellers, model):
    by_place = [held(seller, batch) for seller in sellers]
    assert by_place == [[n for n, place in model.places.items() if place == each] for each in (STOCK, KIOSK, OFFICE)]
    assert places_by_ledger(batch, sellers) == model.places
    of_places = figures(batch.tickets.all(), "seller")
    whole = sum((each.issued for each in of_places.values()), start=total(batch.tickets.none()).issued)
    assert (whole.count, whole.value) == (AMOUNT, AMOUNT * PRICE)
    found = total(batch.tickets.all())
    assert found.returned.count == len(model.returned)
    assert found.reported_lost.count == len(model.lost - model.returned)
    counted = Document.objects.values("kind").order_by("kind").annotate(sum=Sum("count"), value_sum=Sum("value"))
    assert {row["kind"]: row["sum"] for row in counted} == dict(model.moved)
    assert all(row["value_sum"] == row["sum"] * PRICE for row in counted)
    for kind, amount in model.documents.items():
        numbers = Document.objects.filter(kind=kind).order_by("pk").values_list("number", flat=True)
        assert list(numbers) == list(range(1, amount + 1))
    for document in Document.objects.annotate(sum=Sum("movements__count"), value_sum=Sum("movements__value")):
        assert (document.sum, document.value_sum) == (document.count, document.value)


def places_by_ledger(batch, sellers):
    places = dict.fromkeys(range(1, AMOUNT + 1), STOCK)
    for movement in Movement.objects.filter(batch=batch).order_by("pk").select_related("document"):
        source, target = (sellers.index(each) for each in (movement.document.source, movement.document.target))
        for first, last in movement.numbers:
            for number in range(first, last + 1):
                assert places[number] == source
                places[number] = target
    return places
