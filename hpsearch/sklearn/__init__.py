"""Networks and searches as scikit-learn estimators.

from hpsearch.sklearn import HPSearchClassifier, NetworkClassifier

NetworkClassifier(hidden=(32,), epochs=30).fit(X, y).predict(X)     # one network with given parameters
HPSearchClassifier(trials=50).fit(X, y).best_params_                # a search in fit
"""

from hpsearch.sklearn.network import NetworkClassifier, NetworkRegressor
from hpsearch.sklearn.search import HPSearchClassifier, HPSearchRegressor

__all__ = ["HPSearchClassifier", "HPSearchRegressor", "NetworkClassifier", "NetworkRegressor"]
