from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.model.errors import SandboxError
from analyzer.sandbox.prometheus import PrometheusServer, default_cache, find_prometheus

Install = Callable[[str, str], Path]

APT = """
case "$*" in
  *Dir::State::lists*update) touch ../updated ;;
  *download*) {condition} && touch prometheus_9.1_all.deb || { echo "E: Unable to locate package" >&2; exit 100; } ;;
esac
"""
DPKG = """
case "$1" in
  --field) echo 9.1 ;;
  --extract) mkdir -p "$3/usr/bin"; printf '#!/bin/sh\\n' > "$3/usr/bin/prometheus"; chmod +x "$3/usr/bin/prometheus" ;;
esac
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Makes shell scripts; only those and a few basic tools are on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "mkdir", "touch", "chmod"):
        (folder / tool).symlink_to(str(shutil.which(tool)))
    monkeypatch.setenv("PATH", str(folder))

    def install(name: str, script: str) -> Path:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)
        return path

    return install


def kept(cache: Path, version: str) -> Path:
    path = cache / f"prometheus-{version}" / "prometheus"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_one_on_the_path_comes_first(program: Install, tmp_path: Path) -> None:
    kept(tmp_path / "cache", "2.42.0")
    path = program("prometheus", "")
    assert find_prometheus(tmp_path / "cache") == path


@pytest.mark.usefixtures("program")
def test_the_newest_one_in_the_cache_comes_next(tmp_path: Path) -> None:
    kept(tmp_path, "2.42.0")
    newest = kept(tmp_path, "2.100.0")
    assert find_prometheus(tmp_path) == newest


def test_it_is_fetched_from_the_distribution_and_kept(program: Install, tmp_path: Path) -> None:
    program("apt-get", APT.replace("{condition}", "true"))
    program("dpkg-deb", DPKG)
    cache = tmp_path / "cache"
    found = find_prometheus(cache)
    assert found == cache / "prometheus-9.1" / "prometheus"
    assert find_prometheus(cache) == found
    assert [path.name for path in cache.iterdir()] == ["prometheus-9.1"]


def test_package_lists_of_our_own_are_fetched_where_the_machine_has_none(program: Install, tmp_path: Path) -> None:
    program("apt-get", APT.replace("{condition}", "[ -e ../updated ]"))
    program("dpkg-deb", DPKG)
    assert find_prometheus(tmp_path / "cache").name == "prometheus"


def test_a_failed_fetch_says_what_apt_said_and_what_to_do(program: Install, tmp_path: Path) -> None:
    program("apt-get", APT.replace("{condition}", "false"))
    program("dpkg-deb", DPKG)
    with pytest.raises(SandboxError, match="Unable to locate package") as refused:
        find_prometheus(tmp_path / "cache")
    assert "install Prometheus" in str(refused.value)


@pytest.mark.usefixtures("program")
def test_elsewhere_it_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="`prometheus` not found on this machine; install Prometheus"):
        find_prometheus(tmp_path)


def test_the_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "canary-analyzer" / "tools"


def test_a_server_that_ends_at_once_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    failing = tmp_path / "prometheus"
    failing.write_text(f"#!{sys.executable}\nprint('no space left', flush=True)\nraise SystemExit(3)\n")
    failing.chmod(0o755)
    server = PrometheusServer(failing, tmp_path, ["127.0.0.1:1"], 1.0)
    with pytest.raises(SandboxError, match=r"did not become ready: .*no space left"):
        server.start()
    assert not server.running
