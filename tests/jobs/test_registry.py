"""Every kind of job is asked for everything that the engine, the pages, the API, histories and webhooks want of it."""

from dataclasses import MISSING, dataclass, fields

import pytest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import override
from pretix.api.webhooks import get_all_webhook_events
from pretix.base.logentrytypes import log_entry_types

from pretix_offlinesales.after_sale.kind import all_after_sale, all_offered
from pretix_offlinesales.jobs.registry import (
    KINDS,
    Kind,
    Stored,
    all_kinds,
    all_that_write,
    checkpoint,
    kind_of,
    request_of,
)
from pretix_offlinesales.kinds import ISSUE, STATE_ALL
from pretix_offlinesales.models import Job

KIND = pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.identifier)
OFFERED = pytest.mark.parametrize("kind", all_offered(), ids=lambda kind: kind.identifier)

#: What an entry in the history of a batch may know.
ENTRY = {"amount": 3, "kind": "damaged", "changed": "2", "blocked": 1, "statement": 12}


def texts_of(kind: Kind) -> dict[str, str]:
    """All that it says to people, as it is said now."""
    found = {"name": kind.name, "halfway": kind.halfway}
    found["history"] = kind.describe(ENTRY) if kind.entry else None
    found |= {name: getattr(kind, name) for name in ("canceled", "too_late", "webhook")}
    if kind in all_offered():
        found |= {name: getattr(kind, name) for name in ("explanation", "everything", "verdict", "headline")}
        found["question"] = kind.question % {"amount": 2}
        found |= {f"option {name}": option.label for name, option in kind.options.items()}
    if kind in all_after_sale():
        found |= {name: getattr(kind, name) for name in ("result", "outcome")}
        if kind.order_history:
            found["order"] = kind.describe_order(ENTRY)
    return {name: str(text) for name, text in found.items() if text is not None}


@KIND
def test_says_everything_in_both_languages(kind):
    with override("en"):
        english = texts_of(kind)
    with override("de"):
        german = texts_of(kind)
    assert english.keys() == german.keys()
    assert [name for name in english if not english[name] or english[name] == german[name]] == []


@KIND
def test_is_found_by_what_the_database_says(kind):
    assert kind_of(Job(kind=kind.identifier)) is kind


def test_a_kind_that_nobody_knows_is_no_job():
    with pytest.raises(LookupError, match="nonsense"):
        kind_of(Job(kind="nonsense"))


def test_no_two_are_called_the_same():
    kinds = all_kinds()
    for name in ("identifier", "name"):
        assert len({str(getattr(kind, name)) for kind in kinds}) == len(kinds), name
    # A batch that was issued with others was issued as any other; and statements are not about one batch.
    assert [kind for kind in kinds if kind not in all_that_write()] == [ISSUE, STATE_ALL]
    assert len(KINDS.registered_entries) == len(kinds)


@KIND
def test_a_request_that_nobody_takes_along_is_an_error(kind):
    required = {each.name: 1 for each in fields(kind.Request) if each.default is MISSING}
    assert request_of(Job(kind=kind.identifier, request=required)) == kind.Request(**required)
    with pytest.raises((TypeError, KeyError), match="nonsense"):
        request_of(Job(kind=kind.identifier, request={**required, "nonsense": 1}))


@KIND
def test_a_checkpoint_knows_how_far_others_know(kind):
    job = Job(kind=kind.identifier, checkpoint={"announced": 3})
    assert checkpoint(job, tries=1) == {"announced": 3, "tries": 1}
    with pytest.raises(TypeError, match="nonsense"):
        checkpoint(job, nonsense=1)


@KIND
def test_its_histories_and_webhooks_are_registered(kind):
    assert bool(log_entry_types.get(action_type=kind.action)[0]) == bool(kind.entry)
    assert (kind.action in get_all_webhook_events()) == bool(kind.webhook)


@OFFERED
def test_its_pages_and_its_address_in_the_api_are_there(kind):
    place = {"organizer": "museum", "event": "night"}
    pages = "/control/event/museum/night/offlinesales/"
    assert reverse(f"plugins:pretix_offlinesales:{kind.identifier}", kwargs=place) == f"{pages}{kind.path}"
    of_batch = reverse(f"plugins:pretix_offlinesales:batch_{kind.identifier}", kwargs=place | {"batch": 3})
    assert of_batch == f"{pages}3/{kind.path}"
    address = reverse("api-v1:offlinesalesaftersale-list", kwargs=place | {"batch": 3, "after_sale": kind.api_action})
    assert address == f"/api/v1/organizers/museum/events/night/offlinesalesbatches/3/{kind.api_action}/"


@pytest.mark.parametrize(
    "kind", [kind for kind in all_after_sale() if not kind.is_offered], ids=lambda kind: kind.identifier
)
def test_what_is_not_offered_has_neither_a_page_nor_an_address(kind):
    place = {"organizer": "museum", "event": "night"}
    for name, values in ((kind.identifier, {}), (f"batch_{kind.identifier}", {"batch": 3})):
        with pytest.raises(NoReverseMatch):
            reverse(f"plugins:pretix_offlinesales:{name}", kwargs=place | values)
    with pytest.raises(NoReverseMatch):
        address = place | {"batch": 3, "after_sale": kind.identifier}
        reverse("api-v1:offlinesalesaftersale-list", kwargs=address)
    assert kind.api_name == kind.identifier


@OFFERED
def test_what_one_chooses_is_part_of_its_request(kind):
    assert set(kind.options) <= {each.name for each in fields(kind.Request)}
    for name, option in kind.options.items():
        assert getattr(kind.Request, name) in dict(option.choices)


@dataclass(frozen=True)
class Example(Stored):
    needed: int
    text: str = ""
    numbers: tuple = ()


def test_what_is_as_it_is_by_default_is_not_stored():
    assert Example(needed=0).data == {"needed": 0}
    assert Example(needed=0, text="x", numbers=(1,)).data == {"needed": 0, "text": "x", "numbers": (1,)}
    assert Example.read(Example(needed=0, text="x").data) == Example(needed=0, text="x")
    with pytest.raises(TypeError):
        Example.read({})
