"""Recorded answers of real servers: mediamtx 1.20, LiveKit 1.13, Galène 1.1 and our own."""

import itertools
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.whep.client.endpoint import EndpointKind, endpoint
from sidecar.rooms.whep.client.failures import Failure
from sidecar.rooms.whep.client.protocol import (
    HttpAnswer,
    MakeOffer,
    Negotiation,
    Request,
    Response,
    Step,
)
from tests.sidecar.rooms.whep.client.record import FOLDER, SECRET_SHOWN

NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))
CONNECTED = {name for name in NAMES if name.endswith(("-whip", "-whep"))}


def lines(name: str) -> list[dict[str, Any]]:
    text = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def response(heard: dict[str, Any]) -> Response:
    headers = tuple((name, value) for name, value in heard["headers"])
    return Response(heard["status"], headers, heard["body"].encode())


def said(request: Request | None) -> dict[str, object]:
    assert request is not None
    headers = {
        name: SECRET_SHOWN if name == "Authorization" else value
        for name, value in request.headers.items()
    }
    return {"method": request.method, "url": request.url, "headers": headers}


def test_there_are_transcripts_of_every_server() -> None:
    assert {name.partition("-")[0] for name in NAMES} == {
        "galene",
        "livekit",
        "mediamtx",
        "sidecar",
    }
    assert {"mediamtx-whep", "mediamtx-whip", "livekit-whip", "galene-whip"} <= CONNECTED


@pytest.mark.parametrize("name", NAMES)
def test_a_session_goes_as_it_went(name: str) -> None:
    first, *rest = lines(name)
    about = first["call"]
    token = "token" if about["token"] else ""
    client = Negotiation(endpoint(EndpointKind(about["kind"]), about["url"], token))
    step: Step | None = client.begin()
    for line in rest:
        if isinstance(step, MakeOffer):
            step = client.offer("v=0\r\n")
        if "say" in line:
            assert said(step if isinstance(step, Request) else client.end()) == line["say"]
        elif "hear" in line:
            step = client.receive(response(line["hear"]))
        else:
            assert isinstance(step, HttpAnswer if line["end"] is None else Failure)
            assert line["end"] in (None, str(step))
    assert client.end() is None


HEARD = [response(line["hear"]) for name in NAMES for line in lines(name) if "hear" in line]


@given(st.randoms(use_true_random=False), st.sampled_from(EndpointKind))
def test_in_any_order_they_lead_somewhere(chance: random.Random, kind: EndpointKind) -> None:
    client = Negotiation(endpoint(kind, "http://server.test/x", "token"))
    step: Step = client.begin()
    for _ in itertools.repeat(None, 20):
        if isinstance(step, HttpAnswer | Failure):
            break
        asks = isinstance(step, MakeOffer)
        step = client.offer("v=0") if asks else client.receive(chance.choice(HEARD))
    assert isinstance(step, HttpAnswer | Failure)
