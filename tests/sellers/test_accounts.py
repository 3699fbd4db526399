"""What sellers hold, have sold, and owe."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from freezegun import freeze_time
from pretix.base.models import Event
from pretix.base.reldate import RelativeDate, RelativeDateWrapper

from pretix_offlinesales.models import DeadlineAction, OfflineSalesTicket, Seller
from pretix_offlinesales.sellers.accounts import Account, accounts, accounts_by_product, overdue
from pretix_offlinesales.tickets.figures import Tally
from tests.support.after_sale import cancel, check_in, report_lost, take_back
from tests.support.plugins import PLUGINS
from tests.support.sellers import handed_over, make_seller

CENT = Decimal("0.01")


def account(seller) -> Account:
    return accounts([seller])[seller.pk]


def tally(count, value="23.00"):
    return Tally(count, count * Decimal(value))


def declare_sold(batch, *numbers):
    OfflineSalesTicket.objects.filter(batch=batch, number__in=numbers).update(sold=now())


@pytest.mark.django_db
def test_a_seller_without_tickets_owes_nothing(organizer):
    seller = make_seller(organizer)
    assert accounts([seller]) == {seller.pk: Account()}
    assert accounts([]) == {}
    assert accounts_by_product(seller) == {}


@pytest.mark.django_db
def test_sold_let_in_and_lost_tickets_are_owed(organizer, make_batch):
    batch = make_batch(amount=12)
    seller = make_seller(organizer, commission_percent=10, commission_fixed=Decimal("0.05"), commission_tax_rate=19)
    document = handed_over(batch, seller, "1-10")
    seller.refresh_from_db()
    assert account(seller) == Account(held=tally(10), last_movement=document.created)
    declare_sold(batch, 1, 2)
    check_in(batch.tickets.get(number=3))
    report_lost(batch, "4-5")
    take_back(batch, "6", "unsold")
    take_back(batch, "7", "damaged")
    take_back(batch, "5", "lost")  # written off
    cancel(batch.tickets.get(number=8))
    # 92.00 less 4 * (2.30 + 0.05) = 9.40 and 19 % of it, 1.79.
    assert account(seller) == Account(
        held=tally(2), sold=tally(3), lost=tally(1), due=Decimal("80.81"), last_movement=document.created
    )


@pytest.mark.django_db
def test_a_firm_sale_is_owed_at_once(organizer, make_batch):
    seller = make_seller(organizer, firm=True)
    handed_over(make_batch(amount=3), seller, "1-3")
    assert (account(seller).sold, account(seller).owed) == (tally(3), Decimal("69.00"))


@pytest.mark.django_db
def test_the_terms_count_that_were_agreed_when_the_tickets_were_handed_over(organizer, make_batch):
    batch = make_batch(amount=4)
    seller = make_seller(organizer, commission_percent=10)
    handed_over(batch, seller, "1-2")
    seller.commission_percent = 50
    seller.save()
    handed_over(batch, seller, "3-4")
    declare_sold(batch, 1, 2, 3, 4)
    assert account(seller).owed == Decimal("64.40")  # 41.40 + 23.00


@pytest.mark.django_db
def test_commission_is_rounded_once_for_all_that_was_agreed_alike(organizer, item, make_batch):
    item.default_price = Decimal("1.15")
    item.save()
    batch = make_batch(amount=4)
    seller = make_seller(organizer, commission_percent=10)
    for number in "1234":
        handed_over(batch, seller, number)
    declare_sold(batch, 1, 2, 3, 4)
    # 4.60 less 0.46; each ticket alone would have had 0.12, and each document as well.
    assert account(seller).owed == Decimal("4.14")


@pytest.mark.django_db
def test_products_may_have_commissions_of_their_own(event, organizer, item, quota, make_batch):
    reduced = event.items.create(name="Reduced", default_price=Decimal("10.00"), admission=True)
    quota.items.add(reduced)
    batch, cheap = make_batch(amount=2), make_batch(amount=2, item=reduced.pk)
    seller = make_seller(organizer, commission_percent=10)
    seller.product_commissions.create(item=reduced, commission_percent=0, commission_fixed=1)
    for each in (batch, cheap):
        handed_over(each, seller, "1-2")
    declare_sold(batch, 1)
    declare_sold(cheap, 1, 2)
    assert account(seller).owed == Decimal("38.70")  # 23.00 - 2.30 + 20.00 - 2.00
    by_product = accounts_by_product(seller)
    assert {key: (each.held.count, each.sold.count, each.owed) for key, each in by_product.items()} == {
        (event.pk, None, item.pk, None): (1, 1, Decimal("20.70")),
        (event.pk, None, reduced.pk, None): (0, 2, Decimal("18.00")),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("timezone", ["Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles"])
@pytest.mark.parametrize("days", [0, 3])
def test_overdue_when_the_day_of_the_hosts_relative_date_is_over(timezone, days, event, organizer, make_batch):
    event.settings.timezone = timezone
    seller = make_seller(organizer, deadline_days=days)
    handed_over(make_batch(amount=3), seller, "1-2")
    before = RelativeDate(days=days, minutes=None, base_date_name="date_from", time=None, is_after=False)
    last_day = RelativeDateWrapper(before).date(event)
    midnight = datetime(last_day.year, last_day.month, last_day.day, tzinfo=event.timezone) + timedelta(days=1)
    sellers = Seller.objects.all()
    with freeze_time(midnight - timedelta(seconds=1)):
        assert (account(seller).overdue, overdue(sellers)) == (Tally(), set())
    with freeze_time(midnight):
        assert (account(seller).overdue, overdue(sellers)) == (tally(2), {seller.pk})


@pytest.mark.django_db
def test_only_what_is_held_can_be_overdue_and_only_if_nothing_else_was_agreed(event, organizer, make_batch):
    batch = make_batch(amount=5)
    kiosk = make_seller(organizer, deadline_days=3)
    without = make_seller(organizer, "No deadline")
    sold = make_seller(organizer, "Counts as sold", deadline_days=3, deadline_action=DeadlineAction.SOLD)
    for seller, numbers in ((kiosk, "1-3"), (without, "4"), (sold, "5")):
        handed_over(batch, seller, numbers)
    declare_sold(batch, 1)
    take_back(batch, "2", "unsold")
    with freeze_time(event.date_from):
        found = accounts([kiosk, without, sold])
        assert [each.overdue.count for each in found.values()] == [1, 0, 0]
        assert overdue(Seller.objects.all()) == {kiosk.pk}
        assert overdue(Seller.objects.exclude(pk=kiosk.pk)) == set()
        check_in(batch.tickets.get(number=3))
        assert overdue(Seller.objects.all()) == set()


@pytest.mark.django_db
def test_in_a_series_the_date_decides(series, subevent, series_item, organizer, issued):
    later = series.subevents.create(name="Evening", date_from=datetime(2027, 6, 1, 8, tzinfo=UTC), active=True)
    quota = series.quotas.create(name="Evening", size=50, subevent=later)
    quota.items.add(series_item)
    seller = make_seller(organizer, deadline_days=1)
    for date in (subevent, later):
        handed_over(issued(series, series_item, subevent=date).batch, seller, "1-2")
    with freeze_time(datetime(2027, 5, 20, tzinfo=UTC)):
        assert account(seller).overdue == tally(2, "12.00")
        by_date = {key[1]: each.overdue.count for key, each in accounts_by_product(seller).items()}
        assert by_date == {subevent.pk: 2, later.pk: 0}


@pytest.mark.django_db
def test_handing_over_says_when_it_was(organizer, make_batch):
    batch = make_batch(amount=2)
    kiosk, office = make_seller(organizer), make_seller(organizer, "Tourist office")
    handed_over(batch, kiosk, "1-2")
    transfer = handed_over(batch, office, "2")
    back = handed_over(batch, None, "1")
    kiosk.refresh_from_db()
    office.refresh_from_db()
    assert (kiosk.last_movement, office.last_movement) == (back.created, transfer.created)


def queries(function, *arguments):
    with CaptureQueriesContext(connection) as captured:
        function(*arguments)
    return len(captured)


@pytest.mark.django_db
def test_the_number_of_queries_is_constant(event, organizer, make_batch, issued):
    first = make_seller(organizer, deadline_days=1, commission_percent=5)
    handed_over(make_batch(amount=2), first, "1-2")
    few = [queries(accounts, [first]), queries(accounts_by_product, first), queries(overdue, Seller.objects.all())]
    sellers = [make_seller(organizer, f"Seller {number}", deadline_days=number) for number in range(5)]
    batch = make_batch(amount=6)
    for number, seller in enumerate([*sellers, first], 1):
        handed_over(batch, seller, f"{number}")
    # In another event, with settings of its own.
    other = Event.objects.create(
        organizer=organizer, name="Other", slug="other", currency="EUR", date_from=event.date_from, plugins=PLUGINS
    )
    other.settings.timezone = "Asia/Tokyo"
    elsewhere = other.items.create(name="Ticket", default_price=Decimal("5.00"), admission=True)
    other.quotas.create(name="House", size=10).items.add(elsewhere)
    handed_over(issued(other, elsewhere).batch, first, "1-3")
    many = [
        queries(accounts, [first, *sellers]),
        queries(accounts_by_product, first),
        queries(overdue, Seller.objects.all()),
    ]
    assert many == few


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_tickets_add_up_as_a_plain_model_has_it(seed, organizer, make_batch):
    """The model looks at each seller by itself, and groups nothing else."""
    random = Random(seed)
    batch = make_batch(amount=20)
    sellers = [
        make_seller(organizer, f"Seller {number}", commission_percent=Decimal("7.77") * number, commission_tax_rate=7)
        for number in range(3)
    ]
    held_by: dict[int, set[int]] = {seller.pk: set() for seller in sellers}
    for number in range(1, 21):
        if seller := random.choice([None, *sellers]):
            handed_over(batch, seller, str(number))
            held_by[seller.pk].add(number)
    sold = {number for number in range(1, 21) if random.random() < 0.4}
    declare_sold(batch, *sold)
    found = accounts(sellers)
    for seller in sellers:
        to_pay = Decimal("23.00") * len(held_by[seller.pk] & sold)
        commission = (to_pay * seller.commission_percent / 100).quantize(CENT, ROUND_HALF_UP)
        tax = (commission * 7 / 100).quantize(CENT, ROUND_HALF_UP)
        assert found[seller.pk].owed == to_pay - commission - tax
        assert found[seller.pk].held.count == len(held_by[seller.pk] - sold)
