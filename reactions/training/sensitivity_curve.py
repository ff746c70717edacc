"""``python -m reactions.training.sensitivity_curve FILE.npz``: what each sensitivity gains and
costs on recorded hands, read by the shipped classifier, as a Markdown table.

For hands of people whom the classifier has not seen: it knows those that it was trained on.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

from config.reaction_rule import ReactionRule
from config.reaction_table import load_reaction_table
from config.sensitivity import LOG_ODDS, with_sensitivity
from reactions.gestures.hand_classifier import HandShapeClassifier
from reactions.labels import LABELS
from reactions.training.exit_status import exits_on_errors
from reactions.training.hands_report import Scores, read_shapes, report_hands
from reactions.training.recorded_hands import RecordedHands


def sensitivity_table(
    hands: RecordedHands, scores: Scores, table: Mapping[str, ReactionRule]
) -> Iterator[str]:
    """Lines: recall and fires on other hands at ``table``'s thresholds, moved by each step."""
    yield (
        "| step of log-odds | | recall, mean of shapes and people "
        "| fires on other hands, mean of people | pooled |"
    )
    yield "| --- | --- | --- | --- | --- |"
    for sensitivity, step in LOG_ODDS.items():
        report = report_hands(hands, scores, with_sensitivity(table, sensitivity))
        others = report.other_hands
        shares = (report.mean_over_shapes, others.mean_over_people, others.pooled)
        cells = ["–" if share is None else f"{share:.1%}" for share in shares]
        yield f"| {step:+.0f} | `{sensitivity}` | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="reactions.training.sensitivity_curve")
    parser.add_argument("hands", type=Path, metavar="FILE", help="recorded landmarks, .npz")
    options = parser.parse_args()
    with exits_on_errors():
        hands = RecordedHands.load(options.hands)
        scores = read_shapes(HandShapeClassifier(), hands)
        print(*sensitivity_table(hands, scores, load_reaction_table(LABELS)), sep="\n")


if __name__ == "__main__":
    main()
