"""
Unique codes and secrets for many orders at once, by the host's rules: ``Order.assign_code``, ``OrderPosition.save``
and ``OrderPosition.assign_pseudonymization_id`` draw the same ones, but ask the database about each.
"""

import os
import string
from collections.abc import Callable
from functools import cache, partial, wraps
from types import FunctionType

from django.conf import settings
from django.db.models import BigIntegerField, ExpressionWrapper, F, Model, QuerySet
from django.utils.crypto import RANDOM_STRING_CHARS
from pretix.base import secrets
from pretix.base.banlist import banned
from pretix.base.models import Order, OrderPosition, Organizer
from pretix.base.secrets import BaseTicketSecretGenerator

from ..db.rows import taken

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
        self, amount: int, draw: Callable[[int], str], others: QuerySet, field: str, seen: set[str] | None = None
    ):
        """
        :param draw: is told how often it had to be asked already, to look further afield where too much is taken
        :param others: objects, none of which has one of the values in ``field``
        :param seen: shared by those who must not have the same values either
        """
        super().__init__()
        self._draw, self._others, self._field = draw, others, field
        self._seen = set() if seen is None else seen
        self._turn = 0
        self._fill(amount)

    def redraw_taken(self) -> int:
        """Draw anew what others have taken by now. Returns how many that are."""
        lost, amount = self._taken(self), len(self)
        if lost:
            self[:] = [value for value in self if value not in lost]
            self._fill(amount)
        return len(lost)

    def _fill(self, amount):
        """A query a round."""
        while len(self) < amount:
            fresh = {self._draw(self._turn) for _ in range(amount - len(self))} - self._seen
            self._seen |= fresh
            self.extend(fresh - self._taken(fresh))
            self._turn += 1

    def _taken(self, values):
        return taken(values, self._others, self._field)


def all_of(organizer: Organizer, model: type[Model]) -> QuerySet:
    """
    Canceled ones too. The database does not see that the sum is the organizer: it is to look for a value by the index
    of values, and not through all that the organizer has, which it may take for little where its statistics are old.
    """
    owner = ExpressionWrapper(F("organizer_id") + 0, output_field=BigIntegerField())
    return model._base_manager.alias(owner=owner).filter(owner=organizer.pk)


def order_codes(order: Order, amount: int) -> Unique:
    """Codes that no order of the organizer has, for copies of this order."""

    def draw(turn):
        length = settings.ENTROPY["order_code"] + turn // ROUNDS_BEFORE_LONGER
        while banned(code := random_string(length, ORDER_CODE_ALPHABET)):
            pass
        # The host marks the codes of test orders with a zero, which no other code contains.
        return code[0] + "0" + code[2:] if order.testmode else code

    return Unique(amount, draw, all_of(order.organizer, Order), "code")


def ticket_secrets(position: OrderPosition, amount: int, seen: set[str] | None = None) -> Unique:
    """
    Secrets from the event's generator that no position of the organizer has, for copies of this position.

    :param seen: those of its order's other positions
    """
    generate = _generate_secret(position)
    return Unique(amount, lambda turn: generate(), all_of(position.organizer, OrderPosition), "secret", seen)


def _generate_secret(position: OrderPosition) -> Callable[[], str]:
    """
    The event's generator, with what the host tells it about this position. For each secret, the host would find out
    anew what its generator wants to know, which takes as long as drawing.
    """
    generator = position.order.event.ticket_secret_generator
    listening = _Listening(generator, position.secret)
    secrets.assign_ticket_secret(listening, position, force_invalidate=True, save=False)
    return partial(_fast(generator).generate_secret, **listening.told)


class _Listening:
    """Stands in for an event and for its generator, which gives no new secret. ``told`` is what the host tells it."""

    def __init__(self, generator: BaseTicketSecretGenerator, secret: str):
        self.ticket_secret_generator = self
        self.use_revocation_list = generator.use_revocation_list
        self.told = {}

        @wraps(generator.generate_secret)  # the host looks at what it wants to know
        def generate_secret(**told):
            self.told = told
            return secret

        self.generate_secret = generate_secret


def _fast(generator: BaseTicketSecretGenerator) -> BaseTicketSecretGenerator:
    """
    A generator of the same secrets. The host's own are spared what takes longer than all the rest: the signed one loads
    its key anew for each signature, the random one asks the system for each letter.

    It is one of a subclass with the host's own methods, that find something else by these names; nothing that others
    use is touched, and the key goes with it.
    """
    names = {"load_pem_private_key": _loading_once(), "get_random_string": random_string}
    methods = {
        name: _with(method, names)
        for name in ("generate_secret", "_sign_payload")
        if getattr(method := getattr(type(generator), name, None), "__module__", None) == secrets.__name__
    }
    if not methods:
        return generator
    return type("Fast", (type(generator),), methods)(generator.event)


def _loading_once() -> Callable:
    keys = {}

    def load(data, *args):
        if data not in keys:
            keys[data] = secrets.load_pem_private_key(data, *args)
        return keys[data]

    return load


def _with(function: FunctionType, names: dict) -> FunctionType:
    """The same function, but for what it finds by these names."""
    copy = FunctionType(
        function.__code__,
        {**function.__globals__, **names},
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


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

    def draw(turn):
        return random_string(PSEUDONYMIZATION_ID_LENGTH, PSEUDONYMIZATION_ID_ALPHABET)

    return Unique(amount, draw, OrderPosition._base_manager.all(), "pseudonymization_id", seen)


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
