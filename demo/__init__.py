"""
A pretix with something to sell, on this machine only::

    python -m demo         # a batch through its REST API, from request to PDF
    python -m demo serve   # the pretix itself, to look around in
"""

import os
from pathlib import Path

#: Everything that the demo makes: the database, the files, the PDF.
DIRECTORY = Path(__file__).resolve().parent.parent / ".demo"

#: Where the demo's pretix is reached.
HOST, PORT = "127.0.0.1", int(os.environ.get("PORT") or 8345)
URL = f"http://{HOST}:{PORT}"

#: How a process ends that was interrupted, as shells have it.
INTERRUPTED = 130
