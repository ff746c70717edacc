"""``sidecar dataset``: pictures with labels, from other tools and for them."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.errors import DatasetError
from sidecar.cli.dataset_doubts import list_doubts, recogniser_judge
from sidecar.cli.dataset_options import (
    Author,
    ClassesFile,
    Consent,
    DeleteAfter,
    Folder,
    Into,
    KeepNames,
    Licence,
    Person,
    ReadFormat,
    Source,
    SourceName,
    SplitName,
    class_list,
    origin_of,
    print_problems,
    shown,
)
from sidecar.cli.options import ConfigFile, ReactionsFile
from sidecar.cli.progress import progress_bar
from sidecar.cli.signals import exit_on_signals

if TYPE_CHECKING:
    from reactions.datasets.importing import ImportOptions
    from reactions.datasets.records import Split

app = typer.Typer(
    help="Import, divide, check and export pictures with labels (docs/datasets.md).",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_MAX_LABEL = 100
"""Characters of a label whose pictures are drawn: it is part of their names."""


@app.command(
    "import", epilog="Example: sidecar dataset import voc labelImg-pictures --into drinking-tea"
)
def import_command(
    kind: ReadFormat,
    source: Source,
    into: Into,
    classes: ClassesFile = None,
    keep_names: KeepNames = False,
    split: SplitName = "",
    person: Person = "",
    source_name: SourceName = "",
    author: Author = "",
    licence: Licence = "",
    consent: Consent = "",
    delete_after: DeleteAfter = "",
) -> None:
    """Add another tool's pictures and labels to a data set.

    What can't be read is listed with file and line, and the rest is imported. Repeat an
    interrupted import: pictures that are there are left as they are.
    """
    exit_on_signals()
    from reactions.datasets.importing import ImportOptions
    from reactions.training.label_names import HAGRID_NAMES, OUR_NAMES

    names = {} if keep_names else {**OUR_NAMES, **(HAGRID_NAMES if kind == "hagrid" else {})}
    origin = origin_of(person, source_name, author, licence, consent, delete_after)
    _import(
        kind, source, into, ImportOptions(origin, _split_option(split), _classes(classes), names)
    )


def _import(kind: str, source: Path, into: Path, options: "ImportOptions") -> None:
    from reactions.datasets.formats.registry import reader_of
    from reactions.datasets.importing import PictureImport
    from reactions.datasets.problems import ProblemList
    from reactions.datasets.source_tree import opened_source
    from reactions.datasets.store import changing_dataset
    from sidecar.pictures_of_videos import look_at

    read, problems = reader_of(kind), ProblemList()
    with opened_source(source, problems) as tree, changing_dataset(into, create=True) as dataset:
        work = PictureImport(dataset, options, look_at, problems)
        with progress_bar("Importing") as move:
            report = work.run(read, tree, move)
    print_problems(problems)
    print(
        f"{report.pictures} pictures with {report.boxes} boxes added to {into},"
        f" {report.known} were there, {len(problems)} problems"
    )
    if not report.pictures and not report.known:
        do = "see the lines above" if len(problems) else f"is it in the format {kind}?"
        raise DatasetError("nothing could be imported", where=str(source), do=do)


@app.command("export", epilog="Example: sidecar dataset export yolo drinking-tea --to tea-yolo")
def export_command(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            help="voc yolo coco cvat labelme labelstudio roboflow folders hagrid csv tfrecord",
        ),
    ],
    folder: Folder,
    to: Annotated[Path, typer.Option("--to", metavar="TARGET", help="A new folder or .zip.")],
) -> None:
    """Write a data set in another tool's format, whole or not at all."""
    exit_on_signals()
    from reactions.datasets.exporting import export_dataset
    from reactions.datasets.formats.registry import writer_of
    from reactions.datasets.problems import ProblemList
    from reactions.datasets.store import open_dataset

    write, problems = writer_of(kind), ProblemList()
    with progress_bar("Exporting") as move:
        count = export_dataset(open_dataset(folder), write, to, problems, move)
    print_problems(problems)
    print(f"{count} pictures written to {to}, {len(problems)} problems")


