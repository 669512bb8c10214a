"""The two networks once more, in PyTorch, and golden.npz, which holds what they answer for where there is no PyTorch.

    PYTHONPATH=. python tests/metrics/reference_torch.py   # writes golden.npz anew

Written layer by layer, unlike the package's; weights are drawn at random but for EfficientNet's own.
"""

import io
import zlib
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("golden.npz")
KEPT = 32  # features and logits of each image


def random_weights(seed, shapes):
    """{name: float32} for torch shapes {name: shape}: kernels scaled as He et al. 2015, BatchNorm far from the identity."""
    out = {}
    for name, shape in shapes.items():
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        if len(shape) > 1:
            # Twice the variance where a ReLU takes half of it.
            gain = 1.5 if "project" in name or "fc" in name else 3
            drawn = rng.normal(0, np.sqrt(gain / np.prod(shape[1:])), shape)
            if shape[1] > 3:  # without a mean, so that what all images have in common does not drown what they differ in
                drawn -= drawn.mean(tuple(range(1, len(shape))), keepdims=True)
        elif name.endswith("running_var"):
            drawn = rng.uniform(0.5, 2.0, shape)
        elif name.endswith("weight"):
            drawn = rng.uniform(0.6, 1.4, shape)
        else:
            drawn = rng.normal(0, 0.1, shape)
        out[name] = drawn.astype(np.float32)
    return out


def pictures(seed, *shape):
    """uint8 [N, H, W, C]: blobs with grain, so that a wrong resize and a wrong layer both show."""
    rng = np.random.default_rng(seed)
    n, height, width, channels = shape
    y, x = np.mgrid[:height, :width] / max(height, width)
    waves = rng.uniform(2, 9, (n, 1, 1, channels, 2))
    smooth = np.sin(waves[..., 0] * x[..., None]) * np.cos(waves[..., 1] * y[..., None])
    return np.clip(128 + 90 * smooth + rng.normal(0, 25, shape), 0, 255).astype(np.uint8)


def resize_tf1(images, side):
    """TensorFlow 1's bilinear resize of [N, H, W, C], pixel by pixel as its definition has it: float32 positions."""

    def matrix(count):
        out = np.zeros((side, count))
        for i in range(side):
            position = float(np.float32(i) * np.float32(count / side))
            low = int(position)
            out[i, low] += 1 - (position - low)
            out[i, min(low + 1, count - 1)] += position - low
        return out

    rows, columns = matrix(images.shape[1]), matrix(images.shape[2])
    return np.einsum("ih,jw,nhwc->nijc", rows, columns, images.astype(np.float64), optimize=True)


