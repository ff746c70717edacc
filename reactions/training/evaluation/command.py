"""``python -m reactions.training.report FOLDER --stream``: all of it, from the index to files."""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.errors import ConfigError
from config.reaction_rule import ReactionRule
from reactions.training.evaluation.cases import all_cases
from reactions.training.evaluation.chart import draw_chart
from reactions.training.evaluation.conditions import Condition
from reactions.training.evaluation.report_page import contact_sheets, report_page
from reactions.training.evaluation.run import Workplace, judge_all, print_progress
from reactions.training.evaluation.summary import Summary, summarize, to_json
from reactions.training.evaluation.tables import TextTable, text_tables
from reactions.training.evaluation.verdicts import Judge
from reactions.training.photos import read_index


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """What the command line asks for."""

    folder: Path
    """Photos and clips with their index."""
    out: Path
    """Where JSON, pages and chart are written."""
    cache: Path | None = None
    sample: int | None = None
    """At most so many cases."""
    conditions: Collection[Condition] = tuple(Condition)
    workers: int = 1
    minutes: float | None = None
    """At most so long; what is judged by then is reported."""


def report_streams(options: StreamOptions, table: Mapping[str, ReactionRule]) -> None:
    """Judge the photos, clips and mannequins; print the tables and write JSON, pages and chart.

    Raises PictureError for a file that can't be read, ConfigError for a folder that can't be
    made.
    """
    cases = all_cases(
        read_index(options.folder), conditions=options.conditions, sample=options.sample
    )
    # Before the work, so that it is not in vain.
    _make_folder(options.out)
    work = Workplace(options.folder, dict(table), options.cache)
    verdicts = judge_all(
        work,
        cases,
        workers=options.workers,
        minutes=options.minutes,
        progress=print_progress,
    )
    summary = summarize(verdicts)
    tables = text_tables(summary)
    for each in tables:
        print(*each.markdown(), sep="\n")
    (options.out / "recognition.json").write_text(to_json(summary), encoding="utf-8")
    lines = measured_page(tables, judged=len(verdicts), of=len(cases))
    (options.out / "recognition.md").write_text("\n".join(lines), encoding="utf-8")
    _draw(summary, options.out / "recognition.webp")
    picture_of = Judge(options.folder, work.table, options.cache).reader.picture
    with (options.out / "recognition.html").open("w", encoding="utf-8") as file:
        page = report_page(tables, contact_sheets(verdicts), picture_of)
        file.writelines(f"{line}\n" for line in page)
    print(f"{options.out}: recognition.json, .md and .webp; .html (with people: do not publish)")
    sys.stdout.flush()


def measured_page(tables: Sequence[TextTable], *, judged: int, of: int) -> Iterator[str]:
    """The lines of docs/recognition-measured.md: all ``tables``, without pictures."""
    yield from ("# Recognition, measured", "")
    yield f"Made by `make recognition`: {judged:,} of {of:,} cases."
    if judged < of:
        yield "The rest was not run, or shows no hand under a condition that needs one."
    yield "[Recognition](recognition.md) tells how it is measured, and what falls short."
    yield from ("Shares have 95 % intervals in brackets, in per cent.", "")
    yield from ("![Labels and conditions](images/recognition.webp)", "")
    for table in tables:
        yield from table.markdown("## ")


def _draw(summary: Summary, path: Path) -> None:
    try:
        draw_chart(summary, path)
    except ImportError:
        print("no chart: it needs matplotlib, from the extra 'train'", file=sys.stderr)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"can't be made: {error.strerror}"
        raise ConfigError(what, where=str(folder), do="name another --out") from error
