"""pix2pix and CycleGAN as one would write them in PyTorch: the networks, losses and updates of the configs, in plain eager
code, from jaxgan's params."""

import random

import torch
import torch.nn.functional as F
from torch import nn
from torch_gan import conv, conv_transpose

from jaxgan.nets.patch import FIELDS


def layers_of(params, kind: str) -> list:
    """The params of layers "kind_0", "kind_1", ... in order."""
    names = [name for name in params if name.rpartition("_")[0] == kind]
    return [params[name] for name in sorted(names, key=lambda name: int(name.rpartition("_")[2]))]


def norms_of(params) -> nn.ModuleList:
    out = nn.ModuleList()
    for norm in layers_of(params, "Norm"):
        [(name, inner)] = norm.items()
        n = inner["scale"].shape[0]
        batch = name.startswith("BatchNorm")
        out.append(nn.BatchNorm2d(n, eps=1e-5) if batch else nn.InstanceNorm2d(n, eps=1e-5, affine=True))
    return out


class Unet(nn.Module):
    """`jaxgan.nets.unet.Generator`."""

    def __init__(self, params, settings):
        super().__init__()
        self.down = nn.ModuleList(conv(p, 2, 1) for p in layers_of(params, "Conv"))
        self.up = nn.ModuleList(conv_transpose(p, 1) for p in layers_of(params, "ConvTranspose"))
        self.norms, self.dropout = norms_of(params), settings.dropout

    def forward(self, x):
        norms, n, passed = list(self.norms), len(self.down), []
        inner = len(norms) - (n - 1)  # how many of the encoder's layers have one
        for i, layer in enumerate(self.down):
            x = layer(F.leaky_relu(x, 0.2) if i else x)
            x = norms[i - 1](x) if 0 < i <= inner else x
            passed.append(x)
        for i, layer in enumerate(self.up):
            x = layer(F.relu(x))
            if i == n - 1:
                return torch.tanh(x)
            x = norms[inner + i](x)
            x = F.dropout(x, self.dropout) if i < 3 else x
            x = torch.cat([x, passed[n - 2 - i]], 1)


class Translator(nn.Module):
    """`jaxgan.nets.translator.Generator`."""

    def __init__(self, params, settings):
        super().__init__()
        convs = layers_of(params, "Conv")
        self.convs = nn.ModuleList(conv(p, *((2, 1) if i in (1, 2) else (1, 0))) for i, p in enumerate(convs))
        self.up = nn.ModuleList(conv_transpose(p, 1, 1) for p in layers_of(params, "ConvTranspose"))
        self.norms, self.blocks = norms_of(params), settings.blocks

    def forward(self, x):
        convs, norms = iter(self.convs), iter(self.norms)

        def mirrored(x, n):
            return next(convs)(F.pad(x, (n,) * 4, mode="reflect"))

        x = F.relu(next(norms)(mirrored(x, 3)))
        for _ in range(2):
            x = F.relu(next(norms)(next(convs)(x)))
        for _ in range(self.blocks):
            y = F.relu(next(norms)(mirrored(x, 1)))
            x = x + next(norms)(mirrored(y, 1))
        for layer in self.up:
            x = F.relu(next(norms)(layer(x)))
        return torch.tanh(mirrored(x, 3))


class Patch(nn.Module):
    """`jaxgan.nets.patch.Discriminator`."""

    def __init__(self, params, settings):
        super().__init__()
        strides = [2] * FIELDS[settings.field] + [1, 1]
        self.convs = nn.ModuleList(conv(p, stride, 1) for p, stride in zip(layers_of(params, "Conv"), strides))
        self.norms = norms_of(params)

    def forward(self, x):
        last = len(self.convs) - 1
        for i, layer in enumerate(self.convs):
            x = layer(x)
            if i < last:
                x = F.leaky_relu(self.norms[i - 1](x) if i else x, 0.2)
        return x[:, 0]


