"""
Unique codes and secrets for many orders at once, by the host's rules: ``Order.assign_code``, ``OrderPosition.save``
and ``OrderPosition.assign_pseudonymization_id`` generate the same ones, but ask the database about each.
"""

import string
from collections.abc import Callable

from django.conf import settings
from django.db.models import Model, QuerySet
from pretix.base.banlist import banned
from pretix.base.models import Order, OrderPosition, Organizer

from ..db.queries import unindexed
from ..db.rows import taken
from ..host.secrets import random_string, secret_generator

SECRET_ALPHABET = string.ascii_lowercase + string.digits
SECRET_LENGTH = 16
ORDER_CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ379"
PSEUDONYMIZATION_ID_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ3789"
PSEUDONYMIZATION_ID_LENGTH = 10

#: After so many rounds without enough free codes, longer ones are drawn.
ROUNDS_BEFORE_LONGER = 20


class Unique(list):
    """
    Different values that nobody else has. They are drawn before anybody has to wait for us, so others may take some
    meanwhile: look again where nobody can any more.
    """

    def __init__(
        self, amount: int, generate: Callable[[int], str], others: QuerySet, field: str, seen: set[str] | None = None
    ):
        """
        :param generate: is told how often it had to be asked already, to look further afield where too much is taken
        :param others: objects, none of which has one of the values in ``field``
        :param seen: shared by those who must not have the same values either
        """
        super().__init__()
        self._generate, self._others, self._field = generate, others, field
        self._seen = set() if seen is None else seen
        self._turn = 0
        self._fill(amount)

    def replace_taken(self) -> int:
        """Generate anew what others have taken by now. Returns how many that are."""
        lost, amount = self._taken(self), len(self)
        if lost:
            self[:] = [value for value in self if value not in lost]
            self._fill(amount)
        return len(lost)

    def _fill(self, amount):
        """A query a round."""
        while len(self) < amount:
            fresh = {self._generate(self._turn) for _ in range(amount - len(self))} - self._seen
            self._seen |= fresh
            self.extend(fresh - self._taken(fresh))
            self._turn += 1

    def _taken(self, values):
        return taken(values, self._others, self._field)


def all_of(organizer: Organizer, model: type[Model]) -> QuerySet:
    """Canceled ones too. Values are looked for by the index of values, and not through all that the organizer has."""
    return model._base_manager.alias(owner=unindexed("organizer_id")).filter(owner=organizer.pk)


def order_codes(order: Order, amount: int) -> Unique:
    """Codes that no order of the organizer has, for copies of this order."""

    def generate(turn):
        length = settings.ENTROPY["order_code"] + turn // ROUNDS_BEFORE_LONGER
        while banned(code := random_string(length, ORDER_CODE_ALPHABET)):
            pass
        # The host marks the codes of test orders with a zero, which no other code contains.
        return code[0] + "0" + code[2:] if order.testmode else code

    return Unique(amount, generate, all_of(order.organizer, Order), "code")


def ticket_secrets(position: OrderPosition, amount: int, seen: set[str] | None = None) -> Unique:
    """
    Secrets from the event's generator that no position of the organizer has, for copies of this position.

    :param seen: those of its order's other positions
    """
    generate = secret_generator(position)
    return Unique(amount, lambda turn: generate(), all_of(position.organizer, OrderPosition), "secret", seen)


def plain_secrets(amount: int) -> list[str]:
    """
    What ``generate_secret`` gives for orders and positions that need no unique one; they are too long to be the same.
    """
    return [random_string(SECRET_LENGTH, SECRET_ALPHABET) for _ in range(amount)]


def pseudonymization_ids(amount: int, seen: set[str] | None = None) -> Unique:
    """
    Ids that no position in the whole system has.

    :param seen: those of the order's other positions
    """

    def generate(turn):
        return random_string(PSEUDONYMIZATION_ID_LENGTH, PSEUDONYMIZATION_ID_ALPHABET)

    return Unique(amount, generate, OrderPosition._base_manager.all(), "pseudonymization_id", seen)
