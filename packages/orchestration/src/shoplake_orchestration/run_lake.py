"""The run's middle: a marker arrives in bronze, bronze is crawled and cleaned, silver is shaped into gold."""

from shoplake_orchestration.policies import (
    RETRY_READ,
    RETRY_UNNAMED,
    RETRY_WRITE,
    branch_fails,
    catch_in_branch,
    catch_to,
)
from shoplake_orchestration.run_calls import HOLDER, LOST_OR_FAILED, TELL, call_function, run_job, summary_url
from shoplake_orchestration.states import Branch, Catch, Choice, Parallel, Pass, Rule, State, Succeed, Task, Wait

__all__ = ["SHAPE", "lake_states"]

SHAPE = "Shape silver into gold"
_LOOK = "Look at bronze"
_CRAWL_AND_CLEAN = "Crawl bronze and clean it"
_ASK_CRAWLER = "Ask how the crawler is"
_CRAWL_FAILED = "Crawling failed"


def lake_states(*, release: str, next_state: str) -> dict[str, State]:
    """The states, which end in `next_state`, or in `release` where nothing is new."""
    answer = "$states.result.Payload"
    return {
        "Commit a marker": call_function(
            "SourceMarkerFunction",
            {"execution_arn": HOLDER},
            assign={
                "marker_token": f"{{% {answer}.token %}}",
                "marker_after": f"{{% {answer}.after %}}",
                "polls": 0,
            },
            next_state=_LOOK,
        ),
        _LOOK: call_function(
            "BronzeStateFunction",
            {"token": "{% $marker_token %}", "after": "{% $marker_after %}", "execution_arn": HOLDER},
            assign={
                "marker_arrived": f"{{% {answer}.marker_arrived %}}",
                "new_files": f"{{% {answer}.new_files %}}",
                "new_shapes": f"{{% [{answer}.new_shapes] %}}",
                "last_outcome": f"{{% {answer}.last_outcome %}}",
                "polls": "{% $polls + 1 %}",
            },
            next_state="Is anything new",
        ),
        "Is anything new": Choice(
            rules=(
                Rule(condition="{% $not($marker_arrived) and $polls < ${MostPolls} %}", next="Wait for the marker"),
                Rule(
                    condition="{% $not($marker_arrived) %}",
                    next=TELL,
                    assign={
                        "failed": {
                            "state": _LOOK,
                            "error": "MarkerNotArrived",
                            "cause": "{% 'the marker ' & $marker_token & ' is not in bronze after ' & $string($polls)"
                            " & ' looks: replication stands still or lags' %}",
                        }
                    },
                ),
                Rule(
                    condition="{% $new_files = 0 and $last_outcome = 'succeeded' and $rebuild = false"
                    " and $backfill_from = '' %}",
                    next=release,
                ),
            ),
            default=_CRAWL_AND_CLEAN,
        ),
        "Wait for the marker": Wait(seconds="{% ${PollSeconds} %}", next=_LOOK),
        _CRAWL_AND_CLEAN: Parallel(
            branches=(_crawl(), _clean()),
            catch=(catch_to(LOST_OR_FAILED),),
            assign={"silver_summary": f"{{% {summary_url('silver')} %}}"},
            output={},
            next=SHAPE,
        ),
        SHAPE: run_job(
            "SilverToGoldJob",
            step="gold",
            more="$merge([{'--rebuild': $rebuild ? 'true' : 'false'},"
            " $backfill_from = '' ? {} : {'--backfill_from': $backfill_from},"
            " $silver_summary = '' ? {} : {'--silver_summary': $silver_summary}])",
            next_state=next_state,
        ),
    }


def _clean() -> Branch:
    return Branch(
        start_at="Clean bronze into silver",
        states={
            "Clean bronze into silver": run_job(
                "BronzeToSilverJob",
                step="silver",
                next_state=None,
                catch=(catch_in_branch("Cleaning failed"),),
            ),
            "Cleaning failed": branch_fails(),
        },
    )


def _crawl() -> Branch:
    """Crawling tells the catalogue about new shapes; the silver job reads files, so both may run side by side."""
    crawler = "$states.result.Crawler"
    return Branch(
        start_at="Are there new shapes",
        states={
            "Are there new shapes": Choice(
                rules=(
                    Rule(
                        condition="{% $count($new_shapes) > 0 %}",
                        next="Start the crawler",
                        assign={"crawler_polls": 0},
                    ),
                ),
                default="Crawled",
            ),
            "Start the crawler": Task(
                resource="aws-sdk:glue:startCrawler",
                arguments={"Name": "${Crawler}"},
                timeout_seconds=60,
                retry=(RETRY_WRITE, RETRY_UNNAMED),
                catch=(
                    Catch(errors=("Glue.CrawlerRunningException",), next="Wait for the crawler"),
                    catch_in_branch(_CRAWL_FAILED),
                ),
                output={},
                next="Wait for the crawler",
            ),
            "Wait for the crawler": Wait(seconds="{% ${PollSeconds} %}", next=_ASK_CRAWLER),
            _ASK_CRAWLER: Task(
                resource="aws-sdk:glue:getCrawler",
                arguments={"Name": "${Crawler}"},
                timeout_seconds=60,
                retry=(RETRY_READ,),
                catch=(catch_in_branch(_CRAWL_FAILED),),
                assign={
                    "crawler_state": f"{{% {crawler}.State %}}",
                    "crawler_outcome": f"{{% $exists({crawler}.LastCrawl.Status) ? {crawler}.LastCrawl.Status : '' %}}",
                    "crawler_message": f"{{% $exists({crawler}.LastCrawl.ErrorMessage)"
                    f" ? {crawler}.LastCrawl.ErrorMessage : '' %}}",
                    "crawler_polls": "{% $crawler_polls + 1 %}",
                },
                output={},
                next="Is the crawler done",
            ),
            "Is the crawler done": Choice(
                rules=(
                    Rule(condition="{% $crawler_state = 'READY' and $crawler_outcome = 'SUCCEEDED' %}", next="Crawled"),
                    Rule(
                        condition="{% $crawler_state != 'READY' and $crawler_polls < ${MostPolls} %}",
                        next="Wait for the crawler",
                    ),
                ),
                default="Say how the crawl ended",
            ),
            "Say how the crawl ended": Pass(
                output={
                    "state": _ASK_CRAWLER,
                    "error": "CrawlFailed",
                    "cause": "{% 'the crawler is ' & $crawler_state & ', its last crawl '"
                    " & $crawler_outcome & ' ' & $crawler_message %}",
                },
                next=_CRAWL_FAILED,
            ),
            _CRAWL_FAILED: branch_fails(),
            "Crawled": Succeed(output={}),
        },
    )
