"""The extractors by name."""

from jaxgan.extractors.base import Points, Random
from jaxgan.extractors.digits import Digits
from jaxgan.extractors.efficientnet import EfficientNetLite0
from jaxgan.extractors.efficientnet_lite2 import EfficientNetLite2
from jaxgan.extractors.inception import Inception
from jaxgan.extractors.vgg19 import Vgg19

EXTRACTORS = {
    "digits": Digits,
    "efficientnet_lite0": EfficientNetLite0,
    "efficientnet_lite2": EfficientNetLite2,
    "inception": Inception,
    "vgg19": Vgg19,
    "random": Random,
    "points": Points,
}
