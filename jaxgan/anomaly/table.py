"""The detectors by name: the section `eval.detector`."""

from jaxgan.anomaly.of_task import OfTask
from jaxgan.anomaly.patches import Patches
from jaxgan.anomaly.pca import Pca
from jaxgan.anomaly.search import Search

DETECTORS = {"task": OfTask, "search": Search, "pca": Pca, "patches": Patches}
