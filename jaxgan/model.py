"""A trained run from Python, which generates or finds anomalies; `jaxgan.load` returns one."""

import base64
import html
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jaxgan import truncation as truncate
from jaxgan.asked_labels import labels_of
from jaxgan.batches import each_batch
from jaxgan.errors import UserError, as_path
from jaxgan.generate import CHUNK, make_generate, make_interpolate, make_pictures, trained, truncated
from jaxgan.images import as_picture, grid_picture, to_uint8
from jaxgan.memory import bytes_of
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.prompts import prompts_for
from jaxgan.standing import Standing
from jaxgan.tasks.protocols import FindsAnomalies, Generates, HasLatent, HasStyles
from jaxgan.truncation import Truncation
from jaxgan.workdir.data import open_data
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import load_run

if TYPE_CHECKING:
    from jaxgan.verbs.finder import Detection

SHOWN = 16  # pictures in a notebook


class Model:
    """A trained generator, or a run that finds anomalies. `jaxgan.load` makes one.

    path: its folder. step: of its checkpoint. config: resolved, an ml_collections.ConfigDict. image_shape: (H, W, C).
    """

    def __init__(self, path: Path, step: int | None = None):
        placement = Placement()
        plan, self.step, state = load_run(path, placement, step)
        if not plan.can(Generates) and not plan.can(FindsAnomalies):
            raise UserError(f"the task of {path} ({plan.config.task.name}) generates nothing")
        self.path, self.config, self.image_shape = path, plan.config, plan.image_shape
        self._plan: Plan = plan
        self._state = placement.local(state.replace(opt_state={}))
        self._nets = trained(plan, self._state, bool(state.ema))
        self._made: dict[Any, Any] = {}  # compiled functions, by what they were made for

    def sample(
        self,
        num: int | None = None,
        seed: int = 0,
        label: int | str | Sequence[int] | Sequence[str] | None = None,
        *,
        seeds: Sequence[int] | None = None,
        truncation_psi: float | None = None,
        truncation: str | None = None,
        standing: int = 0,
        prompt: str | Sequence[str] | None = None,
    ) -> np.ndarray:
        """Pictures, uint8 [N, H, W, C]; points of the plane as float32 [N, 2].

        Args:
          num: how many; 64 by default, or as many as labels. seed: 0 is the first `num` numbers, 1 the next, and so on.
          label: of all pictures, of a generator that is told labels, a number; or of attributes, "red,circle"; or N of
            them, one a picture.
          seeds: the numbers themselves, in place of `num` and `seed`: the pictures of `--mode=sample --seeds=...`.
          truncation_psi: of a StyleGAN: how far styles are from their mean, 1 as trained, 0 the mean.
          truncation: of the latent z, by its kind: "scale:0.7", or "resample:0.7".
          prompt: what all pictures show, of a run that draws captions; or N of them, one a picture.
          standing: take BatchNorm's statistics anew, over so many batches; 0: those of training.

        Raises UserError for what this generator cannot do.
        """
        if not self._plan.can(Generates):
            raise UserError(
                f"the task of {self.path} ({self.config.task.name}) generates nothing; it finds anomalies: detect()"
            )
        if seeds is not None and num is not None:
            raise UserError("give num or seeds, and not both")
        each: Any = prompt if label is None or not np.ndim(label) else label
        count = (64 if each is None or isinstance(each, str) else len(each)) if num is None else num
        if count < 1 or seed < 0:
            raise UserError(f"num must be at least 1 and seed at least 0, not {num} and {seed}")
        numbers = self._numbers(range(seed * count, (seed + 1) * count) if seeds is None else seeds)
        asked = {}
        if label is not None:
            asked["label"] = labels_of(self._plan, label, len(numbers))
        if prompt is not None:
            asked["tokens"] = prompts_for(self._plan, prompt, len(numbers))
        if truncation_psi is not None:
            if not self._plan.can(HasStyles):
                raise UserError("truncation_psi is of generators with styles (configs/stylegan_lite.py); this one has none")
            asked["psi"] = np.full(len(numbers), truncation_psi, np.float32)
        cut = truncate.one(truncation) if truncation is not None else None
        if cut:
            if truncation_psi is not None:
                raise UserError("truncation_psi is of a StyleGAN's styles and truncation of the latent z; leave one out")
            asked["t"] = np.full(len(numbers), cut.t, np.float32)
        make = self._pictures(cut, standing)
        return np.concatenate([*each_batch(make, CHUNK, numbers, **asked)])

    def grid(self, num: int | None = None, seed: int = 0, label: Any = None, **asked: Any) -> Any:
        """The pictures of `sample` as one `PIL.Image`, as near to a square as it gets. asked: what else `sample` takes."""
        if len(self.image_shape) == 1:
            raise UserError("this generator makes points; plot what sample() returns")
        return as_picture(grid_picture(self.sample(num, seed, label, **asked)))

    def _pictures(self, cut: Truncation | None, standing: int) -> Callable:
        """`make_pictures`, compiled once for a kind of truncation; statistics of BatchNorm are of each t."""
        if standing < 0:
            raise UserError(f"standing must be at least 1 pass, or 0 for none, not {standing}")
        key = ("sample", cut if standing else cut and cut.kind, standing)
        if key not in self._made:
            plan, nets = truncated(self._plan, cut), self._nets
            if standing:
                state = Standing(plan, standing, CHUNK, bool(self._state.ema))(self._state)
                nets = trained(plan, state, bool(state.ema))
            self._made[key] = make_pictures(plan, nets, open_data(self.config) if plan.given else None)
        return self._made[key]

    def interpolate(self, seeds: Sequence[int], frames: int = 16, space: str = "z") -> np.ndarray:
        """`frames` pictures from each number to the next, and that of the last: uint8 [N, H, W, C], N = frames *
        (len(seeds) - 1) + 1.

        space: "z", along great circles between latents; of a StyleGAN also "w", straight between styles.
        """
        if len(seeds) < 2 or frames < 1:
            raise UserError("an interpolation goes between at least two seeds, in at least 1 frame")
        if space not in ("z", "w") or not self._plan.can(HasStyles if space == "w" else HasLatent) or self._plan.given:
            raise UserError(f"this generator has no space '{space}' to interpolate in")
        numbers = self._numbers(seeds)
        legs = np.arange(frames * (len(numbers) - 1) + 1)
        before = np.minimum(legs // frames, len(numbers) - 2)
        t = (legs / frames - before).astype(np.float32)
        fn = self._made.setdefault(("walk", space), jax.jit(make_interpolate(self._plan, space)))
        made = each_batch(lambda *some: np.asarray(fn(self._nets, *some)), CHUNK, numbers[before], numbers[before + 1], t)
        found = np.concatenate([*made])
        return to_uint8(found) if len(self.image_shape) == 3 else found

    def translate(self, pictures: np.ndarray, direction: str = "ab") -> np.ndarray:
        """Translations of pictures uint8 [N, H, W, C] of the size that the run was trained on, uint8 [N, H, W, C'].

        direction: "ab", as the run's data have source and image, or "ba". `--mode=translate` takes pictures of any size.
        """
        ways, pictures = self._plan.ways, np.asarray(pictures)
        if direction not in ways:
            raise UserError(f"this generator translates {' and '.join(ways) or 'nothing'}, and not {direction}")
        shape = self._plan.source_shape if direction == "ab" else self.image_shape
        if pictures.dtype != np.uint8 or pictures.shape[1:] != shape:
            wanted = ", ".join(map(str, ("N", *shape)))
            raise UserError(f"pictures must be uint8 [{wanted}], not {pictures.dtype} {list(pictures.shape)}")
        fn = self._made.setdefault(("way", direction), jax.jit(make_generate(self._plan, direction)))
        numbers = np.arange(len(pictures), dtype=np.uint32)
        made = each_batch(lambda n, x: np.asarray(fn(self._nets, n, source=x)), CHUNK, numbers, pictures)
        return to_uint8(np.concatenate([*made]))

    def detect(self, images: Any, rate: float | None = None) -> "Detection":
        """How abnormal pictures are, as `--mode=detect` says it: an object with `score`, `p_value`, `abnormal`, `map`,
        `reconstruction` and `parts`, arrays over the pictures.

        images: uint8 [N, H, W, C] of the size that the run was trained on; or paths of pictures of any size; or one path, of
        a picture, a folder or an archive. rate: the share of normal pictures that may be called abnormal;
        `eval.detector.rate` by default. The first call scores the pictures that the run holds out; calibration.json in its
        folder keeps that.

        Raises UserError for a run that finds no anomalies, and for a rate that its held-out pictures cannot tell.
        """
        from jaxgan.verbs.finder import Finder

        if "finder" not in self._made:
            self._made["finder"] = Finder(self.path, self._plan, self.step, self._nets, bool(self._state.ema), rate)
        finder = self._made["finder"]
        given = images if isinstance(images, np.ndarray) else finder.read(images)
        if given.dtype != np.uint8 or given.shape[1:] != self.image_shape or not len(given):
            wanted = ", ".join(map(str, ("N", *self.image_shape)))
            raise UserError(f"images must be uint8 [{wanted}], or paths, not {given.dtype} {list(given.shape)}")
        return finder(given, finder.at(rate))

    def upscale(self, image: Any, memory: str = "") -> Any:
        """A picture of any size, enlarged as `--mode=upscale` does it.

        image: uint8 or uint16 [H, W] or [H, W, C] (2 grey and alpha, 3 RGB, 4 RGBA), for which an array of that kind comes
        back; or a PIL image, or the path of a picture, for which a PIL image does, and an array where it has 16 bits a
        colour. memory: what this may take beside what the process has, "2GB"; by default 1 GB, or more where the network
        sees far.

        Raises UserError for a run that does not enlarge, for a picture that cannot be read, and for too little memory.
        """
        from jaxgan.upscaler import Upscaler, enlarge_any, makers

        if ("upscaler", memory) not in self._made:
            bound = bytes_of(memory, "memory") if memory else None
            self._made["upscaler", memory] = Upscaler(self._plan, makers(self._plan, self._nets.players), bound)
        return enlarge_any(self._made["upscaler", memory], image)

    @property
    def scores(self) -> dict[str, float]:
        """The newest scores in `evaluation.json`, by name; none where the run was never evaluated."""
        found = Workdir(self.path).evaluations()
        return {name: one["value"] for name, one in found[-1]["scores"].items()} if found else {}

    def evaluate(self, **fields: Any) -> dict[str, float]:
        """Scores it anew, by the protocol of its config, and returns {name: mean}; nothing is written.

        fields: of the section `eval`: num_samples=1000, metrics=("fd", "kid"). It opens the run's data set.
        """
        from jaxgan.scores.of_folder import scores_of

        found = scores_of(self.path, [(f"eval.{name}", typed(x)) for name, x in fields.items()], self.step)
        return {name: one["value"] for name, one in found["scores"].items()}

    def export(self, out: str | Path, stablehlo: bool = False) -> Path:
        """Writes the model as a folder that can be handed on, as `--mode=export` does, and returns its path."""
        from jaxgan.verbs.exporting import export

        return export(self.path, as_path(out), self.step, stablehlo)

    def _numbers(self, seeds: Sequence[int]) -> np.ndarray:
        if not len(seeds) or min(seeds) < 0 or max(seeds) >= 2**32:
            raise UserError("seeds must be whole numbers from 0 to 2^32 - 1, and at least one")
        return np.array(seeds, np.uint32)

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.image_shape))
        return f"<jaxgan model {self.path}: {self.config.task.name}, {shape}, step {self.step}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the first samples and the scores."""
        scores = "".join(f"<tr><td>{html.escape(name)}</td><td>{x:.4g}</td></tr>" for name, x in self.scores.items() if x)
        picture = ""
        if len(self.image_shape) == 3 and self._plan.can(Generates):
            file, grid = io.BytesIO(), self.grid(SHOWN)
            grid.resize((grid.width * 2, grid.height * 2), 0).save(file, "PNG")
            picture = f'<img alt="{SHOWN} samples" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'
        return f"<p><code>{html.escape(repr(self))}</code></p>{picture}<table>{scores}</table>"


def typed(value: Any) -> str:
    """A value as a command line has it."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
