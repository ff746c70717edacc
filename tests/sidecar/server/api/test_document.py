"""The API does what its OpenAPI document says: schemathesis tries it, with rooms in memory."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
from aiohttp.test_utils import BaseTestServer, TestServer

from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.bundle import ModelBundle
from reactions.labels import LABELS
from sidecar.addresses import AddressRule
from sidecar.serve.engine import local_engine
from sidecar.serve.plan import ServePlan
from sidecar.serve.server import open_server
from sidecar.server.api.annotate_endpoints import AnnotateEndpoints
from sidecar.server.api.app import ApiOptions, create_api
from sidecar.server.api.event_endpoints import EventEndpoints
from sidecar.server.api.metrics import MetricSources
from sidecar.server.api.model_endpoints import ModelEndpoints
from sidecar.server.api.operator_page import OperatorEndpoints
from sidecar.server.api.picture_fetcher import PictureFetcher
from sidecar.server.api.reaction_endpoints import ReactionEndpoints
from sidecar.server.api.room_endpoints import RoomEndpoints
from sidecar.server.api.snapshot_endpoints import SnapshotEndpoints
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import Authenticator, environment_tokens
from sidecar.server.api.webhook_endpoints import WebhookEndpoints
from sidecar.supervisor.control import Begin, plain_settings
from sidecar.supervisor.journal import Journal
from sidecar.supervisor.model_store import BundleStore
from sidecar.supervisor.reaction_store import ReactionStore
from sidecar.supervisor.room_parts import RoomParts
from sidecar.supervisor.room_urls import check_room_url
from sidecar.supervisor.secrets import SecretStore
from sidecar.supervisor.snapshot_folder import SnapshotFolder
from sidecar.supervisor.supervisor import Supervisor
from sidecar.supervisor.values import RoomRequest
from tests.sidecar.supervisor.memory_handle import MemoryHandle, NothingSeen
from tests.sidecar.supervisor.test_scored_labels import Workers, scored
from tests.sidecar.supervisor.world import OPTIONS, REFERENCES, live

TOKEN = "a-token-that-is-long-enough"
TABLE = load_reaction_table(LABELS, environ={})
RULES = {label: rule.model_dump(mode="json") for label, rule in TABLE.items()}
SETTINGS = plain_settings(Settings(composite={"width": 320, "height": 180, "fps": 5}))
EXAMPLES = os.environ.get("SIDECAR_API_EXAMPLES", "")
"""Of each operation and phase: CI tries more, and each boundary of every value."""
PHASES = "examples,coverage,fuzzing,stateful" if EXAMPLES else "fuzzing,stateful"
RUN = "from schemathesis.cli import schemathesis; schemathesis()"


def begin(room: str, request: RoomRequest, secrets: Mapping[str, str]) -> Begin:
    return Begin(room=room, request=request, secrets=dict(secrets), settings=SETTINGS, table=RULES)


async def use(bundle: ModelBundle) -> None:
    """There are no workers that would load it."""


def check(request: RoomRequest) -> str:
    check_room_url(request.url)
    return "wss://sfu.example"


def configuration(kept: str, deleted: str) -> str:
    """What the document can't say: a room that is there, and values of which no schema knows
    whether they mean something."""
    return f"""
[parameters]
"path.room" = "{kept}"
"path.participant" = "ada"

[[operations]]
include-operation-id = "deleteRoom"
parameters = {{ "path.room" = "{deleted}" }}

[[operations]]
include-operation-id = "createRoom"
checks.positive_data_acceptance.expected-statuses = [201, 200, 400, 409, 503]

[[operations]]
include-operation-id = "changeRoom"
checks.positive_data_acceptance.expected-statuses = [200, 400]

[[operations]]
include-operation-id-regex = "^put.*Sticker$"
checks.positive_data_acceptance.expected-statuses = [200, 400, 422]

[[operations]]
include-operation-id-regex = "^(put|patch).*ReactionTable$"
checks.positive_data_acceptance.expected-statuses = [200, 400]

