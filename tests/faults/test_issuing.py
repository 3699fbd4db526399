"""Workers that die while they issue: the batch is made once and whole or not at all, and everybody hears of it."""

import random
from time import sleep

import pytest
from django.db.models import Count
from pretix.base.models import GiftCard, OrderPosition

from pretix_offlinesales.models import Job

from .moments import at, claimed, committed, inserting, job_of
from .processes import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("layout")]


@pytest.mark.parametrize("seed", range(5))
def test_kill_9_loses_nothing_and_doubles_nothing(client, worker, hit, asking, whole, nothing_left_over, seed):
    """Four times in the life of a batch: 20 in all."""
    chance = random.Random(seed)
    check = client.ask(amount=5_000)
    asking(client, check)
    job = job_of(check)
    for attempt, moment, seconds in (
        (1, chance.choice([claimed, inserting]), chance.uniform(0, 0.5)),
        (2, claimed, chance.uniform(1.2, 2)),  # about when it commits
        (3, committed, chance.uniform(0, 0.02)),
        (4, at(chance.randrange(50, 90)), chance.uniform(0, 0.1)),
    ):
        moment(job, attempt)
        sleep(seconds)
        worker = hit(worker)
    response = client.wait(check)
    assert response.status_code == 200, response.text
    assert whole(response.json()["id"], 5_000)
    assert nothing_left_over(5_000)


def test_a_job_that_is_interrupted_again_and_again_before_its_commit_is_given_up(
    client, worker, hit, asking, nothing_left_over, organizer_heard
):
    check = client.ask(amount=5_000)
    asking(client, check)
    job = job_of(check)
    for attempt in (1, 2, 3):
        claimed(job, attempt)
        worker = hit(worker)
    response = client.wait(check)
    assert (response.status_code, response.json()) == (
        410,
        {
            "status": "failed",
            "message": "This was interrupted again and again, and has been given up. Please try again later.",
        },
    )
    assert nothing_left_over()
    assert organizer_heard() == set()


def test_a_plugin_that_is_switched_off_after_the_commit_leaves_nothing_behind(
    client, worker, start_worker, event, whole, nothing_left_over
):
    """Nobody sees these tickets before it is switched on again; all is well then."""
    plugins = event.plugins
    check = client.ask(amount=5_000)
    committed(job_of(check))
    worker.kill()
    type(event).objects.filter(pk=event.pk).update(plugins="pretix.plugins.ticketoutputpdf")
    start_worker()
    wait_until(lambda: job_of(check).finished)
    assert client.get(check).status_code == 403
    type(event).objects.filter(pk=event.pk).update(plugins=plugins)
    assert whole(client.get(check).json()["id"], 5_000)
    assert nothing_left_over(5_000)


def gift_cards(event, item):
    item.issue_giftcard = True
    item.save()


def media(event, item):
    event.organizer.settings.reusable_media_type_barcode = True
    item.media_policy, item.media_type = "new", "barcode"
    item.save()


@pytest.mark.parametrize(("product", "made"), [(gift_cards, "issued_gift_cards"), (media, "linked_media")])
def test_kill_9_between_gift_cards_or_media(client, worker, hit, event, item, whole, product, made):
    product(event, item)
    check = client.ask(amount=120)
    job = job_of(check)
    committed(job)
    for attempt, seconds in enumerate((0.1, 0.3), start=2):
        sleep(seconds)
        worker = hit(worker)
        client.get(check)
        committed(job, attempt)
    assert whole(client.wait(check).json()["id"], 120)
    positions = OrderPosition.objects.filter(order__event=event)
    assert set(positions.annotate(made=Count(made)).values_list("made", flat=True)) == {1}
    for card in GiftCard.objects.filter(issuer=event.organizer):
        assert card.secret == card.issued_in.secret
        assert card.value == card.issued_in.price


def test_an_order_that_no_worker_survives_is_skipped(client, worker, organizer, event, organizer_heard):
    """Three times with others, three times alone. All others are announced."""
    from . import witness

    witness.kill_whoever_announces(organizer, 17)
    response = client.wait(client.ask(amount=40))
    assert response.status_code == 200, response.text
    codes = response.json()["orders"]
    assert organizer_heard() == set(codes) - {codes[16]}
    assert Job.objects.get(event=event).attempts == 7
    assert f"Nobody was told of {event.slug.upper()}-{codes[16]} by job" in worker.log.read_text()


def test_a_broken_receiver_of_another_plugin_is_logged(client, worker, organizer, whole):
    from . import witness

    witness.raise_errors(organizer)
    response = client.wait(client.ask(amount=50))
    assert whole(response.json()["id"], 50)
    assert "broken plugin" in worker.log.read_text()


def test_sigterm_lets_the_job_finish(client, worker, event, whole):
    check = client.ask(amount=3_000)
    committed(job_of(check))
    worker.terminate()
    assert Job.objects.get(event=event).attempts == 1
    assert whole(client.get(check).json()["id"], 3_000)


def test_sigterm_to_all_processes_hands_the_job_on(client, worker, start_worker, event, whole, nothing_left_over):
    check = client.ask(amount=3_000)
    inserting(job_of(check))
    worker.terminate(children=True)
    start_worker()
    assert whole(client.wait(check).json()["id"], 3_000)
    assert nothing_left_over(3_000)
