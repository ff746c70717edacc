import os

import pytest

from reactions.training.tensorflow_notices import without_tensorflow_notices

NOTICES = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    "I0000 00:00:1796040643.605165    5822 port.cc:153] oneDNN custom operations are on.\n"
    "E0000 00:00:1796036855.646370   30396 node_def_util.cc:682] NodeDef mentions attribute\n"
)


def test_notices_of_tensorflow_are_kept_off_and_all_else_comes_out(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with without_tensorflow_notices():
        os.write(2, f"{NOTICES}disk full\nE0000 00:00:1 1 file.cc:1] No space left\n".encode())
    assert capfd.readouterr().err == "disk full\nE0000 00:00:1 1 file.cc:1] No space left\n"


def fail_after_a_notice() -> None:
    with without_tensorflow_notices():
        os.write(2, b"I0000 00:00:1 1 port.cc:153] on\nwhy\n")
        raise ValueError("no model")


def test_what_was_written_comes_out_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no model"):
        fail_after_a_notice()
    assert capfd.readouterr().err == "why\n"