[[operations]]
include-operation-id = "react"
checks.ensure_resource_availability.enabled = false

[[operations]]
include-operation-id = "annotate"
checks.positive_data_acceptance.expected-statuses = [200, 403, 422]

[[operations]]
include-operation-id = "activateModels"
parameters = {{ "path.bundle" = "shipped" }}

[[operations]]
include-operation-id = "rollBackModels"
checks.positive_data_acceptance.expected-statuses = [200, 409]

[[operations]]
include-operation-id = "redeliver"
parameters = {{ "path.number" = "1" }}
checks.positive_data_acceptance.expected-statuses = [202, 404]

[[operations]]
include-operation-id = "logIn"
checks.positive_data_acceptance.expected-statuses = [204, 401]
"""


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[Supervisor, BaseTestServer]]:
    supervisor = Supervisor(
        replace(OPTIONS, cores=100.0),
        RoomParts(lambda _: MemoryHandle(), begin, check),
        journal=Journal(None),
        store=SecretStore(),
        references=REFERENCES,
    )
    store = ReactionStore(folder, TABLE)
    # The addresses that schemathesis names are of no server.
    fetcher = PictureFetcher(AddressRule.PUBLIC, max_bytes=1024, timeout=0.05)
    annotate = AnnotateEndpoints(NothingSeen(), TABLE, pictures=fetcher)
    authenticator = Authenticator(tuple(environment_tokens({"SIDECAR_API_TOKEN": TOKEN})))
    sources = MetricSources(supervisor)
    models = ModelEndpoints(BundleStore(folder / "models"), use)
    operator = OperatorEndpoints(sources, authenticator, lambda: annotate.labels)
    async with supervisor, fetcher:
        app = create_api(
            [
                *RoomEndpoints(supervisor).endpoints(),
                *EventEndpoints(supervisor).endpoints(),
                *WebhookEndpoints(supervisor.webhooks).endpoints(),
                *annotate.endpoints(),
                *ReactionEndpoints(supervisor, store, scored(Workers())).endpoints(),
                *SnapshotEndpoints(supervisor, SnapshotFolder(folder / "pictures", 1)).endpoints(),
                *models.endpoints(),
                *operator.endpoints(),
            ],
            SystemEndpoints(sources, faults=list, drain=lambda: None),
            authenticator,
            ApiOptions("127.0.0.1", rate=10_000.0),
        )
        async with TestServer(app) as server:
            yield supervisor, server
    await annotate.aclose()


async def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as (supervisor, server):
        rooms = [(await live(supervisor)).id for _ in range(2)]
        file = tmp_path / "schemathesis.toml"
        file.write_text(configuration(*rooms))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", RUN, "--config-file", str(file)),
            *("run", str(server.make_url("/v1/openapi.json"))),
            *("--header", f"Authorization: Bearer {TOKEN}"),
            # Streams do not end.
            *("--exclude-path-regex", "/events$"),
            # A busy machine is no fault of the API.
            *("--request-timeout", "60"),
            *("--seed", "1", "--max-examples", EXAMPLES or "5", "--phases", PHASES),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


async def test_schemathesis_tries_every_endpoint_of_the_server(tmp_path: Path) -> None:
    own = {"journal": tmp_path / "rooms.db", "data_folder": tmp_path, "picture_urls": True}
    settings = Settings(server={"port": 0}, serve=own)
    plan = ServePlan(environ={"SIDECAR_API_TOKEN": TOKEN})
    async with (
        serving(tmp_path / "tried") as (_, tried),
        open_server(
            plan, settings, TABLE, local_engine(settings, lambda _: NothingSeen())
        ) as served,
        aiohttp.ClientSession() as http,
    ):
        urls = (str(tried.make_url("/v1/openapi.json")), served.listener.url("/v1/openapi.json"))
        documents = []
        for url in urls:
            async with http.get(url) as answer:
                documents.append(await answer.json())
    ours, theirs = documents
    assert ours["paths"] == theirs["paths"]
    assert ours["components"] == theirs["components"]
