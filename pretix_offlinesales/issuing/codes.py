"""
Unique codes and secrets for many orders at once, by the host's rules: ``Order.assign_code``, ``OrderPosition.save``
and ``OrderPosition.assign_pseudonymization_id`` draw the same ones, but ask the database about each.
"""

import os
import string
from collections.abc import Callable
from contextlib import contextmanager
from functools import cache, partial, wraps

from django.conf import settings
from django.db.models import QuerySet
from django.utils.crypto import RANDOM_STRING_CHARS
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
        while banned(code := random_string(length, ORDER_CODE_ALPHABET)):
            pass
        # The host marks the codes of test orders with a zero, which no other code contains.
        return code[0] + "0" + code[2:] if order.testmode else code

    return unique(amount, draw, Order.objects.filter(organizer=order.organizer), "code")


def ticket_secrets(position: OrderPosition, amount: int) -> list[str]:
    """Secrets from the event's generator that no position of the organizer has, for copies of this position."""
    generate = _generator(position)
    with _drawing_fast():
        return unique(amount, lambda turn: generate(), OrderPosition.all.filter(organizer=position.organizer), "secret")


def _generator(position: OrderPosition) -> Callable[[], str]:
    """
    The event's generator, with what the host tells it about this position. For each secret, the host would find out
    anew what its generator wants to know, which takes as long as drawing.
    """
    event, told = position.order.event, {}
    generator = event.ticket_secret_generator
    generate = generator.generate_secret

    @wraps(generate)
    def listen(**arguments):
        told.update(arguments)
        return position.secret

    generator.generate_secret = listen
    try:
        secrets.assign_ticket_secret(event, position, force_invalidate=True, save=False)
    finally:
        del generator.generate_secret
    return partial(generate, **told)


@contextmanager
def _drawing_fast():
    """
    Spare the host's generators what takes longer than all the rest: the signed one loads its key anew for each
    signature, the random one asks the system for each letter.
    """
    load, keys, draw = secrets.load_pem_private_key, {}, secrets.get_random_string

    def load_once(data, *args):
        if data not in keys:
            keys[data] = load(data, *args)
        return keys[data]

    secrets.load_pem_private_key, secrets.get_random_string = load_once, random_string
    try:
        yield
    finally:
        secrets.load_pem_private_key, secrets.get_random_string = load, draw


def plain_secrets(amount: int) -> list[str]:
    """
    What ``generate_secret`` gives for orders and positions that need no unique one; they are too long to be the same.
    """
    return [random_string(SECRET_LENGTH, SECRET_ALPHABET) for _ in range(amount)]


def pseudonymization_ids(amount: int) -> list[str]:
    """Ids that no position in the whole system has."""

    def draw(turn):
        return random_string(PSEUDONYMIZATION_ID_LENGTH, PSEUDONYMIZATION_ID_ALPHABET)

    with scopes_disabled():
        return unique(amount, draw, OrderPosition.all.all(), "pseudonymization_id")


def random_string(length: int, allowed_chars: str = RANDOM_STRING_CHARS) -> str:
    """
    Django's ``get_random_string``, except that the system is asked once for each string, and not for each letter.

    :param allowed_chars: of ASCII, as all that the host draws from
    """
    letters, unused = _letters(allowed_chars)
    drawn = ""
    while len(drawn) < length:
        drawn += os.urandom(2 * length).translate(letters, unused).decode()
    return drawn[:length]


@cache
def _letters(alphabet: str) -> tuple[bytes, bytes]:
    """A letter for each byte, and the last bytes, which must be left out so that all letters are as likely."""
    used = 256 - 256 % len(alphabet)
    return bytes(ord(alphabet[byte % len(alphabet)]) for byte in range(256)), bytes(range(used, 256))


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
