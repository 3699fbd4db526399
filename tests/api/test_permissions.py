"""Who may do what: one table, with a column for each endpoint and a row for each way to come to it."""

import re
from pathlib import Path

import pytest
from pretix.api.urls import event_router

from pretix_offlinesales import urls
from pretix_offlinesales.after_sale.kind import all_offered
from pretix_offlinesales.api.jobs import JobViewSet
from pretix_offlinesales.api.tickets import TicketViewSet
from pretix_offlinesales.api.views import AfterSaleViewSet, BatchViewSet
from pretix_offlinesales.kinds import PRINT
from pretix_offlinesales.models import Job, OfflineSalesBatch
from tests.support.ways import WAYS, Ways

#: What can be done with tickets that exist, by the end of the address.
OTHERS = {kind.api_action: kind for kind in reversed(all_offered())}

#: For whoever may return tickets.
LATER = [action for action in OTHERS if action != "return"]

#: The columns: name of the endpoint → (name of its url, method, address).
ENDPOINTS = {
    "list": ("offlinesalesbatch-list", "get", ""),
    "detail": ("offlinesalesbatch-detail", "get", "{batch}/"),
    "check": ("offlinesalesbatch-check", "get", "check/{issuing}/"),
    "download": ("offlinesalesbatch-download", "get", "{batch}/download/{printing}/{file}/"),
    "render": ("offlinesalesbatch-render", "post", "{batch}/render/"),
    "render_as_documented": ("render", "post", "{batch}/render"),
    "patch": ("offlinesalesbatch-detail", "patch", "{batch}/"),
    "create": ("offlinesalesbatch-list", "post", ""),
    "return": ("offlinesalesaftersale-list", "post", "{batch}/return/"),
    "returned": ("offlinesalesaftersale-detail", "get", "{batch}/return/{return}/"),
    "tickets": ("offlinesalesticket-list", "get", "{batch}/tickets/"),
    **{action: ("offlinesalesaftersale-list", "post", f"{{batch}}/{action}/") for action in LATER},
    **{
        f"{action} it": ("offlinesalesaftersale-detail", "get", f"{{batch}}/{action}/{{{action}}}/") for action in LATER
    },
    "jobs": ("offlinesalesjob-list", "get", "jobs/"),
}

#: What the endpoints answer to whoever may use them.
SUCCESS = {
    "list": 200,
    "detail": 200,
    "check": 200,
    "download": 200,
    "render": 202,
    "render_as_documented": 202,
    "patch": 200,
    "create": 202,
    "return": 202,
    "returned": 200,
    "tickets": 200,
    **dict.fromkeys(LATER, 202),
    **dict.fromkeys([f"{action} it" for action in LATER], 200),
    "jobs": 200,
}

#: In order of the columns: yes where the answer is success, else the status code.
MATRIX = """
                                    list detail check download render render patch create return returned tickets
nobody                              401  401    401   401      401    401    401   401    401    401      401
a wrong token                       401  401    401   401      401    401    401   401    401    401      401
an inactive token                   401  401    401   401      401    401    401   401    401    401      401

a token without order permissions   403  403    403   403      403    403    403   403    403    403      403
a token for check-in only           403  403    403   403      403    403    403   403    403    403      403
a token that reads orders           yes  yes    yes   yes      yes    yes    403   403    403    yes      yes
a token that writes orders          403  403    403   403      403    403    yes   yes    yes    403      403
a token that reads and writes       yes  yes    yes   yes      yes    yes    yes   yes    yes    yes      yes
a token for all permissions         yes  yes    yes   yes      yes    yes    yes   yes    yes    yes      yes
a token for this event              yes  yes    yes   yes      yes    yes    yes   yes    yes    yes      yes
a token for another event           403  403    403   403      403    403    403   403    403    403      403
a token of another organizer        403  403    403   403      403    403    403   403    403    403      403

a device                            yes  yes    yes   yes      yes    yes    yes   yes    yes    yes      yes
a device for another event          403  403    403   403      403    403    403   403    403    403      403
a device for scanning               403  403    403   403      403    403    403   403    403    403      403
a device before its initialization  401  401    401   401      401    401    401   401    401    401      401
a revoked device                    401  401    401   401      401    401    401   401    401    401      401

an app that reads                   yes  yes    yes   yes      403    403    403   403    403    yes      yes
an app that writes                  403  403    403   403      yes    yes    yes   yes    yes    403      403
an app that reads and writes        yes  yes    yes   yes      yes    yes    yes   yes    yes    yes      yes
an app for another organizer        403  403    403   403      403    403    403   403    403    403      403
an app with an expired token        401  401    401   401      401    401    401   401    401    401      401

a member of the team                yes  yes    yes   yes      yes    yes    yes   yes    yes    yes      yes
a user without a team               403  403    403   403      403    403    403   403    403    403      403

everything, off for the event       403  403    403   403      403    403    403   403    403    403      403
everything, off for the organizer   403  403    403   403      403    403    403   403    403    403      403
everything, to an unknown event     403  403    403   403      403    403    403   403    403    403      403
everything, to an unknown organizer 403  403    403   403      403    403    403   403    403    403      403
"""


