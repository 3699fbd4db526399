"""
Secrets of tickets, by the event's generator. The host's ``assign_ticket_secret`` says what a generator is told, and
which codes go on the revocation list. What stands in for a position or an event here has what that function looks at.
"""

import os
from collections.abc import Callable
from functools import cache, partial, wraps
from inspect import signature
from types import FunctionType, SimpleNamespace
from typing import Any

from django.utils.crypto import RANDOM_STRING_CHARS
from pretix.base import secrets
from pretix.base.models import Event, OrderPosition
from pretix.base.models.orders import RevokedTicketSecret
from pretix.base.secrets import BaseTicketSecretGenerator


class Reassigning:
    """Gives positions of an event the secrets that the host gives to them now. Nothing is stored."""

    def __init__(self, event: Event):
        self._event = event
        self.ticket_secret_generator = _fast(event.ticket_secret_generator)

    def __call__(
        self, position: OrderPosition, has_gift_cards: bool, **options: bool
    ) -> tuple[str, list[RevokedTicketSecret]]:
        """
        The secret of this position, which may be the one that it has, and those that are revoked by that. Nothing is
        asked of the database.

        :param has_gift_cards: whether gift cards were sold with the position; then their code stays
        :param options: of ``assign_ticket_secret``
        """
        collecting = _Collecting(self._event, position, has_gift_cards)
        secrets.assign_ticket_secret(event=self, position=collecting, save=False, **options)
        return collecting.secret, collecting.revoked


class _Collecting:
    """
    Stands in for a position. It knows of its gift cards without a query, and its revoked secrets are collected instead
    of stored one by one.
    """

    def __init__(self, event: Event, position: OrderPosition, has_gift_cards: bool):
        self._event, self._position = event, position
        self.secret = position.secret
        self.revoked: list[RevokedTicketSecret] = []
        self.issued_gift_cards = SimpleNamespace(exists=lambda: has_gift_cards)
        self.revoked_secrets = SimpleNamespace(create=self._revoke)

    def _revoke(self, event, secret):
        self.revoked.append(RevokedTicketSecret(position=self._position, event=self._event, secret=secret))

    def __getattr__(self, name):
        return getattr(self._position, name)


def secret_generator(position: OrderPosition) -> Callable[[], str]:
    """
    What generates a new secret at each call, with the event's generator and with what the host tells it about this
    position. For each secret, the host would find out anew what its generator wants to know, which takes as long as
    generating.
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
        self.told: dict[str, Any] = {}

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
        if isinstance(method := getattr(type(generator), name, None), FunctionType)
        and method.__module__ == secrets.__name__
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
    copy.__signature__ = signature(function)  # type: ignore[attr-defined]  # the host looks at it for each secret
    return copy


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
