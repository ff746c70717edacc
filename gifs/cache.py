"""Stickers by name and size, decoded once."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Final, TypeAlias

from config.errors import StickerError
from gifs.animation import Animation
from gifs.catalogue import EFFECTS, find_sticker, own_file
from gifs.loader import StickerLimits, load_sticker

DEFAULT_BYTES: Final = 256 << 20
"""Room for a few full-frame effects (about 25 MiB at 640x360) and hundreds of stickers."""

_CHECK_SIZE: Final = 16
"""Pixels a side at which ``check`` decodes a sticker: small, since only errors count."""

_Key: TypeAlias = tuple[str, int, int]


@dataclass(slots=True)
class _Slot:
    """One sticker at one size; the thread that holds the lock first decodes it."""

    lock: Lock = field(default_factory=Lock)
    outcome: Animation | StickerError | None = None


class StickerCache:
    """Animations of shipped stickers and of the files in ``folders``.

    Thread-safe: two threads that need the same sticker decode it once, and none waits for a
    sticker of another name. At most ``max_bytes`` of planes are kept, those used most recently; an
    animation that would take more than half of them loses frames. A file that can't be used stays
    refused until the process ends.
    """

    def __init__(
        self,
        folders: Sequence[Path] = (),
        *,
        max_bytes: int = DEFAULT_BYTES,
        limits: StickerLimits | None = None,
    ) -> None:
        self._folders = tuple(folders)
        self._max_bytes = max_bytes
        self._limits = limits or StickerLimits()
        self._slots: OrderedDict[_Key, _Slot] = OrderedDict()
        self._lock = Lock()
        self._nbytes = 0

    @property
    def nbytes(self) -> int:
        """Bytes of all planes that are kept now."""
        return self._nbytes

    def get(self, name: str, width: int, height: int) -> Animation:
        """The sticker ``name`` within ``width`` x ``height`` pixels, each rounded down to even.

        A shipped sticker has a bare name (``thumbs_up``), a user's its file name (``party.webp``).
        A sticker keeps its shape inside a transparent frame; shipped effects fill the whole frame.
        The first call for a size decodes, which takes tens of milliseconds. Raises `StickerError`
        when the name is unknown or the file can't be used.
        """
        key = name, max(width - width % 2, 2), max(height - height % 2, 2)
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
        with slot.lock:
            if slot.outcome is None:
                slot.outcome = self._load(*key)
                if isinstance(slot.outcome, Animation):
                    self._make_room(slot.outcome.nbytes, keep=key)
            outcome = slot.outcome
        if isinstance(outcome, StickerError):
            # A new one each time: raising the same again would make its traceback longer each time.
            raise StickerError(outcome.what, where=outcome.where, do=outcome.do)
        return outcome

    def prepare(self, name: str, width: int, height: int) -> None:
        """Decode what ``get`` will return, now; raises what that raises."""
        self.get(name, width, height)

    def refresh(self) -> None:
        """The files in the user's folders may have changed: decode them again when asked for.

        Animations that were handed out stay as they are.
        """
        with self._lock:
            for key in [key for key in self._slots if own_file(key[0]) is None]:
                outcome = self._slots.pop(key).outcome
                if isinstance(outcome, Animation):
                    self._nbytes -= outcome.nbytes

    def check(self, names: Iterable[str]) -> Mapping[str, StickerError]:
        """Decode each of ``names`` to the end and return those that can't be used, and why."""
        failures: dict[str, StickerError] = {}
        for name in dict.fromkeys(names):
            try:
                load_sticker(
                    find_sticker(name, self._folders), _CHECK_SIZE, _CHECK_SIZE, self._limits
                )
            except StickerError as error:
                failures[name] = error
        return failures

    def _load(self, name: str, width: int, height: int) -> Animation | StickerError:
        try:
            return load_sticker(
                find_sticker(name, self._folders),
                width,
                height,
                self._limits,
                cover=name in EFFECTS,
                max_bytes=self._max_bytes // 2,
            )
        except StickerError as error:
            return error.with_traceback(None)

    def _make_room(self, nbytes: int, *, keep: _Key) -> None:
        with self._lock:
            if keep not in self._slots:
                # The files were refreshed while this one was decoded.
                return
            self._nbytes += nbytes
            for key, slot in list(self._slots.items()):
                if self._nbytes <= self._max_bytes:
                    break
                if key != keep and isinstance(slot.outcome, Animation):
                    del self._slots[key]
                    self._nbytes -= slot.outcome.nbytes
