"""etcd, API server, controllers and scheduler as processes on free ports, ready in a few seconds.

`lab` starts one. It can be hurt: the API server stopped and started again on the same port, etcd made slow.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analyzer.sandbox.loopback import LOOPBACK, free_ports
from tests.e2e.lab.api import LabApi
from tests.e2e.lab.credentials import ANALYZER, USERS, write_kubeconfig, write_tokens
from tests.e2e.lab.errors import LabError
from tests.e2e.lab.program import Program
from tests.e2e.lab.tools import find_tool

START_SECONDS = 60.0
ATTEMPTS = 3
"""Ports that were free a moment ago may be taken by another program."""

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Request", "users": [ANALYZER], "verbs": ["create", "update", "patch", "delete"]},
        {"level": "Metadata", "users": [ANALYZER]},
        {"level": "None"},
    ],
}


class ControlPlane:
    """Everything is in `folder`, which must exist. `start` and `stop` once; the rest in between."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._programs: dict[str, Program] = {}
        self._tokens: dict[str, str] = {}
        self.server = ""
        self.etcd = ""

    @property
    def authority(self) -> Path:
        """The certificate that clients verify the API server by."""
        return self._folder / "certificates" / "apiserver.crt"

    @property
    def audit_log(self) -> Path:
        """One JSON object a line: everything that the analyzer's user asked for."""
        return self._folder / "audit.log"

    def kubeconfig(self, user: str = "admin") -> Path:
        """The kubeconfig of one of `credentials.USERS`, by its `file`."""
        return self._folder / f"{user}.kubeconfig"

    def api(self, user: str = "lab") -> LabApi:
        """A client of its own for each caller."""
        return LabApi(self.server, self._tokens[user], self.authority)

    def start(self) -> None:
        """Bring it up and wait until it answers. Raises LabError."""
        self._prepare()
        for attempt in range(ATTEMPTS):
            try:
                self._launch()
            except LabError:
                self.stop()
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return

    def stop(self) -> None:
        """End everything; it is gone when this returns."""
        # At once: nothing in here is worth a graceful shutdown, which takes five seconds.
        for program in self._programs.values():
            program.signal(signal.SIGKILL)
        for program in self._programs.values():
            program.stop()
        self._programs = {}

    def stop_api(self) -> None:
        """Take the API server away at once, as a crash would: connections break, nothing listens."""
        self._programs["kube-apiserver"].signal(signal.SIGKILL)
        self._programs["kube-apiserver"].stop()

    def start_api(self) -> None:
        """Bring it back on the same port, and wait until it answers."""
        self._start_api()

    @contextmanager
    def slow_etcd(self, stalled: float = 0.8, running: float = 0.2) -> Iterator[None]:
        """For as long as this is open, etcd stands still `stalled` seconds, then runs `running` seconds, and so on."""
        over = threading.Event()

        def pulse() -> None:
            while not over.is_set():
                self._programs["etcd"].signal(signal.SIGSTOP)
                over.wait(stalled)
                self.resume_etcd()
                over.wait(running)

        thread = threading.Thread(target=pulse, name="slow etcd", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self.resume_etcd()

    def resume_etcd(self) -> None:
        """Let etcd run again, whether it stood still or not."""
        if etcd := self._programs.get("etcd"):
            etcd.signal(signal.SIGCONT)

    def audit(self) -> list[Mapping[str, Any]]:
        """What the analyzer's user asked for so far, in the order of the answers."""
        if not self.audit_log.exists():
            return []
        return read_audit(self.audit_log)

    def _prepare(self) -> None:
        self._tokens = write_tokens(self._folder / "tokens.csv")
        (self._folder / "audit-policy.yaml").write_text(json.dumps(AUDIT_POLICY), encoding="utf-8")
        key = self._folder / "service-accounts.key"
        openssl = shutil.which("openssl") or "openssl"
        try:
            subprocess.run([openssl, "genrsa", "-out", str(key), "2048"], capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise LabError(f"a key for service accounts could not be made: install openssl ({error})") from error

    def _launch(self) -> None:
        client, peer, secure = free_ports(3)
        self.server = f"https://{LOOPBACK}:{secure}"
        self.etcd = url = f"http://{LOOPBACK}:{client}"
        for user in USERS:
            write_kubeconfig(self.kubeconfig(user.file), self.server, self.authority, self._tokens[user.file])
        self._programs["etcd"] = self._program(
            "etcd",
            data_dir=self._folder / "etcd",
            listen_client_urls=url,
            advertise_client_urls=url,
            listen_peer_urls=f"http://{LOOPBACK}:{peer}",
            initial_advertise_peer_urls=f"http://{LOOPBACK}:{peer}",
            initial_cluster=f"default=http://{LOOPBACK}:{peer}",
            unsafe_no_fsync="true",
        )
        self._programs["kube-apiserver"] = self._api_server(url, secure)
        self._programs["kube-controller-manager"] = self._program(
            "kube-controller-manager",
            kubeconfig=self.kubeconfig("lab"),
            controllers="*,-nodelifecycle,-nodeipam,-tokencleaner,-bootstrapsigner",
            service_account_private_key_file=self._folder / "service-accounts.key",
            leader_elect="false",
            secure_port="0",
            kube_api_qps="200",
            kube_api_burst="400",
        )
        self._programs["kube-scheduler"] = self._program(
            "kube-scheduler",
            kubeconfig=self.kubeconfig("lab"),
            leader_elect="false",
            secure_port="0",
            kube_api_qps="200",
            kube_api_burst="400",
        )
        self._programs["etcd"].start()
        self._start_api()
        for name in ("kube-controller-manager", "kube-scheduler"):
            self._programs[name].start()

    def _api_server(self, etcd: str, port: int) -> Program:
        key = self._folder / "service-accounts.key"
        return self._program(
            "kube-apiserver",
            etcd_servers=etcd,
            cert_dir=self.authority.parent,
            secure_port=port,
            bind_address=LOOPBACK,
            advertise_address=LOOPBACK,
            service_cluster_ip_range="10.0.0.0/16",
            authorization_mode="RBAC",
            token_auth_file=self._folder / "tokens.csv",
            service_account_issuer="https://kubernetes.default.svc",
            service_account_key_file=key,
            service_account_signing_key_file=key,
            disable_admission_plugins="ServiceAccount",
            audit_policy_file=self._folder / "audit-policy.yaml",
            audit_log_path=self.audit_log,
            shutdown_delay_duration="0s",
        )

    def _start_api(self) -> None:
        server = self._programs["kube-apiserver"]
        server.start()

        def ready() -> bool:
            return self.authority.exists() and self.api().answers()

        server.wait(ready, START_SECONDS)

    def _program(self, name: str, **flags: Any) -> Program:
        arguments = [f"--{flag.replace('_', '-')}={value}" for flag, value in flags.items()]
        return Program(name, [str(find_tool(name)), *arguments], self._folder)


def read_audit(file: Path, namespace: str = "") -> list[Mapping[str, Any]]:
    """The events of an audit log, of one namespace or of all; a last line that is still being written is left out."""
    lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    events = (json.loads(line) for line in lines if namespace in line)
    return [event for event in events if namespace in ("", event.get("objectRef", {}).get("namespace"))]
