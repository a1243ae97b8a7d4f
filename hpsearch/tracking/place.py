"""Addresses of MLflow: the embedded database's, and whether an address means it."""

from urllib.parse import quote

from hpsearch.store import Store


def embedded_uri(store: Store) -> str:
    """`sqlite:////.../mlruns/mlflow.db`."""
    return f"sqlite:///{quote(str(store.database), safe='/')}"


def is_embedded(store: Store, uri: str | None) -> bool:
    """Whether an address, or its absence, means the store's own database."""
    return uri is None or uri == embedded_uri(store)
