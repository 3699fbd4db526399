import os
import signal
import sys


def end_at_once(*_signal):
    """As an exception, it would come up wherever pretix is being loaded, where not everybody lets it through."""
    print("\nInterrupted.", file=sys.stderr, flush=True)
    os._exit(1)


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
        sys.exit("\nInterrupted.")
