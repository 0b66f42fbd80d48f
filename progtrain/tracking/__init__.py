"""MLflow as a mirror of what is on disk; the only room that imports mlflow, and only once it is needed."""

from progtrain.tracking.ledger import RegisteredModel
from progtrain.tracking.tracker import Tracker

__all__ = ["RegisteredModel", "Tracker"]
