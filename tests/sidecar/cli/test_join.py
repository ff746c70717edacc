import pytest

from config.errors import ConfigError
from sidecar.cli.app import run
from sidecar.cli.join import parse_layout


def test_a_spotlight_is_named_after_its_word() -> None:
    assert parse_layout("spotlight:Ada Lovelace") == "Ada Lovelace"


def test_a_grid_has_no_spotlight() -> None:
    assert parse_layout("grid") == ""


@pytest.mark.parametrize("text", ["", "mosaic", "spotlight", "spotlight:"])
def test_other_layouts_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--layout"):
        parse_layout(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ftp://host/room"], "ftp://host/room: no meeting system has URLs of this form"),
        (["x.mp4", "--labels", "nodding"], "--labels: unknown label 'nodding'"),
        (["x.mp4", "--sample-rate", "99"], "--sample-rate: sampling.rate"),
        (["x.mp4", "--consent", "maybe"], "--consent: rooms.consent"),
        (["x.mp4", "--secrets", "/no/such/file"], "--secrets: /no/such/file can't be read"),
        (["x.mp4", "--for", "soon"], "--for: 'soon' is not a duration"),
    ],
)
@pytest.mark.models
def test_a_wrong_option_is_one_line_and_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["join", *arguments]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"sidecar: error: {message}")
