import os
import sys

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "demo.settings"
    if sys.argv[1:] == ["serve"]:
        from .server import serve

        serve()
    else:
        from .client import main

        main()
