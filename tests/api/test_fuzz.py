"""Whatever is sent, the answer is that of a server that knew what to do: no request is an error of ours."""

import json
import logging
from dataclasses import fields
from time import thread_time
from urllib.parse import quote

import pytest
from hypothesis import example, given, strategies as st
from pretix.base.models import CachedFile, Order, OrderPosition

from pretix_offlinesales.jobs.queries import MAX_UNFINISHED
from pretix_offlinesales.kinds import PRINT
from pretix_offlinesales.models import Job, OfflineSalesBatch
from pretix_offlinesales.printing.sheets import Sheet
from tests.support.fuzz import DEEP, anything, fast, numbers, text

FIELDS = (
    *("item", "variation", "subevent", "layout", "sales_channel"),
    *("testmode", "amount", "first_number", "comment", "seats"),
)


def post(api, url, body):
    return api.post(url, body, content_type="application/json")


@given(changes=st.dictionaries(st.sampled_from(FIELDS) | text, anything, min_size=1, max_size=3))
@example(changes={"seats": ["\0"], "comment": "\ud800"})
@fast
def test_a_request_with_odd_values_is_refused_or_accepted(api, url, wanted, changes):
    response = post(api, url, json.dumps(wanted | changes))
    assert response.status_code in (202, 400), response.content
    Job.objects.all().delete()


@given(body=anything.map(json.dumps).map(str.encode) | st.binary(max_size=50))
@example(body=DEEP)
@example(body=b'{"item": ' + DEEP)
@example(body=b'{"amount": ' + b"9" * 100_000 + b"}")
@example(body=b"\xff\xfe{}")
@fast
def test_a_request_that_is_something_else_is_refused(api, url, body):
    assert post(api, url, body).status_code == 400


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data", "application/xml", "a" * 5_000])
def test_a_request_of_another_type_is_refused(api, url, wanted, content_type):
    response = api.post(url, json.dumps(wanted), content_type=content_type)
    assert response.status_code in (400, 415), response.content


@given(body=st.dictionaries(st.sampled_from(["comment", "amount", "id", "orders"]), anything).map(json.dumps))
@example(body=DEEP)
@example(body="[]")
@fast
def test_a_change_with_odd_values_is_refused_or_made(api, url, store_batch, body):
    batch = store_batch()
    assert api.patch(f"{url}{batch.pk}/", body, content_type="application/json").status_code in (200, 400)


@given(
    body=st.dictionaries(
        st.sampled_from(["tickets", "orders", "secrets", "all", "kind", "dry_run"]), anything, max_size=2
    ).map(json.dumps)
)
@example(body=DEEP)
@example(body='{"tickets": "1-99999999999999999999"}')
@example(body='{"secrets": ["\\u0000", "\\ud800"]}')
@fast
def test_a_return_with_odd_values_is_refused_or_accepted(api, url, store_batch, body):
    batch = store_batch()
    response = post(api, f"{url}{batch.pk}/return/", body)
    assert response.status_code in (202, 400), response.content
    Job.objects.all().delete()


SHEET_FIELDS = [field.name for field in fields(Sheet)]
SHEET = {"paper": "A4", "margin": 5, "gutter": [3, 3], "columns": 2, "rows": 4, "order": "stack", "duplex": "long"}


@pytest.fixture
def batch(make_batch, layout):
    return make_batch(amount=2)


@given(
    body=st.fixed_dictionaries({}, optional={"tickets": anything, "only": anything, "sheet": anything}),
    sheet=st.none() | st.dictionaries(st.sampled_from(SHEET_FIELDS) | text, anything, max_size=3),
)
@example(body={}, sheet={"paper": [10**400, 1]})
@example(body={}, sheet={"paper": [float("nan"), float("inf")]})
@example(body={"tickets": "1-" + "9" * 5_000}, sheet=None)
@example(body={}, sheet={"columns": 100, "rows": 100, "gutter": 0, "cell": [1, 1]})
@fast
def test_a_print_with_odd_options_is_refused_or_accepted(api, url, batch, body, sheet):
    if sheet is not None:
        body["sheet"] = SHEET | sheet
    response = post(api, f"{url}{batch.pk}/render/", json.dumps(body))
    assert response.status_code in (202, 400), response.content
    Job.objects.filter(kind=PRINT.identifier).delete()


FILTERS = (
    *("item", "variation", "subevent", "sales_channel", "layout", "testmode"),
    *("creation_since", "creation_before", "ordering", "page", "page_size"),
)


@given(
    query=st.dictionaries(
        st.sampled_from(FILTERS), (numbers | text).map(str).map(lambda value: value.encode(errors="replace"))
    )
)
@fast
def test_a_list_with_odd_filters_is_refused_or_shown(api, url, query):
    assert api.get(url, query).status_code in (200, 400, 404)


@pytest.mark.parametrize(
    "kind", ["{}/", "check/{}/", "{}/render/", "{}/download/{}/{}/", "{}/return/", "{}/return/{}/"]
)
@pytest.mark.parametrize(
    "value",
    [
        *("0", "-1", "1.0", "9" * 30, "9" * 5_000, quote("٣"), "None", "..", "%2e%2e"),
        *("%00", "%0a", "%ff", "%F0%9F%8E%AB", "%ED%A0%80"),
        *("a" * 32, "{" + "0" * 32 + "}", "urn:uuid:" + "0" * 32, "00000000-0000-0000-0000-00000000000g"),
    ],
)
def test_a_place_that_is_none_is_not_found(api, url, kind, value):
    address = url + kind.format(*[value] * kind.count("{}"))
    answer = api.post(address) if kind in ("{}/render/", "{}/return/") else api.get(address)
    assert answer.status_code == 404


