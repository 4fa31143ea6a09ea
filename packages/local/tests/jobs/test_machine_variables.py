"""What a job learns of the machine it runs on."""

import os

import pytest
from shoplake_local.jobs.machine_variables import SPARK_JARS, machine_variables


@pytest.fixture
def java(tmp_path):
    """The home of a Java that only a link on the PATH leads to."""
    home = tmp_path / "jdk"
    (home / "bin").mkdir(parents=True)
    (home / "lib").mkdir()
    program = home / "bin" / "java"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "java").symlink_to(program)
    return home


def test_a_java_on_the_users_path_is_told_by_its_home(java, tmp_path):
    found = machine_variables({"PATH": str(tmp_path / "path"), "AWS_SECRET_ACCESS_KEY": "mine"}, home=tmp_path)
    assert found == {"JAVA_HOME": str(java), SPARK_JARS: str(tmp_path / ".ivy2.5.2")}


def test_what_the_user_says_counts(java, tmp_path):
    found = machine_variables({"JAVA_HOME": str(java / "."), SPARK_JARS: "/jars", "PATH": ""}, home=tmp_path)
    assert found == {"JAVA_HOME": str(java), SPARK_JARS: "/jars"}


def test_a_program_that_only_looks_for_a_java_is_no_home(tmp_path):
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    assert "JAVA_HOME" not in machine_variables({"PATH": str(program.parent)}, home=tmp_path)
    assert "JAVA_HOME" not in machine_variables({"PATH": os.devnull}, home=tmp_path)
