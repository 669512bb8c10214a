"""Where the state and the batch live: the mesh, who owns which rows of a batch, and the step on every device.

The state is the same on each device; the batch is split along its second axis, [rounds, batch, ...]. `shard_map` and `pmap`
wrap the same function, with the axes of `parallel` bound.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from jaxgan.errors import UserError
from jaxgan.parallel import AXIS, SHARD, split_axis


class Placement:
    """Where the state and the batch live, for one of the two wrappers.

    Args:
      kind: "shard_map", or "pmap".
      devices: all devices of the run, by default every one of every process.
      shards: how many devices share optimizer state and moving averages.

    Raises UserError where `shards` does not divide the devices, or pmap is to have them.
    """

    def __init__(self, kind: str = "shard_map", devices: list[Any] | None = None, shards: int = 1):
        self.kind, self.shards = kind, shards
        if kind == "pmap" and shards > 1:
            raise UserError(f"shards={shards} needs --config.parallel=shard_map")
        count = jax.device_count() if devices is None else len(devices)
        if count % shards:
            near = max(n for n in range(1, count + 1) if count % n == 0 and n <= shards)
            raise UserError(f"shards={shards} does not divide the {count} devices; {near} does")
        shape, names = ((count // shards, shards), (AXIS, SHARD)) if shards > 1 else ((count,), (AXIS,))
        if devices is None and kind == "shard_map":
            self.mesh = jax.make_mesh(shape, names, axis_types=(AxisType.Auto,) * len(shape))
        else:
            by_process = [d for p in range(jax.process_count()) for d in jax.local_devices(process_index=p)]  # as pmap
            self.mesh = Mesh(np.array(by_process if devices is None else devices).reshape(shape), names)
        self.size = self.mesh.size
        self.local_devices = [d for d in self.mesh.devices.flat if d.process_index == jax.process_index()]
        self.replicated = NamedSharding(self.mesh, P())
        self.sharded = NamedSharding(self.mesh, P(None, names))
        # pmap wants the state on this process' devices alone.
        local = NamedSharding(Mesh(np.array(self.local_devices), (AXIS,)), P())
        self._home = local if kind == "pmap" else self.replicated

    def wrap(self, step: Callable, batch_is_split: bool, state: Any = None) -> Callable:
        """Compiles `step(state, inputs, data, count) -> (state, report)`, donating the state; all but `data` is replicated,
        and but for what `shards` divides.

        `batch_is_split`: whether `data` is a batch divided among devices, or a whole data set, one copy on each. state: its
        shapes, where there are shards.
        """
        if self.kind == "pmap":
            mapped = jax.pmap(
                lambda _, *arguments: step(*arguments),
                AXIS,
                in_axes=(0, None, None, 1 if batch_is_split else None, None),  # pyright: ignore
                out_axes=(None, None),  # pyright: ignore
                devices=list(self.mesh.devices.flat),
                donate_argnums=1,
            )
            axis = np.zeros(len(self.local_devices))  # pmap wants at least one argument to map over
            return lambda *arguments: mapped(axis, *arguments)
        split = P(None, self.mesh.axis_names) if batch_is_split else P()
        own = P() if self.shards == 1 else self._specs(state)
        sharded = jax.shard_map(
            step,
            mesh=self.mesh,
            in_specs=(own, P(), split, P()),
            out_specs=(own, P()),
            check_vma=False,  # the default sums gradients of replicated params by itself, and the step means them
        )
        return jax.jit(sharded, donate_argnums=0)

    def _specs(self, state: Any) -> Any:
        """How the state lies on the mesh: `step` cuts optimizer state and averaged params by `part`."""

        def cut(x: Any) -> P:
            axis = split_axis(x.shape, self.shards)
            return P() if axis is None else P(*[None] * axis, SHARD)

        ema = {player: {**jax.tree.map(lambda _: P(), own), "params": jax.tree.map(cut, own["params"])}
               for player, own in state.ema.items()}  # fmt: skip
        rest = jax.tree.map(lambda _: P(), state)
        return rest.replace(opt_state=jax.tree.map(cut, state.opt_state), ema=ema)

    def shardings(self, state: Any) -> Any:
        """Where each array of a state of these shapes lies in the step that `wrap` makes."""
        if self.shards == 1:
            return jax.tree.map(lambda _: self.replicated, state)
        return jax.tree.map(lambda spec: NamedSharding(self.mesh, spec), self._specs(state))

    def wrap_members(self, step: Callable, axes: Any, input_axes: Any) -> Callable:
        """As `wrap`, for a population that is divided among the devices, each of which trains its members on whole batches:
        no axis is bound. axes, input_axes: of state and inputs, by leaf or subtree, 0 where members are stacked and None
        where they share.

        `data` is resident, one copy on each device. The report comes back whole.
        """
        at, inside = (jax.tree.map(_along_members, x, is_leaf=lambda axis: axis is None) for x in (axes, input_axes))
        sharded = jax.shard_map(
            step, mesh=self.members, in_specs=(at, inside, P(), P()), out_specs=(at, P("members")), check_vma=False
        )

        def run(state, inputs, data, count):
            state, report = sharded(state, inputs, data, count)
            return state, lax.with_sharding_constraint(report, self.replicated)

        return jax.jit(run, donate_argnums=0)

    @property
    def members(self) -> Mesh:
        """The devices as a mesh along which members are divided."""
        return Mesh(self.mesh.devices.reshape(-1), ("members",))

    def divide(self, state: Any, axes: Any) -> Any:
        """A population's state, whole on every device, as `wrap_members` wants it. Takes the state."""

        def put(axis, part):
            return jax.device_put(part, NamedSharding(self.members, _along_members(axis)), donate=True)

        return jax.tree.map(put, axes, state, is_leaf=lambda axis: axis is None)

    def init(self, make: Callable, *args) -> Any:
        """`make(*args)`, computed where the state lives: one copy on each device."""
        return jax.jit(make, out_shardings=self._home)(*args)

    def replicate(self, tree: Any) -> Any:
        """Host arrays, the same in every process, to one copy on each device."""
        return jax.tree.map(lambda x: _replicate(np.asarray(x), self._home), tree)

    def spread(self, tree: Any) -> Any:
        """Host arrays, the same in every process, to one copy on each device of the whole mesh."""
        return jax.tree.map(lambda x: _replicate(np.asarray(x), self.replicated), tree)

    def deal(self, shape: tuple[int, ...], rows: Callable[[slice], np.ndarray]) -> jax.Array:
        """An array of `shape`, its first axis divided among all devices; `rows` gives those that this process owns."""
        sharding: Any = NamedSharding(self.mesh, P(self.mesh.axis_names))
        return jax.make_array_from_callback(shape, sharding, lambda index: rows(index[0]))  # pyright: ignore

    def fetch(self, x: jax.Array) -> np.ndarray:
        """The whole of an array over the mesh, on every host."""
        if jax.process_count() > 1:
            return np.asarray(multihost_utils.process_allgather(x, tiled=True))
        return np.asarray(x)

    def all(self, answer: bool) -> bool:
        """Whether every process says yes."""
        if jax.process_count() == 1:
            return answer
        return bool(np.all(multihost_utils.process_allgather(np.array(answer))))

    def to_global(self, tree: Any) -> Any:
        """The state as arrays over the whole mesh, which checkpoints hold; no bytes move."""
        return self._move(tree, self.replicated) if self.kind == "pmap" else tree

    def from_global(self, tree: Any) -> Any:
        """The inverse of `to_global`."""
        return self._move(tree, self._home) if self.kind == "pmap" else tree

    def local(self, tree: Any) -> Any:
        """This process' own copy of a replicated tree, on its first device; arrays on the host as they are."""
        return jax.tree.map(lambda x: x.addressable_data(0) if isinstance(x, jax.Array) else x, tree)

    def _move(self, tree: Any, sharding: NamedSharding) -> Any:
        def move(x):
            if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
                return jax.random.wrap_key_data(move(jax.random.key_data(x)))
            parts = [shard.data for shard in x.addressable_shards]
            return jax.make_array_from_single_device_arrays(x.shape, sharding, parts)

        return jax.tree.map(move, tree)

    def local_rows(self, batch_size: int) -> np.ndarray:
        """Global row indices [local rows] of this process, in the order in which `put` wants them.

        Read from the mesh and not from the process' number: on a pod, devices along an axis are not in process order.
        """
        b = batch_size // self.size
        order = [i for i, d in enumerate(self.mesh.devices.flat) if d.process_index == jax.process_index()]
        return np.concatenate([np.arange(i * b, (i + 1) * b) for i in order])

    def put(self, batch: Any) -> Any:
        """This process' rows [rounds, local rows, ...] of each host array to the devices that own them."""
        if self.kind == "pmap":
            n = len(self.local_devices)
            return jax.tree.map(lambda x: x.reshape(x.shape[0], n, -1, *x.shape[2:]), batch)
        return jax.tree.map(self._put, batch)

    def _put(self, x: np.ndarray) -> jax.Array:
        b = x.shape[1] // len(self.local_devices)
        parts = [jax.device_put(x[:, i * b : (i + 1) * b], d) for i, d in enumerate(self.local_devices)]
        shape = (x.shape[0], b * self.size, *x.shape[2:])
        return jax.make_array_from_single_device_arrays(shape, self.sharded, parts)


def _along_members(axis: int | None) -> P:
    return P() if axis is None else P("members")


def _replicate(x: np.ndarray, sharding: NamedSharding) -> jax.Array:
    return jax.make_array_from_callback(x.shape, sharding, lambda _: x)
