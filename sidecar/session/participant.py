"""One participant: consent, camera, samples, reactions, and what the tile shows. No I/O.

``Session``, ``sidecar replay`` and still pictures all run detections through ``process``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, Protocol, TypeAlias

import av

from config.reaction_rule import Kind, ReactionRule
from reactions.geometry import Box
from reactions.labels import LabelScore
from reactions.pipeline import Detection, Memory
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.media.compositor.tiles import HoldMark, StickerMark, TileView
from sidecar.media.feed import Feed
from sidecar.rooms.base import Consent, ReceiverConstraints
from sidecar.session.events import LiveScores, ReactionStep, SessionEvent
from sidecar.session.stats import ParticipantStats, RecentMedian

_Mark: TypeAlias = tuple[int, str]
"""Which of the people in the picture, and the label."""

MAX_CHOICES: Final = 10_000
"""Participants whose choice is kept; the choices of further ones are not."""


class ReactionPolicy(Protocol):
    """Turns one participant's scores over time into reactions: ``reactions.policy.Policy``."""

    def observe(
        self, participant: str, scores: Iterable[LabelScore], time: float
    ) -> list[ReactionEvent]:
        """Take the scores of the sample of ``time`` into account."""
        ...

    def stop(self, participant: str, time: float) -> list[ReactionEvent]:
        """End what ``participant`` has running."""
        ...

    def leave(self, participant: str, time: float) -> list[ReactionEvent]:
        """End what ``participant`` has running and forget them."""
        ...


class Consents:
    """The choice of each participant, also of participants who left or have not joined yet."""

    def __init__(self, default: Consent = Consent.OPT_IN) -> None:
        """``default`` is for participants who made no choice."""
        self.default = default
        self._choices: dict[str, Consent] = {}

    def __getitem__(self, participant: str) -> Consent:
        return self._choices.get(participant, self.default)

    def __setitem__(self, participant: str, consent: Consent) -> None:
        if participant in self._choices or len(self._choices) < MAX_CHOICES:
            self._choices[participant] = consent

    @property
    def made(self) -> Mapping[str, Consent]:
        """The choices that participants made."""
        return dict(self._choices)


