import os
import signal
import sys

from . import INTERRUPTED


def say_so():
    """In one piece: the other process may say it at the same moment."""
    sys.stderr.write("\nInterrupted.\n")
    sys.stderr.flush()


def end_at_once(*_signal):
    """As an exception, it would come up wherever pretix is being loaded, where not everybody lets it through."""
    say_so()
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "demo.settings"
    try:
        if sys.argv[1:] == ["serve"]:
            signal.signal(signal.SIGINT, end_at_once)
            from .server import serve

            serve()
        else:
            from .client import main

            main()
    except KeyboardInterrupt:
        say_so()
        sys.exit(INTERRUPTED)
