"""Finds the programs that a lab is made of, or builds them with Go. `lab` and tests call `find_tool`.

Where a tool is looked for: KUBEBUILDER_ASSETS (a folder with kube-apiserver and etcd, as envtest has it), PATH (where
the version will do), the cache ($XDG_CACHE_HOME/canary-analyzer/tools/NAME-VERSION/), and then it is built there from
the Go module in tests/e2e/tools/NAME, whose go.sum pins every source.

`python -m tests.e2e.lab.tools` has all of them at hand before the first test: a build takes minutes, and no test does.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from analyzer.sandbox.prometheus import default_cache
from tests.e2e.lab.errors import LabError

MODULES = Path(__file__).resolve().parents[1] / "tools"
PROGRESS_EVERY = 20.0
"""Seconds between two lines that say that a build goes on."""

LOG_LINES = 5


@dataclass(frozen=True, slots=True)
class Module:
    """A Go module in `tools/`: what it builds (program -> package), and what the linker is told (`{version}`)."""

    name: str
    requirement: str
    programs: dict[str, str]
    link: str = ""

    @property
    def version(self) -> str:
        """The pinned version, without the v."""
        text = (MODULES / self.name / "go.mod").read_text(encoding="utf-8")
        found = re.search(rf"^(?:require|\t)\s*{re.escape(self.requirement)} v(\S+)$", text, re.MULTILINE)
        if found is None:
            raise LabError(f"{MODULES / self.name / 'go.mod'} does not require {self.requirement}")
        return found[1]


_COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
_VERSIONS = "k8s.io/component-base/version", "k8s.io/client-go/pkg/version"
KUBERNETES = Module(
    "kubernetes",
    "k8s.io/kubernetes",
    {program: f"k8s.io/kubernetes/cmd/{program}" for program in _COMPONENTS},
    # Without these the server calls itself v0.0.0, and clients warn or refuse.
    " ".join(
        f"-X {package}.gitVersion=v{{version}} -X {package}.gitMajor={{major}} -X {package}.gitMinor={{minor}}"
        for package in _VERSIONS
    ),
)
ETCD = Module("etcd", "go.etcd.io/etcd/server/v3", {"etcd": "go.etcd.io/etcd/server/v3"})
PROMETHEUS = Module(
    "prometheus",
    "github.com/prometheus/prometheus",
    {program: f"github.com/prometheus/prometheus/cmd/{program}" for program in ("prometheus", "promtool")},
    "-X github.com/prometheus/common/version.Version={version}",
)
HELM = Module("helm", "helm.sh/helm/v4", {"helm": "helm.sh/helm/v4/cmd/helm"})
MODULE_OF = {program: module for module in (KUBERNETES, ETCD, PROMETHEUS, HELM) for program in module.programs}


def find_tool(program: str) -> Path:
    """The program; building it takes up to four minutes, once. Raises LabError, with how to get it."""
    found = tool_at_hand(program)
    if found is None:
        module = MODULE_OF[program]
        _build(module, _place(module))
        found = _place(module) / program
    return found


def tool_at_hand(program: str) -> Path | None:
    """The program, where it need not be built first."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and os.access(found := Path(assets) / program, os.X_OK):
        return found
    on_path = shutil.which(program)
    if on_path is not None and _will_do(program, on_path):
        return Path(on_path)
    kept = _place(MODULE_OF[program]) / program
    return kept if os.access(kept, os.X_OK) else None


def _place(module: Module) -> Path:
    return default_cache() / f"{module.name}-{module.version}"


def _will_do(program: str, path: str) -> bool:
    """Is the one on the PATH good enough? Asks those of which unfit ones are common."""
    match program:
        case "prometheus":  # Debian's 2.x is built without discovery in Kubernetes
            return _reported(path, "--version")[:1] >= (3,)
        case "kubectl":  # Kubernetes promises one minor version of difference
            server = [int(number) for number in KUBERNETES.version.split(".")[:2]]
            major, minor = (*_reported(path, "version", "--client"), 0, 0)[:2]
            return major == server[0] and abs(minor - server[1]) <= 1
        case "helm":
            return _reported(path, "version", "--short")[:1] >= (3,)
        case _:
            return True


def _reported(path: str, *question: str) -> tuple[int, ...]:
    try:
        done = subprocess.run([path, *question], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"(\d+)\.(\d+)\.\d+", done.stdout + done.stderr)
    return tuple(int(number) for number in found.groups()) if found else ()


def _build(module: Module, place: Path) -> None:
    wanted = ", ".join(module.programs)
    if shutil.which("go") is None:
        raise LabError(
            f"{wanted} {module.version} is needed, is neither on the PATH nor in {place}, and there is no Go to build "
            "it with: install Go (https://go.dev/dl) and try again, or put the program on the PATH"
            + (", or in a folder that KUBEBUILDER_ASSETS names" if module in (KUBERNETES, ETCD) else "")
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    with _alone(place.parent / f".{place.name}.lock"):
        if all(os.access(place / program, os.X_OK) for program in module.programs):
            return  # somebody else built it while we waited
        for left_over in place.parent.glob(f".building-{place.name}-*"):
            shutil.rmtree(left_over, ignore_errors=True)  # of a build that was killed: nobody else has the lock
        with tempfile.TemporaryDirectory(prefix=f".building-{place.name}-", dir=place.parent) as folder:
            _compile(module, Path(folder))
            shutil.rmtree(place, ignore_errors=True)
            kept = Path(folder) / "kept"
            kept.mkdir()
            for program in module.programs:
                (Path(folder) / program).rename(kept / program)
            kept.rename(place)


def _compile(module: Module, folder: Path) -> None:
    major, minor, *_ = module.version.split(".")
    link = module.link.format(version=module.version, major=major, minor=minor)
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
    for program, package in module.programs.items():
        command = ["nice", "go", "build", "-p", "2", "-trimpath", "-buildvcs=false", "-ldflags", f"-s -w {link}"]
        with (folder / "build.log").open("w+b") as log:
            started = time.monotonic()
            process = subprocess.Popen(
                [*command, "-o", str(folder / program), package],
                cwd=MODULES / module.name,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            _tell(f"building {program} {module.version} with Go (once, minutes) ...")
            while _runs(process):
                _tell(f"still building {program}: {time.monotonic() - started:.0f} s")
            if process.returncode != 0:
                end = " / ".join((folder / "build.log").read_text(errors="replace").splitlines()[-LOG_LINES:])
                raise LabError(f"`go build {package}` in {MODULES / module.name} failed: {end}")


def _runs(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(PROGRESS_EVERY)
    except subprocess.TimeoutExpired:
        return True
    except BaseException:
        process.kill()
        raise
    return False


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One build of a module at a time, however many ask for it; the lock ends with the process."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Find or build every program, and say where it is."""
    try:
        for program in MODULE_OF:
            sys.stdout.write(f"{program}: {find_tool(program)}\n")
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
