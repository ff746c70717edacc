import json

from reactions.geometry import Box
from reactions.labels import LabelScore
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.inference.detector import DetectorStats, DroppedSamples
from sidecar.session.events import ReactionStep
from sidecar.session.stats import RECENT, ParticipantStats, SessionStats, StatusReader

BOX = Box(0, 0, 1, 1)


class Everything:
    def __contains__(self, label: object) -> bool:
        return label != "face"


def reader() -> StatusReader:
    return StatusReader("Janus", Everything())


def person(name: str, frames: int) -> ParticipantStats:
    return ParticipantStats(name, name.title(), 320, 180, frames, 0, 0, None, None, False, False)


def session(uptime: float, *people: ParticipantStats, out: int = 0) -> SessionStats:
    return SessionStats("standup", uptime, out, 0, 1, 0, people)


def started(
    label: str, time: float = 1.0, stage: ReactionStage = ReactionStage.STARTED
) -> ReactionStep:
    return ReactionStep(ReactionEvent(stage, time, "ada", label, 0.9, 1.0, BOX, None), "Ada")


def test_rates_are_since_the_moment_before() -> None:
    status_reader = reader()
    status_reader.read(session(10, person("ada", 100), out=250), {}, cpu=5.0)
    status = status_reader.read(session(12, person("ada", 160), out=300), {}, cpu=5.5)
    assert (status.fps, status.cpu, status.participants[0].fps) == (25, 0.25, 30)


def test_the_first_moment_has_no_rates() -> None:
    status = reader().read(session(10, person("ada", 100), out=250), {}, cpu=5.0)
    assert (status.fps, status.cpu, status.participants[0].fps) == (0, 0, 0)


def test_who_came_back_counts_from_nothing() -> None:
    status_reader = reader()
    status_reader.read(session(10, person("ada", 100)), {}, cpu=0)
    assert status_reader.read(session(12, person("ada", 3)), {}, cpu=0).participants[0].fps == 0


def test_the_best_label_of_each_participant_is_shown() -> None:
    scores = {"ada": (LabelScore("face", 1.0, BOX), LabelScore("smile", 0.8, BOX))}
    status = reader().read(session(1, person("ada", 1), person("bo", 1)), scores, cpu=0)
    assert [(one.label, one.score) for one in status.participants] == [("smile", 0.8), (None, None)]


def test_the_last_reactions_are_remembered_newest_first() -> None:
    status_reader = reader()
    for number in range(RECENT + 2):
        status_reader.update(started(f"label{number}"))
    status_reader.update(started("wave", stage=ReactionStage.ENDED))
    status_reader.update(started("face"))
    reported = status_reader.read(session(1), {}, cpu=0).reactions
    assert [one.label for one in reported] == [
        f"label{number}" for number in range(RECENT + 1, 1, -1)
    ]


def test_a_status_is_one_json_object() -> None:
    status_reader = reader()
    status_reader.update(started("wave", 1.23456))
    reported = status_reader.read(session(2.000049, person("ada", 1)), {}, cpu=0).to_json()
    assert reported["event"] == "status"
    assert reported["uptime"] == 2.0
    assert json.loads(json.dumps(reported))["reactions"] == [
        {"time": 1.235, "name": "Ada", "label": "wave"}
    ]


def test_the_detector_s_counters_are_part_of_the_status() -> None:
    dropped = DroppedSamples(expired=3)
    stats = DetectorStats(2, 90, 0, 1, 80, 0, 0, dropped, 81, 0.12345, None, 1)
    status = reader().read(session(1), {}, cpu=0, detector=stats).to_json()
    detector = status["detector"]
    assert isinstance(detector, dict)
    assert (detector["workers"], detector["restarts"], detector["waited"]) == (2, 1, 0.123)
    assert detector["dropped"] == {"replaced": 0, "expired": 3, "worker_lost": 0, "closed": 0}
