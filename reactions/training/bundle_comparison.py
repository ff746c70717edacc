"""Two bundles side by side on the same pictures, with what chance leaves open."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reactions.labels import LABELS, Group
from reactions.training.evaluation.intervals import Interval, Share, bootstrap, share_of


@dataclass(frozen=True, slots=True)
class PictureFires:
    """One picture: what it shows, and what each bundle fires."""

    person: str
    """Whose it is, or what it is from: pictures of one are alike."""
    shown: frozenset[str]
    allowed: frozenset[str]
    """Labels that may fire without being wrong."""
    fired: tuple[frozenset[str], ...]
    """One set a bundle."""


@dataclass(frozen=True, slots=True)
class ComparedShares:
    """One figure of one or two bundles."""

    label: str
    shares: tuple[Share, ...]
    difference: float | None
    """Of the second to the first, as a mean over people; None for one bundle."""
    between: Interval | None
    """95 % of the difference, were others drawn from people like these; None of one person."""


@dataclass(frozen=True, slots=True)
class BundleComparison:
    """All figures: recall by label, and pictures in which something wrong fires."""

    bundles: tuple[str, ...]
    pictures: int
    people: int
    recall: tuple[ComparedShares, ...]
    wrong: ComparedShares
    unknown: tuple[str, ...]
    """Labels of the pictures that no bundle knows."""


def compare_bundles(
    bundles: tuple[str, ...], pictures: Sequence[PictureFires], known: frozenset[str]
) -> BundleComparison:
    """The figures of ``bundles`` for ``pictures``; ``known`` are labels that any of them has."""
    labels = sorted(set().union(*(picture.shown for picture in pictures)))
    recall = tuple(_recall(label, pictures) for label in labels if label in known)
    wrong = [[_is_wrong(one, fired) for fired in one.fired] for one in pictures]
    return BundleComparison(
        bundles,
        len(pictures),
        len({picture.person for picture in pictures}),
        recall,
        _compared("something else fires", [one.person for one in pictures], wrong),
        tuple(label for label in labels if label not in known),
    )


def _recall(label: str, pictures: Sequence[PictureFires]) -> ComparedShares:
    mine = [picture for picture in pictures if label in picture.shown]
    hits = [[label in fired for fired in picture.fired] for picture in mine]
    return _compared(label, [picture.person for picture in mine], hits)


def _is_wrong(picture: PictureFires, fired: frozenset[str]) -> bool:
    """Whether a label fires that is not shown; presence is always there."""
    wrong = fired - picture.allowed
    return any(name not in LABELS or LABELS[name].group is not Group.PRESENCE for name in wrong)


def _compared(label: str, people: Sequence[str], hits: Sequence[Sequence[bool]]) -> ComparedShares:
    count = len(hits[0]) if hits else 0
    shares = tuple(share_of(one[column] for one in hits) for column in range(count))
    if count < 2:
        return ComparedShares(label, shares, None, None)
    each = list(_differences(people, hits))
    between = bootstrap(each) if len(each) > 1 else None
    return ComparedShares(label, shares, sum(each) / len(each), between)


def _differences(people: Sequence[str], hits: Sequence[Sequence[bool]]) -> Iterator[float]:
    """By how much the second bundle is better, person by person."""
    for person in dict.fromkeys(people):
        mine = [one for one, whose in zip(hits, people, strict=True) if whose == person]
        yield sum(second - first for first, second in mine) / len(mine)
