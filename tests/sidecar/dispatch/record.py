"""``python -m tests.sidecar.dispatch.record``: records what a real server says to a worker.

Writes ``worker.jsonl`` beside this file, a message a line, as protobuf's own JSON.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import aiohttp
from google.protobuf.json_format import MessageToDict, ParseDict
from livekit.protocol.agent import ServerMessage

from sidecar.dispatch.protocol import JobAssigned, JobOffered, JobTerminated, WorkerProtocol
from sidecar.rooms.livekit.tokens import KeyPair
from tests.servers.livekit import KEY, SECRET, livekit
from tests.sidecar.dispatch import owner

FILE: Final = Path(__file__).with_name("worker.jsonl")


def transcript() -> list[bytes]:
    """The messages of the recording, as they came over the wire."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [ParseDict(json.loads(line), ServerMessage()).SerializeToString() for line in lines]


async def record() -> None:
    """Register, refuse a job, take another, and let its dispatch be deleted."""
    said: list[bytes] = []
    async with livekit(Path(tempfile.mkdtemp())) as server, aiohttp.ClientSession() as http:
        protocol = WorkerProtocol(owner.AGENT)
        token = KeyPair(KEY, SECRET).worker(time.time())
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{server.address}/agent?protocol=1"
        async with http.ws_connect(url, headers=headers) as socket:
            over = False
            while not over:
                for message in protocol.take():
                    await socket.send_bytes(message)
                data = await socket.receive_bytes(timeout=30)
                said.append(data)
                for event in protocol.receive(data):
                    match event:
                        case JobOffered(job=job):
                            protocol.answer(job.job, available=job.room != "refused")
                        case JobAssigned(job=job):
                            protocol.report_running(job.job)
                            await owner.withdraw(server, job.room, job.dispatch)
                        case JobTerminated():
                            over = True
                if len(said) == 1:
                    protocol.report_load(0.25, 0, full=False)
                    protocol.ping(1000)
                    await owner.dispatch(server, "refused")
                    await owner.dispatch(server, "standup", '{"labels": ["wave"]}')
    _write(said)


def _write(said: Sequence[bytes]) -> None:
    lines = []
    for data in said:
        fields = MessageToDict(ServerMessage.FromString(data))
        if "assignment" in fields:
            fields["assignment"]["token"] = "a.job.token"
        for part in fields.values():
            part.get("job", {}).get("room", {}).pop("turnPassword", None)
        lines.append(json.dumps(fields))
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(record())
