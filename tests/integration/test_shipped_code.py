"""The code that is shipped to AWS: it is whole, it runs from what was shipped alone, and it is the same from any install."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import uuid
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from shoplake_core.names import LOCAL_ACCOUNT, JobName
from shoplake_core.project import project_from_bundle, project_from_folder
from shoplake_engines.object_store_aws import create_buckets
from shoplake_infra.artifacts.code_artifacts import JOB_DISTRIBUTIONS, ArtifactBuilder, code_artifacts
from shoplake_infra.artifacts.distributions import is_ours, required_distributions
from shoplake_infra.artifacts.platforms import AWS_PLATFORM, GLUE_PROVIDES, LAMBDA_PROVIDES, Target, this_platform
from shoplake_infra.artifacts.wheels import wheel_of
from shoplake_local.testing import local_aws, object_store, postgres_server  # noqa: F401

ROOT = Path(__file__).parents[2]
SITE = sysconfig.get_path("purelib")
INDEX = "SHOPLAKE_TEST_PACKAGE_INDEX"
EVERY_MODULE = """
import importlib, pkgutil, sys
folders, ours, others = sys.argv[1].split(":"), sys.argv[2].split(","), sys.argv[3].split(",")
sys.path[:0] = folders
names = [name for name in others if name]
for name in ours:
    package = importlib.import_module(name)
    names += [found.name for found in pkgutil.walk_packages(package.__path__, f"{name}.")]
for name in names:
    if not name.endswith(".__main__"):
        importlib.import_module(name)
wrong = sorted(name for name, module in list(sys.modules.items()) if name.split(".")[0] in ours
               and not module.__file__.startswith(tuple(folders)))
assert not wrong, wrong
print(len(names))
"""


def unzipped(files, folder):
    for file in files:
        with zipfile.ZipFile(file.path) as archive:
            archive.extractall(folder)
    return folder


def provided(names, folder):
    """The distributions that are there without being shipped, alone in a folder: links to this installation's."""
    folder.mkdir()
    for name in names:
        tops = {file.parts[0] for file in distribution(name).files if not file.parts[0].startswith((".", "_"))}
        for top in tops - {"bin", "share", "__pycache__"}:
            (folder / top).symlink_to(Path(SITE) / top)
    return folder


def import_all(python, folders, ours, others=()):
    """Import every module of `ours` from the folders and the standard library alone; how many there were."""
    command = [
        python,
        "-I",
        "-S",
        "-B",
        "-c",
        EVERY_MODULE,
        ":".join(map(str, folders)),
        ",".join(ours),
        ",".join(others),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return int(done.stdout)


def packages_in(folder):
    return sorted(path.name for path in folder.glob("shoplake*") if path.is_dir() and "." not in path.name)


def linked(members, folder):
    """The members as they would be unpacked, without the time that it takes to pack them."""
    for member in members:
        path = folder / member.name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(member.path, path)
    return folder


def imported_functions(folder, tmp_path, python):
    names = packages_in(folder)
    assert {"shoplake_functions", "shoplake_datagen"} <= set(names)
    lazy = ("pyiceberg.catalog.glue", "pyiceberg.io.pyarrow", "faker", "mimesis")
    return import_all(python, [folder, provided(LAMBDA_PROVIDES, tmp_path / "lambda")], names, lazy)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    project = project_from_folder(ROOT / "shop")
    cache = tmp_path_factory.mktemp("cache")
    made = code_artifacts(project, target=Target.LOCAL, cache_folder=cache)
    again = code_artifacts(project, target=Target.LOCAL, cache_folder=cache)
    assert again == made
    assert project_from_bundle(made.project_bundle.path.read_text()).files == project.files
    return made


def test_functions_and_jobs_import_from_what_is_shipped_and_what_aws_has_alone(artifacts, tmp_path):
    builder = ArtifactBuilder(tmp_path / "cache", at=this_platform(), all_modules=True)
    functions = linked(builder.function_members(), tmp_path / "functions")
    assert imported_functions(functions, tmp_path, sys.executable) > 40
    for job in (JobName.BRONZE_TO_SILVER, JobName.RECONCILE):
        ours = unzipped(artifacts.job_wheels[job], tmp_path / job)
        needed = required_distributions([JOB_DISTRIBUTIONS[job]], markers=this_platform().markers)
        others = provided({*GLUE_PROVIDES, *(name for name in needed if not is_ours(name))}, tmp_path / f"{job}-others")
        assert import_all(sys.executable, [ours, others], packages_in(ours)) > 40


def test_the_same_on_awss_python_with_wheels_from_the_index(tmp_path):
    if not os.environ.get(INDEX):
        pytest.skip(f"fetches 100 MB from the package index; set {INDEX}=1 to run it")
    builder = ArtifactBuilder(tmp_path / "cache", at=AWS_PLATFORM, all_modules=True)
    functions = unzipped([builder.function_zip()], tmp_path / "functions")
    wheels = {job: unzipped(builder.job_wheels(job), tmp_path / job) for job in JobName}
    version = ".".join(map(str, AWS_PLATFORM.python))
    found = [*Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), shutil.which(f"python{version}")]
    python = next((str(path) for path in found if path and Path(path).exists()), None)
    if python is None or this_platform().system != AWS_PLATFORM.system:
        pytest.skip(f"fetched and packed; no Python {version} on this machine to run it")
    assert imported_functions(functions, tmp_path, python) > 40
    glue_own = provided(GLUE_PROVIDES, tmp_path / "glue")
    for folder in wheels.values():
        assert import_all(python, [folder, glue_own], packages_in(folder)) > 40


