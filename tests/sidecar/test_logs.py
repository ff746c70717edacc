"""The log: which entries are written, and in which form."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from config.settings import LogFormat, LogLevel, LogSettings
from sidecar.logs import configure


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Give the process its log back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def entries(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_json_entry_is_one_object_a_line_with_time_and_level(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(LogSettings(level=LogLevel.INFO, format=LogFormat.JSON))
    structlog.get_logger("a").info("joined", participant="ada")
    (entry,) = entries(capsys)
    assert str(entry.pop("timestamp")).endswith("Z")
    assert entry == {"event": "joined", "level": "info", "participant": "ada"}


def test_libraries_write_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(level=LogLevel.INFO, format=LogFormat.JSON))
    logging.getLogger("library").warning("slow %s", "disk")
    assert [entry["event"] for entry in entries(capsys)] == ["slow disk"]


def test_libraries_insides_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(level=LogLevel.DEBUG, format=LogFormat.JSON))
    logging.getLogger("aioice.ice").info("check")
    assert entries(capsys) == []


def test_entries_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(level=LogLevel.WARNING, format=LogFormat.JSON))
    structlog.get_logger().info("small talk")
    logging.getLogger("library").info("small talk")
    structlog.get_logger().warning("heed this")
    assert [entry["event"] for entry in entries(capsys)] == ["heed this"]


def test_exception_is_in_its_entry(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(level=LogLevel.INFO, format=LogFormat.JSON))
    try:
        raise ValueError("no good")
    except ValueError:
        structlog.get_logger().exception("failed")
    (entry,) = entries(capsys)
    assert "ValueError: no good" in str(entry["exception"])


def test_automatic_form_is_json_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(level=LogLevel.INFO, format=LogFormat.AUTO))
    structlog.get_logger().info("hello")
    assert len(entries(capsys)) == 1


def test_text_form_is_a_readable_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(level=LogLevel.INFO, format=LogFormat.TEXT))
    structlog.get_logger().info("joined", participant="ada")
    line = capsys.readouterr().err
    assert "joined" in line
    assert "participant=ada" in line
