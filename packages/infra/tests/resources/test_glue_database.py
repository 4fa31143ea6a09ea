from shoplake_infra.applying import apply
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.resources.glue_database import glue_database


def desired(tags):
    location = "s3://shoplake-dev-silver-123456789012-eu-central-1/"
    return (glue_database("dev_silver", description="Silver", location=location, tags=tags),)


def paths(resources, aws):
    return [".".join(change.path) for planned in plan(resources, aws).changes for change in planned.changes]


def test_it_is_made_once_and_what_was_changed_by_hand_is_set_again(aws, calls, tags):
    apply(plan(desired(tags), aws), aws)
    calls.reset()
    assert paths(desired(tags), aws) == []
    assert calls.writes == []
    aws.client("glue").update_database(Name="dev_silver", DatabaseInput={"Name": "dev_silver", "Description": "mine"})
    assert paths(desired(tags), aws) == ["description", "location"]
    apply(plan(desired(tags), aws), aws)
    assert paths(desired(tags), aws) == []
    more = {**tags, "Layer": "silver"}
    assert paths(desired(more), aws) == ["tags.Layer"]
    apply(plan(desired(more), aws), aws)
    assert paths(desired(more), aws) == []


def test_its_tables_go_only_with_the_data(aws, tags):
    apply(plan(desired(tags), aws), aws)
    glue = aws.client("glue")
    glue.create_table(DatabaseName="dev_silver", TableInput={"Name": "orders"})
    assert plan_destroy(desired(tags), aws).changes == ()
    assert len(glue.get_tables(DatabaseName="dev_silver")["TableList"]) == 1
    apply(plan_destroy(desired(tags), aws, delete_data=True), aws)
    assert glue.get_databases()["DatabaseList"] == []
