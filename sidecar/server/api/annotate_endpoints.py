"""``POST /v1/annotate``: pictures in, labels out. No picture is kept or logged."""

import asyncio
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from time import monotonic
from typing import Final

from aiohttp import BodyPartReader, StreamReader, web

from config.errors import CapacityError, ForbiddenError, InputError, SampleDroppedError
from config.reaction_rule import Kind, ReactionRule
from reactions.labels import LABELS, families_for
from reactions.landmark_types import ModelFamily, Sample
from reactions.pipeline import Care, Detection, Memory, first_memory
from sidecar.inference.detector import Detector
from sidecar.server.api.annotate_answers import (
    AnnotateAnswer,
    LandmarkedAnswer,
    OneAnswer,
    PictureAnswer,
    inference_answer,
)
from sidecar.server.api.endpoints import Endpoint, Exchange, Parameter
from sidecar.server.api.picture_fetcher import PictureFetcher, PictureUrl, read_picture_url
from sidecar.server.api.streams import StreamMemories
from sidecar.server.api.tokens import Scope
from sidecar.server.api.uploads import FORMATS, Upload, decode_plain, decode_upload
from sidecar.session.stills import label_reports

STREAM: Final = "Sidecar-Stream"
STREAM_NAME: Final = r"^[!-~]([ -~]{0,126}[!-~])?$"
JSON: Final = "application/json"
MULTIPART: Final = "multipart/form-data"
MAX_BATCH: Final = 32
"""Pictures of one request."""
MAX_BUSY: Final = 64
"""Pictures under way at once; further requests are answered 503."""
GOLDEN: Final = (5**0.5 - 1) / 2
"""Multiples of the golden ratio, modulo 1, lie apart however many there are: phases of streams."""
DEADLINE: Final = 5.0
"""Seconds that a picture may wait for a worker."""


class AnswerFormat(StrEnum):
    """The JSON that is answered."""

    SIDECAR = "sidecar"
    ROBOFLOW = "roboflow"


_CARES: Final = frozenset(Care)
_FORMATS: Final = frozenset(AnswerFormat)


@dataclass(frozen=True, slots=True)
class AnnotateOptions:
    """What a request's query and headers ask for."""

    labels: frozenset[str] | None
    care: Care
    format: AnswerFormat
    landmarks: bool
    stream: tuple[str, str] | None

    @property
    def families(self) -> frozenset[ModelFamily] | None:
        """The models that the answer needs; None for all, as taught labels may need any."""
        if self.labels is None or self.landmarks or not self.labels <= LABELS.keys():
            return None
        return families_for(self.labels)


