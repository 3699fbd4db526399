"""The demo's pretix: made when it isn't there yet, then served."""

import errno
import hashlib
import shutil
import signal
import sys
from importlib.metadata import version
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.servers.basehttp import run

import pretix_offlinesales

from . import DIRECTORY, HOST, PORT, URL
from .assets import MediaFilesHandler

TOKEN = DIRECTORY / "token"


def serve():
    """Serve the demo's pretix until interrupted."""
    DIRECTORY.mkdir(exist_ok=True)
    django.setup()
    _prepare()
    from pretix.wsgi import application

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run(HOST, PORT, MediaFilesHandler(StaticFilesHandler(application)), threading=True, on_bind=_welcome)
    except KeyboardInterrupt:
        print()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"Port {PORT} is in use on {HOST}. Choose another one: make serve PORT={PORT + 1}")


def _prepare():
    """Make the database anew if there is none, or if what it was made from has changed since."""
    from . import event, ticket

    models = sorted(Path(pretix_offlinesales.models.__file__).parent.glob("*.py"))
    sources = (*models, Path(event.__file__), Path(ticket.__file__))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    made_from = f"pretix {version('pretix')}, {digest}\n"
    stamp = DIRECTORY / "made-from"
    if stamp.exists() and stamp.read_text() == made_from:
        return
    print("Setting up pretix …", flush=True)
    for path in (stamp, *DIRECTORY.glob("db.sqlite3*")):
        path.unlink(missing_ok=True)
    shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)
    call_command("migrate", run_syncdb=True, verbosity=0)
    TOKEN.write_text(event.create())
    stamp.write_text(made_from)


def _welcome(port):
    from .event import EVENT, LOGIN, ORGANIZER, PASSWORD

    print(
        f"pretix runs at {URL}/control/ until you press Ctrl+C. For you alone: it listens to this machine only.\n"
        f"  Login      {LOGIN}\n"
        f"  Password   {PASSWORD}\n"
        f"  API token  {TOKEN.read_text()}\n"
        "\n"
        f'curl -H "Authorization: Token {TOKEN.read_text()}" '
        f"{URL}/api/v1/organizers/{ORGANIZER}/events/{EVENT}/offlinesalesbatches/",
        flush=True,
    )
