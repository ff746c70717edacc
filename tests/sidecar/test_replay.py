"""Recordings and pictures through the whole of recognition."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from config.errors import PictureError
from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.labels import LABELS
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import CAST, Choreography, Scene, render
from sidecar.annotate import annotate
from sidecar.media.container.writer import VideoWriter
from sidecar.replay import Replay
from sidecar.session.factories import make_pipeline, make_stickers

pytestmark = pytest.mark.models

SETTINGS = Settings()
TABLE = load_reaction_table(LABELS, environ={})
PLAY = Choreography((("neutral", 0.6), ("thumbs_up", 2.2)), transition=0.4)
FPS = 10


@pytest.fixture(scope="module")
def replay() -> Replay:
    detector = make_pipeline(ModelStore(), TABLE, SETTINGS)
    return Replay(detector, make_stickers(TABLE, SETTINGS), TABLE, SETTINGS)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mannequin that rests and then holds a thumb up."""
    path = tmp_path_factory.mktemp("recording") / "amara.mp4"
    with VideoWriter(path, Fraction(FPS), None) as writer:
        for index in range(int(PLAY.duration * FPS)):
            pixels = render(CAST["Amara"], PLAY.pose_at(index / FPS), Scene(), seed=index)
            writer.write(av.VideoFrame.from_ndarray(pixels, format="rgb24"), index / FPS)
    return path


def ignore(share: float) -> None:
    """Progress that no test reads."""


def events_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def frames_of(path: Path) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    with av.open(str(path)) as container:
        return [
            np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            for frame in container.decode(video=0)
        ]


def test_a_recording_gets_stickers_and_an_event_log(
    replay: Replay, recording: Path, tmp_path: Path
) -> None:
    target, log = tmp_path / "out.mp4", tmp_path / "out.jsonl"
    shares: list[float] = []

    replay.run(recording, target, log, shares.append)

    events = events_of(log)
    assert (events[0]["event"], events[-1]["event"]) == ("participant.joined", "participant.left")
    [thumb] = [
        event
        for event in events
        if event["event"] == "reaction.started" and event["label"] == "thumbs_up"
    ]
    [held] = [hold for hold in PLAY.holds if hold.name == "thumbs_up"]
    assert held.start < thumb["t"] < held.end + 0.4
    before, after = frames_of(recording), frames_of(target)
    assert len(before) == len(after)
    changed = [
        float((np.abs(one.astype(int) - other) > 60).any(axis=-1).mean())
        for one, other in zip(before, after, strict=True)
    ]
    assert max(changed[: int(held.start * FPS)]) < 0.005
    assert changed[int(thumb["t"] * FPS) + 3] > 0.01
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_picture_is_annotated_at_once(replay: Replay, tmp_path: Path) -> None:
    source, target, log = tmp_path / "up.png", tmp_path / "out.png", tmp_path / "out.jsonl"
    pixels = render(CAST["Amara"], PLAY.pose_at(1.5), Scene())
    Image.fromarray(pixels).save(source)

    replay.run(source, target, log, ignore)

    started = [event["label"] for event in events_of(log)]
    assert "thumbs_up" in started
    [report] = annotate([source], make_pipeline(ModelStore(), TABLE, SETTINGS), TABLE)
    assert started == [label.label for label in report.labels if label.fires]
    with Image.open(target) as written:
        changed = np.abs(np.asarray(written).astype(int) - pixels) > 60
        assert float(changed.any(axis=-1).mean()) > 0.01


def test_a_video_that_can_t_be_read_leaves_no_target(replay: Replay, tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    source.write_bytes(b"no video" * 100)
    with pytest.raises(PictureError, match=r"in\.mp4: can't be read as a video"):
        replay.run(source, tmp_path / "out.mp4", tmp_path / "log", ignore)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_a_recording_is_not_written_over_itself(replay: Replay, recording: Path) -> None:
    before = recording.read_bytes()
    with pytest.raises(PictureError, match="would overwrite"):
        replay.run(recording, recording, recording.with_suffix(".jsonl"), ignore)
    assert recording.read_bytes() == before


def test_the_event_log_overwrites_neither_the_recording_nor_the_result(
    replay: Replay, recording: Path, tmp_path: Path
) -> None:
    before = recording.read_bytes()
    target = tmp_path / "out.mp4"
    for log in (recording, target):
        with pytest.raises(PictureError, match=rf"{log.name}: would overwrite"):
            replay.run(recording, target, log, ignore)
    assert recording.read_bytes() == before
    assert not target.exists()


@pytest.mark.parametrize("name", ["gone.png", "gone.mp4"])
def test_a_missing_source_is_named(replay: Replay, tmp_path: Path, name: str) -> None:
    (tmp_path / "out.png").touch()
    with pytest.raises(PictureError, match=rf"{name}: can.t be read: No such file"):
        replay.run(tmp_path / name, tmp_path / "out.png", tmp_path / "log", ignore)


def test_a_failed_replay_leaves_an_older_event_log_alone(replay: Replay, tmp_path: Path) -> None:
    source, log = tmp_path / "text.mp4", tmp_path / "log.jsonl"
    source.write_text("no video")
    log.write_text("older")
    with pytest.raises(PictureError, match="can't be read as a video"):
        replay.run(source, tmp_path / "out.mp4", log, ignore)
    assert log.read_text() == "older"
    assert sorted(tmp_path.iterdir()) == [log, source]
