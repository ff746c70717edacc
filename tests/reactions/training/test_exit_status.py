import pytest

from config.errors import ModelError
from reactions.training.exit_status import exits_on_errors


def test_a_mistake_is_one_line_and_the_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, exits_on_errors():
        raise ModelError("lacks label", where="hands.npz")
    assert ended.value.code == 2
    assert capsys.readouterr().err == "hands.npz: lacks label\n"


def test_what_is_no_mistake_of_a_user_goes_on() -> None:
    with pytest.raises(KeyError), exits_on_errors():
        raise KeyError("lost")
