"""``python -m reactions.training.report FOLDER --stream``: all of it, from the index to files."""

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from config.errors import ConfigError
from config.reaction_rule import ReactionRule
from reactions.training.evaluation.cases import all_cases
from reactions.training.evaluation.conditions import Condition
from reactions.training.evaluation.report_page import contact_sheets, report_page
from reactions.training.evaluation.run import Workplace, judge_all, print_progress
from reactions.training.evaluation.summary import summarize, to_json
from reactions.training.evaluation.tables import text_tables
from reactions.training.evaluation.verdicts import Judge
from reactions.training.photos import read_index


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """What the command line asks for."""

    folder: Path
    """Photos and clips with their index."""
    out: Path
    """Where the JSON and the page are written."""
    cache: Path | None = None
    sample: int | None = None
    """At most so many cases."""
    conditions: Collection[Condition] = tuple(Condition)
    workers: int = 1


def report_streams(options: StreamOptions, table: Mapping[str, ReactionRule]) -> None:
    """Judge the photos, clips and mannequins; print the tables and write JSON and page.

    Raises PictureError for a file that can't be read, ConfigError for a folder that can't be
    made.
    """
    cases = all_cases(
        read_index(options.folder), conditions=options.conditions, sample=options.sample
    )
    # Before the work, so that it is not in vain.
    _make_folder(options.out)
    work = Workplace(options.folder, dict(table), options.cache)
    verdicts = judge_all(work, cases, workers=options.workers, progress=print_progress)
    summary = summarize(verdicts)
    tables = text_tables(summary)
    for each in tables:
        print(*each.markdown(), sep="\n")
    reader = Judge(options.folder, work.table, options.cache).reader
    (options.out / "recognition.json").write_text(to_json(summary), encoding="utf-8")
    with (options.out / "recognition.html").open("w", encoding="utf-8") as file:
        lines = report_page(tables, contact_sheets(verdicts), reader.picture)
        file.writelines(f"{line}\n" for line in lines)
    print(f"{options.out}: recognition.json and recognition.html (with pictures: do not publish)")
    sys.stdout.flush()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"can't be made: {error.strerror}"
        raise ConfigError(what, where=str(folder), do="name another --out") from error
