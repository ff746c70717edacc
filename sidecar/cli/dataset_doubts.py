"""``sidecar dataset check --doubts``: what the recogniser makes of a data set's pictures."""

from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.cli.dataset_options import print_problems
from sidecar.cli.models import ready_store
from sidecar.cli.options import load_configuration
from sidecar.cli.progress import progress_bar

if TYPE_CHECKING:
    from reactions.datasets.checking import Finding
    from reactions.datasets.store import Dataset
    from sidecar.datasets.judge import RecogniserJudge


def recogniser_judge(config: Path | None, reactions: Path | None) -> "RecogniserJudge":
    """The recogniser of the settings, its models fetched."""
    settings, table = load_configuration(config, reactions)
    store = ready_store(settings, table)
    from sidecar.datasets.judge import RecogniserJudge
    from sidecar.session.factories import pipeline_config

    return RecogniserJudge(pipeline_config(store, table, settings), table)


def list_doubts(dataset: "Dataset", judge: "RecogniserJudge") -> "list[Finding]":
    """The labels that ``judge`` doubts, with the manifest's lines; lists unreadable pictures."""
    from reactions.datasets.checking import Finding, FindingKind
    from reactions.datasets.problems import ProblemList
    from reactions.datasets.store import MANIFEST
    from sidecar.datasets.judge import find_doubts

    problems = ProblemList()
    with progress_bar("Looking at the pictures") as move:
        found = [
            Finding(
                FindingKind.DOUBTED,
                f"{dataset.folder / MANIFEST}:{dataset.line(record)}: {record.name}: {doubt}",
            )
            for record, doubt in find_doubts(dataset, judge, problems, move)
        ]
    print_problems(problems)
    return found
