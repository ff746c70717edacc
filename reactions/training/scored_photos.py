"""What the photos of an index are scored on, where that is not what the index calls them."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from reactions.labels import LABELS
from reactions.landmark_types import ModelFamily
from reactions.training.label_names import Shown, meaning_of
from reactions.training.photos import TIGHT, Photo

RELABELLED: Mapping[str, str] = MappingProxyType(
    {
        # Thumbs up, in passing.
        "emre_hand/neg_hand_fidget/no_class_42fa97d3-702b-4a90-919a-17fb10ee75e6_org.jpg": (
            "thumbs_up"
        ),
        "emre_hand/neg_hand_fidget/no_class_4ca20bf6-45a0-48d3-82af-8f6280ea2d77_org.jpg": (
            "thumbs_up"
        ),
        "emre_hand/neg_hand_fidget/no_class_4f4321f9-29eb-4086-b6bf-206b39d08948_org.jpg": (
            "thumbs_up"
        ),
        # A hand at the chin, below a mask: it may be called thinking.
        **dict.fromkeys(
            (
                f"mask_portraits/neg_hand_over_mouth/2020-06-23-{shot}{copy}.jpg"
                for shot in ("120235", "120241")
                for copy in ("", "__copy_", "__another_copy_")
            ),
            "mixed",
        ),
        # A straight face.
        "vladmandic_human/smiling/samples_in_stock-emotions-a-3.jpg": "negative",
    }
)
"""Files that show something else than their name says, seen by eye, and what it is."""


def relabelled(photo: Photo) -> Photo:
    """``photo`` under the name of what it shows."""
    name = RELABELLED.get(photo.file)
    return photo if name is None else replace(photo, label=name)


def is_scored(photo: Photo) -> bool:
    """Whether a definition settles what ``photo`` shows, and the picture holds enough to see it."""
    meaning = meaning_of(photo.label)
    if meaning.shown is not Shown.LABEL:
        return meaning.shown is not Shown.UNSCORED
    spec = LABELS.get(meaning.label)
    # A hand alone shows no sign that is placed by the face.
    return spec is not None and not (photo.source in TIGHT and ModelFamily.FACE in spec.families)
