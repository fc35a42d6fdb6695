"""A client of the running service, and the fake recommender behind it; everything else is the real thing."""

import asyncio
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import aiohttp
import msgspec

from events.catalog import Recipe, RecipeStored
from events.event import Metadata
from recsys.errors import RecommenderUnavailable
from recsys.recommender.index import Outage
from recsys.recommender.options import Options
from recsys.recommender.understanding import Understanding
from recsys.services import Services

NOW = 1_735_572_600_000_000  # 2024-12-30T15:30:00Z
RECIPES = [
    Recipe(recipe_id=f"test-{name}", name=name, language="es", ingredients=["pollo"], steps=["Hornear."], minutes=30)
    for name in ("pollo", "arroz", "sopa")
]


class FakeRecommendation(msgspec.Struct, frozen=True, kw_only=True):
    recipes: list[Recipe]
    scores: list[float]
    ratings: list[float | None]
    latency_ms: dict[str, float] = msgspec.field(default_factory=lambda: {"embedding": 2.0, "total": 3.0})
    language: str = "es"
    degraded: list[str] = []
    model_id: str = "hybrid_ranker"
    model_version: str = "1.0.0"
    understanding: Understanding | None = None
    features: list[dict[str, float]] = []
    missing: list[list[str]] = []


class FakeRecommender:
    """Answers with the first recipes; `failure` makes it fail, `gate` makes it wait."""

    def __init__(self) -> None:
        self.degraded: list[str] = []
        self.outages: list[Outage] = []
        self.unembedded = self.unindexed = 0
        self.failure: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.asked = 0
        self._asked = asyncio.Condition()

    async def until_asked(self, times: int) -> None:
        """Return when `recommend` has been called so often."""
        async with self._asked:
            await self._asked.wait_for(lambda: self.asked >= times)

    async def recommend(self, query: str, n: int, *, options: Options) -> FakeRecommendation:
        async with self._asked:
            self.asked += 1
            self._asked.notify_all()
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return recommendation(RECIPES[:n])

    async def similar(self, recipe_id: str, n: int) -> FakeRecommendation:
        return recommendation([recipe for recipe in RECIPES if recipe.recipe_id != recipe_id][:n])


def recommendation(recipes: list[Recipe]) -> FakeRecommendation:
    return FakeRecommendation(recipes=recipes, scores=[0.9] * len(recipes), ratings=[None] * len(recipes))


class Clock:
    """The time, as a test sets it: microseconds since the epoch."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


class Reply(msgspec.Struct):
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.raw)

    @property
    def position(self) -> str:
        return self.headers["Log-Position"]


class Api:
    """A client of the running service, with its parts at hand."""

    def __init__(self, address: str, session: aiohttp.ClientSession, services: Services, stop: asyncio.Event) -> None:
        self.address = address
        self.session = session
        self.services = services
        self.stop = stop

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def recommender(self) -> FakeRecommender:
        assert isinstance(self.services.recommender, FakeRecommender)
        return self.services.recommender

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        return await self._send("GET", path, None, headers or {})

    async def get_after(self, reply: Reply, path: str) -> Reply:
        """Read what a command's reply did."""
        return await self.get(path, {"Log-Position": reply.position})

    async def post(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Send JSON; bytes go out as they are."""
        data = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
        json_type = {"Content-Type": "application/json"} if data is not None else {}
        return await self._send("POST", path, data, {**json_type, **(headers or {})})

    async def register(self, version: str = "1.0.0", headers: Mapping[str, str] | None = None, **fields: Any) -> Reply:
        body = {"model_id": "hybrid_ranker", "model_type": "hybrid", "version": version, **fields}
        return await self.post("/models", body, headers)

    async def change_status(self, version: str, status: str, headers: Mapping[str, str] | None = None) -> Reply:
        return await self.post(f"/models/hybrid_ranker/versions/{version}/status", {"status": status}, headers)

    async def _send(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> Reply:
        stream = None if data is None else BytesIO(data)  # of large bytes aiohttp would warn
        async with self.session.request(method, self.address + path, data=stream, headers=headers) as response:
            return Reply(response.status, response.headers, await response.read())


async def store_recipes(services: Services) -> int:
    """Put RECIPES into the catalogue and return the position."""
    stored = [RecipeStored(source="test", recipe=recipe, content_hash=recipe.recipe_id) for recipe in RECIPES]
    appended = await services.store.append("catalogue-test", stored, metadata=Metadata(actor="test"))
    return appended.position


UNAVAILABLE = RecommenderUnavailable("the catalogue is not loaded yet")
