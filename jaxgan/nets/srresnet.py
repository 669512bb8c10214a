"""SRResNet, the generator of SRGAN (Ledig et al. 2017, "Photo-Realistic Single Image Super-Resolution Using a Generative
Adversarial Network", section 2.1 and figure 4).

Residual blocks at the size of the input, then one step of enlargement for each doubling. The paper's network has BatchNorm;
without it, as EDSR (Lim et al. 2017) and later implementations have it, tiles of a picture need no statistics and no
artefacts come of them. With `outer=3`, `activation=leaky_relu` and `enlarged=true` it is, but for where one convolution
stands and for the slope, what BasicSR calls MSRResNet.
"""

from typing import Any, ClassVar

import flax.linen as nn

from jaxgan.config.schema import among, bounded
from jaxgan.nets import enlarging, layers


class Generator(nn.Module):
    """Pictures [N, h, w, C'] of any size -> [N, scale h, scale w, C], about [-1, 1]; the last layer is linear.

    scale: 2, 3 or 4, which follows from the data. width: channels. blocks: the paper has 16. norm: after each convolution
    but the first, the last and those that enlarge; "batch" is the paper's. epsilon: of norms. activation: "prelu" is the
    paper's. upsampling: pixel shuffle, as in the paper, or nearest enlargement, each with a convolution. outer: side of the
    first and the last kernel, 9 in the paper. enlarged: adds the input, enlarged bilinearly, to what the last layer returns.

    Kernels begin as He et al. 2015 have them. Without norms those of the blocks, of the convolution behind the blocks and of
    the last layer are a tenth as large.
    """

    image_shape: tuple[int, int, int]
    dtype: Any
    scale: int
    width: int = bounded(64, least=1)
    blocks: int = bounded(16, least=1)
    norm: str = among(("none", "batch"), "none")
    epsilon: float = bounded(1e-5, below=1)
    activation: str = among(enlarging.ACTIVATIONS, "prelu")
    upsampling: str = among(enlarging.UPSAMPLINGS, "pixel_shuffle")
    outer: int = among((3, 5, 7, 9), 9)
    enlarged: bool = False

    tiny: ClassVar = {"width": 4, "blocks": 1, "outer": 3}

    def check(self, facts: Any) -> None:
        """Refuses data whose images are not `scale` times as large as the sources. Raises UserError."""
        enlarging.check_scale(facts, self.scale, self.enlarged)

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        small = enlarging.SMALL if self.norm == "none" else enlarging.HE

        def conv(x, features, size=3, init=enlarging.HE):
            return layers.Conv(features, size=size, dtype=self.dtype, kernel_init=init)(x)

        def normed(x):
            return layers.Norm(self.norm, self.dtype, self.epsilon)(x, train)

        def active(x):
            return enlarging.activation(self.activation, self.dtype)(x)

        first = active(conv(image.astype(self.dtype), self.width, self.outer))
        x = first
        for _ in range(self.blocks):
            y = active(normed(conv(x, self.width, init=small)))
            x = x + normed(conv(y, self.width, init=small))
        x = first + normed(conv(x, self.width, init=small))
        for factor in enlarging.STEPS[self.scale]:
            how = {"dtype": self.dtype, "kernel_init": enlarging.HE}
            x = active(enlarging.enlarge_step(x, self.width, factor, self.upsampling, **how))
        exact = layers.wide(self.dtype)
        made = conv(x, self.image_shape[2], self.outer, small).astype(exact)
        return made + enlarging.bilinear(image.astype(exact), self.scale) if self.enlarged else made
