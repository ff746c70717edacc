"""One participant as a session or a replay keeps them: what is known, and what they wear. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import av

from config.reaction_rule import Kind, ReactionRule
from reactions.geometry import Box
from reactions.labels import LabelScore
from reactions.pipeline import Detection, Memory
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.media.compositor.tiles import HoldMark, StickerMark, TileView


class Seat:
    """Fed with detections and with the policy's events; gives the tile to draw.

    ``name`` is written into the tile; an empty one leaves it out.
    """

    def __init__(self, participant: str, name: str, table: Mapping[str, ReactionRule]) -> None:
        self.participant = participant
        self.name = name
        self.memory: Memory | None = None
        """What the next detection of this participant needs."""
        self.progress: dict[str, float] = {}
        """How much of its hold has passed, 0–1, for each label that is being held."""
        self._table = table
        self._stickers: dict[str, StickerMark] = {}
        self._holds: dict[str, HoldMark] = {}
        self._face: Box | None = None

    def see(self, detection: Detection) -> None:
        """Remember what a detection is for the next one, and move the marks along."""
        self.memory = detection.memory
        self._face = detection.face
        self._follow(detection.scores)

    def apply(self, events: Iterable[ReactionEvent]) -> None:
        """Put marks on and take them off, as the policy says."""
        for event in events:
            self.progress.pop(event.label, None)
            self._holds.pop(event.label, None)
            match event.stage:
                case ReactionStage.PROGRESS if event.progress > 0:
                    self.progress[event.label] = event.progress
                    if self._drawn(event.label):
                        self._holds[event.label] = self._hold(event)
                case ReactionStage.STARTED if self._drawn(event.label):
                    self._stickers[event.label] = self._sticker(event)
                case ReactionStage.ENDED:
                    self._stickers.pop(event.label, None)
                case _:
                    pass

    def forget(self) -> None:
        """Take off everything and start from nothing, as after an opt-out."""
        self.memory = self._face = None
        self.progress.clear()
        self._stickers.clear()
        self._holds.clear()

    @property
    def decorated(self) -> bool:
        """Wears a sticker."""
        return bool(self._stickers)

    def tile(
        self, frame: av.VideoFrame | None, *, stale: bool = False, pinned: bool = False
    ) -> TileView:
        """The participant with ``frame`` and the marks of this moment."""
        return TileView(
            self.participant,
            self.name,
            frame,
            stale=stale,
            pinned=pinned,
            stickers=tuple(self._stickers.values()),
            holds=tuple(self._holds.values()),
            face=self._face,
        )

    def _drawn(self, label: str) -> bool:
        return self._table[label].kind is Kind.STICKER

    def _hold(self, event: ReactionEvent) -> HoldMark:
        return HoldMark(event.box, event.progress, self._table[event.label].sticker)

    def _sticker(self, event: ReactionEvent) -> StickerMark:
        rule = self._table[event.label]
        return StickerMark(rule.sticker or event.label, event.time, event.box, rule.effect)

    def _follow(self, scores: Iterable[LabelScore]) -> None:
        for score in scores:
            if score.score < self._table[score.label].release:
                continue
            if (sticker := self._stickers.get(score.label)) is not None:
                self._stickers[score.label] = replace(sticker, anchor=score.box)
            if (hold := self._holds.get(score.label)) is not None:
                self._holds[score.label] = replace(hold, anchor=score.box)