class Pix2pix:
    """Two networks, and their losses on a batch."""

    order = ("disc", "gen")

    def __init__(self, params, settings):
        self.gen, self.disc = Unet(params["gen"], settings.nets.gen), Patch(params["disc"], settings.nets.disc)
        self.modules = [self.gen, self.disc]
        self.nets = {"gen": nn.ModuleList([self.gen]), "disc": nn.ModuleList([self.disc])}
        self.l1 = settings.objective.terms.l1.weight

    def loss(self, player: str, image, source):
        def judged(x):
            return self.disc(torch.cat([x, source], 1))

        if player == "disc":
            with torch.no_grad():
                fake = self.gen(source)
            return F.softplus(-judged(image)).mean() + F.softplus(judged(fake)).mean()
        fake = self.gen(source)
        return F.softplus(-judged(fake)).mean() + self.l1 * (image - fake).abs().mean()


class CycleGan:
    """Four networks, pools of earlier translations, and their losses on a batch."""

    order = ("gen", "disc")

    def __init__(self, params, settings):
        self.gens = nn.ModuleDict({way: Translator(params["gen"][way], settings.nets.gen) for way in ("ab", "ba")})
        self.discs = nn.ModuleDict({domain: Patch(params["disc"][domain], settings.nets.disc) for domain in "ab"})
        self.modules = [*self.gens.values(), *self.discs.values()]
        self.nets = {"gen": self.gens, "disc": self.discs}
        self.cycle, self.size = settings.objective.terms.cycle.weight, settings.task.pool
        self.pools: dict[str, list] = {"a": [], "b": []}
        self.shown: dict = {}

    def loss(self, player: str, image, source):
        real = {"a": source, "b": image}
        if player == "disc":
            return sum(
                ((self.discs[d](real[d]) - 1) ** 2).mean() / 2 + (self.discs[d](self.shown[d]) ** 2).mean() / 2 for d in "ab"
            )
        fake = {"b": self.gens["ab"](source), "a": self.gens["ba"](image)}
        back = {"a": self.gens["ba"](fake["b"]), "b": self.gens["ab"](fake["a"])}
        loss = sum(self.cycle * (back[d] - real[d]).abs().mean() for d in "ab")
        loss = loss + sum(((self.discs[d](fake[d]) - 1) ** 2).mean() / 2 for d in "ab")
        self.shown = {d: self.pooled(self.pools[d], x.detach()) for d, x in fake.items()}
        return loss

    def pooled(self, pool: list, made):
        out = []
        for x in made:
            if len(pool) < self.size:
                pool.append(x)
            elif random.random() < 0.5:
                i = random.randrange(self.size)
                x, pool[i] = pool[i], x
            out.append(x)
        return torch.stack(out)


class Translation:
    """A method, its Adams and its moving average: one step of a config on images and sources [N, C, H, W]."""

    def __init__(self, method, settings):
        self.method = method
        self.tx = {
            player: torch.optim.Adam(net.parameters(), 2e-4, (settings.optim[player].b1, settings.optim[player].b2))
            for player, net in method.nets.items()
        }
        self.ema = [p.detach().clone() for p in method.nets["gen"].parameters()]

    def to(self, device, memory_format):
        for net in self.method.nets.values():
            net.to(device, memory_format=memory_format).train()
        self.ema = [x.to(device) for x in self.ema]
        return self

    def step(self, image, source):
        losses = []
        for player in self.method.order:
            net, loss = self.method.nets[player], self.method.loss(player, image, source)
            self.tx[player].zero_grad(set_to_none=True)
            params = list(net.parameters())
            for param, grad in zip(params, torch.autograd.grad(loss, params)):
                param.grad = grad
            self.tx[player].step()
            losses.append(loss.detach())
        with torch.no_grad():
            torch._foreach_lerp_(self.ema, list(self.method.nets["gen"].parameters()), 0.01)
        return losses


METHODS = {"pix2pix": Pix2pix, "cyclegan": CycleGan}
