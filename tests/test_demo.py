"""The demo, as one meets it."""

import os
import shutil
import signal
import subprocess
import sys
from io import BytesIO
from time import monotonic, sleep

import pikepdf
import pytest

from demo import ticket
from tests.support.repository import ROOT

pytestmark = pytest.mark.repository


def test_the_background_names_no_font_that_is_not_in_it():
    with pikepdf.open(BytesIO(ticket.background())) as pdf:
        fonts = [each for each in pdf.objects if isinstance(each, pikepdf.Dictionary) and "/BaseFont" in each]
        assert (fonts, "/Font" in pdf.pages[0].Resources) == ([], False)


@pytest.mark.parametrize("command", [[], ["serve"]])
def test_ctrl_c_ends_it_without_a_traceback_and_leaves_nothing_running(tmp_path, command):
    """As a terminal does it: all processes in the foreground hear of it."""
    shutil.copytree(ROOT / "demo", tmp_path / "demo", ignore=shutil.ignore_patterns("__pycache__"))
    demo = subprocess.Popen(
        [sys.executable, "-m", "demo", *command],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    until = monotonic() + 60
    while not (tmp_path / ".demo").exists() and monotonic() < until:
        sleep(0.05)
    sleep(1)
    os.killpg(demo.pid, signal.SIGINT)
    output, _nothing = demo.communicate(timeout=60)
    assert (demo.returncode, output.splitlines()[-1], "Traceback" in output) == (130, "Interrupted.", False)
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)
