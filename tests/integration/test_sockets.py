"""Nothing of ours, Spark included, listens beyond loopback; nothing phones home."""

import subprocess
from contextlib import suppress

import psutil

LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def listening(process):
    """(program, address) of every socket that the process and its children listen on."""
    found = set()
    try:
        for member in [process, *process.children(recursive=True)]:
            connections = member.net_connections("inet")
            found |= {(member.name(), c.laddr.ip) for c in connections if c.status == psutil.CONN_LISTEN}
    except psutil.NoSuchProcess:
        pass
    return found


def test_every_socket_of_a_run_is_on_loopback(running_shop):
    running_shop.call("load", "--transactions", "10", "--seed", "3")
    run = running_shop.start("run")
    seen = set()
    servers = running_shop.processes()
    while run.poll() is None:
        for server in servers:  # the front has the jobs as children
            seen |= listening(server)
        with suppress(subprocess.TimeoutExpired):  # look again soon, without taking a core from the run
            run.wait(timeout=0.2)
    assert run.returncode == 0
    programs = {program for program, _ in seen}
    assert any("java" in program for program in programs), f"Spark's JVM was seen listening: {programs}"
    assert {address for _, address in seen} <= LOOPBACK


def test_telemetry_is_off(running_shop):
    commands = [" ".join(process.cmdline()) for process in running_shop.processes()]
    weed = [command for command in commands if "weed" in command]
    assert weed
    assert all("-master.telemetry=false" in command for command in weed)
