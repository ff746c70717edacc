"""The tables of an evaluation as cells of text: for the terminal, the documents and the page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reactions.training.evaluation.intervals import HourlyRate, Interval, Share
from reactions.training.evaluation.rows import FireRow, RecallRow
from reactions.training.evaluation.summary import Summary


@dataclass(frozen=True, slots=True)
class TextTable:
    """One table."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self, heading: str = "### ") -> Iterator[str]:
        """Its lines; ``heading`` is what marks its title."""
        yield from (f"{heading}{self.title}", "")
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
        _aims(summary),
        _labels(summary),
        _fires(summary.fires, "What must set nothing off"),
        _footage(summary),
        _clips(summary),
        _sources(summary),
        _conditions(summary),
        TextTable("Near hands", ("condition, source", *recall), _recall(summary.near, 1)),
        TextTable("Skin tones", ("who", *recall), _recall(summary.tones, 1)),
        _fires(summary.tone_fires, "Skin tones: what must set nothing off"),
        TextTable("Means", _MEANS, _means(summary)),
        TextTable("Sources and labels", ("source", "label", *recall), _recall(summary.recall, 2)),
    ]


def _aims(summary: Summary) -> TextTable:
    rows = [
        [
            aim.name,
            f"{'at most' if aim.at_most else 'at least'} {aim.target:.1%}",
            str(aim.stream.of),
            "–" if aim.still is None else _share(aim.still),
            _share(aim.stream),
            "missed" if aim.missed else "reached",
        ]
        for aim in summary.aims
    ]
    return TextTable("Aims", ("what", "aim", "cases", "still", "stream", ""), rows)


def _labels(summary: Summary) -> TextTable:
    rows = [
        [
            row.label,
            f"{row.still.of} ({row.sources})",
            "–" if row.moves or not row.still.of else _share(row.still),
            _share(row.stream) if row.stream.of else "–",
            f"{row.mean_stream:.1%}" if row.stream.of else "–",
            "–" if row.moves or not row.drawn_still.of else f"{row.drawn_still.hits}",
            f"{row.drawn_stream.hits} of {row.drawn_stream.of}" if row.drawn_stream.of else "–",
        ]
        for row in summary.labels
    ]
    columns = ("label", "photos (sources)", "named, still", "stream", "stream, mean of sources")
    return TextTable("Labels", (*columns, "mannequins, still", "mannequins, stream"), rows)


def _sources(summary: Summary) -> TextTable:
    rows = [
        [
            row.source,
            "yes" if row.trained_on else "no",
            str(row.still.of),
            _share(row.still),
            _share(row.stream),
            f"{row.others_still:.1%}",
            f"{row.others_stream:.1%}",
            "–" if row.held_out is None else f"{row.held_out:.1%}",
        ]
        for row in summary.sources
    ]
    columns = ("source", "trained on", "photos", "named, still", "stream")
    others = ("mean without it, still", "mean without it, stream", "hands, classifier without it")
    return TextTable("Leave one source out", (*columns, *others), rows)


def _conditions(summary: Summary) -> TextTable:
    rows = [
        [
            row.changed.group,
            str(row.changed.still.of),
            _bare(row.changed.found_still),
            _bare(row.changed.found_stream),
            _share(row.changed.still),
            _share(row.changed.stream),
            f"{row.plain_still.value:.1%}",
            f"{row.plain_stream.value:.1%}",
            _bare(row.changed.wrong_still),
            _bare(row.changed.wrong_stream),
        ]
        for row in sorted(summary.conditions, key=lambda row: row.changed.stream.value)
    ]
    named = ("named, still", "stream", "as they are, still", "stream", "wrong, still", "stream")
    columns = ("condition", "photos", "hand found, still", "stream", *named)
    return TextTable("Conditions", columns, rows)


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


def _fires(fires: Sequence[FireRow], title: str) -> TextTable:
    worst = sorted(fires, key=_fired, reverse=True)
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
    return TextTable(title, ("source", "name", "cases", "still", "stream", "which"), rows)


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


def _clips(summary: Summary) -> TextTable:
    rows = [
        [row.source, row.name, row.shows, f"{row.seconds:.0f}", _list(row.started)]
        for row in summary.clips
    ]
    columns = ("source", "name", "shows", "seconds", "what starts, events included")
    return TextTable("Clips", columns, rows)


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
