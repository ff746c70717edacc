"""The vocabulary: one spec a label. Recogniser, legend and downloads iterate over the specs."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from reactions.compact_pickle import CompactPickle
from reactions.geometry import Box
from reactions.gestures import arms, scorers, two_hands
from reactions.gestures.arms import ArmsReading
from reactions.gestures.bursts import Suggestion, hand_in_motion, head_in_motion
from reactions.gestures.calibration import DECISION
from reactions.gestures.context import Scorer
from reactions.gestures.hand_classes import HandClass
from reactions.landmark_types import ModelFamily, Side


class Group(StrEnum):
    """What a label is made with, in the order of the legend."""

    HAND = "hand"
    TWO_HANDS = "two_hands"
    BODY = "body"
    FACE = "face"
    MOTION = "motion"
    OBJECT = "object"
    PRESENCE = "presence"

    @property
    def heading(self) -> str:
        """What pages call it."""
        return _GROUP_HEADINGS.get(self, self.value.replace("_", " ").capitalize())


_GROUP_HEADINGS: Mapping[Group, str] = MappingProxyType(
    {
        Group.HAND: "One hand",
        Group.BODY: "Arms and body",
        Group.OBJECT: "With an object",
        Group.PRESENCE: "In the picture",
    }
)


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """One label of the vocabulary. Raises ValueError for a value that can't be meant."""

    name: str
    """Lower-case words joined by underscores, as in ``reactions.toml``."""
    group: Group
    families: frozenset[ModelFamily]
    """What its scorer can't do without; a model that no enabled label names is not run."""
    score: Scorer
    how: str
    """How to make it, in the words a user reads in the legend."""
    threshold: float = DECISION
    """The score, 0–1, from which a sample counts as evidence, unless ``reactions.toml`` says
    otherwise."""
    title: str = ""
    """What the legend calls it; the name's words unless given."""
    moderated: bool = False
    """Whether it is for moderators alone: the reaction table refuses to draw it."""
    burst: Suggestion | None = None
    """For a label that is made by moving: whether its participant is worth sampling more often."""

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z]+(_[a-z]+)*", self.name):
            raise ValueError(f"label {self.name!r}: not lower-case words joined by underscores")
        if not (self.families and self.how and 0 < self.threshold <= 1):
            raise ValueError(f"label {self.name!r}: needs models, how, and a threshold in 0–1")
        object.__setattr__(self, "title", self.title or self.name.replace("_", " ").capitalize())


@dataclass(frozen=True, slots=True)
class LabelScore(CompactPickle):
    """How much one sample looks like ``label``: ``score`` in 0–1, and where in the frame."""

    label: str
    score: float
    box: Box
    hand: Side | None = None
    """The hand that shows it; None for faces, bodies and both hands."""
    person: int = 0
    """Which of several people in the picture, 0–3; 0 where there is one."""


_FACE = frozenset({ModelFamily.FACE})
_HANDS = frozenset({ModelFamily.HANDS})
_BODY = frozenset({ModelFamily.BODY})
_FACE_AND_HANDS = _FACE | _HANDS
_FACE_DETAIL = _FACE | {ModelFamily.FACE_DETAIL}
_EYES = _FACE_DETAIL | {ModelFamily.BLENDSHAPES}


def _shape(
    shape: HandClass,
    how: str,
    threshold: float = DECISION,
    *,
    score: Scorer | None = None,
    title: str = "",
    moderated: bool = False,
) -> LabelSpec:
    """The spec of a label that is the shape of one hand; ``score`` where more than that counts."""
    scorer = score or scorers.score_hand_shape(shape)
    return LabelSpec(shape.value, Group.HAND, _HANDS, scorer, how, threshold, title, moderated)


def _arms(name: str, measure: Callable[[ArmsReading], float], how: str) -> LabelSpec:
    """The spec of a label that is what both arms do."""
    return LabelSpec(name, Group.BODY, _BODY, scorers.score_arms(measure), how)