class Participant:
    """A participant from joining to leaving, with the camera's ``feed`` where there is one.

    ``rules`` is the reaction table. ``caption`` is drawn into the tile, ``name`` unless given; an
    empty one leaves it out. Times are seconds on the clock of the samples; events carry seconds
    since ``epoch``.
    """

    def __init__(
        self,
        participant: str,
        name: str,
        rules: Mapping[str, ReactionRule],
        policy: ReactionPolicy,
        *,
        consents: Consents | None = None,
        caption: str | None = None,
        feed: Feed | None = None,
        epoch: float = 0.0,
    ) -> None:
        self.participant = participant
        self.name = name
        self.feed = feed
        self.constraints: ReceiverConstraints | None = None
        """What the room was last asked for; None before the first time."""
        self.memory: Memory | None = None
        """What the next detection of this participant needs."""
        self.scores: tuple[LabelScore, ...] = ()
        """Of the newest sample, best first."""
        self.samples = 0
        self.failures = 0
        """Samples whose detection failed."""
        self.sampled_at: float | None = None
        self._caption = name if caption is None else caption
        self._rules = rules
        self._policy = policy
        self._consents = Consents() if consents is None else consents
        self._epoch = epoch
        self._detection_ms = RecentMedian()
        self._progress: dict[_Mark, float] = {}
        self._stickers: dict[_Mark, StickerMark] = {}
        self._holds: dict[_Mark, HoldMark] = {}
        self._face: Box | None = None
        self._other_faces: tuple[Box, ...] = ()

    @property
    def consent(self) -> Consent:
        return self._consents[self.participant]

    @property
    def opted_out(self) -> bool:
        return self.consent is Consent.OPT_OUT

    @property
    def paused(self) -> bool:
        """The room was asked to pause the camera: an old frame is no fault."""
        return self.constraints is not None and self.constraints.paused

    @property
    def progress(self) -> Mapping[str, float]:
        """How much of its hold has passed, 0–1, for each label that is being held; of several
        people in the picture the one who is farthest."""
        return {label: share for (_, label), share in sorted(self._progress.items(), key=_share)}

    @property
    def busy(self) -> bool:
        """A label is being held or a sticker plays."""
        return bool(self._progress or self._stickers)

    def process(self, detection: Detection, time: float) -> list[SessionEvent]:
        """Take the detection of the sample of ``time`` into account; the events that follow.

        The last event is the sample's ``LiveScores``. A participant who opted out, be it while the
        sample was in flight, has no events.
        """
        if self.opted_out:
            return []
        self.samples += 1
        self.sampled_at = time
        # Detectors that rooms share score what other rooms want, too.
        self.scores = tuple(score for score in detection.scores if self._is_on(score.label))
        self.memory = detection.memory
        self._detection_ms.add(detection.milliseconds)
        self._face, self._other_faces = detection.face, detection.other_faces
        self._move_marks(self.scores)
        events = self.apply(self._policy.observe(self.participant, self.scores, time))
        seconds = time - self._epoch
        scores = LiveScores(seconds, self.participant, self.scores, self.progress)
        return [*events, scores]

    def _is_on(self, label: str) -> bool:
        rule = self._rules.get(label)
        return rule is None or rule.kind is not Kind.OFF

    def apply(self, reactions: Iterable[ReactionEvent]) -> list[SessionEvent]:
        """Add and remove marks as the policy's ``reactions`` of this participant say."""
        return [self._apply(reaction) for reaction in reactions]

    def choose(self, consent: Consent, time: float) -> list[SessionEvent]:
        """Opt out, which ends what runs at ``time``, or in."""
        # Also where it is the default, which may change.
        self._consents[self.participant] = consent
        return [] if consent is Consent.OPT_IN else self.stop(time)

    def stop(self, time: float) -> list[SessionEvent]:
        """End what runs at ``time``, and forget what was seen."""
        events = self.apply(self._policy.stop(self.participant, time))
        self.memory = self._face = None
        self._other_faces = ()
        self.scores = ()
        return events

    def leave(self, time: float) -> list[SessionEvent]:
        """End what runs at ``time``; the policy forgets this participant."""
        return self.apply(self._policy.leave(self.participant, time))

    def tile(
        self, frame: av.VideoFrame | None, *, stale: bool = False, pinned: bool = False
    ) -> TileView:
        """The tile with ``frame`` and the marks of this moment."""
        return TileView(
            self.participant,
            self._caption,
            frame,
            stale=stale,
            pinned=pinned,
            stickers=tuple(self._stickers.values()),
            holds=tuple(self._holds.values()),
            face=self._face,
            other_faces=self._other_faces,
        )

    def live_tile(self, now: float, *, pinned: bool) -> TileView:
        """The tile with the newest frame of the feed, at ``now`` on the feed's clock."""
        feed = self.feed
        if feed is None:
            return self.tile(None, pinned=pinned)
        return self.tile(feed.frame, stale=feed.stale(now) and not self.paused, pinned=pinned)

    def stats(self, now: float) -> ParticipantStats:
        """The counters at ``now``."""
        feed = self.feed
        width, height = (None, None) if feed is None or feed.size is None else feed.size
        return ParticipantStats(
            participant=self.participant,
            name=self.name,
            width=width,
            height=height,
            frames_in=0 if feed is None else feed.frames,
            frames_late=0 if feed is None else feed.late,
            samples=self.samples,
            sample_age=None if self.sampled_at is None else now - self.sampled_at,
            detection_ms=self._detection_ms.value,
            stale=feed is None or feed.stale(now),
            opted_out=self.opted_out,
        )

    def _apply(self, reaction: ReactionEvent) -> ReactionStep:
        label = reaction.label
        key = (reaction.person, label)
        self._progress.pop(key, None)
        self._holds.pop(key, None)
        rule = self._rules[label]
        drawn = rule.kind is Kind.STICKER
        match reaction.stage:
            case ReactionStage.PROGRESS if reaction.progress > 0:
                self._progress[key] = reaction.progress
                if drawn:
                    self._holds[key] = HoldMark(reaction.box, reaction.progress, rule.sticker)
            case ReactionStage.STARTED if drawn:
                sticker = rule.sticker or label
                self._stickers[key] = StickerMark(
                    sticker, reaction.time, reaction.box, rule.effect, reaction.person
                )
            case ReactionStage.ENDED:
                self._stickers.pop(key, None)
            case _:
                pass
        return ReactionStep(replace(reaction, time=reaction.time - self._epoch), self.name)

    def _move_marks(self, scores: Iterable[LabelScore]) -> None:
        """Move each mark to where its label is now seen, unless the score is too low to trust."""
        for score in scores:
            if score.score < self._rules[score.label].release:
                continue
            key = (score.person, score.label)
            if (sticker := self._stickers.get(key)) is not None:
                self._stickers[key] = replace(sticker, anchor=score.box)
            if (hold := self._holds.get(key)) is not None:
                self._holds[key] = replace(hold, anchor=score.box)


def _share(progress: tuple[_Mark, float]) -> float:
    return progress[1]
