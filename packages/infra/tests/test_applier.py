"""Whoever applies may what the handlers call, and nothing beside: held against their source, and against recorded calls."""

import ast
import json
from importlib import import_module
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from shoplake_core.names import ResourceNames
from shoplake_infra.applier import RIGHTS, applier_policy, in_managed_policies
from shoplake_infra.handler import handlers

from .iam_actions import actions_of

NAMES = ResourceNames("dev", "123456789012", "eu-central-1")
_MODELS = botocore.session.get_session()
_SOURCE = Path(import_module("shoplake_infra").__file__).parent


def _syntax(path):
    return list(ast.walk(ast.parse(path.read_text())))


def _helpers(tree):
    """Modules of ours that a module takes functions from."""
    names = [
        node.module.split(".")[1]
        for node in tree
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("shoplake_infra.")
    ]
    return {name: path for name in names if (path := _SOURCE / f"{name}.py").exists()}


def _services(tree):
    calls = [node for node in tree if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return {
        call.args[0].value for call in calls if call.func.attr == "client" and isinstance(call.args[0], ast.Constant)
    }


def _operations(path):
    """Every operation that the module's source names, as a method or as text; helpers tell of services only."""
    tree = _syntax(path)
    services = _services(tree).union(*(_services(_syntax(helper)) for helper in _helpers(tree).values()))
    words = {node.attr for node in tree if isinstance(node, ast.Attribute)}
    words |= {node.value for node in tree if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    for service in services:
        model = _MODELS.get_service_model(service)
        for name in model.operation_names:
            if xform_name(name) in words:
                yield model.operation_model(name)


def _allowed(kind):
    service, rights = RIGHTS[kind]
    return {name for right in rights for name in right.names(service)}


@pytest.mark.parametrize("kind", sorted(handlers()))
def test_every_call_of_a_kinds_source_is_among_its_rights(kind):
    path = Path(import_module(type(handlers()[kind]).__module__).__file__)
    called = {action for operation in _operations(path) for action in actions_of(operation)}
    assert called, "its source names no operation: the test has lost its way"
    assert called <= _allowed(kind), f"add to RIGHTS[{kind!r}] in applier.py"


def test_every_call_of_a_shared_module_is_allowed():
    everything = set().union(*(_allowed(kind) for kind in RIGHTS))
    shared = {
        path
        for kind in handlers()
        for path in _helpers(_syntax(Path(import_module(type(handlers()[kind]).__module__).__file__))).values()
    }
    called = {action for path in shared for operation in _operations(path) for action in actions_of(operation)}
    assert {"ec2:CreateTags", "dms:ListTagsForResource"} & called
    assert called <= everything


def test_every_right_is_of_a_kind_that_there_is_and_of_this_environment():
    assert set(RIGHTS) >= set(handlers())
    policy = applier_policy(NAMES)
    for statement in policy["Statement"]:
        assert not any(action.endswith("*") for action in statement["Action"]), statement
        if statement["Resource"] == ["*"]:
            changing = [a for a in statement["Action"] if not a.split(":")[1].startswith(("Describe", "List"))]
            assert "Condition" in statement or set(changing) <= UNBOUND, changing
    assert "{" not in "".join(arn for statement in policy["Statement"] for arn in statement["Resource"])


# AWS binds these to nothing
UNBOUND = {
    "sns:Unsubscribe",
    "redshift-serverless:CreateUsageLimit",
    "redshift-serverless:UpdateUsageLimit",
    "redshift-serverless:DeleteUsageLimit",
}


def test_the_policy_fits_into_managed_policies_whole():
    policy = applier_policy(NAMES)
    parts = in_managed_policies(policy)
    assert len(parts) <= 4
    assert [statement for part in parts for statement in part["Statement"]] == policy["Statement"]
    assert all(len(json.dumps(part, separators=(",", ":"))) <= 6_144 for part in parts)
