"""The model card of a trained hand classifier, from the JSON beside its weights."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.errors import ModelError
from reactions.gestures.hand_classes import SHAPES


def read_thresholds(path: Path) -> Mapping[str, float]:
    """The thresholds that training found, by shape; raises ModelError."""
    thresholds = _read_card(path).get("thresholds", {})
    return {name: float(thresholds[name]) for name in SHAPES if name in thresholds}


def describe_classifier(path: Path) -> str:
    """The card at ``path`` in Markdown; raises ModelError."""
    card = _read_card(path)
    held_out = card.get("held_out_people", {})
    recall, intervals = held_out.get("recall", {}), held_out.get("intervals", {})
    hands, people = card.get("recorded_hands", "?"), card.get("people", "?")
    mean, fires = (held_out.get(key) for key in ("mean_over_shapes", "fires_mean_over_people"))
    versions = ", ".join(f"{name} {text}" for name, text in card.get("versions", {}).items())
    lines = [
        "# Model card: hand classifier",
        "",
        f"* Seed {card['seed']}; {hands} hands of {people} people.",
        f"* Recall of people it had not seen, mean over shapes: {_shown(mean)}.",
        f"* Fires on other hands, mean over people: {_shown(fires)}.",
        f"* Versions: {versions}.",
        "",
        "| label | threshold | recall | 95 % interval |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name in SHAPES:
        low, high = intervals.get(name) or (None, None)
        threshold = card.get("thresholds", {}).get(name, "–")
        shown = f"{_shown(low)}–{_shown(high)}"
        lines.append(f"| `{name}` | {threshold} | {_shown(recall.get(name))} | {shown} |")
    return "\n".join([*lines, ""])


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _read_card(path: Path) -> Mapping[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(card, dict) or "seed" not in card:
            raise ValueError("no card")
    except (OSError, ValueError) as error:
        raise ModelError("is not the card of a hand classifier", where=str(path)) from error
    return card
