from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.models import VideoQuality
from livekit.protocol.rtc import SignalRequest

from sidecar.media.feed import Feed
from sidecar.rooms.base import (
    Consent,
    ConsentChanged,
    Joined,
    Left,
    ReceiverConstraints,
    RoomChange,
)
from sidecar.rooms.livekit.audience import Audience, Shown
from sidecar.rooms.livekit.chat import Said
from sidecar.rooms.livekit.people import Camera, Person
from sidecar.rooms.livekit.protocol import Subscription
from tests.sidecar.clients import ColourTrack


def person(
    identity: str,
    camera: Camera | None = None,
    *,
    sid: str = "PA_1",
    version: int = 0,
    present: bool = True,
    consent: Consent | None = None,
) -> Person:
    return Person(sid, identity, identity.upper(), version, present, camera, consent)


def requests(messages: list[bytes]) -> list[SignalRequest]:
    return [SignalRequest.FromString(message) for message in messages]


class Stage:
    """An audience, and feeds for the tracks whose frames come."""

    def __init__(self) -> None:
        self.audience = Audience()
        self.shown: dict[str, Shown] = {}
        self.feeds: dict[str, Feed] = {}

    def come(self, *tracks: str) -> None:
        """Frames of ``tracks`` come from now on."""
        for track in tracks:
            self.feeds[track] = Feed(ColourTrack())

    def changes(self) -> list[RoomChange]:
        return self.audience.changes(self.shown, self.feeds.get)


def test_a_camera_is_subscribed_to_and_told_of_once_its_frames_come() -> None:
    stage = Stage()
    (asked,) = requests(stage.audience.update([person("ada", Camera("TR_1")), person("bob")]))
    assert list(asked.subscription.track_sids) == ["TR_1"]
    assert asked.subscription.subscribe
    assert stage.changes() == []
    stage.come("TR_1")
    (told,) = stage.changes()
    assert isinstance(told, Joined)
    assert (told.participant, told.name) == ("ada", "ADA")
    assert told.feed is stage.feeds["TR_1"]
    assert stage.changes() == []


def test_nothing_is_subscribed_to_twice() -> None:
    audience = Audience()
    audience.update([person("ada", Camera("TR_1"))])
    assert audience.update([person("ada", Camera("TR_1"), version=1)]) == []


def test_a_camera_that_is_replaced_is_left_for_the_new_one() -> None:
    stage = Stage()
    stage.audience.update([person("ada", Camera("TR_1"))])
    stage.come("TR_1", "TR_2")
    stage.changes()
    off, on = requests(stage.audience.update([person("ada", Camera("TR_2"), version=1)]))
    assert (list(off.subscription.track_sids), off.subscription.subscribe) == (["TR_1"], False)
    assert (list(on.subscription.track_sids), on.subscription.subscribe) == (["TR_2"], True)
    left, joined = stage.changes()
    assert left == Left("ada", "the camera changed")
    assert isinstance(joined, Joined)


def test_who_leaves_is_told_before_their_line_is_empty() -> None:
    stage = Stage()
    stage.audience.update([person("ada", Camera("TR_1"))])
    stage.come("TR_1")
    stage.changes()
    stage.audience.update([person("ada", present=False)])
    assert stage.changes() == [Left("ada", "left")]


def test_a_muted_camera_is_gone_until_it_is_on_again_and_stays_subscribed() -> None:
    stage = Stage()
    stage.audience.update([person("ada", Camera("TR_1"))])
    stage.come("TR_1")
    stage.changes()
    assert stage.audience.update([person("ada", Camera("TR_1", muted=True), version=1)]) == []
    assert stage.changes() == [Left("ada", "turned the camera off")]
    assert stage.audience.update([person("ada", Camera("TR_1"), version=2)]) == []
    assert isinstance(stage.changes()[0], Joined)


def test_a_camera_with_a_problem_is_told_without_being_subscribed_to() -> None:
    stage = Stage()
    assert stage.audience.update([person("ada", Camera("TR_1", problem="sends smoke"))]) == []
    (told,) = stage.changes()
    assert isinstance(told, Joined)
    assert told.feed is None
    assert told.problem == "ADA sends smoke"


def test_a_problem_that_the_server_tells_comes_and_goes() -> None:
    stage = Stage()
    stage.audience.update([person("ada", Camera("TR_1"))])
    stage.audience.subscription(Subscription("TR_1", "is a secret"))
    (told,) = stage.changes()
    assert isinstance(told, Joined)
    assert told.problem == "ADA has a camera that is a secret"
    stage.audience.subscription(Subscription("TR_1", ""))
    stage.come("TR_1")
    left, joined = stage.changes()
    assert isinstance(left, Left)
    assert isinstance(joined, Joined)
    assert joined.feed is not None


def test_problems_of_tracks_that_nobody_asked_for_are_not_kept() -> None:
    stage = Stage()
    stage.audience.subscription(Subscription("TR_9", "is a secret"))
    stage.audience.update([person("ada", Camera("TR_9"))])
    stage.come("TR_9")
    (told,) = stage.changes()
    assert isinstance(told, Joined)
    assert told.problem == ""


