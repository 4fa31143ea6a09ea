import socket

import pytest
from shoplake_core.errors import ResourceError
from shoplake_engines.ports import free_port, is_free, next_free_port


@pytest.fixture
def taken():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        yield server.getsockname()[1]


def test_the_preferred_port_is_taken_when_free():
    port = free_port()
    assert next_free_port(port) == port


def test_a_taken_port_gives_the_next_free_one(taken):
    assert not is_free(taken)
    assert taken < next_free_port(taken) < taken + 100


def test_a_promised_port_is_passed_over():
    port = free_port()
    assert next_free_port(port, taken={port, port + 1}) > port + 1


def test_the_derived_port_must_be_free_too(taken):
    assert next_free_port(taken - 10_000, also=10_000) != taken - 10_000


def test_no_port_beyond_the_last_one():
    with pytest.raises(ResourceError, match="no free port"):
        next_free_port(65_536)


def test_any_port_is_none_that_an_outgoing_connection_may_hold():
    ports = {free_port() for _ in range(50)}
    assert all(12_000 <= port < 32_768 for port in ports)
    assert len(ports) > 10
    assert next_free_port(0, also=10_000) + 10_000 < 32_768