def rows():
    for line in MATRIX.strip().splitlines()[1:]:
        if line:
            who, cells = line[:36].strip(), line[36:].split()
            cells += [cells[-3]] * len(LATER) + [cells[-2]] * len(LATER)
            cells.append(cells[0])  # jobs are for whoever may list batches
            yield pytest.param(who, dict(zip(ENDPOINTS, cells, strict=True)), id=who)


def test_the_table_has_a_column_for_each_endpoint():
    served = {
        (pattern.name, method)
        for pattern in [*event_router.urls, *urls.urlpatterns]
        if getattr(pattern.callback, "cls", None) in (AfterSaleViewSet, BatchViewSet, JobViewSet, TicketViewSet)
        for method in pattern.callback.actions
        if method in BatchViewSet.http_method_names and method != "head"
    }
    assert {(name, method) for name, method, _address in ENDPOINTS.values()} == served


@pytest.mark.parametrize(("who", "expected"), list(rows()))
def test_who_may_do_what(places, who, expected):
    client, url = WAYS[who](places), places.url_for(who)
    answers = {
        name: getattr(client, method)(
            url + address.format(**places.ids), places.bodies.get(name), format=places.formats[method]
        )
        for name, (_url_name, method, address) in ENDPOINTS.items()
    }
    assert {
        name: "yes" if answer.status_code == SUCCESS[name] else str(answer.status_code)
        for name, answer in answers.items()
    } == expected


@pytest.mark.parametrize(("who", "expected"), list(rows()))
def test_who_may_not_do_it_leaves_no_trace(places, who, expected):
    client, url = WAYS[who](places), places.url_for(who)
    client.post(url, places.bodies["create"], format="json")
    for name in OTHERS:
        client.post(f"{url}{places.ids['batch']}/{name}/", places.bodies[name], format="json")
    client.patch(f"{url}{places.ids['batch']}/", {"comment": "Changed"}, format="json")
    jobs = Job.objects.exclude(pk__in=[places.ids[name] for name in ("issuing", "printing", *OTHERS)])
    asked = {"create": "issue", **{action: kind.identifier for action, kind in OTHERS.items()}}
    kinds = [kind for name, kind in asked.items() if expected[name] == "yes"]
    assert list(jobs.values_list("kind", flat=True)) == kinds
    comment = OfflineSalesBatch.objects.get(pk=places.ids["batch"]).comment
    assert comment == ("Changed" if expected["patch"] == "yes" else "")


class Places(Ways):
    """An event with a batch and its jobs."""

    formats = {"get": None, "post": "json", "patch": "json"}

    def __init__(self, event, series, batch, issuing, printing, **others):
        super().__init__(event, series)
        self.bodies = {
            "create": {"item": batch.item_id, "amount": 1, "sales_channel": "web"},
            **{action: {"all": True} for action in OTHERS},
        }
        self.ids = {
            "batch": batch.pk,
            "issuing": issuing.pk,
            "printing": printing.pk,
            "file": printing.file_id,
            **{name: job.pk for name, job in others.items()},
        }

    def url_for(self, who):
        return f"{self.event_for(who)}offlinesalesbatches/"


@pytest.fixture
def places(event, quota, series, store_batch, store_job):
    batch = store_batch()
    others = {name: store_job(batch, kind=kind, selection={"all": True}) for name, kind in OTHERS.items()}
    return Places(event, series, batch, store_job(batch), store_job(batch, kind=PRINT), **others)


#: Of the addresses in the docs, by the placeholders of those above: all that is not the batch or the file is a job.
IN_DOCS = {"{batch}": "(id)", "{file}": "(file)"}


def test_the_docs_list_all_endpoints():
    docs = (Path(urls.__file__).parent.parent / "docs" / "api.rst").read_text()
    listed = re.findall(r"^``(GET|POST|PATCH) …/([^`]*)`` ", docs, re.MULTILINE)
    there_are = {
        (method.upper(), re.sub(r"{\w+}", lambda match: IN_DOCS.get(match[0], "(job)"), address))
        for _name, method, address in ENDPOINTS.values()
        if not address.endswith("render")  # without the last slash, which is said where it is described
    }
    assert sorted(listed) == sorted(there_are)
