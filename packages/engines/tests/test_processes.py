"""Detached processes: one at a time, ended with their children, and never a stranger's."""

import subprocess
import sys
import time

import psutil
import pytest
from shoplake_core.errors import ResourceError
from shoplake_engines.private_files import read_json, write_private_json
from shoplake_engines.processes import DetachedProcess

SLEEPER = [sys.executable, "-c", "print('begun', flush=True); import time; time.sleep(600)"]
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); print(c.pid, flush=True); time.sleep(600)",
]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('begun', flush=True); time.sleep(600)",
]


def _when_logged(process, seconds=20.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        text = process.log_path.read_text()
        if text.endswith("\n"):
            return text
        time.sleep(0.02)
    raise AssertionError("nothing logged")


def test_a_second_start_returns_the_running_process(tmp_path):
    process = DetachedProcess(tmp_path / "state", "sleeper")
    try:
        pid = process.start(SLEEPER)
        assert DetachedProcess(tmp_path / "state", "sleeper").start(SLEEPER) == pid
        assert process.pid == pid
    finally:
        assert process.end()
    assert process.pid is None
    assert not process.end()
    assert not psutil.pid_exists(pid)


def test_its_pid_file_is_private(tmp_path):
    process = DetachedProcess(tmp_path, "sleeper")
    try:
        process.start(SLEEPER)
        assert (tmp_path / "sleeper.pid.json").stat().st_mode & 0o777 == 0o600
    finally:
        process.end()


def test_children_end_with_it(tmp_path):
    process = DetachedProcess(tmp_path, "parent")
    process.start(PARENT)
    child = int(_when_logged(process))
    assert psutil.pid_exists(child)
    process.end(wait_seconds=5.0)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_what_ignores_the_request_is_killed_after_the_wait(tmp_path):
    process = DetachedProcess(tmp_path, "stubborn")
    pid = process.start(STUBBORN)
    _when_logged(process)
    assert process.end(wait_seconds=0.3)
    assert not psutil.pid_exists(pid)


def test_a_reused_pid_is_never_ended(tmp_path):
    """The pid file names a live process that began at another time: a stranger."""
    stranger = subprocess.Popen(SLEEPER)
    try:
        process = DetachedProcess(tmp_path, "server")
        begun = psutil.Process(stranger.pid).create_time()
        write_private_json(tmp_path / "server.pid.json", {"pid": stranger.pid, "create_time": begun - 100.0})
        assert process.running() is None
        assert not process.end()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_killed_process_is_not_running_although_its_starter_lives(tmp_path):
    process = DetachedProcess(tmp_path, "sleeper")
    pid = process.start(SLEEPER)
    psutil.Process(pid).kill()
    until = time.monotonic() + 10
    while process.running() is not None and time.monotonic() < until:
        time.sleep(0.01)
    assert process.running() is None


def test_it_outlives_its_starter(tmp_path):
    script = (
        "from pathlib import Path; import sys; from shoplake_engines.processes import DetachedProcess;"
        f"DetachedProcess(Path({str(tmp_path)!r}), 's').start({SLEEPER!r})"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    process = DetachedProcess(tmp_path, "s")
    assert process.running() is not None
    assert process.end()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1}'], ids=["empty", "cut", "list", "text", "half"]
)
def test_a_broken_pid_file_means_not_running(tmp_path, text):
    (tmp_path / "s.pid.json").write_text(text)
    assert DetachedProcess(tmp_path, "s").running() is None


def test_a_missing_program_is_named(tmp_path):
    with pytest.raises(ResourceError, match="no-such-program"):
        DetachedProcess(tmp_path, "s").start(["/no-such-program"])
    assert read_json(tmp_path / "s.pid.json") == {}