def test_what_is_wanted_is_asked_for_in_the_servers_terms() -> None:
    audience = Audience()
    audience.update([person("ada", Camera("TR_1"))])
    (asked,) = requests(audience.constrain("ada", ReceiverConstraints(320, 180, 4.2)))
    settings = asked.track_setting
    assert list(settings.track_sids) == ["TR_1"]
    # The server takes a layer with nine tenths of it for enough.
    assert (settings.width, settings.height, settings.fps) == (356, 200, 5)
    assert settings.quality == VideoQuality.LOW
    assert not settings.disabled
    assert audience.constrain("ada", ReceiverConstraints(320, 180, 4.2)) == []


def test_a_paused_camera_is_disabled() -> None:
    audience = Audience()
    audience.update([person("ada", Camera("TR_1"))])
    (asked,) = requests(audience.constrain("ada", ReceiverConstraints(320, 180, 5, paused=True)))
    assert asked.track_setting.disabled


def test_what_is_wanted_of_a_stranger_is_ignored() -> None:
    assert Audience().constrain("nobody", ReceiverConstraints(320, 180, 5)) == []


def test_what_was_wanted_is_asked_of_the_next_camera_too() -> None:
    audience = Audience()
    audience.update([person("ada")])
    assert audience.constrain("ada", ReceiverConstraints(320, 180, 5)) == []
    subscription, settings = requests(audience.update([person("ada", Camera("TR_1"), version=1)]))
    assert subscription.subscription.subscribe
    assert list(settings.track_setting.track_sids) == ["TR_1"]


def test_a_choice_by_chat_is_told_at_once() -> None:
    stage = Stage()
    stage.audience.update([person("ada", Camera("TR_1"))])
    stage.come("TR_1")
    stage.changes()
    assert stage.audience.hear(Said("ada", "!reactions off"))
    assert stage.changes() == [ConsentChanged("ada", Consent.OPT_OUT)]
    assert not stage.audience.hear(Said("ada", "hello"))
    assert not stage.audience.hear(Said("nobody", "!reactions off"))
    assert stage.changes() == []


def test_the_last_word_counts_wherever_it_was_said() -> None:
    stage = Stage()
    stage.come("TR_1")
    stage.audience.update([person("ada", Camera("TR_1"), consent=Consent.OPT_OUT)])
    assert stage.changes()[1:] == [ConsentChanged("ada", Consent.OPT_OUT)]
    stage.audience.hear(Said("ada", "!reactions on"))
    # The attribute is still what it was: it says nothing new.
    stage.audience.update([person("ada", Camera("TR_1"), version=1, consent=Consent.OPT_OUT)])
    assert stage.changes() == [ConsentChanged("ada", Consent.OPT_IN)]
    stage.audience.update([person("ada", Camera("TR_1"), version=2, consent=None)])
    stage.audience.update([person("ada", Camera("TR_1"), version=3, consent=Consent.OPT_OUT)])
    assert stage.changes() == [ConsentChanged("ada", Consent.OPT_OUT)]


def test_a_choice_is_told_again_with_a_camera_that_comes_back() -> None:
    stage = Stage()
    stage.come("TR_1", "TR_2")
    stage.audience.update([person("ada", Camera("TR_1"), consent=Consent.OPT_OUT)])
    stage.changes()
    stage.audience.update([person("ada", Camera("TR_2"), version=1, consent=Consent.OPT_OUT)])
    assert stage.changes()[-1] == ConsentChanged("ada", Consent.OPT_OUT)


CAMERAS = st.none() | st.builds(
    Camera,
    st.sampled_from(["TR_1", "TR_2", "TR_3"]),
    muted=st.booleans(),
    problem=st.sampled_from(["", "smokes"]),
)
PEOPLE = st.builds(
    person,
    st.sampled_from(["ada", "bob", "cleo"]),
    CAMERAS,
    sid=st.sampled_from(["PA_1", "PA_2"]),
    version=st.integers(0, 3),
    present=st.booleans(),
    consent=st.sampled_from([None, *Consent]),
)


@given(st.lists(st.tuples(st.lists(PEOPLE, max_size=3), st.sets(st.sampled_from("123")))))
def test_whatever_happens_the_story_that_is_told_makes_sense(
    news: list[tuple[list[Person], set[str]]],
) -> None:
    stage = Stage()
    feeds = {f"TR_{number}": Feed(ColourTrack()) for number in "123"}
    present: set[str] = set()
    for people, coming in news:
        stage.audience.update(people)
        stage.feeds = {f"TR_{number}": feeds[f"TR_{number}"] for number in coming}
        for change in stage.changes():
            match change:
                case Joined():
                    assert change.participant not in present
                    assert (change.feed is None) is bool(change.problem)
                    present.add(change.participant)
                case Left():
                    present.remove(change.participant)
                case ConsentChanged():
                    assert change.participant in present
        assert present == set(stage.shown)
        assert stage.changes() == []
