import errno
import shutil

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from shoplake.foreign_errors import told_error
from shoplake_core.errors import ConfigError


@pytest.fixture
def little_room(monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr("shoplake.foreign_errors.shutil.disk_usage", lambda _: usage._replace(free=2 * 1024 * 1024))


def internal_error():
    return ClientError({"Error": {"Code": "InternalError", "Message": "try again"}}, "PutObject")


def test_an_error_of_ours_stays_what_it_is(tmp_path):
    error = ConfigError("wrong", hint="mend it")
    assert told_error(error, tmp_path) is error


def test_a_refused_call_is_named_with_its_code(tmp_path):
    told = told_error(internal_error(), tmp_path)
    assert (told.exit_code, told.message) == (4, "PutObject was answered with InternalError")
    assert "do this again" in told.hint


def test_where_the_disk_is_nearly_full_it_says_so(tmp_path, little_room):
    told = told_error(internal_error(), tmp_path / "not" / "there")
    assert "has 2.0 MiB left: make room" in told.message


def test_a_server_that_does_not_answer_is_told(tmp_path):
    told = told_error(EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), tmp_path)
    assert "http://127.0.0.1:1" in told.message
    assert "shoplake status" in told.hint


def test_a_full_disk_is_told_and_another_error_is_not(tmp_path):
    assert "no room to write" in told_error(OSError(errno.ENOSPC, "full"), tmp_path).message
    assert told_error(OSError(errno.EACCES, "denied"), tmp_path) is None
    assert told_error(ValueError("ours"), tmp_path) is None
