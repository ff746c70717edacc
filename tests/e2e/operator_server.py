"""The server behind the operator's page, with rooms in memory."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page

from config.errors import ConfigError
from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.labels import LABELS
from sidecar.server.api.app import ApiOptions, create_api
from sidecar.server.api.event_endpoints import EventEndpoints
from sidecar.server.api.metrics import MetricSources
from sidecar.server.api.operator_page import OperatorEndpoints, operator_routes
from sidecar.server.api.reaction_endpoints import ReactionEndpoints
from sidecar.server.api.room_endpoints import RoomEndpoints
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import Authenticator, known_token
from sidecar.supervisor.control import Begin, plain_settings
from sidecar.supervisor.handle import RoomHandle
from sidecar.supervisor.journal import Journal
from sidecar.supervisor.reaction_store import ReactionStore
from sidecar.supervisor.room_parts import RoomParts
from sidecar.supervisor.room_urls import check_room_url
from sidecar.supervisor.scored_labels import ScoredLabels
from sidecar.supervisor.secrets import SecretStore
from sidecar.supervisor.supervisor import Supervisor
from sidecar.supervisor.values import RoomRequest
from tests.sidecar.supervisor.fake_handle import FakeHandle
from tests.sidecar.supervisor.memory_handle import MemoryHandle
from tests.sidecar.supervisor.test_scored_labels import Workers, scored
from tests.sidecar.supervisor.world import OPTIONS, REFERENCES

TOKEN = "a-token-that-is-long-enough"
VIEWER = "a-token-that-only-looks-at-rooms"
URL = "wss://sfu.example/#standup"
TABLE = load_reaction_table(LABELS, environ={})
SETTINGS = plain_settings(Settings(composite={"width": 320, "height": 180, "fps": 5}))


REFUSED = ConfigError("HTTP 401: token required", where="sfu", do="give LIVEKIT_API_KEY in secrets")


def make(request: RoomRequest) -> RoomHandle:
    """A room in memory, or one that fails where its URL says so."""
    return FakeHandle(REFUSED) if "refused" in request.url else MemoryHandle()


def check(request: RoomRequest) -> str:
    check_room_url(request.url)
    return request.url


@asynccontextmanager
async def serving(
    *, token: bool = False, labels: Collection[str] = ("wave",)
) -> AsyncIterator[tuple[Supervisor, str]]:
    """A supervisor of rooms in memory, and the address of its page; ``labels`` are scored."""
    with TemporaryDirectory() as folder:
        store = ReactionStore(Path(folder), TABLE)

        def begin(room: str, request: RoomRequest, secrets: Mapping[str, str]) -> Begin:
            rules = store.table(room)
            table = {label: rule.model_dump(mode="json") for label, rule in rules.items()}
            return Begin(
                room=room, request=request, secrets=dict(secrets), settings=SETTINGS, table=table
            )

        supervisor = Supervisor(
            replace(OPTIONS, cores=100.0),
            RoomParts(make, begin, check),
            journal=Journal(None),
            store=SecretStore(),
            references=REFERENCES,
        )
        known = (known_token(TOKEN, "one"), known_token(VIEWER, "two", ["rooms"]))
        authenticator = Authenticator(known if token else ())
        app = application(supervisor, store, authenticator, scored(Workers(), labels))
        async with supervisor, TestServer(app) as server:
            yield supervisor, str(server.make_url("/"))


def application(
    supervisor: Supervisor,
    store: ReactionStore,
    authenticator: Authenticator,
    labels: ScoredLabels,
) -> web.Application:
    """The API that the page calls, and the page."""
    sources = MetricSources(supervisor)
    page = OperatorEndpoints(sources, authenticator, lambda: ["thumbs_up", "wave"])
    return create_api(
        [
            *RoomEndpoints(supervisor).endpoints(),
            *EventEndpoints(supervisor).endpoints(),
            *ReactionEndpoints(supervisor, store, labels).endpoints(),
            *page.endpoints(),
        ],
        SystemEndpoints(sources, faults=list, drain=lambda: None),
        authenticator,
        ApiOptions("127.0.0.1", rate=1000.0),
        pages=operator_routes(),
    )


async def log_in(page: Page, token: str = TOKEN) -> None:
    """Log in by the form."""
    await page.get_by_label("Token").fill(token)
    await page.keyboard.press("Enter")
    await page.locator("#views").wait_for()


async def join(page: Page, url: str = URL) -> None:
    """Join a room by the form and wait until it is live."""
    await page.fill("#url", url)
    await page.get_by_role("button", name="Join", exact=True).click()
    await page.locator('#rooms .state[data-state="live"]').first.wait_for()


async def confirm(page: Page, action: str) -> None:
    """Say yes in the dialog whose button says ``action``."""
    await page.locator("#ask").get_by_role("button", name=action, exact=True).click()
