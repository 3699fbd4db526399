"""pretix may keep its files anywhere: in a bucket, say, where they have no path."""

from io import BytesIO

import pikepdf
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import Storage

pytestmark = pytest.mark.django_db


class Bucket(Storage):
    """What Django asks of every storage, and no more."""

    contents: dict[str, bytes] = {}

    def _open(self, name, mode="rb"):
        if name not in self.contents:
            raise FileNotFoundError(name)
        return ContentFile(self.contents[name], name)

    def _save(self, name, content):
        self.contents[name] = content.read()
        return name

    def delete(self, name):
        self.contents.pop(name, None)

    def exists(self, name):
        return name in self.contents

    def size(self, name):
        return len(self.contents[name])

    def url(self, name):
        return f"https://bucket.example.com/{name}"


@pytest.fixture(autouse=True)
def storage(settings):
    Bucket.contents.clear()
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": f"{__name__}.Bucket"}}


@pytest.fixture
def background(layout):
    from demo import ticket

    layout.background.save("background.pdf", BytesIO(ticket.background()))
    return layout


@pytest.mark.parametrize("sheet", [None, {"paper": "A3"}])
def test_prints_are_made_and_fetched(api, url, make_batch, background, worker, sheet):
    batch = make_batch(amount=3, layout=background.pk)
    with worker():
        asked = api.post(f"{url}{batch.pk}/render/", {"sheet": sheet} if sheet else {}, format="json")
    answer = api.get(asked.data["download"])
    with pikepdf.open(BytesIO(b"".join(answer.streaming_content))) as pdf:
        assert len(pdf.pages) == (1 if sheet else 3)
    assert any(name.startswith("cachedfiles/") for name in Bucket.contents)
