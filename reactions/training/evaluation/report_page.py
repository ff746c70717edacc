"""One self-contained HTML file: the tables, and contact sheets of the worst mistakes.

It holds pictures of the people in the photos: it belongs to a folder that is not published.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO

from config.errors import PictureError
from reactions.landmark_types import RgbImage
from reactions.training.evaluation.camera_stream import at_webcam
from reactions.training.evaluation.cases import Case
from reactions.training.evaluation.tables import TextTable
from reactions.training.evaluation.verdicts import CaseVerdict
from reactions.training.label_names import Shown

_MOST = 48
"""Pictures of one contact sheet."""
_AREA = 240 * 135
_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff }
table { border-collapse: collapse; margin-bottom: 2rem }
td, th { border: 1px solid #ccc; padding: .2rem .5rem; text-align: left }
.sheet { display: flex; flex-wrap: wrap; gap: .8rem }
figure { margin: 0; width: 240px } figcaption { font-size: 12px; overflow-wrap: anywhere }
"""


@dataclass(frozen=True, slots=True)
class ContactSheet:
    """Mistakes of one kind, the worst first."""

    title: str
    verdicts: Sequence[CaseVerdict]


def contact_sheets(verdicts: Sequence[CaseVerdict]) -> list[ContactSheet]:
    """The mistakes among ``verdicts``, by kind."""
    shown = [each for each in verdicts if each.case.meaning.shown is Shown.LABEL]
    nothing = [each for each in verdicts if each.case.meaning.shown is not Shown.LABEL]
    kinds: list[tuple[str, list[CaseVerdict]]] = [
        (
            "Reactions to what shows none",
            [each for each in nothing if each.wrong_started or each.wrong_fired],
        ),
        ("Another reaction than is shown", [each for each in shown if each.wrong_started]),
        (
            "Named in the single frame, missed in the stream",
            [each for each in shown if each.named_still and not each.named_stream],
        ),
        (
            "Missed in both, though a hand was found",
            [each for each in shown if each.found_still and not _named(each)],
        ),
        (
            "Missed in both, and no hand found",
            [each for each in shown if not each.found_still and not _named(each)],
        ),
    ]
    return [ContactSheet(title, sorted(some, key=_order)) for title, some in kinds if some]


def _named(verdict: CaseVerdict) -> bool:
    return verdict.named_still or verdict.named_stream


def _order(verdict: CaseVerdict) -> tuple[int, str, str, str]:
    wrong = sum(verdict.wrong_started.values())
    case = verdict.case
    return -wrong, case.condition.value, case.source, case.name


def report_page(
    tables: Sequence[TextTable],
    sheets: Sequence[ContactSheet],
    picture_of: Callable[[Case], RgbImage],
) -> Iterator[str]:
    """The lines of the page; ``picture_of`` gives what a case shows. All text is escaped."""
    yield "<!doctype html><html lang=en><meta charset=utf-8><title>Recognition in streams</title>"
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield f"<style>{_STYLE}</style><h1>Recognition in streams</h1>"
    for table in tables:
        yield from _table(table)
    for sheet in sheets:
        yield f"<h2>{escape(sheet.title)}: {len(sheet.verdicts)}</h2><div class=sheet>"
        for verdict in sheet.verdicts[:_MOST]:
            yield _figure(verdict, picture_of)
        yield "</div>"


def _table(table: TextTable) -> Iterator[str]:
    yield f"<h2>{escape(table.title)}</h2><table><tr>"
    yield "".join(f"<th>{escape(name)}</th>" for name in table.columns)
    for row in table.rows:
        yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row)
    yield "</table>"


def _figure(verdict: CaseVerdict, picture_of: Callable[[Case], RgbImage]) -> str:
    case = verdict.case
    where = f"{case.source} {case.name} {case.condition.value} {case.file}"
    fired = ", ".join(sorted(verdict.fired)) or "nothing"
    started = ", ".join(sorted(verdict.started)) or "nothing"
    text = escape(f"{where}: still {fired}; stream {started}")
    try:
        source = _data_url(picture_of(case))
    except PictureError as error:
        return f"<figure><figcaption>{text} ({escape(str(error))})</figcaption></figure>"
    return f'<figure><img alt="" src="{source}"><figcaption>{text}</figcaption></figure>'


def _data_url(picture: RgbImage) -> str:
    from PIL import Image

    with BytesIO() as file:
        Image.fromarray(at_webcam(picture, _AREA)).save(file, "JPEG", quality=70)
        return f"data:image/jpeg;base64,{b64encode(file.getvalue()).decode()}"
