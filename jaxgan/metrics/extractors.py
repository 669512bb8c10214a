"""The extractors by name."""

from jaxgan.metrics.digits import Digits
from jaxgan.metrics.efficientnet import EfficientNetLite0
from jaxgan.metrics.features import Points, Random
from jaxgan.metrics.inception import Inception

EXTRACTORS = {
    "digits": Digits,
    "efficientnet_lite0": EfficientNetLite0,
    "inception": Inception,
    "random": Random,
    "points": Points,
}
