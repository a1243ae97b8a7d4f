"""A study as one page: what was searched, what came of it, what the curves say, how to do it again."""

from hpsearch.report.page import render_report, write_report

__all__ = ["render_report", "write_report"]