def _double(shape: HandClass, how: str, threshold: float) -> LabelSpec:
    """The spec of two hands that both have ``shape``, at that shape's ``threshold``."""
    score = two_hands.score_double(shape)
    return LabelSpec(f"double_{shape}", Group.TWO_HANDS, _HANDS, score, how, threshold)


def vocabulary(*specs: LabelSpec) -> Mapping[str, LabelSpec]:
    """``specs`` by name. Raises ValueError for a name that is given twice."""
    names = [spec.name for spec in specs]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise ValueError(f"{', '.join(twice)} is defined twice")
    return MappingProxyType(dict(zip(names, specs, strict=True)))


LABELS: Mapping[str, LabelSpec] = vocabulary(
    LabelSpec("face", Group.PRESENCE, _FACE, scorers.score_face, "be in the picture"),
    LabelSpec("away", Group.PRESENCE, _FACE_AND_HANDS, scorers.score_away, "leave the picture"),
    LabelSpec(
        "back", Group.PRESENCE, _FACE, scorers.score_back, "come back after more than 5 seconds"
    ),
    LabelSpec("hand", Group.PRESENCE, _HANDS, scorers.score_hand, "show a hand", 0.6),
    LabelSpec(
        "neutral",
        Group.FACE,
        _FACE_AND_HANDS,
        scorers.score_neutral,
        "look at the camera, hands down",
    ),
    LabelSpec("smile", Group.FACE, _FACE, scorers.score_smile, "smile and keep smiling"),
    LabelSpec("laugh", Group.FACE, _FACE_DETAIL, scorers.score_laugh, "laugh with your mouth open"),
    LabelSpec(
        "surprised",
        Group.FACE,
        _FACE_DETAIL,
        scorers.score_surprised,
        "open your mouth, raise your brows and keep it",
    ),
    LabelSpec("yawn", Group.FACE, _EYES, scorers.score_yawn, "open your mouth as wide as it goes"),
    LabelSpec("wink", Group.FACE, _EYES, scorers.score_wink, "shut one eye for a second"),
    LabelSpec(
        "eyes_closed",
        Group.FACE,
        _EYES,
        scorers.score_eyes_closed,
        "shut your eyes, head up, and keep them shut",
    ),
    LabelSpec(
        "head_tilt", Group.FACE, _FACE, scorers.score_head_tilt, "lean your head to a shoulder"
    ),
    LabelSpec(
        "thinking",
        Group.FACE,
        _FACE_AND_HANDS,
        scorers.score_thinking,
        "hold your chin with a hand",
    ),
    LabelSpec(
        "shush", Group.BODY, _FACE_AND_HANDS, scorers.score_shush, "put a finger on your lips"
    ),
    LabelSpec(
        "raised_hand",
        Group.BODY,
        _FACE_AND_HANDS,
        scorers.score_raised_hand,
        "raise a flat hand beside your head",
    ),
    LabelSpec(
        "nod",
        Group.MOTION,
        _FACE,
        scorers.score_nod,
        "nod twice with your mouth shut",
        burst=head_in_motion,
    ),
    LabelSpec(
        "shake",
        Group.MOTION,
        _FACE,
        scorers.score_shake,
        "shake your head, mouth shut",
        burst=head_in_motion,
    ),
    _arms("arms_raised", arms.arms_raised, "raise both arms above your head"),
    _arms("hands_on_head", arms.hands_on_head, "lay both hands on your head, elbows out"),
    LabelSpec(
        "arms_crossed",
        Group.BODY,
        _HANDS | _BODY,
        scorers.score_arms_crossed,
        "cross your arms before the chest",
    ),
    _arms("shrug", arms.shrug, "turn both forearms outwards, palms up"),
    LabelSpec(
        "facepalm",
        Group.BODY,
        _FACE_AND_HANDS,
        scorers.score_facepalm,
        "lay a hand on your forehead or eyes",
    ),
    LabelSpec(
        "head_on_hand",
        Group.BODY,
        _FACE_AND_HANDS,
        scorers.score_head_on_hand,
        "rest your head on a hand",
    ),
    LabelSpec(
        "drinking",
        Group.OBJECT,
        _FACE_AND_HANDS | frozenset({ModelFamily.OBJECTS}),
        scorers.score_drinking,
        "drink from a mug, a cup or a bottle",
    ),
    LabelSpec(
        "phone_at_ear",
        Group.OBJECT,
        _FACE_AND_HANDS,
        scorers.score_phone_at_ear,
        "hold a phone to your ear",
    ),
    LabelSpec(
        "wave",
        Group.MOTION,
        _HANDS,
        scorers.score_wave,
        "swing an open hand from side to side",
        burst=hand_in_motion,
    ),
    LabelSpec(
        "clap",
        Group.MOTION,
        _HANDS,
        two_hands.score_clap,
        "clap your hands",
        burst=hand_in_motion,
    ),
    _double(HandClass.THUMBS_UP, "both thumbs up", 0.55),
    _double(HandClass.THUMBS_DOWN, "both thumbs down", 0.7),
    _double(HandClass.VICTORY, "a V with each hand", 0.5),
    _double(HandClass.ROCK, "index and little finger up on each hand", 0.7),
    LabelSpec(
        "heart_hands",
        Group.TWO_HANDS,
        _HANDS,
        two_hands.score_heart_hands,
        "make a heart of thumbs and index fingers",
    ),
    LabelSpec(
        "namaste",
        Group.TWO_HANDS,
        _HANDS | _BODY,
        two_hands.score_namaste,
        "press your palms together, fingers up",
    ),
    LabelSpec(
        "timeout",
        Group.TWO_HANDS,
        _HANDS,
        two_hands.score_timeout,
        "lay one flat hand on the fingertips of the other",
    ),
    _shape(HandClass.OK_HAND, "join thumb and index finger in a ring", 0.5, title="OK"),
    _shape(HandClass.THUMBS_UP, "a fist with the thumb up", 0.55),
    _shape(HandClass.THUMBS_DOWN, "a fist with the thumb down", 0.7),
    _shape(HandClass.VICTORY, "index and middle finger in a V, palm out", 0.5),
    _shape(HandClass.ROCK, "index and little finger up, thumb folded", 0.7),
    _shape(HandClass.ILY, "thumb, index and little finger spread", 0.51, title="I love you"),
    _shape(
        HandClass.OPEN_PALM,
        "an open hand, palm to the camera",
        0.54,
        score=scorers.score_open_palm,
    ),
    _shape(HandClass.FIST, "a closed fist", 0.5),
    _shape(
        HandClass.POINTING_UP,
        "index finger up, the others folded",
        0.53,
        score=scorers.score_pointing_up,
    ),
    _shape(HandClass.CALL_ME, "thumb and little finger spread", 0.6),
    _shape(HandClass.CROSSED_FINGERS, "middle finger crossed over the index finger", 0.55),
    _shape(HandClass.FINGER_HEART, "cross the tips of thumb and index finger", 0.7),
    _shape(HandClass.MIDDLE_FINGER, "middle finger up, the others folded", 0.7, moderated=True),
)

THRESHOLDS: Mapping[str, float] = MappingProxyType(
    {name: spec.threshold for name, spec in LABELS.items()}
)
"""Every label with its default threshold."""


def by_groups() -> Sequence[LabelSpec]:
    """All specs in the order of groups, and within a group as they stand in ``LABELS``."""
    groups = list(Group)
    return sorted(LABELS.values(), key=lambda spec: groups.index(spec.group))


def families_for(labels: Iterable[str]) -> frozenset[ModelFamily]:
    """The models that scoring ``labels`` needs; a model that no label needs is never loaded."""
    return frozenset().union(*(LABELS[label].families for label in labels))
