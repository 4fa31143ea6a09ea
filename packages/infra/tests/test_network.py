import pytest
from shoplake_core.errors import ConfigError
from shoplake_core.names import ResourceNames
from shoplake_infra.network import NetworkSettings, desired_network
from shoplake_infra.resource import Ref

NAMES = ResourceNames("dev", "123456789012", "eu-central-1")


def subnets(**settings):
    network = desired_network(NAMES, NetworkSettings(**settings), tags={})
    return {r.properties["zone"]: r.properties["cidr"] for r in network.resources if r.kind == "subnet"}


def test_each_zone_gets_its_part_of_the_range():
    assert subnets(cidr="10.8.0.0/20") == {
        "eu-central-1a": "10.8.0.0/24",
        "eu-central-1b": "10.8.1.0/24",
        "eu-central-1c": "10.8.2.0/24",
    }


@pytest.mark.parametrize("cidr", ["10.60.0.0/25", "10.60.0.1/16", "somewhere"])
def test_a_range_that_cannot_be_divided_is_refused(cidr):
    with pytest.raises(ConfigError, match=r"network\.cidr"):
        subnets(cidr=cidr)


def test_no_security_group_lets_in_an_address():
    network = desired_network(NAMES, NetworkSettings(), tags={})
    rules = [r for g in network.resources if g.kind == "security_group" for r in g.properties["let_in"].values()]
    assert len(rules) == 2
    assert all(rule["from"] == "self" or isinstance(rule["from"], Ref) for rule in rules)
