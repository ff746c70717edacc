"""``POST /v1/annotate``: pictures in, labels out. No picture is kept or logged."""

import asyncio
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from aiohttp import BodyPartReader, StreamReader, web

from config.errors import CapacityError, InputError, SampleDroppedError
from config.reaction_rule import ReactionRule
from reactions.labels import LABELS
from reactions.landmark_types import Sample
from reactions.pipeline import Care, Detection, Memory, first_memory
from sidecar.inference.detector import Detector
from sidecar.server.api.endpoints import Endpoint, Exchange, Query
from sidecar.server.api.streams import StreamMemories
from sidecar.server.api.tokens import Scope
from sidecar.server.api.uploads import FORMATS, Upload, decode_upload
from sidecar.session.stills import LabelReport, label_reports

STREAM: Final = "Sidecar-Stream"
MAX_STREAM_NAME: Final = 128
MAX_BATCH: Final = 32
"""Pictures of one request."""
MAX_BUSY: Final = 64
"""Pictures under way at once; further requests are answered 503."""
DEADLINE: Final = 5.0
"""Seconds that a picture may wait for a worker."""


class AnswerFormat(StrEnum):
    """The JSON that is answered."""

    SIDECAR = "sidecar"
    ROBOFLOW = "roboflow"


@dataclass(frozen=True, slots=True)
class AnnotateOptions:
    """What a request's query and headers ask for."""

    labels: frozenset[str] | None
    care: Care
    format: AnswerFormat
    stream: tuple[str, str] | None


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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._detector = detector
        self._rules = rules
        self._longest = longest
        self._max_bytes = max_bytes
        self._care = default_care
        self._clock = clock
        self._memories = StreamMemories()
        self._busy = 0
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="uploads")

    async def aclose(self) -> None:
        """End the decoding threads."""
        await asyncio.to_thread(self._pool.shutdown)

    def endpoints(self) -> Sequence[Endpoint]:
        """The table."""
        return (
            Endpoint(
                "POST", "/v1/annotate", "annotate", "Label one picture, or several by multipart",
                Scope.ANNOTATE, self.annotate, takes=(*FORMATS, "multipart/form-data"),
                answer=dict[str, Any] | list[dict[str, Any]],
                queries=(
                    Query("labels", "Labels to answer, with commas between", {"type": "string"}),
                    Query(
                        "care", "How carefully a picture without a stream is searched",
                        {"type": "string", "enum": [one.value for one in Care]},
                    ),
                    Query(
                        "format", "The JSON that is answered",
                        {"type": "string", "enum": [one.value for one in AnswerFormat]},
                    ),
                ),
                errors=(400, 413, 415, 422, 503), tag="annotate",
            ),
        )  # fmt: skip

    async def annotate(self, exchange: Exchange) -> web.Response:
        request = exchange.request
        options = self._options(request, exchange.caller.name)
        if request.content_type == "multipart/form-data":
            answer: Any = [
                await self._read(data, kind, options) for data, kind in await self._parts(request)
            ]
        else:
            data = await self._body(request.content)
            answer = await self._read(data, request.content_type, options)
        return web.json_response(answer, headers={"Cache-Control": "no-store"})

    async def _read(
        self, data: bytes, content_type: str, options: AnnotateOptions
    ) -> dict[str, Any]:
        if self._busy >= MAX_BUSY:
            what = f"{MAX_BUSY} pictures are being read already"
            raise CapacityError(what, where="annotate", do="send fewer at once")
        self._busy += 1
        try:
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
        sample = Sample(upload.pixels, now if options.stream else 0.0)
        memory: Memory | None = None
        if options.stream is not None:
            memory = self._memories.get(options.stream, now)
        if memory is None:
            memory = first_memory(options.care, width, height)
        source = "/".join(options.stream) if options.stream else uuid.uuid4().hex
        deadline = time.monotonic() + DEADLINE
        detection = await self._detector.detect(sample, memory, deadline, source=source)
        if options.stream is not None:
            self._memories.put(options.stream, detection.memory, now)
        return detection

    def _answer(
        self, upload: Upload, detection: Detection, options: AnnotateOptions
    ) -> dict[str, Any]:
        reports = [
            report
            for report in label_reports(detection, self._rules)
            if options.labels is None or report.label in options.labels
        ]
        if options.format is AnswerFormat.ROBOFLOW:
            return roboflow_answer(reports, upload.width, upload.height, detection.milliseconds)
        return {
            "width": upload.width,
            "height": upload.height,
            "ms": round(detection.milliseconds, 2),
            "labels": [asdict(report) for report in reports],
            "error": None,
        }

    def _options(self, request: web.Request, caller: str) -> AnnotateOptions:
        """Raises InputError 400 for what is no value."""
        query = request.query
        labels = None
        if "labels" in query:
            labels = frozenset(filter(None, query["labels"].split(",")))
            _require(labels <= self._rules.keys(), "labels", "sidecar config --table lists all")
        care = query.get("care", self._care.value)
        _require(care in set(Care), "care", f"one of {', '.join(Care)}")
        answer = query.get("format", AnswerFormat.SIDECAR.value)
        _require(answer in set(AnswerFormat), "format", f"one of {', '.join(AnswerFormat)}")
        name = request.headers.get(STREAM)
        fits = name is None or (0 < len(name) <= MAX_STREAM_NAME and name.isprintable())
        _require(fits, STREAM, f"1 to {MAX_STREAM_NAME} printable characters")
        stream = None if name is None else (caller, name)
        return AnnotateOptions(labels, Care(care), AnswerFormat(answer), stream)

    async def _parts(self, request: web.Request) -> list[tuple[bytes, str]]:
        """The pictures of a multipart body with their types, in order."""
        parts: list[tuple[bytes, str]] = []
        left = self._max_bytes
        async for part in await request.multipart():
            if len(parts) == MAX_BATCH:
                raise InputError(f"more than {MAX_BATCH} pictures", status=413, do="send fewer")
            data = bytearray()
            if not isinstance(part, BodyPartReader):
                raise InputError("a multipart body inside another", status=422, do="send one level")
            while chunk := await part.read_chunk():
                data += chunk
                if len(data) > left:
                    raise _too_long(self._max_bytes)
            left -= len(data)
            kind = part.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            parts.append((bytes(data), kind))
        return parts

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


def roboflow_answer(
    reports: Collection[LabelReport], width: int, height: int, milliseconds: float
) -> dict[str, Any]:
    """The labels that fire as Roboflow's inference server answers object detection.

    ``supervision.Detections.from_inference`` reads it: centres and sizes are in pixels.
    """
    numbers = {label: number for number, label in enumerate(LABELS)}
    return {
        "inference_id": str(uuid.uuid4()),
        "time": milliseconds / 1000,
        "image": {"width": width, "height": height},
        "predictions": [
            {
                "x": (report.box[0] + report.box[2] / 2) * width,
                "y": (report.box[1] + report.box[3] / 2) * height,
                "width": report.box[2] * width,
                "height": report.box[3] * height,
                "confidence": report.score,
                "class": report.label,
                "class_id": numbers[report.label],
                "detection_id": str(uuid.uuid4()),
            }
            for report in reports
            if report.fires
        ],
    }
