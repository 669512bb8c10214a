"""Sets of images against one set of real ones, whose statistics are kept from run to run."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import jax
import numpy as np

from jaxgan import npz
from jaxgan.batches import batches
from jaxgan.config.run import Eval
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.extractors.base import Network
from jaxgan.files import replacing, user_cache
from jaxgan.metrics import moments
from jaxgan.metrics.moments import Moments
from jaxgan.placement import Placement
from jaxgan.scores.checks import check_enough
from jaxgan.scores.collect import Collector, Statistics
from jaxgan.scores.metric import score_name
from jaxgan.scores.table import find_scores

Batches = Iterable[tuple[jax.Array, int]]


class Evaluator:
    """Scores sets of images against one set of real ones, which an extractor has seen once.

    Args:
      wanted: what to measure. network: the extractor. images: the real ones. placement: the devices.

    Raises UserError where fewer real images are there than asked for.
    """

    def __init__(self, wanted: Eval, network: Network, images: Images, placement: Placement):
        self.wanted, self.network, self.placement = wanted, network, placement
        self.metrics = find_scores(wanted.metrics)
        needs = {need for metric in self.metrics.values() for need in metric.needs}
        if "modes" in needs and images.known.modes is None:
            raise UserError(f"{images.name} has no known modes; leave 'modes' out of --config.eval.metrics")
        if "class_modes" in self.metrics and images.known.shares is not None and network.name != images.known.classes:
            raise UserError(
                f"class_modes of {images.name} is of the classes of the extractor '{images.known.classes}'; "
                f"--config.eval.features.name={images.known.classes}"
            )
        self.keep = sorted(needs - {"modes"})
        self.size = -(-wanted.batch_size // placement.size) * placement.size
        self.collect = Collector(network, placement)
        count = wanted.num_real or len(images)
        if count > len(images):
            raise UserError(f"eval.num_real={count}, but {images.name} has {len(images)} images")
        check_enough(self.metrics, wanted.num_samples, count)
        if "fd" in self.metrics:
            moments.check_counts(self.collect.dims(images.image_shape), min(count, wanted.num_samples), wanted.allow_few)
        self.protocol = {
            "extractor": {"name": network.name, "weights": network.hash, "input": network.contract},
            "real": {"data": images.name, "digest": images.digest, "images": count, "of": len(images)},
            "metrics": {name: metric.detail for name, metric in self.metrics.items() if metric.detail},
            "precision": "highest",
            "statistics": "float64",
        }
        chosen = np.sort(np.random.default_rng(0).permutation(len(images))[:count])
        self.real = self._real(images, chosen)
        self.real.modes, self.real.shares = images.known.modes, images.known.shares

    def __call__(self, batches: Batches, count: int) -> dict[str, float]:
        """{name: value} of so many generated images."""
        fake = self.collect(batches, self.keep, count, "samples")
        values = [metric.fn(self.real, fake, self.wanted.allow_few) for metric in self.metrics.values()]
        return {score_name(part, self.network, count): value for each in values for part, value in each.items()}

    def of_stored(self, images: Images, chosen: np.ndarray) -> dict[str, float]:
        """{name: value} of the images number `chosen` of a data set, in that order."""
        return self(stored(images, chosen, self.size, self.placement), len(chosen))

    def _real(self, images: Images, chosen: np.ndarray) -> Statistics:
        """The real images' statistics, from the cache if this very protocol has been there before."""
        batch = jax.ShapeDtypeStruct((self.size, *images.image_shape), images.features["image"].dtype)
        about = [1, self.protocol["real"], self.network.hash, self.keep, self.collect.code(batch)]
        about += [jax.devices()[0].device_kind, jax.__version__, self.placement.size]
        key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
        path = user_cache() / "statistics" / f"{key[:24]}.npz"
        # A name stands for its content where a data set has a version or a digest; another's own source has neither.
        found = _read_statistics(path) if images.digest or "/" in images.name else None
        if self.placement.all(found is not None):  # or a host would wait for others that need not compute
            assert found is not None
            return found
        out = self.collect(stored(images, chosen, self.size, self.placement), self.keep, len(chosen), images.name)
        if (images.digest or "/" in images.name) and jax.process_index() == 0:
            _write_statistics(path, out)
        return out


def check_shapes(samples: Images, reference: Images) -> None:
    """Refuses samples of another shape than the real images. Raises UserError."""
    if samples.image_shape != reference.image_shape:
        shapes = ["x".join(map(str, images.image_shape)) for images in (samples, reference)]
        raise UserError(f"samples are {shapes[0]} and the reference is {shapes[1]}; bring both to one shape first")


def stored(images: Images, chosen: np.ndarray, size: int, placement: Placement) -> Iterator[tuple[jax.Array, int]]:
    """Images `chosen` of a data set, in batches of `size` over the mesh; each host reads what its devices get."""
    for rows, count in batches(len(chosen), size):
        index = chosen[rows]
        yield placement.deal((size, *images.image_shape), lambda at, i=index: images.gather(i[at])["image"]), count


def _read_statistics(path: Path) -> Statistics | None:
    try:
        x = npz.read(path)
        return Statistics(Moments(int(x["count"]), x["mean"], x["scatter"]), x.get("features"), x.get("classes"))
    except Exception:  # none, or damaged in any of a zip file's ways
        return None


def _write_statistics(path: Path, statistics: Statistics) -> None:
    moments = statistics.moments
    arrays = {"count": np.array(moments.count), "mean": moments.mean, "scatter": moments.scatter}
    arrays |= {name: x for name in ("features", "classes") if (x := getattr(statistics, name)) is not None}
    try:
        with replacing(path) as file:
            np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
    except OSError:  # a cache that cannot be written costs time alone
        pass
