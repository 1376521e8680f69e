"""The documents against the program: settings, commands, codes, files and tests that they name."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from appliance import errors
from appliance.__main__ import EXIT_CODES, cli
from appliance.jobs.services import kinds
from appliance.settings import HELP, Settings
from appliance.web import problems
from appliance.web.operations import operations
from tests._shared import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
OPERATIONS_PAGE = ROOT / "docs/operations.md"
API_PAGE = ROOT / "docs/api.md"

# Paths in running text, from the top of the tree: `tests/web/test_server.py::test_…`, `appliance/demo/`.
_FILE = re.compile(r"`((?:appliance|docs|packaging|tests)/[\w./-]*)(?:::(\w+))?`")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?!https?://|#)([^)#]+)")
# What stands alone on its line in a block of code, or between backticks in running text.
_COMMAND = re.compile(r"(?:^|`)(?:\.venv/bin/)?pixelqueue ([^`\n]+)", re.MULTILINE)
_RUN = re.compile(r"(?:^|`)\./run ([^`\n]+)", re.MULTILINE)
_ROW = re.compile(r"^\| `([^`]+)` \| ([^|]*?) \|(?: ([^|]*?) \|)?$", re.MULTILINE)


def test_there_are_documents():
    names = {path.name for path in DOCUMENTS}
    assert {"README.md", "architecture.md", "operations.md", "api.md", "formats.md", "security.md"} <= names


def test_every_setting_is_explained_with_its_default():
    rows = _ROW.findall(_between(OPERATIONS_PAGE, "## Settings"))
    found = {name: (default, help_) for name, default, help_ in rows}
    assert found == {name: (_shown(getattr(Settings(), name)), help_) for name, help_ in HELP.items()}


def test_every_command_is_explained():
    explained = set(re.findall(r"^\| `pixelqueue (\w+)` \|", OPERATIONS_PAGE.read_text("utf-8"), re.MULTILINE))
    assert explained == {name for name, command in _commands().items() if not command.hidden}


def test_every_exit_code_is_explained():
    explained = set(re.findall(r"^\| (\d+) \|", _between(OPERATIONS_PAGE, "## Exit codes"), re.MULTILINE))
    assert {int(code) for code in explained} == {0, *EXIT_CODES.values()}


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda path: path.name)
def test_commands_and_options_that_are_named_exist(page: Path):
    for line in _COMMAND.findall(page.read_text("utf-8")):
        command: click.Command = cli
        options = set(_options(cli))
        for word in line.split("#")[0].split():
            if word.startswith("-"):
                assert word in options, f"pixelqueue {line}: there is no option {word}"
            elif isinstance(command, click.Group):
                known = _commands() if command is cli else command.commands
                assert word in known, f"pixelqueue {line}: there is no command {word}"
                command = known[word]
                options = set(_options(command))


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda path: path.name)
def test_files_and_tests_that_are_named_exist(page: Path):
    for name, test in _FILE.findall(page.read_text("utf-8")):
        path = ROOT / name
        assert path.exists(), f"{page.name} names {name}"
        if test:
            assert re.search(rf"^\s*(?:async )?def {test}\(", path.read_text("utf-8"), re.MULTILINE), test


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path):
    for target in _LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda path: path.name)
def test_run_knows_what_the_documents_run(page: Path):
    help_ = subprocess.run(["sh", ROOT / "run", "help"], capture_output=True, text=True, check=True).stdout
    known = {"help", *re.findall(r"--[a-z-]+", help_), *re.findall(r"^\./run ([a-z]+)", help_, re.MULTILINE)}
    for line in _RUN.findall(page.read_text("utf-8")):
        first, *others = line.split()
        options = [] if first in ("bench", "test") else [word for word in others if word.startswith("-")]
        for word in [first, *options]:  # bench and test hand theirs on
            assert word in known, f"./run {line}: ./run help does not know {word}"


def test_every_code_is_listed_with_its_status():
    listed = {code: int(status) for code, status, _ in _ROW.findall(_between(API_PAGE, "## Errors"))}
    assert listed == {kind.code: status_of(kind) for kind in _tree(errors.PixelQueueError)}
    assert set(problems.STATUS) <= set(listed)


def status_of(kind: type[errors.PixelQueueError]) -> int:
    """Return the status of an error of this class, as the server would answer it."""
    return problems.status_of(kind.__new__(kind))


def test_addresses_that_are_named_exist():
    text = API_PAGE.read_text("utf-8")
    named = re.findall(r"(?:\$BOX|`(?:GET |POST )?)(/api/[^\s`\"?']*)", text)
    known = [re.compile(re.sub(r"\{\w+\}", r"(?:\\d+|\\{\\w+\\})", o.path)) for o in operations()]
    assert len(named) > 10
    for address in named:
        assert any(path.fullmatch(address) for path in known), f"there is nothing at {address}"


def test_every_kind_of_job_is_named():
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    assert {kind for kind in kinds() if f"`{kind}`" not in text} == set()


def test_every_note_of_the_formats_is_explained():
    text = (ROOT / "docs/formats.md").read_text("utf-8")
    pattern = re.compile(r"""(?:\.add|report|RowError)\(\s*"([a-z-]+)\"""")
    sources = [path.read_text("utf-8") for path in (ROOT / "appliance/formats").glob("*.py")]
    codes = {code for source in sources for code in pattern.findall(source)}
    assert len(codes) > 30
    assert {code for code in codes if f"`{code}`" not in text} == set()


def _between(page: Path, heading: str) -> str:
    """Return the section under a heading, up to the next of its rank."""
    _, found, rest = page.read_text("utf-8").partition(f"\n{heading}\n")
    assert found, f"{page.name} has no section {heading!r}"
    return rest.partition("\n## ")[0]


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list):
        return ", ".join(default) or "none"
    return str(default) or "none"


@cache
def _commands() -> dict[str, click.Command]:
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in [*cli.list_commands(context), "child"]}
    return {name: command for name, command in found.items() if command is not None}


def _options(command: click.Command) -> Iterator[str]:
    for parameter in command.get_params(click.Context(command)):
        yield from parameter.opts


def _tree(kind: type[errors.PixelQueueError]) -> Iterator[type[errors.PixelQueueError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _tree(below)
