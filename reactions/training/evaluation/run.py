"""Judge all cases in several processes, with a line of progress now and then."""

import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from config.reaction_rule import ReactionRule
from reactions.training.evaluation.cases import Case
from reactions.training.evaluation.conditions import Condition
from reactions.training.evaluation.verdicts import CaseVerdict, Judge

_PIECE = 16
"""Cases that one process judges at a time, so that loading the models does not count."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What every process needs to know."""

    folder: Path
    """With photos and clips."""
    table: Mapping[str, ReactionRule]
    cache: Path | None = None
    """Where landmarks are kept between runs."""

    def judge(self, cases: Sequence[Case]) -> list[CaseVerdict]:
        """Verdicts on ``cases``, in this process."""
        return Judge(self.folder, self.table, self.cache).judge(cases)


def judge_all(
    work: Workplace,
    cases: Sequence[Case],
    *,
    workers: int,
    minutes: float | None = None,
    progress: Callable[[int, int, float], None] = lambda done, of, seconds: None,
) -> list[CaseVerdict]:
    """Verdicts on all ``cases``, or on those for which ``minutes`` suffice: by then some of each
    source, label and condition are judged, as far as there is time for one of each.

    ``progress`` gets how many are done, of how many, and the seconds so far. Raises PictureError
    for a file that can't be read.
    """
    began, done = time.monotonic(), 0
    mixed = balanced(cases)
    pieces = [mixed[i : i + _PIECE] for i in range(0, len(mixed), _PIECE)]
    verdicts: list[CaseVerdict] = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(work.judge, piece): len(piece) for piece in pieces}
        try:
            for piece in as_completed(waiting, minutes and minutes * 60):
                verdicts += piece.result()
                done += waiting[piece]
                progress(done, len(cases), time.monotonic() - began)
        except TimeoutError:
            # What the cache keeps of the rest is there for the next run.
            pass
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    order = {case: i for i, case in enumerate(cases)}
    return sorted(verdicts, key=lambda verdict: order[verdict.case])


def balanced(cases: Sequence[Case], seed: int = 0) -> list[Case]:
    """``cases`` in an order of which any beginning holds about as many of each source, label and
    condition, and of a photo that is seen under several conditions all of them."""
    draw = random.Random(seed)  # noqa: S311
    chance = {file: draw.random() for file in sorted({_shown(case) for case in cases})}
    changed = {case.file for case in cases if case.condition is not Condition.PLAIN}
    groups: dict[tuple[str, str, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.source, case.name, case.condition.value), []).append(case)
    ranked: list[tuple[int, float, Case]] = []
    for group in groups.values():
        group.sort(key=lambda case: (case.file not in changed, chance[_shown(case)]))
        ranked += [(rank, chance[_shown(case)], case) for rank, case in enumerate(group)]
    return [case for _, _, case in sorted(ranked, key=lambda each: each[:2])]


def _shown(case: Case) -> str:
    return case.file or f"{case.name} {case.tone}"


def print_progress(done: int, of: int, seconds: float) -> None:
    """A line on standard error."""
    left = seconds / done * (of - done) if done else 0.0
    print(f"{done} of {of} cases, {seconds:.0f} s, {left:.0f} s left", file=sys.stderr, flush=True)
