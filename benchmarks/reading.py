"""What is only read: pages, the REST API, the report, what looks for unfinished work each minute."""

from collections.abc import Callable
from decimal import Decimal

from django.db import connection
from django.test import Client
from django.utils.timezone import now
from pretix.base.exporters.orderlist import OrderListExporter
from pretix.base.models import Event
from rest_framework.test import APIClient

from pretix_offlinesales import tasks
from pretix_offlinesales.exporters import OfflineSalesExporter
from pretix_offlinesales.models import Document, Seller
from pretix_offlinesales.sellers.terms import Terms

from .apart import Measured, fastest
from .printing import the_batch
from .world import make_token, make_user, the_item

#: How often something short is done, to take the time of the fastest.
REPETITIONS = 5

#: Tickets of a batch on a page of the backend, and of the REST API.
ON_A_PAGE, IN_AN_ANSWER = 25, 50


def pages(batch_pk: int) -> dict[str, dict]:
    """Each beside what the host shows of orders in the same event."""
    batch = the_batch(batch_pk)
    [code, *_rest] = batch.tickets.values_list("order__code", flat=True)
    last_page = -(-batch.amount // ON_A_PAGE)
    get = _browser()
    return {
        "host orders": get("orders/"),
        "host orders, searched": get("orders/", query=code),
        "host orders, middle": get("orders/", page=last_page // 2),
        "host orders, of a batch": get("orders/", **{"offlinesales-batch": batch_pk}),
        "batches": get("offlinesales/"),
        "batches, searched": get("offlinesales/", query=code),
        "batch": get(f"offlinesales/{batch_pk}/"),
        "batch, last page": get(f"offlinesales/{batch_pk}/", page=last_page),
    }


def answers(batch_pk: int) -> dict[str, dict]:
    """Of the REST API."""
    batch = the_batch(batch_pk)
    get = _client()
    middle = max(batch.amount // IN_AN_ANSWER // 2, 1)
    return {
        "host orders": get("orders/"),
        "host orders, middle": get("orders/", page=middle),
        "batches": get("offlinesalesbatches/"),
        "batch": get(f"offlinesalesbatches/{batch_pk}/"),
        "tickets": get(f"offlinesalesbatches/{batch_pk}/tickets/"),
        "tickets, middle": get(f"offlinesalesbatches/{batch_pk}/tickets/", page=middle),
        "tickets, 500": get(f"offlinesalesbatches/{batch_pk}/tickets/", page_size=500),
    }


def sellers(amount: int) -> dict[str, dict]:
    """
    So many sellers, who hold all tickets of the event together: their pages, beside the host's list of orders. Of their
    tickets, every third was sold, and everything else must be back by now.
    """
    some = _hand_out(amount)
    get_orders, get = _browser(), _organizers_browser()
    return {
        "host orders": get_orders("orders/"),
        "sellers": get("sellers/"),
        "sellers, last page": get("sellers/", page=-(-amount // ON_A_PAGE)),
        "sellers, overdue": get("sellers/", tickets="overdue"),
        "sellers, all counted": get("sellers/", counted="yes"),
        "sellers, export": get("sellers/sellers.csv"),
        "seller": get(f"sellers/{some}/"),
    }


def _hand_out(amount: int) -> int:
    """All tickets, in ranges of the same size; each seller has three. Returns the key of one of the sellers."""
    event, moment = the_item().event, now()
    made = [Seller(organizer=event.organizer, name=f"Seller {number}", **TERMS) for number in range(amount)]
    made = Seller.objects.bulk_create(made)
    handed_over = [
        Document(
            organizer=event.organizer,
            event=event,
            kind="delivery",
            number=number,
            target=made[number % amount],
            created=moment,
            terms=Terms.of(made[number % amount], event).to_json(),
            count=0,
            value=0,
            currency=event.currency,
        )
        for number in range(3 * amount)
    ]
    documents = Document.objects.bulk_create(handed_over)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH ranges AS (SELECT id, ntile(%s) OVER (ORDER BY batch_id, number) AS range"
            " FROM pretix_offlinesales_offlinesalesticket)"
            " UPDATE pretix_offlinesales_offlinesalesticket AS ticket SET document_id = document.id,"
            " seller_id = document.target_id, sold = CASE WHEN ticket.number %% 3 = 0 THEN now() END"
            " FROM ranges JOIN pretix_offlinesales_document AS document ON document.number = ranges.range - 1"
            " WHERE ticket.id = ranges.id",
            [len(documents)],
        )
        cursor.execute("ANALYZE")
    Seller.objects.update(last_movement=moment, currency=event.currency)
    Event.objects.filter(pk=event.pk).update(date_from=moment)
    return made[0].pk


#: A week before the event, tickets must be back.
TERMS = {"commission_percent": Decimal("7.50"), "commission_tax_rate": Decimal(19), "deadline_days": 7}


def _browser() -> Callable[..., dict]:
    item = the_item()
    client = Client()
    client.force_login(make_user(item))
    return _getter(client, f"/control/event/{item.event.organizer.slug}/{item.event.slug}/")


def _organizers_browser() -> Callable[..., dict]:
    item = the_item()
    client = Client()
    client.force_login(make_user(item))
    return _getter(client, f"/control/organizer/{item.event.organizer.slug}/offlinesales/")


def _client() -> Callable[..., dict]:
    item = the_item()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {make_token(item)}")
    return _getter(client, f"/api/v1/organizers/{item.event.organizer.slug}/events/{item.event.slug}/")


def _getter(client: Client, place: str) -> Callable[..., dict]:
    def get(path: str, **query) -> dict:
        def once():
            response = client.get(place + path, query)
            assert response.status_code == 200, response.content

        return fastest(once, REPETITIONS)

    return get


def report() -> dict:
    """All tickets of the event, as Excel."""
    event = the_item().event
    options = {"_format": "xlsx", "no_testmode": True, "items": [], "sales_channels": []}
    return _export(OfflineSalesExporter, event, options)


def host_report() -> dict:
    """Its list of all orders, positions and fees of the event, as Excel."""
    options = {"_format": "xlsx", "paid_only": False, "include_payment_amounts": False, "group_multiple_choice": False}
    return _export(OrderListExporter, the_item().event, options)


def _export(exporter: type, event: Event, options: dict) -> dict:
    exporter = exporter(event, event.organizer)
    with Measured() as measured:
        exporter.render(options)
    return measured.found


def periodic() -> dict:
    """What the host's periodic task asks of us each minute."""
    return fastest(tasks.recover_jobs, REPETITIONS)
