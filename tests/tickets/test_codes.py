"""Codes and secrets follow the host's rules, and nobody else has them."""

import base64
import gc
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from weakref import ref

import pytest
from django.utils.timezone import now
from pretix.base import secrets as host_secrets
from pretix.base.banlist import banned
from pretix.base.models import Event, Order, OrderPosition, Organizer
from pretix.base.models.orders import generate_secret
from pretix.base.secrets import BaseTicketSecretGenerator
from pretix.base.signals import register_ticket_secret_generators

from pretix_offlinesales.host import secrets as our_secrets
from pretix_offlinesales.tickets import codes

MANY = 400


@pytest.fixture
def order(event, web):
    return Order(
        event=event,
        organizer=event.organizer,
        sales_channel=web,
        status="n",
        total=Decimal("0.00"),
        expires=now() + timedelta(days=1),
    )


@pytest.fixture
def position(order, item):
    return OrderPosition(order=order, organizer=order.organizer, item=item)


def alphabet(values):
    return set("".join(values))


def lengths(values):
    return {len(value) for value in values}


def by_host(draw):
    return [draw() for _ in range(MANY)]


@pytest.mark.parametrize("length", [5, 7])
def test_order_codes_look_like_the_hosts(order, settings, length):
    settings.ENTROPY = {**settings.ENTROPY, "order_code": length}

    def draw():
        order.assign_code()
        return order.code

    theirs, ours = by_host(draw), codes.order_codes(order, MANY)
    assert (alphabet(ours), lengths(ours)) == (alphabet(theirs), lengths(theirs))
    assert len(set(ours)) == MANY


def test_codes_of_test_orders_have_a_zero_in_second_place(order):
    order.testmode = True
    assert alphabet(code[1] for code in codes.order_codes(order, MANY)) == {"0"}


def test_order_codes_are_no_banned_words(order, monkeypatch):
    monkeypatch.setattr(codes, "ORDER_CODE_ALPHABET", "AS")
    monkeypatch.setattr(codes, "ROUNDS_BEFORE_LONGER", 1)
    drawn = codes.order_codes(order, 20)
    assert banned("AASSA")
    assert [code for code in drawn if banned(code)] == []


def test_order_codes_of_the_organizer_are_avoided_and_longer_ones_drawn_where_too_few_are_left(order, monkeypatch):
    monkeypatch.setattr(codes, "ORDER_CODE_ALPHABET", "XY")
    monkeypatch.setattr(codes, "ROUNDS_BEFORE_LONGER", 100)  # so that both free ones are found first, in all likelihood
    taken = [f"{number:05b}".replace("0", "X").replace("1", "Y") for number in range(30)]
    for code in taken:
        order.pk, order.code = None, code
        order.save(force_insert=True)

    drawn = codes.order_codes(order, 10)

    assert set(drawn) & set(taken) == set()
    assert len(set(drawn)) == 10
    assert sorted(len(code) for code in drawn) == [5] * 2 + [6] * 8


def test_plain_secrets_look_like_the_hosts(db):
    theirs, ours = by_host(generate_secret), codes.plain_secrets(MANY)
    assert (alphabet(ours), lengths(ours), len(set(ours))) == (alphabet(theirs), lengths(theirs), MANY)


def test_pseudonymization_ids_look_like_the_hosts(position):
    def draw():
        position.assign_pseudonymization_id()
        return position.pseudonymization_id

    theirs, ours = by_host(draw), codes.pseudonymization_ids(MANY)
    assert (alphabet(ours), lengths(ours)) == (alphabet(theirs), lengths(theirs))


@pytest.mark.parametrize("length", [8, 12, 16, 32, 64])
def test_random_ticket_secrets_have_the_length_that_the_event_asks_for(event, position, length):
    event.settings.ticket_secret_length = length
    secrets = codes.ticket_secrets(position, 20)
    assert lengths(secrets) == {length}
    assert len(set(secrets)) == 20


def test_signed_ticket_secrets_are_signed_for_the_product(event, position):
    event.settings.ticket_secret_generator = "pretix_sig1"
    secrets = codes.ticket_secrets(position, 20)
    tickets = [event.ticket_secret_generator._parse(secret) for secret in secrets]
    assert [ticket.item for ticket in tickets] == [position.item.pk] * 20
    assert len({ticket.seed for ticket in tickets}) == 20


class Counting(BaseTicketSecretGenerator):
    """What another plugin may register: it counts, and is told when the order was placed."""

    identifier = "counting"
    verbose_name = "Counting"
    last = 0

    def generate_secret(self, item, order_datetime, current_secret=None, force_invalidate=False, **kwargs):
        type(self).last += 1
        return f"{order_datetime.year}T{self.last:04d}"


@pytest.fixture
def counting(event, settings):
    settings.CORE_MODULES = {*settings.CORE_MODULES, "tests"}  # or it would be switched off
    event.settings.ticket_secret_generator = "counting"

    def register(sender, **kwargs):
        return Counting

    register_ticket_secret_generators.connect(register, dispatch_uid="counting")
    yield
    register_ticket_secret_generators.disconnect(register, dispatch_uid="counting")


def test_secrets_of_a_generator_that_another_plugin_registers(issued, counting, event, item, quota):
    positions = [ticket.order.positions.get() for ticket in issued(event, item).batch.tickets.all()]
    year = now().year
    assert sorted(position.secret for position in positions) == [f"{year}T0001", f"{year}T0002", f"{year}T0003"]


