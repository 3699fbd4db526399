import os
import sys

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "demo.settings"
    try:
        if sys.argv[1:] == ["serve"]:
            from .server import serve

            serve()
        else:
            from .client import main

            main()
    except KeyboardInterrupt:
        sys.exit("\nInterrupted.")
