"""The stream itself: silence, broken connections, a server that dies, checksums, and another reader's opinion."""

import itertools
import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from shoplake_core.clock import SkipClock, SystemClock
from shoplake_core.sequences import parse_binlog_position
from shoplake_mysql.connections import connect, execute, fetch_all
from shoplake_mysql.server_facts import read_binlog_position
from shoplake_replication.binlog_stream import BinlogStream, StreamLostError
from shoplake_replication.errors import UnreadableEventError


class Proxy:
    """A TCP path that can fall silent without closing, or break, and come back."""

    def __init__(self, endpoint):
        self.target = (endpoint.host, endpoint.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = threading.Event()
        self.open.set()
        self.pairs = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            self.pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source, sink):
        try:
            while data := source.recv(65536):
                self.open.wait()
                sink.sendall(data)
        except OSError:
            pass

    def cut(self):
        """Break every connection there is."""
        for pair in self.pairs:
            for end in pair:
                end.close()
        self.pairs.clear()

    def close(self):
        self.cut()
        self.listener.close()


@pytest.fixture
def proxy(rig):
    made = Proxy(rig.endpoint)
    yield made
    made.open.set()
    made.close()


def _through(rig, proxy):
    return type(rig)(**{**rig.__dict__, "endpoint": replace(rig.endpoint, host="127.0.0.1", port=proxy.port)})


def test_silence_is_noticed_and_the_stream_goes_on_from_the_last_position(rig, proxy):
    """CDC-13: the path swallows everything without closing; afterwards nothing is missing."""
    rig.sql("CREATE TABLE t (id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 1)")
    rig.extra["heartbeat_seconds"] = 0.2
    with _through(rig, proxy).running():
        rig.wait_streaming()
        proxy.open.clear()
        rig.sql("INSERT INTO t VALUES (12, 12)")
        rig.wait(lambda: rig.status()["error"] is not None)
        assert rig.status()["error"]["code"] in {"BINLOG_STREAM_LOST", "RESOURCE"}  # silent; then no answer to a login
        proxy.open.set()
        rig.wait(lambda: rig.status()["error"] is None and rig.changes("t"))
    rig.assert_exact("t")


def test_broken_connections_lose_and_double_nothing(rig, proxy):
    rig.sql("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, v varchar(200))", "INSERT INTO t (v) VALUES ('a')")
    with _through(rig, proxy).running():
        rig.wait_streaming()
        for _ in range(4):
            rig.sql("INSERT INTO t (v) SELECT REPEAT('x', 150) FROM seq_1_to_300", "DELETE FROM t WHERE id % 7 = 0")
            proxy.cut()
    rig.catch_up()
    rig.assert_exact("t")


def test_server_restart_is_followed(rig_on):
    rig = rig_on()
    rig.sql("CREATE TABLE t (id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 1)")
    with rig.running():
        rig.wait_streaming()
        rig.sql("INSERT INTO t VALUES (2, 2)")
        rig.server.engine.down()
        assert rig.server.engine.up().port == rig.endpoint.port
        rig.connection = connect(rig.endpoint, database=rig.schema)
        rig.sql("INSERT INTO t VALUES (3, 3)", "UPDATE t SET v = 9")
        rig.wait(lambda: len(rig.changes("t")) >= 5)
    rig.assert_exact("t")


def _stream(rig, position, clock=None):
    return BinlogStream(
        rig.endpoint, server_id=991, position=position, clock=clock or SystemClock(), heartbeat_seconds=5
    )


def test_silence_is_measured_by_the_clock(rig):
    clock = SkipClock(datetime(2026, 1, 1, tzinfo=UTC))
    stream = _stream(rig, read_binlog_position(rig.connection), clock)
    while stream.poll(0.5):
        pass
    clock.sleep(16)
    with pytest.raises(StreamLostError, match="silent for 16 s"):
        stream.poll(0.01)
    stream.close()


def test_flipped_bit_is_noticed_by_the_checksum(rig, proxy):
    start = read_binlog_position(rig.connection)
    stream = _stream(rig, start)
    execute(rig.connection, "CREATE TABLE t (id int PRIMARY KEY)")
    while not stream._data:
        stream._data += stream._connection._sock.recv(1 << 20)
        if b"CREATE TABLE t" not in stream._data:
            stream._events()
    place = stream._data.index(b"CREATE TABLE t")
    stream._data[place] ^= 1
    with pytest.raises(UnreadableEventError, match="checksum"):
        stream._events()
    stream.close()


def test_position_behind_four_gigabytes_is_kept_in_64_bits(rig):
    """The header's 32 bits wrap: the offset is told from what came before."""
    stream = _stream(rig, read_binlog_position(rig.connection))
    execute(rig.connection, "CREATE TABLE t (id int PRIMARY KEY)")
    execute(rig.connection, "INSERT INTO t VALUES (1)")
    while not stream.file_created:
        stream.poll(0.1)
    stream.close()
    file = stream.position.file
    high = parse_binlog_position(f"{file}:{stream.position.offset + 2**32}")
    again = _stream(rig, parse_binlog_position(f"{file}:4"))
    again.position = parse_binlog_position(f"{file}:{2**32 + 4}")
    events = []
    while again.position < high:
        events += again.poll(0.1)
    again.close()
    assert events[-1].end >= high.offset
    assert all(first.end <= second.start for first, second in itertools.pairwise(events))


def test_python_mysql_replication_sees_the_same_rows(rig):
    """Another reader's opinion, on types that it reads right (an empty BLOB is a text for it)."""
    from pymysqlreplication import BinLogStreamReader
    from pymysqlreplication.row_event import DeleteRowsEvent, UpdateRowsEvent, WriteRowsEvent

    rig.sql(
        "CREATE TABLE t (id bigint PRIMARY KEY, a int, b decimal(20,4), c varchar(80), d datetime(6), e double, f blob, g date)"
    )
    rig.load()
    start = parse_binlog_position(rig.status()["position"])
    rig.sql(
        "INSERT INTO t SELECT seq, seq * 7, seq / 3, CONCAT('ü', seq), '2026-01-01' + INTERVAL seq MICROSECOND, SQRT(seq), "
        "REPEAT(x'ff', seq % 9 + 1), '2026-01-01' + INTERVAL seq DAY FROM seq_1_to_2000",
        "UPDATE t SET a = NULL, c = NULL WHERE id % 3 = 0",
        "DELETE FROM t WHERE id % 5 = 0",
    )
    rig.catch_up()
    other = BinLogStreamReader(
        connection_settings={
            "host": rig.endpoint.host,
            "port": rig.endpoint.port,
            "user": rig.endpoint.user,
            "passwd": rig.endpoint.password,
        },
        server_id=992,
        log_file=start.file,
        log_pos=start.offset,
        only_events=[WriteRowsEvent, UpdateRowsEvent, DeleteRowsEvent],
        only_schemas=[rig.schema],
    )
    theirs = [row.get("after_values") or row["values"] for event in other for row in event.rows]
    other.close()
    ours = [
        {name: value for name, value in row.items() if name in theirs[0]} | {"d": row["d"].replace(tzinfo=None)}
        for row in rig.changes("t")
    ]
    assert ours == theirs
    assert len(ours) == 2000 + 666 + 400
    assert fetch_all(rig.connection, "SELECT COUNT(*) FROM t") == [(1600,)]
