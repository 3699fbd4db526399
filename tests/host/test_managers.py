"""Classes of managers are kept from the start of the process on, and nothing is replaced while something runs."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.db.models.fields import related_descriptors
from django_scopes import scopes_disabled
from pretix.base import secrets
from pretix.base.models import Event, Order, OrderPayment, OrderPosition
from pretix.base.signals import order_paid, order_placed

from pretix_offlinesales.host import managers, secrets as our_secrets
from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.jobs import runner
from pretix_offlinesales.kinds import ISSUE
from pretix_offlinesales.models import OfflineSalesBatch


def test_the_same_manager_of_the_same_relation_has_the_same_class(event, web):
    orders = [event.orders.create(status="n", total=0, sales_channel=web, expires=event.date_from) for _ in range(2)]
    classes = {type(order.positions) for order in orders}
    others = {type(order.all_positions(manager="all")) for order in orders}
    assert (len(classes), len(others), len(classes | others)) == (1, 1, 2)


def test_each_relation_and_manager_has_its_own():
    build = related_descriptors.create_reverse_many_to_one_manager
    relations = [model._meta.get_field("order").remote_field for model in (OrderPosition, OrderPayment)]
    kinds = [type(OrderPosition.objects), type(OrderPosition.all)]
    assert len({build(kind, relation) for kind in kinds for relation in relations}) == 4
    for kind in kinds:
        for relation in relations:
            built = build(kind, relation)
            assert issubclass(built, kind)
            assert built(Order()).field is relation.field


def test_it_is_installed_once():
    managers.install()
    assert related_descriptors.create_reverse_many_to_one_manager is managers.create_reverse_many_to_one_manager
    assert managers.build.__module__ == related_descriptors.__name__


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_jobs_in_two_threads_leave_everything_as_it_was(event, item, quota, web, monkeypatch, settings):
    """Both are at the same place at the same time, while they draw and while they tell."""
    event.settings.ticket_secret_generator = "pretix_sig1"
    settings.CORE_MODULES = {*settings.CORE_MODULES, "tests"}
    drawing, telling = Barrier(2, timeout=20), Barrier(2, timeout=20)
    sign, looks = secrets.Sig1TicketSecretGenerator._sign_payload, []

    def look():
        looks.append({module: dict(vars(module)) for module in (secrets, related_descriptors)})

    def on_order(signal, sender, **kwargs):
        telling.wait()
        look()

    def draw(*args, **kwargs):
        drawing.wait()
        look()
        return random_string(*args, **kwargs)

    def run(job):
        with scopes_disabled():
            runner.run(Event.objects.get(pk=event.pk), job.pk)
        connection.close()

    random_string = our_secrets.random_string
    monkeypatch.setattr(our_secrets, "random_string", draw)
    batch = OfflineSalesBatch(event=event, item=item, amount=2, sales_channel=web)
    both = [ISSUE.create(event, IssueRequest.of(batch), {}) for _ in range(2)]
    look()
    for signal in (order_placed, order_paid):
        signal.connect(on_order, dispatch_uid="look")
    try:
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(run, both))
    finally:
        for signal in (order_placed, order_paid):
            signal.disconnect(on_order, dispatch_uid="look")
    look()

    for job in both:
        job.refresh_from_db()
    assert [(job.state, job.message) for job in both] == [("succeeded", "")] * 2
    assert looks == [looks[0]] * len(looks)
    assert len(looks) > 2 + 2 * 2 * 2
    assert secrets.Sig1TicketSecretGenerator._sign_payload is sign
