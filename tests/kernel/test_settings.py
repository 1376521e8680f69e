"""Settings: where a value comes from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import UnknownSetting
from appliance.settings import HELP, Settings, load


def test_a_flag_beats_the_environment_beats_the_file(tmp_path: Path):
    file = tmp_path / "box.toml"
    file.write_text('port = 1\nhost = "10.0.0.1"\ndata = "from-file"\n')
    found = load({"port": 3, "host": None}, file, {"PIXELQUEUE_PORT": "2", "PIXELQUEUE_HOST": "10.0.0.2"})
    assert (found.port, found.host, found.data) == (3, "10.0.0.2", "from-file")
    assert found.readers == Settings().readers


def test_a_list_has_commas_in_the_environment():
    assert load(environment={"PIXELQUEUE_HOSTS": "box.lan,box.test"}).hosts == ["box.lan", "box.test"]


@pytest.mark.parametrize(
    ("flags", "environment"),
    [({"prot": 1}, {}), ({}, {"PIXELQUEUE_PROT": "1"}), ({"port": "many"}, {}), ({}, {"PIXELQUEUE_PORT": "many"})],
)
def test_what_does_not_exist_or_parse_is_refused(flags, environment):
    with pytest.raises(UnknownSetting):
        load(flags, environment=environment)


def test_a_broken_file_is_named(tmp_path: Path):
    file = tmp_path / "box.toml"
    file.write_text("port = = 1")
    with pytest.raises(UnknownSetting, match=r"box\.toml"):
        load(file=file, environment={})


def test_every_setting_has_help():
    assert all(len(words) > 10 for words in HELP.values())
