"""A taught label's figures for people: rows of a table, and a model card in Markdown."""

from collections.abc import Iterator, Sequence

from reactions.taught_labels import LandmarkView, TaughtLabel
from reactions.training.evaluation.intervals import Share
from reactions.training.teach import TeachFigures


def figure_rows(label: str, figures: TeachFigures) -> Iterator[tuple[str, str, str, str]]:
    """Label, share before, share after and how often the taught label fires on such hands: first
    the taught one, then each shape of the hand classifier."""
    yield label, "–", shown_share(figures.recall), "–"
    for name, each in figures.shapes.items():
        before, after, taught = (
            f"{one.value:.1%}" for one in (each.before, each.after, each.taught)
        )
        yield name, before, after, taught


def shown_share(share: Share) -> str:
    """A share with its interval and count."""
    if not share.of:
        return "not measured"
    between = share.interval
    ends = f"{between.low:.0%}–{between.high:.0%}"
    return f"{share.value:.1%} ({ends}, {share.hits} of {share.of})"


def describe_taught(
    label: TaughtLabel, figures: TeachFigures, *, base: str, created: str, pictures: Sequence[int]
) -> str:
    """The model card: what was taught, from what, and how well it does."""
    shown, other = pictures
    lines = [
        f"# Model card: {label.name}",
        "",
        f"Taught on {created} beside the bundle `{base}`, whose hand classifier is unchanged.",
        "",
        f"* Read from: {label.view.value} landmarks; no picture is in the bundle.",
        f"* Pictures: {shown} that show it, {other} that show something else.",
        f"* Threshold: {label.threshold}; hold {label.hold} s.",
        f"* Recall on its own, unseen pictures: {shown_share(figures.recall)}.",
        f"* Fires on the pictures of anything else: {shown_share(figures.other_pictures)}.",
        f"* Fires on hands of unseen people: {shown_share(figures.other_hands)}.",
    ]
    if figures.alike:
        lines.append(f"* Shows the same as the repository's {', '.join(figures.alike)}.")
    if label.outranks:
        names = ", ".join(label.outranks)
        lines.append(f"* Its pictures also set off {names}: these give way to it.")
    if label.view is LandmarkView.HAND_AT_FACE:
        lines.append("* Places of the repository's hands by the face are drawn, not recorded.")
    lines += ["", "| label | before | after | fires the new one |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| `{row[0]}` | {' | '.join(row[1:])} |" for row in figure_rows(label.name, figures)]
    text = (
        "Shares of hands of the repository at the shipped thresholds; the hand classifier was"
        " trained on them, and this label on those of two thirds of the people. Intervals take"
        " hands for independent: those of one person are not, so they are too narrow."
    )
    return "\n".join([*lines, "", text, ""])
