"""The log: which entries are written, and in which form."""

import json
import logging
import os
from collections.abc import Iterator

import pytest
import structlog

from config.settings import LogFormat, LogLevel, LogSettings
from sidecar.logs import BACKLOG, PipeStream, configure


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
    structlog.get_logger().warning("example event")
    assert [entry["event"] for entry in entries(capsys)] == ["example event"]


def test_exception_is_in_its_entry(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(level=LogLevel.INFO, format=LogFormat.JSON))
    try:
        raise ValueError("no good")
    except ValueError:
        structlog.get_logger().exception("failed")
    (entry,) = entries(capsys)
    assert "ValueError: no good" in str(entry["exception"])


HOSTILE = (
    "Ada\x1b[31m\n2026 [error] forged \u202egnp.exe \x9b2J https://u:Pa55-w0rd@h/x?token=Pa55-w0rd"
)


@pytest.mark.parametrize("form", [LogFormat.JSON, LogFormat.TEXT])
def test_no_value_and_no_traceback_shows_controls_secrets_or_forged_lines(
    form: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(LogSettings(level=LogLevel.INFO, format=form))
    log = structlog.get_logger()
    log.info(
        HOSTILE, name=HOSTILE, names=[HOSTILE], fields={HOSTILE: HOSTILE}, error=ValueError(HOSTILE)
    )
    logging.getLogger("aiohttp.client").warning("can't load %s", HOSTILE)
    password = HOSTILE
    for logger in (log, logging.getLogger("library")):
        try:
            raise ValueError(password)
        except ValueError:
            logger.exception("failed")
    output = capsys.readouterr().err
    assert "Ada" in output
    assert "Pa55-w0rd" not in output
    assert not set(output) & set("\x1b\x9b\u202e")
    assert not any(line.startswith("2026 [error]") for line in output.splitlines())


def test_automatic_form_is_json_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(level=LogLevel.INFO, format=LogFormat.AUTO))
    structlog.get_logger().info("hello")
    assert len(entries(capsys)) == 1


def test_text_form_is_a_readable_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(level=LogLevel.INFO, format=LogFormat.TEXT))
    structlog.get_logger().info("joined", participant="ada")
    line = capsys.readouterr().err
    assert "joined" in line
    assert "participant=ada" in line


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


def test_a_pipe_that_is_not_read_holds_up_no_log_call(pipe: tuple[int, int]) -> None:
    stream = PipeStream(pipe[1])
    for _ in range(BACKLOG + 200):
        stream.write("x" * 1000 + "\n")
    assert stream.dropped > 0
    assert not stream.drain(0.05)


def test_a_pipe_that_is_read_gets_every_line_in_order(pipe: tuple[int, int]) -> None:
    stream = PipeStream(pipe[1])
    for number in range(50):
        stream.write(f"{number}\n")
    assert stream.drain(10)
    assert os.read(pipe[0], 65536).decode().split() == [str(number) for number in range(50)]


def test_lines_that_were_dropped_are_counted_in_the_log(pipe: tuple[int, int]) -> None:
    stream = PipeStream(pipe[1])
    stream.dropped = 3
    stream.write("next\n")
    assert stream.drain(10)
    assert os.read(pipe[0], 65536) == b"next\nlog lines dropped: 3\n"


@pytest.mark.parametrize("form", LogFormat)
def test_entries_hold_no_controls_and_no_secrets(
    capsys: pytest.CaptureFixture[str], form: LogFormat
) -> None:
    configure(LogSettings(level=LogLevel.INFO, format=form))
    structlog.get_logger().warning("joined", name="\x1b[2J\u202eada", reason="http://u:Pa55@h")
    logging.getLogger("aiohttp.client").warning("no %s", "https://h/x?token=Pa55\x1b]0;x\x07")
    written = capsys.readouterr().err
    assert "joined" in written
    assert "Pa55" not in written
    assert "\u202e" not in written
    assert "\x1b[2J" not in written
    assert "\x1b]" not in written
