"""Does the wheel hold everything that the plugin needs, and nothing else?"""

import subprocess
import sys
from pathlib import PurePath
from zipfile import ZipFile

PACKAGE = "pretix_offlinesales/"

wheel = set(ZipFile(sys.argv[1]).namelist())
contents = {name for name in wheel if ".dist-info/" not in name}
sources = set(subprocess.check_output(["git", "ls-files", PACKAGE], text=True).split())
compiled = {str(PurePath(name).with_suffix(".mo")) for name in sources if name.endswith(".po")}
entry_points = next(name for name in wheel if name.endswith(".dist-info/entry_points.txt"))

problems = [
    *(f"missing: {name}" for name in sorted((sources | compiled) - contents)),
    *(f"not ours: {name}" for name in sorted(contents) if not name.startswith(PACKAGE)),
]
if PACKAGE + "py.typed" not in contents:
    problems.append("missing: py.typed, which says that the package has types")
if b"[pretix.plugin]" not in ZipFile(sys.argv[1]).read(entry_points):
    problems.append("missing: the entry point by which pretix finds the plugin")
if problems:
    sys.exit("\n".join(problems))
print(f"{sys.argv[1]}: all {len(sources)} files of the package, and {len(compiled)} compiled translations")
