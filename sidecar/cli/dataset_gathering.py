"""``sidecar dataset label``, ``collect`` and ``snapshot``: where pictures and labels come from."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.errors import DatasetError
from sidecar.cli.dataset_doubts import recogniser_judge
from sidecar.cli.dataset_options import (
    Consent,
    DeleteAfter,
    Folder,
    Into,
    Licence,
    class_list,
    origin_of,
    print_problems,
)
from sidecar.cli.env_file import SecretsFile, environment
from sidecar.cli.models import ready_store
from sidecar.cli.options import ConfigFile, ReactionsFile, load_configuration
from sidecar.cli.progress import Move, progress_bar
from sidecar.cli.signals import exit_on_signals, run_until_stopped

if TYPE_CHECKING:
    from config.reaction_table import ReactionTable
    from config.settings import Settings
    from reactions.datasets.problems import ProblemList
    from sidecar.datasets.collecting import CollectReport
    from sidecar.datasets.face_blur import FaceBlur
    from sidecar.datasets.picture_sources import PictureSource
    from sidecar.datasets.snapshot_sources import SnapshotSource
    from sidecar.datasets.snapshotting import SnapshotPlan, SnapshotReport

OpenverseQuery = Annotated[
    str, typer.Option(metavar="QUERY", help="Take what Openverse finds in place of a list.")
]
OpenverseLicences = Annotated[
    str, typer.Option(metavar="A,B", help="Openverse's licences to take: by,by-sa,cc0,pdm …")
]
OpenverseLimit = Annotated[
    int, typer.Option(min=1, max=10_000, metavar="N", help="Pictures to take from Openverse.")
]
RoomNames = Annotated[
    list[str], typer.Argument(metavar="ROOM…", help="Meetings by URL; rooms by id with --server.")
]
ServerUrl = Annotated[
    str, typer.Option(metavar="URL", help="A sidecar server; SIDECAR_API_TOKEN has its token.")
]
BlurFaces = Annotated[
    bool,
    typer.Option("--blur-faces", help="Blur faces; pictures without a found one are left out."),
]

KeepAlike = Annotated[
    bool, typer.Option("--duplicates", help="Keep pictures that look like the last one.")
]

app = typer.Typer(rich_markup_mode=None)
"""Merged into ``dataset.app``."""


@app.command("label", epilog="Example: sidecar dataset label drinking-tea")
def label_command(
    folder: Folder,
    classes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Offer the labels in this predefined_classes.txt first."),
    ] = None,
    model: Annotated[bool, typer.Option(help="Let the recogniser propose boxes.")] = True,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="TCP port; 0 takes any free one.")
    ] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the page's address only.")
    ] = False,
    config: ConfigFile = None,
    reactions: ReactionsFile = None,
) -> None:
    """Label pictures and correct labels on a page in the browser, by labelImg's keys.

    The page is for this machine alone. Each change is saved in the data set and as VOC XML in its
    folder annotations. Ctrl-C ends it.
    """
    offered = () if classes is None else class_list(classes)
    from reactions.datasets.store import open_dataset

    open_dataset(folder)
    judge = recogniser_judge(config, reactions) if model else None
    from sidecar.datasets.labelling import label

    known = () if judge is None else sorted(judge.judged)
    labels = tuple(dict.fromkeys((*offered, *known)))
    run_until_stopped(label(folder, judge, labels=labels, port=port, browser=not no_browser))


@app.command("collect", epilog="Example: sidecar dataset collect cups.csv --into drinking-tea")
def collect_command(
    into: Into,
    listing: Annotated[
        Path | None,
        typer.Argument(metavar="[LIST.csv]", help="Columns url, licence, author; also label."),
    ] = None,
    openverse: OpenverseQuery = "",
    licences: OpenverseLicences = "",
    limit: OpenverseLimit = 100,
    licence: Licence = "",
    every: Annotated[
        float, typer.Option(min=0.1, max=60, help="Seconds between two requests to one host.")
    ] = 1.0,
    private: Annotated[
        bool, typer.Option("--private", help="Take pictures at private addresses, too.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Download pictures by URL, with their licences and authors, as sites' robots.txt allow.

    What can't be had is listed, and the rest goes on. Repeat the command after an interruption:
    what is there is not fetched again. OPENVERSE_TOKEN, if set, goes to Openverse.
    """
    if bool(openverse) == (listing is not None):
        raise typer.BadParameter("name a list, or a search with --openverse, not both")
    exit_on_signals()
    load_configuration(config, None)
    from reactions.datasets.problems import ProblemList
    from sidecar.datasets.picture_sources import ListedPictures, OpenversePictures, PictureSource

    source: PictureSource
    if listing is not None:
        source = ListedPictures(listing, licence)
    else:
        token = os.environ.get("OPENVERSE_TOKEN", "")
        source = OpenversePictures(openverse, licences=licences, limit=limit, token=token)
    problems = ProblemList()
    report = _collect(source, into, problems, every=every, private=private)
    print_problems(problems)
    print(
        f"{report.added} pictures added to {into}, {report.known} were there,"
        f" {report.failed} could not be had"
    )
    if not report.added and not report.known:
        raise DatasetError("nothing could be collected", where=str(listing or "Openverse"))


