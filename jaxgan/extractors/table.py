"""The extractors by name."""

from jaxgan.extractors.base import Points, Random
from jaxgan.extractors.digits import Digits
from jaxgan.extractors.efficientnet import EfficientNetLite0
from jaxgan.extractors.inception import Inception

EXTRACTORS = {
    "digits": Digits,
    "efficientnet_lite0": EfficientNetLite0,
    "inception": Inception,
    "random": Random,
    "points": Points,
}
