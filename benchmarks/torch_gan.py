"""The benchmark's GANs as one would write them in PyTorch: the same networks, losses and updates as the configs', in plain
eager code. Params come from jaxgan's own state, so that both sides can be shown to compute the same losses."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def to_torch(x) -> torch.Tensor:
    return torch.from_numpy(np.array(x, np.float32))


class Dcgan(nn.Module):
    """Generator or discriminator of `jaxgan.nets.dcgan`, from its flax variables."""

    def __init__(self, params, kind: str, image_shape, norm: str):
        super().__init__()
        self.kind, self.image_shape, self.norm = kind, image_shape, norm
        names = sorted((n for n in params if n.startswith("Conv")), key=lambda n: int(n.rpartition("_")[2]))
        if kind == "gen":
            self.dense = dense(params["Dense_0"])
            self.convs = nn.ModuleList(conv_transpose(params[n]) for n in names)
        else:
            self.convs = nn.ModuleList(conv(params[n], stride=2, padding=0) for n in names)
            self.dense = dense(params["Dense_0"])
        self.norms = nn.ModuleList(normaliser(norm, params[n]) for n in sorted(n for n in params if n.startswith("Norm")))

    def forward(self, x):
        if self.kind == "gen":
            n = len(self.convs)
            height, width = self.image_shape[0] >> n, self.image_shape[1] >> n
            x = self.dense(x).view(len(x), height, width, -1).permute(0, 3, 1, 2)
            x = F.relu(normalise(self.norms, 0, x))
            for i, layer in enumerate(self.convs):
                x = layer(x)
                x = torch.tanh(x) if i == n - 1 else F.relu(normalise(self.norms, i + 1, x))
            return x
        for i, layer in enumerate(self.convs):
            x = layer(F.pad(x, same(x.shape[2:], 4, 2)))
            x = F.leaky_relu(normalise(self.norms, i - 1, x) if i else x, 0.2)
        return self.dense(x.permute(0, 2, 3, 1).reshape(len(x), -1))[:, 0]


class Block(nn.Module):
    """A residual block of `jaxgan.nets.resnet`."""

    def __init__(self, params, resample: str, first: bool, spectral):
        super().__init__()
        self.resample, self.first = resample, first
        self.convs = nn.ModuleList(
            limited(conv(params[f"Conv_{i}"], 1, 1 if i < 2 else 0), spectral and spectral[f"Conv_{i}"])
            for i in range(3)
            if f"Conv_{i}" in params
        )
        norms = sorted(n for n in params if n.startswith("Norm"))
        self.norms = nn.ModuleList(normaliser("batch", params[n]) for n in norms)

    def forward(self, x):
        def up(x):
            return F.interpolate(x, scale_factor=2) if self.resample == "up" else x

        def down(x):
            return F.avg_pool2d(x, 2) if self.resample == "down" else x

        h = x if self.first else F.relu(normalise(self.norms, 0, x))
        h = self.convs[0](up(h))
        h = h if self.first else normalise(self.norms, 1, h)
        h = down(self.convs[1](F.relu(h)))
        if len(self.convs) > 2:
            x = up(self.convs[2](down(x)))
        return x + h


class Resnet(nn.Module):
    """Generator or discriminator of `jaxgan.nets.resnet`, the latter with spectral norm and sum pooling."""

    def __init__(self, params, kind: str, image_shape, spectral=None):
        super().__init__()
        self.kind, self.image_shape = kind, image_shape
        n = sum(name.startswith("Block") for name in params)
        how = ["up"] * n if kind == "gen" else ["down", "down", "none", "none"]
        self.blocks = nn.ModuleList(
            Block(params[f"Block_{i}"], how[i], kind == "disc" and i == 0, spectral and spectral[f"Block_{i}"])
            for i in range(n)
        )
        self.dense = limited(dense(params["Dense_0"]), spectral and spectral["Dense_0"])
        if kind == "gen":
            self.norms, self.last = nn.ModuleList([normaliser("batch", params["Norm_0"])]), conv(params["Conv_0"], 1, 1)

    def forward(self, x):
        if self.kind == "gen":
            side = self.image_shape[0] >> len(self.blocks)
            x = self.dense(x).view(len(x), side, side, -1).permute(0, 3, 1, 2)
        for block in self.blocks:
            x = block(x)
        if self.kind == "gen":
            return torch.tanh(self.last(F.relu(normalise(self.norms, 0, x))))
        return self.dense(F.relu(x).sum((2, 3)))[:, 0]


def limited(layer: nn.Module, spectral) -> nn.Module:
    """The layer with spectral norm, its power iteration at jaxgan's vector u; without one as it is."""
    if not spectral:
        return layer
    layer = nn.utils.parametrizations.spectral_norm(layer)
    [norm], u = layer.parametrizations.weight, to_torch(spectral["u"])
    matrix = layer.parametrizations.weight.original.detach().flatten(1)
    norm._u.copy_(u)
    norm._v.copy_(F.normalize(matrix.T @ u, dim=0))
    return layer


