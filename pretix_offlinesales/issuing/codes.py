"""
Unique codes and secrets for many orders at once, by the host's rules: ``Order.assign_code``, ``OrderPosition.save``
and ``OrderPosition.assign_pseudonymization_id`` draw the same ones, but ask the database about each.
"""

import string
from collections.abc import Callable
from contextlib import contextmanager
from random import SystemRandom

from django.conf import settings
from django.db.models import QuerySet
from django.utils.crypto import get_random_string
from django_scopes import scopes_disabled
from pretix.base import secrets
from pretix.base.banlist import banned
from pretix.base.models import Order, OrderPosition

SECRET_ALPHABET = string.ascii_lowercase + string.digits
SECRET_LENGTH = 16
ORDER_CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ379"
PSEUDONYMIZATION_ID_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ3789"
PSEUDONYMIZATION_ID_LENGTH = 10

#: After so many rounds without enough free codes, longer ones are drawn.
ROUNDS_BEFORE_LONGER = 20

#: How many values one query asks about.
CHUNK = 5_000


def order_codes(order: Order, amount: int) -> list[str]:
    """Codes that no order of the organizer has, for copies of this order."""

    def draw(turn):
        length = settings.ENTROPY["order_code"] + turn // ROUNDS_BEFORE_LONGER
        while banned(code := get_random_string(length, ORDER_CODE_ALPHABET)):
            pass
        # The host marks the codes of test orders with a zero, which no other code contains.
        return code[0] + "0" + code[2:] if order.testmode else code

    return unique(amount, draw, Order.objects.filter(organizer=order.organizer), "code")


def ticket_secrets(position: OrderPosition, amount: int) -> list[str]:
    """Secrets from the event's generator that no position of the organizer has, for copies of this position."""

    def draw(turn):
        secrets.assign_ticket_secret(position.order.event, position, force_invalidate=True, save=False)
        return position.secret

    with _key_loaded_once():
        return unique(amount, draw, OrderPosition.all.filter(organizer=position.organizer), "secret")


@contextmanager
def _key_loaded_once():
    """The host's signed generator loads its key anew for each signature, which takes as long as signing does."""
    load, keys = secrets.load_pem_private_key, {}

    def load_once(data, *args):
        if data not in keys:
            keys[data] = load(data, *args)
        return keys[data]

    secrets.load_pem_private_key = load_once
    try:
        yield
    finally:
        secrets.load_pem_private_key = load


def plain_secrets(amount: int) -> list[str]:
    """
    What ``generate_secret`` gives for orders and positions that need no unique one; they are too long to be the same.
    All letters are drawn together, as letter by letter takes longer than writing the rows.
    """
    letters = "".join(SystemRandom().choices(SECRET_ALPHABET, k=amount * SECRET_LENGTH))
    return [letters[start : start + SECRET_LENGTH] for start in range(0, len(letters), SECRET_LENGTH)]


def pseudonymization_ids(amount: int) -> list[str]:
    """Ids that no position in the whole system has."""

    def draw(turn):
        return get_random_string(PSEUDONYMIZATION_ID_LENGTH, PSEUDONYMIZATION_ID_ALPHABET)

    with scopes_disabled():
        return unique(amount, draw, OrderPosition.all.all(), "pseudonymization_id")


def unique(amount: int, draw: Callable[[int], str], others: QuerySet, field: str) -> list[str]:
    """
    ``amount`` different values from ``draw`` that none of ``others`` has in ``field``. A query a round and chunk;
    ``draw`` is told the round, to look further afield where too much is taken.
    """
    found, turn = [], 0
    seen = set()
    while len(found) < amount:
        fresh = {draw(turn) for _ in range(amount - len(found))} - seen
        seen |= fresh
        found += fresh - _taken(list(fresh), others, field)
        turn += 1
    return found


def _taken(values: list[str], others: QuerySet, field: str) -> set[str]:
    taken = set()
    for start in range(0, len(values), CHUNK):
        chunk = values[start : start + CHUNK]
        taken.update(others.filter(**{f"{field}__in": chunk}).values_list(field, flat=True))
    return taken