class AnnotateEndpoints:
    """The annotate service over ``detector`` and the reaction table ``rules``."""

    def __init__(
        self,
        detector: Detector,
        rules: Mapping[str, ReactionRule],
        *,
        longest: int = 640,
        max_bytes: int = 8 << 20,
        default_care: Care = Care.NONE,
        pictures: PictureFetcher | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """``pictures`` fetches those that a request names by URL; None where that is off."""
        self._detector = detector
        self._rules = rules
        self._longest = longest
        self._max_bytes = max_bytes
        self._care = default_care
        self._pictures = pictures
        self._clock = clock
        self._memories = StreamMemories()
        self._phases = (number * GOLDEN % 1.0 for number in count())
        self._busy = 0
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="uploads")

    def change_rules(self, rules: Mapping[str, ReactionRule]) -> None:
        """Go on with another reaction table."""
        self._rules = rules

    async def aclose(self) -> None:
        """End the decoding threads."""
        await asyncio.to_thread(self._pool.shutdown)

    @property
    def labels(self) -> Sequence[str]:
        """The labels that the reaction table has on."""
        return [label for label, rule in self._rules.items() if rule.kind is not Kind.OFF]

    def endpoints(self) -> Sequence[Endpoint]:
        """The table."""
        return (
            Endpoint(
                "POST", "/v1/annotate", "annotate", "Label one picture, or several by multipart",
                Scope.ANNOTATE, self.annotate, takes=(*FORMATS, MULTIPART), answer=AnnotateAnswer,
                parameters=self._parameters(), errors=(400, 413, 415, 422, 503), tag="annotate",
                json_body=None if self._pictures is None else PictureUrl,
            ),
        )  # fmt: skip

    def _parameters(self) -> tuple[Parameter, ...]:
        known = {"type": "string", "enum": list(self._rules)}
        return (
            Parameter(
                "labels", "Labels to answer, with commas between; all unless given. "
                "Models that none of them needs do not run",
                {"type": "array", "items": known, "minItems": 1},
            ),
            Parameter(
                "care", "How carefully a picture without a past is searched",
                {"type": "string", "enum": list(Care), "default": self._care.value},
            ),
            Parameter(
                "format", "The JSON that is answered",
                {"type": "string", "enum": list(AnswerFormat), "default": "sidecar"},
            ),
            Parameter(
                "landmarks", "1 answers the landmarks too; not in Roboflow's format",
                {"type": "string", "enum": ["0", "1"], "default": "0"},
            ),
            Parameter(
                STREAM, "Names the stream of which this is the next frame",
                {"type": "string", "pattern": STREAM_NAME}, place="header",
            ),
        )  # fmt: skip

    async def annotate(self, exchange: Exchange) -> AnnotateAnswer:
        request = exchange.request
        options = self._options(request, exchange.caller.name)
        if request.content_type != MULTIPART:
            data, kind = await self._body(request.content), request.content_type
            if kind == JSON:
                data, kind = await self._fetch(data)
            return await self._read(data, kind, options)
        parts = await self._parts(request)
        if options.stream is not None:
            # The frames of a stream follow each other.
            return [await self._read_part(*part, options) for part in parts]
        reading = (self._read_part(*part, options) for part in parts)
        return list(await asyncio.gather(*reading))

    async def _fetch(self, body: bytes) -> tuple[bytes, str]:
        if self._pictures is None:
            do = "send the picture itself, or set serve.picture_urls"
            raise ForbiddenError("this server fetches no pictures", where="url", do=do)
        return await self._pictures.fetch(read_picture_url(body))

    async def _read_part(
        self, data: bytes, content_type: str, options: AnnotateOptions
    ) -> OneAnswer:
        """One picture of a batch; one that can't be read gives an answer with an error."""
        try:
            return await self._read(data, content_type, options)
        except InputError as error:
            if options.format is AnswerFormat.ROBOFLOW:
                raise
            nothing = (None, None, None, (), str(error))
            return (
                LandmarkedAnswer(*nothing, None) if options.landmarks else PictureAnswer(*nothing)
            )

    async def _read(self, data: bytes, content_type: str, options: AnnotateOptions) -> OneAnswer:
        if self._busy >= MAX_BUSY:
            what = f"{MAX_BUSY} pictures are being read already"
            raise CapacityError(what, where="annotate", do="send fewer at once")
        self._busy += 1
        try:
            upload = decode_plain(data, content_type, self._longest)
            if upload is None:
                upload = await asyncio.get_running_loop().run_in_executor(
                    self._pool, decode_upload, data, content_type, self._longest
                )
            detection = await self._detect(upload, options)
        except SampleDroppedError as error:
            do = "send fewer at once, and one frame of a stream after the other"
            raise CapacityError(error.what, where="annotate", do=do) from error
        finally:
            self._busy -= 1
        return self._answer(upload, detection, options)

    async def _detect(self, upload: Upload, options: AnnotateOptions) -> Detection:
        now = self._clock()
        height, width = upload.pixels.shape[:2]
        time = now if options.stream else 0.0
        sample = Sample(upload.pixels, time, options.landmarks, options.families)
        memory: Memory | None = None
        if options.stream is not None:
            memory = self._memories.get(options.stream, now)
        first = memory is None
        if memory is None:
            memory = first_memory(options.care, width, height)
        source = "/".join(options.stream) if options.stream else uuid.uuid4().hex
        deadline = monotonic() + DEADLINE
        detection = await self._detector.detect(sample, memory, deadline, source=source)
        if options.stream is not None:
            kept = detection.memory.never_frozen()
            if first:
                kept = kept.staggered(next(self._phases))
            self._memories.put(options.stream, kept, now)
        return detection

    def _answer(self, upload: Upload, detection: Detection, options: AnnotateOptions) -> OneAnswer:
        reports = tuple(
            report
            for report in label_reports(detection, self._rules)
            if options.labels is None or report.label in options.labels
        )
        size = upload.width, upload.height
        if options.format is AnswerFormat.ROBOFLOW:
            labels = list(self._rules)
            return inference_answer(reports, *size, detection.milliseconds, labels)
        answered = (*size, round(detection.milliseconds, 2), reports, None)
        if options.landmarks:
            return LandmarkedAnswer(*answered, detection.landmarks)
        return PictureAnswer(*answered)

    def _options(self, request: web.Request, caller: str) -> AnnotateOptions:
        """Raises InputError 400 for what is no value."""
        query = request.query
        labels = None
        if "labels" in query:
            labels = frozenset(",".join(query.getall("labels")).split(","))
            _require(labels <= self._rules.keys(), "labels", "sidecar config --table lists all")
        care = query.get("care", self._care.value)
        _require(care in _CARES, "care", f"one of {', '.join(Care)}")
        answer = query.get("format", AnswerFormat.SIDECAR.value)
        _require(answer in _FORMATS, "format", f"one of {', '.join(AnswerFormat)}")
        landmarks = query.get("landmarks", "0")
        _require(landmarks in {"0", "1"}, "landmarks", "0 or 1")
        name = request.headers.get(STREAM)
        fits = name is None or re.match(STREAM_NAME, name) is not None
        _require(fits, STREAM, "1 to 128 printable characters of ASCII")
        stream = None if name is None else (caller, name)
        return AnnotateOptions(labels, Care(care), AnswerFormat(answer), landmarks == "1", stream)

    async def _parts(self, request: web.Request) -> list[tuple[bytes, str]]:
        """The pictures of a multipart body with their types, in order."""
        parts: list[tuple[bytes, str]] = []
        left = self._max_bytes
        try:
            async for part in await request.multipart():
                if len(parts) == MAX_BATCH:
                    raise InputError(f"more than {MAX_BATCH} pictures", status=413, do="send fewer")
                if not isinstance(part, BodyPartReader):
                    what = "a multipart body inside another"
                    raise InputError(what, status=422, do="send one level")
                data = await self._part(part, left)
                left -= len(data)
                kind = part.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                parts.append((data, kind))
        except (ValueError, AssertionError, RuntimeError, LookupError) as error:
            # What aiohttp's reader raises on bodies that are not multipart.
            what = "the body is not multipart/form-data"
            raise InputError(what, status=422, do="send it whole, with its boundary") from error
        return parts

    async def _part(self, part: BodyPartReader, limit: int) -> bytes:
        data = bytearray()
        while chunk := await part.read_chunk():
            data += chunk
            if len(data) > limit:
                raise _too_long(self._max_bytes)
        return bytes(data)

    async def _body(self, content: StreamReader) -> bytes:
        data = bytearray()
        async for chunk in content.iter_any():
            data += chunk
            if len(data) > self._max_bytes:
                raise _too_long(self._max_bytes)
        return bytes(data)


def _require(fits: bool, where: str, do: str) -> None:
    if not fits:
        raise InputError("not a value that is taken", status=400, where=where, do=do)


def _too_long(limit: int) -> InputError:
    return InputError(f"the body exceeds {limit} bytes", status=413, do="send less at once")