def same(size, kernel: int, stride: int) -> tuple[int, ...]:
    """`F.pad`'s argument for TensorFlow's SAME."""
    total = [max((math.ceil(n / stride) - 1) * stride + kernel - n, 0) for n in size]
    return total[1] // 2, total[1] - total[1] // 2, total[0] // 2, total[0] - total[0] // 2


def dense(params) -> nn.Linear:
    layer = nn.Linear(*params["kernel"].shape, bias="bias" in params)
    return filled(layer, to_torch(params["kernel"]).T, params)


def conv(params, stride: int, padding: int) -> nn.Conv2d:
    kernel = to_torch(params["kernel"]).permute(3, 2, 0, 1)
    layer = nn.Conv2d(kernel.shape[1], kernel.shape[0], kernel.shape[2], stride, padding, bias="bias" in params)
    return filled(layer, kernel, params)


def conv_transpose(params, padding: int = 1, output_padding: int = 0) -> nn.ConvTranspose2d:
    kernel = to_torch(params["kernel"]).permute(2, 3, 0, 1)
    layer = nn.ConvTranspose2d(*kernel.shape[:3], 2, padding, output_padding, bias="bias" in params)
    return filled(layer, kernel, params)


def filled(layer, weight, params):
    with torch.no_grad():
        layer.weight.copy_(weight)
        if layer.bias is not None:
            layer.bias.copy_(to_torch(params["bias"]))
    return layer


def normaliser(kind: str, params) -> nn.Module:
    [inner] = params.values()
    n = inner["scale"].shape[0]
    return nn.BatchNorm2d(n, eps=1e-5) if kind == "batch" else nn.GroupNorm(1, n, eps=1e-5)


def normalise(norms, i: int, x):
    return norms[i](x) if i < len(norms) else x


def slopes(disc, x, create_graph=True):
    x = x.detach().requires_grad_(True)
    [slope] = torch.autograd.grad(disc(x).sum(), x, create_graph=create_graph)
    return (slope**2).flatten(1).sum(1)


class Gan:
    """Two networks, their Adams, and one step of a config: `kind` is "wgan_gp", "r1" or "hinge". times: fakes in the
    generator's own update for each real example."""

    def __init__(self, gen, disc, kind: str, rounds: int, weight: float, lr: float, betas, z_dim: int, times: int = 1):
        self.gen, self.disc, self.kind, self.rounds, self.weight, self.z_dim = gen, disc, kind, rounds, weight, z_dim
        self.times = times
        self.tx = [torch.optim.Adam(net.parameters(), lr, betas) for net in (disc, gen)]
        self.ema = [p.detach().clone() for p in gen.parameters()]

    def disc_loss(self, real, z, alpha):
        with torch.no_grad():
            fake = self.gen(z)
        real_logits, fake_logits = self.disc(real), self.disc(fake)
        if self.kind == "wgan_gp":
            between = alpha.view(-1, 1, 1, 1) * real + (1 - alpha.view(-1, 1, 1, 1)) * fake
            penalty = ((torch.sqrt(slopes(self.disc, between) + 1e-12) - 1) ** 2).mean()
            return fake_logits.mean() - real_logits.mean() + self.weight * penalty
        if self.kind == "r1":
            loss = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
            return loss + self.weight * slopes(self.disc, real).mean() / 2
        return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()

    def gen_loss(self, z):
        logits = self.disc(self.gen(z))
        return F.softplus(-logits).mean() if self.kind == "r1" else -logits.mean()

    def step(self, reals):
        """One step on images [rounds, N, C, H, W]; returns the last losses, on the device."""
        n, device = reals.shape[1], reals.device
        for real in reals:
            z = torch.randn(n, self.z_dim, device=device)
            disc = self.disc_loss(real, z, torch.rand(n, device=device))
            self.descend(0, disc, self.disc)
        gen = self.gen_loss(torch.randn(self.times * n, self.z_dim, device=device))
        self.descend(1, gen, self.gen)
        with torch.no_grad():
            torch._foreach_lerp_(self.ema, list(self.gen.parameters()), 0.01)
        return disc.detach(), gen.detach()

    def descend(self, which, loss, net):
        self.tx[which].zero_grad(set_to_none=True)
        grads = torch.autograd.grad(loss, list(net.parameters()))
        for param, grad in zip(net.parameters(), grads):
            param.grad = grad
        self.tx[which].step()
