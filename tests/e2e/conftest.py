"""Worlds for the tests: real servers and a real gateway, each started on first use and shared until a test failed in it."""
import asyncio
import fcntl
import inspect
import os
import pathlib
import random
import shutil
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from fedgate_lab import children, gateway  # noqa: E402
from fedgate_lab.world import World        # noqa: E402

LONG = os.environ.get("FEDGATE_LONG") == "1"
TEST_LIMIT_S = 180

KINDS = {
    "prosody": {},
    "ejabberd": {"xmpp": "ejabberd"},
    "three": {"third_agency": True, "links": False},
}


def pytest_configure(config):
    config.addinivalue_line("markers", "limit(seconds): the longest that this test may take")


def pytest_sessionstart(session):
    try:
        print(f"fedgate programs: {gateway.binaries()}")
    except FileNotFoundError as error:
        pytest.exit(f"{error}; tests/run e2e builds them", returncode=3)
    if session.config.option.collectonly:
        return
    # One run at a time in this clone; what the last one left is removed now, so that a failure's data stays until then.
    (ROOT / "run").mkdir(exist_ok=True)
    session.config.e2e_lock = open(ROOT / "run" / "e2e.lock", "w")
    try:
        fcntl.flock(session.config.e2e_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pytest.exit("another run of the end-to-end tests is going on in this clone", returncode=3)
    shutil.rmtree(ROOT / "run" / "e2e", ignore_errors=True)


@pytest.fixture(scope="session")
def loop():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    loop.close()
    children.end_all()


class Worlds:
    def __init__(self, loop):
        self._loop = loop
        self._running = {}
        self._number = 0
        self._broken = {}  # kind: (times in a row that it did not start, why)

    def get(self, kind):
        if kind not in self._running:
            times, why = self._broken.get(kind, (0, None))
            if times >= 2:
                pytest.fail(f"the world \"{kind}\" did not start twice before: {why}", pytrace=False)
            self._number += 1
            world = World(ROOT / "run" / "e2e" / f"{self._number}-{kind}", **KINDS[kind])
            self._running[kind] = world
            try:
                self._loop.run_until_complete(asyncio.wait_for(world.start(), 180))
                self._broken.pop(kind, None)
            except BaseException as error:
                self._broken[kind] = (times + 1, error)
                self.end(kind)
                raise
        return self._running[kind]

    def end(self, kind):
        world = self._running.pop(kind, None)
        if world:
            self._loop.run_until_complete(world.stop())

    def end_all(self):
        for kind in list(self._running):
            self.end(kind)


@pytest.fixture(scope="session")
def worlds(loop):
    worlds = Worlds(loop)
    yield worlds
    worlds.end_all()


def _world(kind, worlds, request):
    world = worlds.get(kind)
    request.node.world = world
    yield world
    outcome = getattr(request.node, "outcome", None)
    if outcome is None or outcome.failed:
        worlds.end(kind)  # nobody shall inherit what this test left behind


@pytest.fixture
def world(worlds, request):
    """Agency A on Synapse, agency B on Prosody, #incident bridged."""
    yield from _world("prosody", worlds, request)


@pytest.fixture
def three(worlds, request):
    """The same with a third agency (XMPP) and without a bridged room."""
    yield from _world("three", worlds, request)


@pytest.fixture
def world_of(worlds, request):
    """world_of(kind): for tests that run against several servers."""
    used = []

    def get(kind):
        used.append(_world(kind, worlds, request))
        return next(used[-1])
    yield get
    for generator in used:
        next(generator, None)


@pytest.fixture
def chance(request):
    """Seeded chance; FEDGATE_SEED repeats a run."""
    seed = int(os.environ.get("FEDGATE_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"FEDGATE_SEED={seed}")
    return random.Random(f"{seed} {request.node.name}")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Coroutine tests run on the one loop that the worlds live on, under a time limit."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    loop = pyfuncitem.funcargs.get("loop") or pyfuncitem._request.getfixturevalue("loop")
    marker = pyfuncitem.get_closest_marker("limit")
    limit_s = marker.args[0] if marker else TEST_LIMIT_S
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}

    async def limited():
        try:
            await asyncio.wait_for(pyfuncitem.obj(**arguments), limit_s)
        except asyncio.TimeoutError:
            raise AssertionError(f"the test did not end within {limit_s} s") from None
    loop.run_until_complete(limited())
    return True


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if call.when == "call":
        item.outcome = report
        world = getattr(item, "world", None)
        if report.failed and world is not None and world.gateway.child is not None:
            report.sections.append(("the end of fedgate's log", world.gateway.child.log_tail(40)))