def _collect(
    source: "PictureSource", into: Path, problems: "ProblemList", *, every: float, private: bool
) -> "CollectReport":
    from reactions.datasets.store import changing_dataset
    from sidecar.addresses import AddressRule
    from sidecar.datasets.collecting import MAX_PICTURE, PictureCollection
    from sidecar.datasets.web_reader import HostPace, WebReader
    from sidecar.pictures_of_videos import look_at

    rule = AddressRule.ROOM if private else AddressRule.PUBLIC

    async def work(move: Move) -> "CollectReport":
        async with WebReader(HostPace(every), rule=rule, max_bytes=MAX_PICTURE) as reader:
            return await PictureCollection(dataset, reader, look_at, problems).run(source, move)

    with changing_dataset(into, create=True) as dataset, progress_bar("Collecting") as move:
        return asyncio.run(work(move))


@app.command(
    "snapshot",
    epilog="Example: sidecar dataset snapshot wss://sfu.example/#standup --into drinking-tea"
    " --consent 'agreed in the meeting' --delete-after 2027-06-30",
)
def snapshot_command(
    rooms: RoomNames,
    into: Into,
    consent: Consent,
    delete_after: DeleteAfter,
    server: ServerUrl = "",
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two pictures.")] = 5.0,
    count: Annotated[
        int, typer.Option(min=1, max=100_000, help="Pictures of each participant.")
    ] = 12,
    blur_faces: BlurFaces = False,
    duplicates: KeepAlike = False,
    licence: Licence = "",
    secrets: SecretsFile = None,
    config: ConfigFile = None,
    reactions: ReactionsFile = None,
) -> None:
    """Take pictures of participants who agreed, with their consent and a date of deletion.

    A meeting that is joined by its URL shows participants who opted in alone. Tell them first that
    pictures are taken. sidecar dataset prune deletes them when their date is past.
    """
    exit_on_signals()
    settings, table = load_configuration(config, reactions)
    origin = origin_of("", "", "", licence, consent, delete_after)
    from reactions.datasets.look import ALIKE
    from reactions.datasets.problems import ProblemList
    from sidecar.datasets.snapshot_sources import JoinedMeeting, ServerRoom, SnapshotSource
    from sidecar.datasets.snapshotting import SnapshotPlan

    environ = environment(secrets)
    token = environ.get("SIDECAR_API_TOKEN", "")
    sources: list[SnapshotSource] = [
        ServerRoom(server, room, token) if server else JoinedMeeting(room, settings, table, environ)
        for room in dict.fromkeys(rooms)
    ]
    plan = SnapshotPlan(origin, every, count, -1 if duplicates else ALIKE)
    blur = _face_blur(settings, table) if blur_faces else None
    problems = ProblemList()
    report = _snapshot(into, sources, plan, blur, problems)
    print_problems(problems)
    print(
        f"{report.added} pictures added to {into}, {report.alike} near-duplicates and"
        f" {report.faceless} without a face left out"
    )


def _face_blur(settings: "Settings", table: "ReactionTable") -> "FaceBlur":
    """What blurs faces, its models fetched."""
    from config.reaction_table import only_labels
    from sidecar.datasets.face_blur import LABELS_NEEDED, FaceBlur
    from sidecar.session.factories import pipeline_config

    chosen = only_labels(table, LABELS_NEEDED)
    return FaceBlur(pipeline_config(ready_store(settings, chosen), chosen, settings))


def _snapshot(
    into: Path,
    sources: "Sequence[SnapshotSource]",
    plan: "SnapshotPlan",
    blur: "FaceBlur | None",
    problems: "ProblemList",
) -> "SnapshotReport":
    from reactions.datasets.store import changing_dataset
    from sidecar.datasets.snapshotting import SnapshotTaking

    with changing_dataset(into, create=True) as dataset, progress_bar("Snapshots") as move:
        taking = SnapshotTaking(dataset, plan, problems, blur=blur)
        return asyncio.run(taking.run(sources, move))
