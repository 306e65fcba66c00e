"""`python -m tests.e2e.lab`: a lab to try things out on, until Ctrl-C.

With `--for-tests SOCKET` it is the one that test processes share (`shared`): it tells each that connects where it is,
and ends when the last one has gone.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
from pathlib import Path

from tests.e2e.lab.errors import LabError
from tests.e2e.lab.lab import Lab, LabAddress
from tests.e2e.lab.shared import serve


def main() -> int:
    """Run one lab."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.lab", description=__doc__)
    parser.add_argument("--folder", type=Path, help="where logs and data go; a temporary folder if not given")
    parser.add_argument("--scrape-interval", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--for-tests", type=Path, metavar="SOCKET", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        if arguments.folder is not None:
            arguments.folder.mkdir(parents=True, exist_ok=True)
            return _run(arguments.folder, arguments)
        with tempfile.TemporaryDirectory(prefix="canary-lab-", ignore_cleanup_errors=True) as folder:
            return _run(Path(folder), arguments)
    except KeyboardInterrupt:
        return 0
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _run(folder: Path, arguments: argparse.Namespace) -> int:
    with Lab(folder, arguments.scrape_interval) as lab:
        (folder / "lab.json").write_text(lab.address.to_json(), encoding="utf-8")
        if arguments.for_tests is not None:
            serve(arguments.for_tests, lab.address)
        else:
            sys.stdout.write(_welcome(lab.address))
            sys.stdout.flush()
            threading.Event().wait()
    return 0


def _welcome(address: LabAddress) -> str:
    return f"""\
export KUBECONFIG={address.kubeconfig()}
  the analyzer's own user (the chart's rules): {address.kubeconfig("analyzer")}
  a second daemon of the same user:            {address.kubeconfig("analyzer-second")}
  kubectl      {address.kubectl}
  API server   {address.server}
  Prometheus   {address.prometheus}
  logs         {address.folder}
try: kubectl apply -f config/kubernetes/my-app.yaml
Ctrl-C ends it and everything in it.
"""


if __name__ == "__main__":
    sys.exit(main())
