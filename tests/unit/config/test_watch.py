"""A change of contents is seen once, however the files were replaced; a bad one leaves the old configuration."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from analyzer.config import ConfigWatch
from analyzer.model.errors import ConfigError
from tests.unit.config.sources import CANARY, PROMETHEUS

OTHER = CANARY.replace("my-app", "other")
HOOK = "alerts: {receivers: [{name: oncall, webhook: {urlFile: secrets/url}}]}\n"


def names(watch: ConfigWatch) -> list[str] | None:
    """The targets of a changed configuration."""
    changed = watch.changed()
    return None if changed is None else [target.name for target in changed.targets]


def mounted(folder: Path, version: str, files: dict[str, str]) -> None:
    """Put files there as the kubelet mounts a ConfigMap: links to a folder behind a link that is turned at once."""
    (folder / version).mkdir(parents=True)
    for name, text in files.items():
        (folder / version / name).write_text(text)
        os.utime(folder / version / name, (0, 0))
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(Path("..data") / name)
    turning = folder / "..data_tmp"
    turning.symlink_to(version)
    turning.replace(folder / "..data")


def test_nothing_is_changed_while_contents_stay(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(PROMETHEUS + CANARY)
    watch = ConfigWatch([tmp_path])
    file.write_text(PROMETHEUS + CANARY)
    assert watch.changed() is None


def test_a_change_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(PROMETHEUS + CANARY)
    watch = ConfigWatch([tmp_path])
    (tmp_path / "a.yaml").write_text(PROMETHEUS + OTHER)
    assert names(watch) == ["other"]
    assert names(watch) is None


def test_files_that_come_and_go_are_changes(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(PROMETHEUS + CANARY)
    watch = ConfigWatch([tmp_path])
    (tmp_path / "b.yaml").write_text(OTHER)
    assert names(watch) == ["my-app", "other"]
    (tmp_path / "b.yaml").unlink()
    assert names(watch) == ["my-app"]


def test_a_mounted_config_map_is_followed_through_its_links(tmp_path: Path) -> None:
    mounted(tmp_path, "..1", {"a.yaml": PROMETHEUS + CANARY})
    watch = ConfigWatch([tmp_path])
    assert [target.name for target in watch.current.targets] == ["my-app"]
    mounted(tmp_path, "..2", {"a.yaml": PROMETHEUS + OTHER})
    assert names(watch) == ["other"]


def test_a_rotated_secret_that_is_read_once_is_a_change(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(PROMETHEUS + HOOK + CANARY)
    mounted(tmp_path / "secrets", "..1", {"url": "http://one"})
    watch = ConfigWatch([tmp_path])
    assert watch.changed() is None
    mounted(tmp_path / "secrets", "..2", {"url": "http://two"})
    assert names(watch) == ["my-app"]
    assert watch.changed() is None


def test_bad_content_is_refused_once_and_the_old_configuration_stays(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(PROMETHEUS + CANARY)
    watch = ConfigWatch([tmp_path])
    file.write_text(PROMETHEUS + CANARY + "freez: true\n")
    with pytest.raises(ConfigError, match="freez"):
        watch.changed()
    assert watch.changed() is None
    assert [target.name for target in watch.current.targets] == ["my-app"]
    file.write_text(PROMETHEUS + CANARY)
    assert names(watch) == ["my-app"]


def test_a_folder_that_vanishes_is_refused_and_used_again_when_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "a.yaml").write_text(PROMETHEUS + CANARY)
    watch = ConfigWatch([folder])
    folder.rename(tmp_path / "away")
    with pytest.raises(ConfigError, match="cannot be read"):
        watch.changed()
    (tmp_path / "away").rename(folder)
    assert names(watch) == ["my-app"]


def test_a_file_that_is_not_read_is_a_change_too(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(PROMETHEUS + CANARY)
    watch = ConfigWatch([tmp_path])
    (tmp_path / "b.yml").write_text(OTHER)
    with pytest.raises(ConfigError, match="is not read: only"):
        watch.changed()


def test_the_first_reading_must_be_right(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        ConfigWatch([tmp_path])
