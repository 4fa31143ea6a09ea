"""VPC, subnets, route table, security groups and endpoints, as one network."""

from types import SimpleNamespace

import pytest
from shoplake_core.errors import ResourceError
from shoplake_infra.applying import apply
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.resources.route_table import route_table
from shoplake_infra.resources.security_group import ALL_PORTS, LetIn, security_group
from shoplake_infra.resources.subnet import subnet
from shoplake_infra.resources.vpc import vpc
from shoplake_infra.resources.vpc_endpoint import gateway_endpoint, interface_endpoint


@pytest.fixture
def desired(tags):
    net = vpc("shoplake-dev", cidr="10.60.0.0/16", tags=tags)
    subnets = tuple(
        subnet(f"shoplake-dev-{zone}", vpc=net, cidr=f"10.60.{n}.0/24", zone=f"eu-central-1{zone}", tags=tags)
        for n, zone in enumerate("abc")
    )
    table = route_table("shoplake-dev", vpc=net, subnets=subnets, tags=tags)
    inside = (LetIn(None, ALL_PORTS),)
    workers = security_group("shoplake-dev-workers", vpc=net, description="Jobs", let_in=inside, tags=tags)
    https = (LetIn(workers, (443, 443)),)
    doors = security_group("shoplake-dev-endpoints", vpc=net, description="Endpoints", let_in=https, tags=tags)
    s3 = gateway_endpoint("shoplake-dev-s3", vpc=net, service="s3", route_tables=(table,), tags=tags)
    secrets = interface_endpoint(
        "shoplake-dev-secretsmanager",
        vpc=net,
        service="secretsmanager",
        subnets=subnets,
        security_group=doors,
        tags=tags,
    )
    return (secrets, s3, doors, workers, table, *subnets, net)


def changed(desired, aws):
    return {
        planned.resource.name + " " + planned.resource.kind: [".".join(change.path) for change in planned.changes]
        for planned in plan(desired, aws).changes
    }


def test_a_network_is_made_once_and_reads_as_desired(aws, calls, desired):
    planned = plan(desired, aws)
    assert planned.as_json()["add"] == 9
    apply(planned, aws)
    calls.reset()
    assert changed(desired, aws) == {}
    assert calls.writes == []


def test_doors_opened_by_hand_are_seen_and_closed(aws, desired):
    apply(plan(desired, aws), aws)
    ec2 = aws.client("ec2")
    ours = [{"Name": "tag:Environment", "Values": ["dev"]}]
    vpc_id = ec2.describe_vpcs(Filters=ours)["Vpcs"][0]["VpcId"]
    groups = {g["GroupName"]: g["GroupId"] for g in ec2.describe_security_groups(Filters=ours)["SecurityGroups"]}
    world = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=groups["shoplake-dev-endpoints"], IpPermissions=[world])
    subnet_id = ec2.describe_subnets(Filters=[{"Name": "tag:Name", "Values": ["shoplake-dev-b"]}])["Subnets"][0][
        "SubnetId"
    ]
    ec2.modify_subnet_attribute(SubnetId=subnet_id, MapPublicIpOnLaunch={"Value": True})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    table = ec2.describe_route_tables(Filters=ours)["RouteTables"][0]
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.disassociate_route_table(
        AssociationId=next(
            a["RouteTableAssociationId"] for a in table["Associations"] if a.get("SubnetId") == subnet_id
        )
    )
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": False})
    assert changed(desired, aws) == {
        "shoplake-dev vpc": ["dns_hostnames"],
        "shoplake-dev-b subnet": ["public_addresses"],
        "shoplake-dev route_table": ["routes", "subnets.shoplake-dev-b"],
        "shoplake-dev-endpoints security_group": ["let_in.0.0.0.0/0 443 443 tcp"],
    }
    apply(plan(desired, aws), aws)
    assert changed(desired, aws) == {}


def test_an_endpoint_is_put_into_another_subnet(aws, desired):
    apply(plan(desired, aws), aws)
    ec2 = aws.client("ec2")
    endpoint = ec2.describe_vpc_endpoints(Filters=[{"Name": "tag:Name", "Values": ["shoplake-dev-secretsmanager"]}])
    subnets = endpoint["VpcEndpoints"][0]["SubnetIds"]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint["VpcEndpoints"][0]["VpcEndpointId"], RemoveSubnetIds=subnets[:1])
    (paths,) = changed(desired, aws).values()
    assert len(paths) == 1
    assert paths[0].startswith("subnets.shoplake-dev-")
    apply(plan(desired, aws), aws)
    assert changed(desired, aws) == {}


def test_another_address_range_replaces_the_subnet(aws, desired, tags):
    net = desired[-1]
    small = subnet("shoplake-dev-alone", vpc=net, cidr="10.60.9.0/24", zone="eu-central-1a", tags=tags)
    apply(plan((net, small), aws), aws)
    moved = subnet("shoplake-dev-alone", vpc=net, cidr="10.60.10.0/24", zone="eu-central-1a", tags=tags)
    planned = plan((net, moved), aws)
    assert (planned.as_json()["add"], planned.as_json()["change"], planned.as_json()["destroy"]) == (1, 0, 1)
    apply(planned, aws)
    assert changed((net, moved), aws) == {}


def test_two_of_one_name_stop_the_plan(aws, desired):
    net = desired[-1:]
    apply(plan(net, aws), aws)
    named = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "shoplake-dev"}]}]
    aws.client("ec2").create_vpc(CidrBlock="10.61.0.0/16", TagSpecifications=named)
    with pytest.raises(ResourceError, match="2 carry this Name tag"):
        plan(net, aws)


def test_a_destroy_takes_the_whole_network_and_leaves_others(aws, desired):
    ec2 = aws.client("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])
    apply(plan(desired, aws), aws)
    apply(plan_destroy(desired, aws), aws)
    assert len(ec2.describe_vpcs()["Vpcs"]) == before
    assert plan_destroy(desired, aws).changes == ()


@pytest.mark.parametrize("operation", ["DeleteSecurityGroup", "DeleteSubnet", "DeleteVpc"])
def test_a_destroy_waits_for_network_interfaces_that_aws_takes_away_later(aws, desired, operation):
    """Lambda's stay for some twenty minutes after the last function."""
    free_at = aws.clock.monotonic_seconds() + 1_200

    def refuse(**_):
        if aws.clock.monotonic_seconds() < free_at:
            error = {"Error": {"Code": "DependencyViolation", "Message": "it has dependencies"}}
            return SimpleNamespace(status_code=400), error
        return None

    aws.session.events.register(f"before-call.ec2.{operation}", refuse)  # a client takes what is there when it is made
    apply(plan(desired, aws), aws)
    apply(plan_destroy(desired, aws), aws)
    assert aws.clock.monotonic_seconds() >= free_at
    assert plan_destroy(desired, aws).changes == ()


def test_what_somebody_else_put_into_the_network_ends_the_wait_with_aws_own_words(aws, desired):
    error = {"Error": {"Code": "DependencyViolation", "Message": "it has dependencies"}}
    refusal = SimpleNamespace(status_code=400), error
    aws.session.events.register("before-call.ec2.DeleteVpc", lambda **_: refusal)
    apply(plan(desired, aws), aws)
    with pytest.raises(ResourceError, match=r"did not be let go within 2700 s: .*it has dependencies") as held:
        apply(plan_destroy(desired, aws), aws)
    assert "network interface" in held.value.hint