@pytest.fixture
def shipped_function(artifacts, local_aws, object_store):  # noqa: F811
    """A function made of the shipped zip: handler -> what it answers to an event, and in how many seconds."""
    name = f"shipped-{uuid.uuid4().hex[:8]}"
    names = {
        "SHOPLAKE_ENVIRONMENT": name,
        "SHOPLAKE_ACCOUNT": LOCAL_ACCOUNT,
        "SHOPLAKE_REGION": local_aws.endpoint.region,
    }
    bucket = f"shoplake-{name}-artifacts-{LOCAL_ACCOUNT}-{local_aws.endpoint.region}"
    create_buckets(object_store.endpoint, (bucket,))
    store, functions = local_aws.client("s3"), local_aws.client("lambda")
    store.upload_file(str(artifacts.function_zip.path), bucket, "functions.zip")
    store.upload_file(str(artifacts.project_bundle.path), bucket, "project.json")
    role = local_aws.client("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(statement("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"})),
    )["Role"]["Arn"]
    local_aws.client("iam").put_role_policy(
        RoleName=name, PolicyName="all", PolicyDocument=json.dumps(statement("*", Resource="*"))
    )

    def call(handler, event):
        functions.create_function(
            FunctionName=f"{name}-{handler.rpartition('.')[2]}-{uuid.uuid4().hex[:4]}",
            Runtime="python3.13",
            Role=role,
            Handler=handler,
            Timeout=60,
            Code={"S3Bucket": bucket, "S3Key": "functions.zip"},
            Environment={"Variables": names | {"SHOPLAKE_PROJECT": f"s3://{bucket}/project.json"}},
        )
        function = functions.list_functions()["Functions"]
        made = next(each for each in function if each["Handler"] == handler and each["FunctionName"].startswith(name))
        began = time.monotonic()
        answer = functions.invoke(FunctionName=made["FunctionName"], Payload=json.dumps(event))
        seconds = time.monotonic() - began
        return json.loads(answer["Payload"].read()), answer.get("FunctionError"), seconds

    return call


def statement(action, **more):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]}


def test_the_shipped_zip_runs_as_functions_of_the_local_aws(shipped_function, record_property):
    handler = "shoplake_functions.handlers.run_lock"
    take = {"action": "take", "execution_arn": "arn:one"}
    answer, failed, cold = shipped_function(handler, take)
    assert (answer, failed) == ({"taken": True}, None)
    record_property("cold_invoke_seconds", round(cold, 2))
    assert shipped_function(handler, take)[0] == {"taken": True}
    other = take | {"execution_arn": "arn:aws:states:eu-central-1:000000000000:execution:none:two"}
    assert shipped_function(handler, take | {"action": "release", "outcome": "succeeded"})[0] == {}
    assert shipped_function(handler, other)[0] == {"taken": True}
    answer, failed, _ = shipped_function("shoplake_datagen.handler.shop", {"action": "drop"})
    assert (failed, answer["errorType"]) == ("Unhandled", "ConfigError")


def test_a_fresh_installation_ships_the_same(artifacts, tmp_path):
    """From wheels in an empty folder: no source folder is there, and every file is known by the installer's record."""
    pip = shutil.which("pip3") or shutil.which("pip")
    if pip is None:
        pytest.skip("no pip on this machine")
    needed = ["core", "mysql", "datagen", "etl", "warehouse", "reconciliation", "orchestration", "functions", "infra"]
    wheels = [wheel_of(distribution(f"shoplake-{name}"), tmp_path / "wheels").path for name in needed]
    environment = tmp_path / "fresh"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    options = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-compile"]
    subprocess.run([pip, "--python", str(python), "install", *options, *map(str, wheels)], check=True)
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "others.pth").write_text(f"{SITE}\n")  # other people's modules are this installation's
    code = f"""
import json
from pathlib import Path
import shoplake_core
from shoplake_core.project import project_from_folder
from shoplake_infra.artifacts.code_artifacts import code_artifacts
from shoplake_infra.artifacts.platforms import Target
assert str(Path(shoplake_core.__file__)).startswith({str(environment)!r}), shoplake_core.__file__
made = code_artifacts(project_from_folder(Path({str(ROOT / "shop")!r})), target=Target.LOCAL, cache_folder=Path("cache"))
print(json.dumps([[file.name, file.sha256] for file in made.files]))
"""
    empty = tmp_path / "empty"
    empty.mkdir()
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=False, cwd=empty)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[file.name, file.sha256] for file in artifacts.files]
