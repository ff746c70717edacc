"""The tables of an evaluation as cells of text: for the terminal, the documents and the page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reactions.training.evaluation.intervals import HourlyRate, Interval, Share
from reactions.training.evaluation.summary import FireRow, RecallRow, Summary


@dataclass(frozen=True, slots=True)
class TextTable:
    """One table."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> Iterator[str]:
        """Its lines."""
        yield from (f"### {self.title}", "")
        yield f"| {' | '.join(self.columns)} |"
        yield f"| {' | '.join('---' for _ in self.columns)} |"
        for row in self.rows:
            yield f"| {' | '.join(row)} |"
        yield ""


_RECALL = ("cases", "hand found, still", "stream", "named, still", "stream", "wrong, still")


def text_tables(summary: Summary) -> list[TextTable]:
    """The tables of ``summary``, the worst first."""
    recall = (*_RECALL, "stream")
    return [
        _fires(summary),
        _footage(summary),
        TextTable("Near hands", ("source", *recall), _recall(summary.near, 1)),
        TextTable("Conditions", ("condition", *recall), _recall(summary.conditions, 1)),
        TextTable("Means over people", _MEANS, _means(summary)),
        TextTable("Skin tones (mannequins)", ("tone", *recall), _recall(summary.tones, 1)),
        TextTable("Labels", ("source", "label", *recall), _recall(summary.recall, 2)),
    ]


def _recall(rows: Sequence[RecallRow], names: int) -> list[list[str]]:
    return [
        [
            *[row.group, row.label][:names],
            str(row.still.of),
            _bare(row.found_still),
            _bare(row.found_stream),
            _share(row.still),
            _share(row.stream),
            _bare(row.wrong_still),
            _bare(row.wrong_stream),
        ]
        for row in rows
    ]


def _fires(summary: Summary) -> TextTable:
    worst = sorted(summary.fires, key=_fired, reverse=True)
    rows = [
        [
            row.source,
            row.name,
            str(row.still.of),
            _share(row.still),
            _share(row.stream),
            _list(row.which),
        ]
        for row in worst
    ]
    return TextTable(
        "What must set nothing off", ("source", "name", "cases", "still", "stream", "which"), rows
    )


def _fired(row: FireRow) -> tuple[float, float]:
    return row.stream.value, row.still.value


def _footage(summary: Summary) -> TextTable:
    rows = [
        [
            row.footage,
            str(row.files),
            f"{row.rate.seconds / 60:.1f}",
            str(row.rate.count),
            _rate(row.rate),
            _list(row.which),
        ]
        for row in summary.footage
    ]
    columns = ("footage", "files", "minutes", "false reactions", "an hour (95 %)", "which")
    return TextTable("False reactions an hour", columns, rows)


_MEANS = ("group", "people", "named, still (95 %)", "stream (95 %)")


def _means(summary: Summary) -> list[list[str]]:
    return [
        [
            row.group,
            str(row.people),
            f"{row.still:.1%} {_ends(row.still_interval)}",
            f"{row.stream:.1%} {_ends(row.stream_interval)}",
        ]
        for row in summary.means
    ]


def _bare(share: Share) -> str:
    return f"{share.hits}"


def _share(share: Share) -> str:
    return f"{share.value:.1%} {_ends(share.interval)}"


def _ends(interval: Interval) -> str:
    return f"({100 * interval.low:.0f}–{100 * interval.high:.0f})"


def _rate(rate: HourlyRate) -> str:
    interval = rate.interval
    return f"{rate.per_hour:.1f} ({interval.low:.1f}–{interval.high:.1f})"


def _list(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items())) or "–"