@app.command(
    "explode", epilog="Example: sidecar dataset explode tea.mp4 --every 15 --into drinking-tea"
)
def explode_command(
    videos: Annotated[list[Path], typer.Argument(metavar="VIDEO…", help="Videos to read.")],
    into: Into,
    every: Annotated[int, typer.Option(min=1, help="Take each n-th frame.")] = 30,
    scenes: Annotated[bool, typer.Option(help="Take the first frame after each cut, too.")] = True,
    duplicates: Annotated[
        bool, typer.Option("--duplicates", help="Keep frames that look like an earlier one.")
    ] = False,
    person: Person = "",
    source_name: SourceName = "",
    author: Author = "",
    licence: Licence = "",
    consent: Consent = "",
    delete_after: DeleteAfter = "",
) -> None:
    """Add frames of videos to a data set, with their times and without near-duplicates."""
    exit_on_signals()
    from reactions.datasets.frame_choice import FrameChoice
    from reactions.datasets.look import ALIKE
    from reactions.datasets.store import changing_dataset
    from sidecar.pictures_of_videos import explode_video

    origin = origin_of(person, source_name, author, licence, consent, delete_after)
    with changing_dataset(into, create=True) as dataset:
        for video in videos:
            choice = FrameChoice(every, scenes=scenes, alike=-1 if duplicates else ALIKE)
            with progress_bar(shown(video.name)) as move:
                report = explode_video(video, dataset, choice, origin, move)
            print(
                f"{shown(video.name)}: {report.added} frames added, {report.known} were there,"
                f" {report.duplicates} near-duplicates left out"
            )


@app.command(
    "synthesize",
    epilog="Example: sidecar dataset synthesize drinking --pose tea.toml --into drinking-tea",
)
def synthesize_command(
    label: Annotated[str, typer.Argument(metavar="LABEL", help="What the pictures show.")],
    into: Into,
    pose: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help="The pose; default: the catalogue's of LABEL."),
    ] = None,
    pictures: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws others.")] = 0,
    hands: Annotated[
        Path | None,
        typer.Option("--landmarks", metavar="FILE.npz", help="A new file for the hands' joints."),
    ] = None,
    licence: Licence = "",
) -> None:
    """Add pictures of mannequins that show a pose, drawn from a catalogue or a file of ranges.

    LABEL may be mug, phone, glass, book or glasses: boxes are then around all objects that are
    seen. Without a pose these are scenes at random; "objects" has all five kinds in them.
    Repeat an interrupted synthesis: pictures that are there are not drawn again.
    """
    exit_on_signals()
    from reactions.datasets import synthesizing
    from reactions.datasets.records import storable
    from reactions.datasets.store import changing_dataset, refuse_existing, whole_file
    from reactions.mannequin.pose_file import read_pose_file

    recipe = read_pose_file(pose) if pose else synthesizing.recipe_of_label(label)
    if not label or label != storable(label) or len(label) > _MAX_LABEL:
        what = f"must be 1 to {_MAX_LABEL} printable characters"
        raise DatasetError(what, where="LABEL")
    objects = synthesizing.shows_objects(label)
    work = synthesizing.Synthesis(recipe, label, pictures, seed, objects)
    if hands is not None:
        refuse_existing(hands)
    with changing_dataset(into, create=True) as dataset, progress_bar("Drawing") as move:
        origin = origin_of("", "", "", licence, "", "")
        report = synthesizing.synthesize_pictures(work, dataset, origin, move)
    print(f"{report.added} pictures added to {into}, {report.known} were there")
    if hands is not None:
        with whole_file(hands) as partial:
            print(f"{synthesizing.write_landmarks(work, partial)} hands written to {hands}")


@app.command("split", epilog="Example: sidecar dataset split drinking-tea --test 0.2 --seed 1")
def split_command(
    folder: Folder,
    test: Annotated[float, typer.Option(help="Share of the pictures for tests, 0-1.")] = 0.2,
    validation: Annotated[float, typer.Option(help="Share for validation, 0-1.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Another seed is another division.")] = 0,
    again: Annotated[
        bool, typer.Option("--again", help="Divide a data set that is divided already.")
    ] = False,
) -> None:
    """Divide pictures over training, validation and test: no person or source is in two."""
    from dataclasses import replace

    from reactions.datasets.splitting import SplitShares, split_pictures
    from reactions.datasets.store import changing_dataset

    shares = SplitShares(validation, test)
    with changing_dataset(folder) as dataset:
        records = list(dataset.records.values())
        if any(record.split for record in records) and not again:
            what = "is divided already"
            raise DatasetError(what, where=str(folder), do="add --again to divide it newly")
        splits = split_pictures(records, shares, seed)
        for record in records:
            dataset.put(replace(record, split=splits[record.file]))
        dataset.save()
    _print_table(folder)


