"""The command line, called in this process as a user calls it."""

import pytest

from tfimpute_tracks.cli import main
from tfimpute_tracks.commands.console import SETTINGS


@pytest.fixture(autouse=True)
def _fresh_settings(monkeypatch):
    for name, value in vars(type(SETTINGS)()).items():
        monkeypatch.setattr(SETTINGS, name, value)


@pytest.fixture
def run(capsys):
    """Give a function that runs a command: exit code, stdout, stderr."""

    def call(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return stop.value.code, out, err

    return call