def test_the_key_for_signing_is_loaded_once(event, position, monkeypatch):
    event.settings.ticket_secret_generator = "pretix_sig1"
    load, loaded = host_secrets.load_pem_private_key, []
    monkeypatch.setattr(host_secrets, "load_pem_private_key", lambda *args: loaded.append(args) or load(*args))
    codes.ticket_secrets(position, 20)
    assert len(loaded) == 1


def test_generators_that_are_made_from_the_hosts_stay_what_they_are(event, position, monkeypatch):
    class Upper(host_secrets.RandomTicketSecretGenerator):
        def generate_secret(self, **kwargs):
            return super().generate_secret(**kwargs).upper()

    class Backwards(host_secrets.Sig1TicketSecretGenerator):
        def _sign_payload(self, payload):
            return super()._sign_payload(payload)[::-1]

    def is_backwards(secret):
        return base64.b64decode(secret[::-1])[-1] == 1  # the version

    event.settings.ticket_secret_generator = "made"
    for made, alike in ((Upper(event), str.isupper), (Backwards(event), is_backwards)):
        monkeypatch.setitem(event.ticket_secret_generators, "made", made)
        secrets = codes.ticket_secrets(position, 20)
        assert [secret for secret in secrets if not alike(secret)] == []
        assert len(set(secrets)) == 20


@pytest.mark.parametrize("generator", ["random", "pretix_sig1"])
def test_nothing_of_the_host_is_another_while_secrets_are_drawn(event, position, monkeypatch, generator):
    event.settings.ticket_secret_generator = generator
    kind = type(event.ticket_secret_generator)
    codes.ticket_secrets(position, 1)  # makes keys, and loads settings

    def look():
        return dict(vars(host_secrets)), dict(vars(kind)), dict(vars(event.ticket_secret_generator))

    before, meanwhile, random_string = look(), [], our_secrets.random_string

    def draw(*args, **kwargs):
        meanwhile.append(look())
        return random_string(*args, **kwargs)

    monkeypatch.setattr(our_secrets, "random_string", draw)
    codes.ticket_secrets(position, 2)
    assert meanwhile == [before] * 2
    assert look() == before


def test_no_key_outlives_the_drawing(event, position, monkeypatch):
    event.settings.ticket_secret_generator = "pretix_sig1"
    load, keys = host_secrets.load_pem_private_key, []

    class Key:
        def __init__(self, *args):
            self.sign = load(*args).sign
            keys.append(ref(self))

    monkeypatch.setattr(host_secrets, "load_pem_private_key", Key)
    codes.ticket_secrets(position, 20)
    gc.collect()
    assert [key() for key in keys] == [None]


@pytest.mark.parametrize("alphabet", ["AB", codes.ORDER_CODE_ALPHABET, codes.SECRET_ALPHABET])
def test_all_letters_of_a_random_string_are_as_likely(alphabet):
    """Within six standard deviations, so that it fails once in millions of runs."""
    expected = 2_000
    counts = Counter(our_secrets.random_string(expected * len(alphabet), alphabet))
    assert set(counts) == set(alphabet)
    assert [letter for letter in alphabet if abs(counts[letter] - expected) > 6 * expected**0.5] == []


def taken_by(event, code="TAKEN", **values):
    """A canceled order of this event, which has these values all the same."""
    web = event.organizer.sales_channels.get(identifier="web")
    order = event.orders.create(code=code, status="c", total=0, expires=now(), sales_channel=web)
    item = event.items.create(name="Ticket", default_price=0)
    order.all_positions.create(item=item, price=0, canceled=True, **values)


def offering(monkeypatch, *values):
    """Let exactly these be drawn, in this order."""
    drawn = iter(values)
    for module in (codes, our_secrets):
        monkeypatch.setattr(module, "random_string", lambda *args, **kwargs: next(drawn))


def other_event(organizer):
    return Event.objects.create(organizer=organizer, name="Fair", slug="fair", date_from=now(), currency="EUR")


def test_order_codes_of_other_events_of_the_organizer_are_avoided(order, organizer, monkeypatch):
    taken_by(other_event(organizer), code="XXXXX")
    offering(monkeypatch, "XXXXX", "YYYYY")
    assert codes.order_codes(order, 1) == ["YYYYY"]


def test_ticket_secrets_of_other_events_of_the_organizer_are_avoided(position, organizer, monkeypatch):
    taken_by(other_event(organizer), secret="xxxxx")
    offering(monkeypatch, "xxxxx", "yyyyy")
    assert codes.ticket_secrets(position, 1) == ["yyyyy"]


def test_pseudonymization_ids_of_everybody_are_avoided(monkeypatch, db):
    taken_by(other_event(Organizer.objects.create(name="Zoo", slug="zoo")), pseudonymization_id="XXXXX")
    offering(monkeypatch, "XXXXX", "YYYYY")
    assert codes.pseudonymization_ids(1) == ["YYYYY"]


def test_all_that_is_secret_about_a_ticket_is_its_own(issued, event, item, quota):
    orders = [ticket.order for ticket in issued(event, item, amount=50).batch.tickets.select_related("order")]
    positions = [order.positions.get() for order in orders]
    secrets = [
        *(order.code for order in orders),
        *(order.secret for order in orders),
        *(order.internal_secret for order in orders),
        *(position.secret for position in positions),
        *(position.web_secret for position in positions),
        *(position.pseudonymization_id for position in positions),
    ]
    assert len(set(secrets)) == 6 * 50
    assert lengths(order.secret + order.internal_secret for order in orders) == {32}
    assert lengths(position.web_secret for position in positions) == {16}