@app.command("check", epilog="Example: sidecar dataset check drinking-tea --doubts")
def check_command(
    folder: Folder,
    doubts: Annotated[
        bool, typer.Option("--doubts", help="Ask the recogniser as well which labels it doubts.")
    ] = False,
    config: ConfigFile = None,
    reactions: ReactionsFile = None,
) -> None:
    """Print leaks between splits, near-duplicates, bad boxes and imbalance; status 1 for leaks.

    With --doubts also the labels that the recogniser does not see, with file and line. It looks at
    about ten pictures a second, and at each picture once.
    """
    exit_on_signals()
    from reactions.datasets.checking import FindingKind, check_dataset
    from reactions.datasets.store import open_dataset

    dataset = open_dataset(folder)
    found = list(check_dataset(dataset))
    if doubts:
        found += list_doubts(dataset, recogniser_judge(config, reactions))
    for finding in found:
        print(f"{finding.kind}: {shown(finding.what)}")
    print(f"{len(found)} findings")
    if any(finding.kind in (FindingKind.LEAK, FindingKind.MISSING) for finding in found):
        raise typer.Exit(1)


@app.command(
    "classes", epilog="Example: sidecar dataset classes drinking-tea --out predefined_classes.txt"
)
def classes_command(
    folder: Folder,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="A new file; default: print.")
    ] = None,
) -> None:
    """Write the labels, one a line, as labelImg reads them (predefined_classes.txt)."""
    from reactions.datasets.store import open_dataset, refuse_existing, whole_file

    records = open_dataset(folder).records.values()
    text = "".join(f"{label}\n" for label in sorted({x for item in records for x in item.shown}))
    if out is None:
        print(text, end="")
        return
    refuse_existing(out)
    with whole_file(out) as partial:
        partial.write_text(text, encoding="utf-8")


@app.command("plot", epilog="Example: sidecar dataset plot drinking-tea --out labels.png")
def plot_command(
    folder: Folder,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.png", help="A new picture.")
    ] = None,
) -> None:
    """Show how labels are divided over training and test, as a table and a bar chart."""
    from reactions.datasets.counting import count_labels, draw_label_chart
    from reactions.datasets.store import open_dataset, refuse_existing, whole_file

    if out is not None:
        refuse_existing(out)
        table = count_labels(open_dataset(folder).records.values())
        with whole_file(out) as partial:
            draw_label_chart(table, partial)
    _print_table(folder)


@app.command("prune", epilog="Example: sidecar dataset prune drinking-tea --dry-run")
def prune_command(
    folder: Folder,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print them, delete nothing.")] = False,
) -> None:
    """Delete the pictures whose deletion date is past, and those that a killed command left."""
    from reactions.datasets.store import MANIFEST, changing_dataset, overdue, unlisted

    today = date.today()  # noqa: DTZ011 (the user's own day)
    with changing_dataset(folder) as dataset:
        left = unlisted(dataset)
        for path in left:
            print(f"{shown(path.name)}: has no line in {MANIFEST}")
            if not dry_run:
                path.unlink(missing_ok=True)
        due = overdue(dataset, today)
        for record in due:
            print(f"{shown(record.name)}: to keep until {record.origin.delete_after}")
            if not dry_run:
                dataset.remove(record)
        if not dry_run:
            dataset.save()
    print(f"{len(due) + len(left)} pictures {'are due' if dry_run else 'deleted'}")


def _print_table(folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from reactions.datasets.counting import count_labels
    from reactions.datasets.store import open_dataset

    found = count_labels(open_dataset(folder).records.values())
    table = Table("label", box=None)
    for column in found.columns:
        table.add_column(column, justify="right")
    for row in found.rows:
        table.add_row(Text(shown(row.label)), *map(str, row.counts))
    Console().print(table)


def _split_option(name: str) -> "Split":
    from reactions.datasets.found import split_named

    split = split_named(name)
    if name and not split:
        do = "use train, validation or test"
        raise DatasetError(f"{name!r} is no split", where="--split", do=do)
    return split


def _classes(path: Path | None) -> frozenset[str] | None:
    return None if path is None else frozenset(class_list(path))
