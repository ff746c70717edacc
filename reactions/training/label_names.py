"""What the labels of an index of photos mean: the one table from the data's names to ours.

A look-alike is what must set nothing off; ordinary people are look-alikes that try nothing. What a
name does not say, a photo of it is not scored on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

OUR_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "ok": "ok_hand",
        "open_palm_stop": "open_palm",
        "two_palms_forward": "open_palm",
        # A fist is one from every side.
        "fist_back": "fist",
        "fist_side": "fist",
        # With a fist beside the head.
        "raised_hand_bent": "fist",
        "smiling": "smile",
        "yawning": "yawn",
        "head_on_hands": "head_on_hand",
    }
)
"""Names of the data that the vocabulary has under another name."""

HAGRID_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "call": "call_me",
        "dislike": "thumbs_down",
        "like": "thumbs_up",
        "no_gesture": "negative",
        "ok": "ok_hand",
        "one": "pointing_up",
        "palm": "open_palm",
        "peace": "victory",
        "peace_inverted": "victory_back",
        "stop": "open_palm",
        "stop_inverted": "other_hand_stop_inverted",
    }
)
"""Classes of HaGRID by our names; "fist" and "rock" are the same. Others keep theirs."""

_UNSCORED = frozenset(
    {
        # Fists at the opposite shoulders: no folded arms.
        "arms_crossed_on_chest",
        "arms_flexed_up",
        "expr_funny_faces",
        "expr_mixed_faces",
        "expr_mouth_shapes",
        "expr_surprised_mouth",
        "facepalm_or_hand_on_forehead",
        "hagrid_none_mixed",
        "hand_on_head_one",
        "laughing_hand_to_face",
        "mixed",
        "tongue_out_laugh",
    }
)
"""Names that hold several things, or none that a definition settles."""
_LOOK_ALIKES = ("neg_", "other_hand_")
_LOOK_ALIKE_NAMES = frozenset({"victory_back"})
_ORDINARY = frozenset(
    {
        "negative",
        "neg_person_still",
        "neg_talking_expressions",
        "neg_talking_face",
        "neg_talking_head_motion",
    }
)

AS_GOOD: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        # A palm beside the head is a raised hand, and two halves are their combination.
        "open_palm": frozenset({"raised_hand", "arms_raised", "wave"}),
        "thumbs_up": frozenset({"double_thumbs_up"}),
        "thumbs_down": frozenset({"double_thumbs_down"}),
        "victory": frozenset({"double_victory"}),
        "rock": frozenset({"double_rock"}),
        "smile": frozenset({"laugh"}),
        "laugh": frozenset({"smile"}),
    }
)
"""Labels that name as rightly what is called the key."""
_MAY_FIRE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        # People with raised arms, whose fists are clenched.
        "neg_body_misc": frozenset({"fist"}),
        "arms_raised": frozenset({"open_palm", "raised_hand", "fist"}),
        "raised_hand_bent": frozenset({"raised_hand"}),
        # The palm is to the camera, and still.
        "neg_talking_hands": frozenset({"open_palm"}),
    }
)
"""Labels that photos of a name may set off besides: they show them, too."""
_SMILES = frozenset({"smile", "laugh"})
"""People smile while they show something else, and no index says in which photos."""


class Shown(StrEnum):
    """What photos of a name are for."""

    LABEL = "label"
    """They show a label of ours."""
    LOOK_ALIKE = "look_alike"
    ORDINARY = "ordinary"
    UNSCORED = "unscored"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What photos of one of the data's names show."""

    shown: Shown
    label: str = ""
    """Ours, where one is shown."""
    may_fire: frozenset[str] = frozenset()
    """Labels that are neither right nor wrong in them."""

    @property
    def right(self) -> frozenset[str]:
        """The labels that name what is shown."""
        return frozenset({self.label}) | AS_GOOD.get(self.label, frozenset())


def meaning_of(name: str) -> Meaning:
    """What the data's ``name`` means."""
    may_fire = _MAY_FIRE.get(name, frozenset()) | _SMILES
    if name in _UNSCORED:
        return Meaning(Shown.UNSCORED)
    if name in _ORDINARY:
        return Meaning(Shown.ORDINARY, may_fire=may_fire)
    if name in _LOOK_ALIKE_NAMES or name.startswith(_LOOK_ALIKES):
        return Meaning(Shown.LOOK_ALIKE, may_fire=may_fire)
    return Meaning(Shown.LABEL, OUR_NAMES.get(name, name), may_fire)
