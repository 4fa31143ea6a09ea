"""The local Glue crawler: parquet footers in bronze become catalogue tables, one a table root, never merged."""

from shoplake_local.crawler.crawl import crawl
from shoplake_local.crawler.report import CrawledTable, CrawlReport, Outcome

__all__ = ["CrawlReport", "CrawledTable", "Outcome", "crawl"]
