"""A first study file for data that nobody has described yet."""

from hpsearch.drafting.draft import DRAFT, Draft, draft

__all__ = ["DRAFT", "Draft", "draft"]
