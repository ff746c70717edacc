"""Paths, webcams and network cameras as users write them."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from sidecar.rooms.files.addresses import (
    Clips,
    NetworkCamera,
    Webcam,
    is_recording,
    parse_recordings,
)


@pytest.mark.parametrize(
    "address",
    ["talk.mp4", "./a b#c.mp4", "~/clips", "/", "C:\\clips\\a.mp4", "webcam:0", "rtsp://cam/door",
     "RTSPS://cam/door", "part 1: hello.mp4", "rtsp://a/1,rtsp://b/2"],
)  # fmt: skip
def test_paths_and_cameras_are_recognised(address: str) -> None:
    assert is_recording(address)


@pytest.mark.parametrize(
    "address",
    ["", "  ", "https://host/room", "wss://host#room", "whep+https://host/x", "janus://host/1"],
)
def test_meetings_are_not(address: str) -> None:
    assert not is_recording(address)


def test_a_path_is_taken_as_it_stands() -> None:
    assert parse_recordings("my clips/take #2, final.mp4") == Clips(
        Path("my clips/take #2, final.mp4")
    )


def test_a_tilde_is_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert parse_recordings("~/clips") == Clips(Path("/home/ada/clips"))


def test_many_cameras_are_separated_by_commas_or_spaces() -> None:
    cameras = parse_recordings(
        " rtsp://a/door, rtsp://b:8554/x?y=1,2#Back%20yard  webcam:1 ,webcam:0#Desk,"
    )
    assert cameras == [
        NetworkCamera("rtsp://a/door", "door"),
        NetworkCamera("rtsp://b:8554/x?y=1,2", "Back yard"),
        Webcam(1, "webcam 1"),
        Webcam(0, "Desk"),
    ]


def test_a_camera_without_a_path_is_named_by_its_host() -> None:
    (camera,) = parse_recordings("rtsp://user:hush@cam.example:554/")  # type: ignore[misc]
    assert camera.name == "cam.example"


def test_a_password_is_never_shown() -> None:
    (camera,) = parse_recordings("rtsp://user:hush@cam/door?token=hush")  # type: ignore[misc]
    assert "hush" not in repr(camera) + camera.shown


@pytest.mark.parametrize("address", ["rtsp://", "rtsp://:554/x", "rtsp://cam:port/x", "rtsp://[/x"])
def test_an_incomplete_camera_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(ConfigError, match="incomplete"):
        parse_recordings(address)


@pytest.mark.parametrize("address", ["webcam:", "webcam:one", "webcam:-1", "webcam:99999"])
def test_a_webcam_needs_its_number(address: str) -> None:
    with pytest.raises(ConfigError, match="webcam:0"):
        parse_recordings(address)


def test_too_many_cameras_are_refused() -> None:
    with pytest.raises(ConfigError, match="50 cameras"):
        parse_recordings(",".join(f"rtsp://cam/{number}" for number in range(50)))


@given(st.one_of(st.text(), st.text().map("rtsp://{}".format), st.text().map("webcam:{}".format)))
def test_any_text_is_taken_or_refused_in_our_own_words(text: str) -> None:
    if not is_recording(text):
        return
    with contextlib.suppress(ConfigError):
        source = parse_recordings(text)
        assert isinstance(source, Clips) or all(camera.name for camera in source)


@pytest.mark.parametrize("password", ["pa#ss", "#", "12#34"])
def test_a_hash_in_a_password_is_explained_without_it(password: str) -> None:
    with pytest.raises(ConfigError, match="write %23") as caught:
        parse_recordings(f"rtsp://ada:{password}@cam:554/door")
    assert password not in str(caught.value).replace("a # in", "")


def test_an_escaped_hash_and_a_name_with_an_at_are_taken() -> None:
    (camera,) = parse_recordings("rtsp://ada:pa%23ss@cam/door#Desk%20@home")  # type: ignore[misc]
    assert (camera.name, camera.shown) == ("Desk @home", "rtsp://cam/door")
