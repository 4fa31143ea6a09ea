"""`validate`: the project's files alone, without a server."""

from shoplake.cli import InEnvironment, Json, app, session
from shoplake.dashboard_pages import project_dashboards
from shoplake.views.documents import print_document


@app.command()
def validate(env: InEnvironment = "", as_json: Json = False) -> None:
    """Check settings, contracts, gold models, metrics and dashboards against each other; starts and asks nothing."""
    with session(environment=env, announce=False) as (workspace, narrator):
        project = workspace.project
        dashboards = project_dashboards(workspace)
        tests = sum(len(contract.tests) for contract in project.gold.values())
        counts = {
            "source_tables": len(project.silver),
            "gold_models": len(project.gold),
            "gold_tests": tests,
            "metrics": len(project.metrics),
            "dashboards": len(dashboards),
            "tiles": sum(len(list(one.visuals)) for one in dashboards.values()),
        }
        if as_json:
            print_document({"ok": True, **counts})
        else:
            found = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
            narrator.say(f"{project.config.name}, environment {project.config.environment}: {found}: no faults")
