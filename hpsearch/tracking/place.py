"""Addresses of MLflow: the embedded database's, and how to tell it from others."""

from urllib.parse import quote

from hpsearch.store import Store


def embedded_uri(store: Store) -> str:
    """`sqlite:////.../mlruns/mlflow.db`."""
    return f"sqlite:///{quote(str(store.database), safe='/')}"


def own_place(store: Store, uri: str | None) -> str | None:
    """The address, None when it means the store's own database."""
    return None if uri == embedded_uri(store) else uri