@pytest.mark.parametrize("value", ["%00", "%ff", "9" * 5_000, "..", "%ED%A0%80"])
def test_an_event_that_is_none_is_nobodys_business(api, url, value):
    """(An organizer's name with a NUL is an error of the host, for all of its addresses.)"""
    assert api.get(url.replace("night", value)).status_code in (403, 404)


# How much one may ask for


def test_whoever_asks_for_too_much_at_once_has_to_wait(api, url, wanted):
    for _ in range(MAX_UNFINISHED):
        assert post(api, url, json.dumps(wanted)).status_code == 202
    for refused in (post(api, url, json.dumps(wanted)), post(api, url, json.dumps(wanted | {"amount": 10_000}))):
        assert (refused.status_code, refused["Retry-After"]) == (429, "60")
        assert refused.data["detail"].startswith("There are too many unfinished jobs of this event.")
    assert Job.objects.count() == MAX_UNFINISHED
    Job.objects.filter(pk=Job.objects.first().pk).update(state=Job.State.FAILED)
    assert post(api, url, json.dumps(wanted)).status_code == 202


def test_printing_and_returning_count_as_well(api, url, store_batch):
    batch = store_batch()
    for _ in range(MAX_UNFINISHED):
        assert api.post(f"{url}{batch.pk}/render/").status_code == 202
    files = CachedFile.objects.count()
    refused = [api.post(f"{url}{batch.pk}/render/"), post(api, f"{url}{batch.pk}/return/", '{"all": true}')]
    assert [(answer.status_code, answer["Retry-After"]) for answer in refused] == [(429, "60")] * 2
    assert (Job.objects.count(), CachedFile.objects.count()) == (MAX_UNFINISHED, files)


# What a request may cost

LARGE = 400_000


def many(text: str) -> str:
    return ",".join([text] * (LARGE // (len(text) + 1)))


#: The worst of their kind, at about this size: what is asked for, and why it should be much.
LARGE_ONES = {
    "overlapping ranges": {"tickets": many("1-10000")},
    "ranges that end nowhere": {"tickets": many("1-999999999999")},
    "the same number": {"tickets": many("1")},
    "as many as may be read": {"tickets": many("1")[:119_999]},
    "different numbers": {"tickets": ",".join(map(str, range(1, LARGE // 6)))},
    "nothing but commas": {"tickets": "," * LARGE},
    "blanks": {"tickets": f"1{' ' * LARGE}-{' ' * LARGE}x"},
    "no strings": {"orders": [1] * (LARGE // 2)},
    "no strings, as many as tickets": {"orders": [1] * 10_000},
    "no strings at the end": {"secrets": ["x"] * 9_999 + [{}]},
    "empty codes": {"secrets": [""] * (LARGE // 3)},
    "one long code": {"secrets": ["x" * LARGE]},
    "lists in lists": {"orders": [[[]]] * (LARGE // 5)},
    "fields that there are not": {f"a{number}": 1 for number in range(LARGE // 10)},
    "a sheet's fields that there are not": {"sheet": {f"a{number}": 1 for number in range(LARGE // 10)}},
    "a long choice": {"only": "x" * LARGE, "kind": "x" * LARGE},
    "many seats": {"seats": [{}] * (LARGE // 3)},
    "many digits": {"amount": "9" * LARGE, "tickets": "9" * LARGE},
}
RAW = {
    "deep": "[" * LARGE,
    "deep objects": '{"tickets":' * (LARGE // 11),
    "a long number": '{"tickets": ' + "9" * LARGE + "}",
    "a large number": '{"amount": 1e' + "9" * LARGE + "}",
}


@pytest.mark.parametrize("body", [*map(json.dumps, LARGE_ONES.values()), *RAW.values()], ids=[*LARGE_ONES, *RAW])
def test_no_request_costs_much_more_than_the_largest_that_is_sensible(api, url, store_batch, wanted, body):
    batch = store_batch()

    def cost(path, body) -> float:
        """In seconds of this thread's own time, however busy the machine is. The first time is not counted."""
        for _ in range(2):
            start = thread_time()
            answer = post(api, url + path, body)
            seconds = thread_time() - start
            Job.objects.all().delete()
        assert answer.status_code in (202, 400), answer.content
        return seconds

    sensible = cost(f"{batch.pk}/return/", json.dumps({"secrets": [f"{number:032}" for number in range(10_000)]}))
    for path in ("", *(f"{batch.pk}/{what}/" for what in ("return", "undo", "replace", "render"))):
        assert cost(path, body) < 30 * sensible


# What the log says


def test_nothing_secret_is_logged(make_batch, api, url, token, layout, worker, caplog):
    with caplog.at_level(logging.DEBUG):
        batch = make_batch()
        with worker():
            download = api.post(f"{url}{batch.pk}/render/").data["download"]
        assert api.get(download).status_code == 200
    logged = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("django.db"))
    assert f"batch #{batch.pk} of museum/night, 3 tickets" in logged
    secrets = [token.token]
    for order in Order.objects.all():
        secrets += [order.secret, order.internal_secret]
    for position in OrderPosition.objects.all():
        secrets += [position.secret, position.web_secret]
    assert len(secrets) == 1 + 4 * OfflineSalesBatch.objects.get().amount
    assert [secret for secret in secrets if secret in logged] == []