def inception():
    """The network of FID with the state_dict names of its well-known file; forward: resized images [N, 3, 299, 299]."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    class Unit(nn.Module):
        def __init__(self, cin, cout, size, stride=1, padding=0):
            super().__init__()
            self.conv = nn.Conv2d(cin, cout, size, stride, padding, bias=False)
            self.bn = nn.BatchNorm2d(cout, eps=0.001)

        def forward(self, x):
            return F.relu(self.bn(self.conv(x)))

    def mean(x):
        return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)

    def halved(x):
        return F.max_pool2d(x, 3, 2)

    def sequence(*units):
        def run(x):
            for unit in units:
                x = unit(x)
            return x

        return run

    class A(nn.Module):
        def __init__(self, cin, pool):
            super().__init__()
            self.branch1x1 = Unit(cin, 64, 1)
            self.branch5x5_1, self.branch5x5_2 = Unit(cin, 48, 1), Unit(48, 64, 5, padding=2)
            self.branch3x3dbl_1 = Unit(cin, 64, 1)
            self.branch3x3dbl_2 = Unit(64, 96, 3, padding=1)
            self.branch3x3dbl_3 = Unit(96, 96, 3, padding=1)
            self.branch_pool = Unit(cin, pool, 1)

        def forward(self, x):
            b = self.branch5x5_2(self.branch5x5_1(x))
            c = sequence(self.branch3x3dbl_1, self.branch3x3dbl_2, self.branch3x3dbl_3)(x)
            return torch.cat([self.branch1x1(x), b, c, self.branch_pool(mean(x))], 1)

    class B(nn.Module):
        def __init__(self):
            super().__init__()
            self.branch3x3 = Unit(288, 384, 3, 2)
            self.branch3x3dbl_1 = Unit(288, 64, 1)
            self.branch3x3dbl_2 = Unit(64, 96, 3, padding=1)
            self.branch3x3dbl_3 = Unit(96, 96, 3, 2)

        def forward(self, x):
            c = sequence(self.branch3x3dbl_1, self.branch3x3dbl_2, self.branch3x3dbl_3)(x)
            return torch.cat([self.branch3x3(x), c, halved(x)], 1)

    class C(nn.Module):
        def __init__(self, inner):
            super().__init__()
            wide, tall = {"size": (1, 7), "padding": (0, 3)}, {"size": (7, 1), "padding": (3, 0)}
            self.branch1x1 = Unit(768, 192, 1)
            self.branch7x7_1 = Unit(768, inner, 1)
            self.branch7x7_2 = Unit(inner, inner, **wide)
            self.branch7x7_3 = Unit(inner, 192, **tall)
            self.branch7x7dbl_1 = Unit(768, inner, 1)
            self.branch7x7dbl_2 = Unit(inner, inner, **tall)
            self.branch7x7dbl_3 = Unit(inner, inner, **wide)
            self.branch7x7dbl_4 = Unit(inner, inner, **tall)
            self.branch7x7dbl_5 = Unit(inner, 192, **wide)
            self.branch_pool = Unit(768, 192, 1)

        def forward(self, x):
            b = sequence(self.branch7x7_1, self.branch7x7_2, self.branch7x7_3)(x)
            c = sequence(self.branch7x7dbl_1, self.branch7x7dbl_2, self.branch7x7dbl_3)(x)
            c = sequence(self.branch7x7dbl_4, self.branch7x7dbl_5)(c)
            return torch.cat([self.branch1x1(x), b, c, self.branch_pool(mean(x))], 1)

    class D(nn.Module):
        def __init__(self):
            super().__init__()
            self.branch3x3_1, self.branch3x3_2 = Unit(768, 192, 1), Unit(192, 320, 3, 2)
            self.branch7x7x3_1 = Unit(768, 192, 1)
            self.branch7x7x3_2 = Unit(192, 192, (1, 7), padding=(0, 3))
            self.branch7x7x3_3 = Unit(192, 192, (7, 1), padding=(3, 0))
            self.branch7x7x3_4 = Unit(192, 192, 3, 2)

        def forward(self, x):
            b = sequence(self.branch7x7x3_1, self.branch7x7x3_2, self.branch7x7x3_3, self.branch7x7x3_4)(x)
            return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), b, halved(x)], 1)

    class E(nn.Module):
        def __init__(self, cin, pool):
            super().__init__()
            self.pool = pool
            self.branch1x1 = Unit(cin, 320, 1)
            self.branch3x3_1 = Unit(cin, 384, 1)
            self.branch3x3_2a = Unit(384, 384, (1, 3), padding=(0, 1))
            self.branch3x3_2b = Unit(384, 384, (3, 1), padding=(1, 0))
            self.branch3x3dbl_1 = Unit(cin, 448, 1)
            self.branch3x3dbl_2 = Unit(448, 384, 3, padding=1)
            self.branch3x3dbl_3a = Unit(384, 384, (1, 3), padding=(0, 1))
            self.branch3x3dbl_3b = Unit(384, 384, (3, 1), padding=(1, 0))
            self.branch_pool = Unit(cin, 192, 1)

        def forward(self, x):
            b = self.branch3x3_1(x)
            c = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
            parts = [self.branch1x1(x), self.branch3x3_2a(b), self.branch3x3_2b(b)]
            parts += [self.branch3x3dbl_3a(c), self.branch3x3dbl_3b(c), self.branch_pool(self.pool(x))]
            return torch.cat(parts, 1)

    class Inception(nn.Module):
        def __init__(self):
            super().__init__()
            self.Conv2d_1a_3x3 = Unit(3, 32, 3, 2)
            self.Conv2d_2a_3x3 = Unit(32, 32, 3)
            self.Conv2d_2b_3x3 = Unit(32, 64, 3, padding=1)
            self.Conv2d_3b_1x1 = Unit(64, 80, 1)
            self.Conv2d_4a_3x3 = Unit(80, 192, 3)
            self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = A(192, 32), A(256, 64), A(288, 64)
            self.Mixed_6a = B()
            self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = C(128), C(160), C(160), C(192)
            self.Mixed_7a = D()
            self.Mixed_7b, self.Mixed_7c = E(1280, mean), E(2048, lambda x: F.max_pool2d(x, 3, 1, 1))
            self.fc = nn.Linear(2048, 1008)

        def forward(self, x):
            x = halved(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))))
            x = halved(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
            x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
            x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
            x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
            x = F.adaptive_avg_pool2d(x, 1).flatten(1)
            return x, x @ self.fc.weight.T

    return Inception()


def efficientnet():
    """EfficientNet-lite0 with the state_dict names of its pip package; forward: resized images [N, 3, 224, 224]."""
    import torch.nn.functional as F
    from torch import nn

    class Same(nn.Conv2d):
        """Pads as TensorFlow does: the odd row and column at the far side."""

        def forward(self, x):
            pads = []
            for count, size, stride in zip(x.shape[:1:-1], self.kernel_size, self.stride):
                total = max((-(-count // stride) - 1) * stride + size - count, 0)
                pads += [total // 2, total - total // 2]
            return super().forward(F.pad(x, pads))

    def norm(features):
        return nn.BatchNorm2d(features, eps=0.001)

    class Block(nn.Module):
        def __init__(self, cin, cout, size, stride, expansion):
            super().__init__()
            wide = cin * expansion
            if expansion != 1:
                self._expand_conv, self._bn0 = nn.Conv2d(cin, wide, 1, bias=False), norm(wide)
            self._depthwise_conv = Same(wide, wide, size, stride, groups=wide, bias=False)
            self._bn1 = norm(wide)
            self._project_conv, self._bn2 = nn.Conv2d(wide, cout, 1, bias=False), norm(cout)
            self.expands, self.skips = expansion != 1, stride == 1 and cin == cout

        def forward(self, x):
            y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
            y = F.relu6(self._bn1(self._depthwise_conv(y)))
            y = self._bn2(self._project_conv(y))
            return x + y if self.skips else y

    class EfficientNet(nn.Module):
        def __init__(self):
            super().__init__()
            self._conv_stem, self._bn0 = Same(3, 32, 3, 2, bias=False), norm(32)
            blocks = [Block(32, 16, 3, 1, 1)]
            blocks += [Block(16, 24, 3, 2, 6), Block(24, 24, 3, 1, 6)]
            blocks += [Block(24, 40, 5, 2, 6), Block(40, 40, 5, 1, 6)]
            blocks += [Block(40, 80, 3, 2, 6), Block(80, 80, 3, 1, 6), Block(80, 80, 3, 1, 6)]
            blocks += [Block(80, 112, 5, 1, 6), Block(112, 112, 5, 1, 6), Block(112, 112, 5, 1, 6)]
            blocks += [Block(112, 192, 5, 2, 6)] + [Block(192, 192, 5, 1, 6) for _ in range(3)]
            blocks += [Block(192, 320, 3, 1, 6)]
            self._blocks = nn.Sequential(*blocks)
            self._conv_head, self._bn1 = nn.Conv2d(320, 1280, 1, bias=False), norm(1280)
            self._fc = nn.Linear(1280, 1000)

        def forward(self, x):
            x = self._blocks(F.relu6(self._bn0(self._conv_stem(x))))
            x = F.relu6(self._bn1(self._conv_head(x))).mean((2, 3))
            return x, self._fc(x)

    return EfficientNet()


def shapes_of(net):
    """{name: shape} of a reference's weights, without the counters that torch's BatchNorm keeps."""
    return {k: tuple(v.shape) for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}


def answers(net, weights, images):
    """(features, logits), float32, of a reference with these weights for uint8 images [N, H, W, 1 or 3]."""
    import torch
    import torch.nn.functional as F

    tensors = {name: torch.from_numpy(x) for name, x in weights.items()}
    missing, unexpected = net.load_state_dict(tensors, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing)
    images = np.repeat(images, 3, -1) if images.shape[-1] == 1 else images
    if hasattr(net, "fc"):
        x = torch.from_numpy(((resize_tf1(images, 299) - 128) / 128).astype(np.float32)).permute(0, 3, 1, 2)
    else:
        x = torch.from_numpy(images.astype(np.float32)).permute(0, 3, 1, 2)
        x = (F.interpolate(x, (224, 224), mode="bicubic", antialias=True, align_corners=False) - 127) / 128
    with torch.no_grad():
        return [part.numpy() for part in net.eval()(x)]


# The golden inputs: small and oblong, large and grey.
INCEPTION_INPUT = (11, 1, 40, 56, 3)
EFFICIENTNET_INPUTS = {"small": (12, 2, 32, 32, 3), "large": (13, 1, 250, 300, 1)}


def saved(zipped):
    """A small file of torch.save, as uint8, with whatever a state dict can bring: views, counters, scalars, halves."""
    import torch

    base = torch.arange(24, dtype=torch.float32)
    state = {
        "plain": base.reshape(2, 3, 4),
        "transposed": base.reshape(4, 6).t(),
        "tail": base[20:],
        "count": torch.tensor(2**40),
        "half": torch.tensor([0.5, -2.0], dtype=torch.float16),
        "double": torch.tensor([[1e300]], dtype=torch.float64),
        "flags": torch.tensor([True, False]),
        "empty": torch.zeros(0, 3),
    }
    whole = torch.nn.BatchNorm1d(2).state_dict()  # an OrderedDict with an attribute
    whole.update(state)
    file = io.BytesIO()
    torch.save(whole, file, _use_new_zipfile_serialization=zipped)
    return np.frombuffer(file.getvalue(), np.uint8)


def main():
    from jaxgan.extractors import torch_file
    from jaxgan.extractors.efficientnet import weights_path

    golden = {"zip": saved(True), "row": saved(False)}
    net = inception()
    weights = random_weights(1, shapes_of(net))
    golden["inception/features"], golden["inception/logits"] = answers(net, weights, pictures(*INCEPTION_INPUT))
    net = efficientnet()
    known = shapes_of(net)
    own = torch_file.read(weights_path())
    for kind, weights in {"random": random_weights(2, known), "own": {name: own[name] for name in known}}.items():
        for name, how in EFFICIENTNET_INPUTS.items():
            features, logits = answers(net, weights, pictures(*how))
            golden[f"efficientnet/{kind}/{name}/features"] = features
            golden[f"efficientnet/{kind}/{name}/logits"] = logits
    np.savez_compressed(GOLDEN, **{k: x if x.dtype == np.uint8 else x[:, :KEPT] for k, x in golden.items()})


if __name__ == "__main__":
    main()
