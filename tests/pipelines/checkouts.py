"""Checkouts that an agent finds: this one with the packages of this one, and one whose programs only pretend."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.pipelines.runner import ROOT

PARTS = ("modules", "pipelines", "pytest_telescope", "requirements", "scenarios", "steps")
FILES = ("Makefile", "conftest.py", "pyproject.toml", "pytest.ini")
TELESCOPE = '#!/bin/sh\nexec "{bin}/python" -m pytest_telescope "$@"\n'
PRETENDED_PYTEST = '''\
"""Does what a benchmark does to an agent: a run folder, a stage that takes its time, a destroy, an exit code."""
import json
import os
import signal
import sys
import time
from pathlib import Path

ledger = Path(os.environ["PRETENDED_STATE"], "lease")
behaviour = os.environ["PRETENDED"]
if "--plan" in sys.argv:
    sys.exit("the plan is refused" if behaviour == "refused" else 0)
base = next(a.partition("=")[2] for a in sys.argv if a.startswith("--telescope-dir="))
run = Path(base, "runs", "20260101-000000-0001")
(run / "publish").mkdir(parents=True)
(run / "private").mkdir()
(run / "private" / "kubeconfig").write_text("secret")


def write(name, message):
    red = f'<failure message="{message}"/>' if message else ""
    case = f'<testcase classname="scenarios" name="{name}" time="1">{red}</testcase>'
    (run / "publish" / "junit.xml").write_text(f'<testsuites><testsuite name="t">{case}</testsuite></testsuites>')
    record = {"run": run.name, "metric": "x", "value": 1}
    (run / "publish" / "results.jsonl").write_text(json.dumps(record) + "\\n")


def stop(number, frame):
    write("test_load[cell]", "ERROR interrupted: the run ended in this stage")
    if behaviour != "stuck":
        raise KeyboardInterrupt


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
ledger.write_text("open")
write("test_load[cell]", "FAIL x" if behaviour == "red" else "")
print("load started", flush=True)
end = time.monotonic() + (60 if behaviour in {"slow", "stuck"} else 0)
code = 1 if behaviour == "red" else 0
try:
    while time.monotonic() < end:
        time.sleep(0.05)
except KeyboardInterrupt:
    code = 2
time.sleep(0.3)
ledger.unlink()
print("destroyed", flush=True)
sys.exit(code)
'''
PRETENDED_TELESCOPE = '''\
#!{python} -IS
"""Answers every command; `reap` strikes the lease out, `report` writes one and appends to the history."""
import os
import sys
from pathlib import Path

command, rest = sys.argv[1], sys.argv[2:]
ledger = Path(os.environ["PRETENDED_STATE"], "lease")
print("telescope", *sys.argv[1:])
if command == "reap":
    print("nothing is left" if ledger.exists() else "nothing to reap")
    ledger.unlink(missing_ok=True)
if command == "report":
    option = lambda name: Path(rest[rest.index(name) + 1])
    with option("--history").open("a") as history:
        history.write("a run\\n")
    (option("--out") / "index.html").write_text("<html>")
    sys.exit(1 if "--gate" in rest and os.environ["PRETENDED"] == "red" else 0)
if command == "trend":
    Path(rest[rest.index("--html") + 1]).write_text("<html>")
'''


def real(folder: Path) -> Path:
    """Return a copy of this checkout whose framework is set up already, with the packages that run these tests."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns(".terraform", "node_modules"))
    for file in FILES:
        shutil.copy2(ROOT / file, folder / file)
    own = folder / ".venv" / "bin"
    own.mkdir(parents=True)
    here = Path(sys.prefix)
    for name in ("pyvenv.cfg", "lib"):
        (own.parent / name).symlink_to(here / name)
    (own / "python").symlink_to(here / "bin" / "python")
    _program(own / "telescope", TELESCOPE.format(bin=own))
    (own.parent / ".stamp").touch()
    return folder


def pretended(folder: Path) -> Path:
    """Return a checkout with the real steps, whose pytest and telescope only pretend."""
    shutil.copytree(ROOT / "steps", folder / "steps")
    own = folder / ".venv" / "bin"
    own.mkdir(parents=True)
    (folder / "pretended_pytest.py").write_text(PRETENDED_PYTEST)
    _program(
        own / "python",
        f'#!/bin/sh\ncase "$2" in pytest) shift 2; set -- -I "{folder}/pretended_pytest.py" "$@" ;; esac\n'
        f'exec {sys.executable} -S "$@"\n',
    )
    _program(own / "telescope", PRETENDED_TELESCOPE.format(python=sys.executable))
    (folder / "Makefile").write_text(".venv/.stamp:\n\ttouch $@\n")
    return folder


def _program(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o755)
