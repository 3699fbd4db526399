"""What sellers hold is printed from a page of the event."""

import pytest
from pretix.base.models import Organizer

from pretix_offlinesales.models import Job
from tests.support.pdf import extracted_text
from tests.support.sellers import handed_over, make_seller

pytestmark = pytest.mark.django_db


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer, "Kiosk")


@pytest.fixture
def page(pages):
    return f"{pages}print-for-sellers"


def test_sellers_are_chosen_and_the_file_is_downloaded(anna, page, make_batch, kiosk, worker):
    assert "No seller holds tickets" in anna.get(page).content.decode()
    handed_over(make_batch(amount=3), kiosk, "1-2")
    shown = anna.get(f"{page}?seller={kiosk.pk}").content.decode()
    assert "Kiosk" in shown and "checked" in shown
    with worker():
        response = anna.post(page, {"sellers": [kiosk.pk], "only": "unprinted"})
    waiting = anna.get(response.url)
    file = anna.get(waiting.url)
    assert len(extracted_text(b"".join(file.streaming_content))) == 3
    assert waiting.url in anna.get(page).content.decode()
    again = anna.post(page, {"sellers": [kiosk.pk], "only": "unprinted"})
    assert "There is nothing to print among these tickets." in again.content.decode()


def test_what_was_handed_over_by_a_document_is_printed(anna, page, make_batch, kiosk, worker):
    batch = make_batch(amount=4)
    handed_over(batch, kiosk, "1-2")
    document = handed_over(batch, kiosk, "3")
    shown = anna.get(f"{page}?seller={kiosk.pk}&document={document.pk}").content.decode()
    assert "Delivery note 2" in shown and "Delivery note 1" not in shown
    with worker():
        anna.post(page, {"sellers": [kiosk.pk], "document": document.pk})
    assert Job.objects.latest("created").request == {"bundles": [[kiosk.pk, batch.pk, "3"]]}


def test_who_may_only_read_prints_nothing(ron, page):
    assert ron.get(page).status_code == 403


def test_others_sellers_are_not_found(anna, page, make_batch, kiosk):
    handed_over(make_batch(amount=3), kiosk, "1-2")
    other = make_seller(Organizer.objects.create(name="Other", slug="other"), "Somebody else")
    assert "Somebody else" not in anna.get(f"{page}?seller={other.pk}").content.decode()
    response = anna.post(page, {"sellers": [other.pk]})
    assert "is not one of the available choices" in response.content.decode()
    assert not Job.objects.filter(kind="print_for_sellers").exists()
    assert anna.get(f"{page}?seller=x&document=y").status_code == 200
