"""The three primitives against lax's own convolution and its derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from jaxgan.nets import conv as ours
from jaxgan.nets import conv_forms, conv_population, layers

SHAPES = [  # image, kernel, stride, channels in and out, padding
    ((8, 8), 4, 2, 3, 5, None),
    ((7, 9), 3, 1, 2, 3, None),
    ((9, 7), 5, 2, 1, 2, None),
    ((7, 7), 3, 3, 2, 2, None),
    ((6, 6), 1, 2, 2, 3, None),
    ((6, 5), 1, 1, 2, 3, None),  # a matrix product
    ((6, 5), 1, 1, 2, 3, ((0, 1), (1, 0))),
    ((8, 6), 4, 1, 2, 1, ((0, 0), (0, 0))),
    ((5, 8), 3, 2, 2, 2, ((2, 1), (0, 3))),
    ((12, 14), 4, 2, 2, 3, None),  # from here on the input gradient goes by phases
    ((13, 12), 3, 2, 2, 2, None),
    ((12, 15), 5, 3, 2, 2, ((2, 1), (0, 3))),
    ((12, 12), 1, 2, 2, 3, None),
    ((4, 4), 4, 2, 2, 3, None),
    ((2, 2), 4, 2, 3, 2, None),
    ((3, 4), 3, 2, 2, 2, ((1, 1), (0, 2))),
    ((3, 4), 4, 1, 2, 2, ((0, 1), (0, 0))),  # outputs of one pixel
    ((5, 4), 3, 3, 2, 2, ((0, 0), (1, 0))),
    ((1, 2), 3, 2, 2, 3, None),
    ((14, 12), 2, 3, 2, 2, ((0, 0), (0, 0))),
]


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def reference(x, w, stride, padding=None):
    padding = "SAME" if padding is None else padding
    return lax.conv_general_dilated(x, w, (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def operands(image, k, cin, cout):
    kx, kw = jax.random.split(jax.random.key(0))
    return jax.random.normal(kx, (2, *image, cin)), jax.random.normal(kw, (k, k, cin, cout))


def assert_close(a, b, tolerance=1e-12):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert float(jnp.abs(x - y).max()) <= tolerance * (1 + float(jnp.abs(y).max()))


@pytest.mark.slow
@pytest.mark.parametrize("image, k, stride, cin, cout, padding", SHAPES)
def test_three_orders_of_derivatives(image, k, stride, cin, cout, padding):
    x, w = operands(image, k, cin, cout)

    def orders(conv):
        first = lambda x, w: jnp.sum(jnp.tanh(conv(x, w, stride, padding)) ** 2)  # noqa: E731
        second = lambda x, w: jnp.sum(jnp.sin(jax.grad(first)(x, w)))  # noqa: E731
        third = lambda x, w: jnp.sum(jnp.sin(jax.grad(second, 1)(x, w)))  # noqa: E731
        grads = [jax.grad(f, (0, 1)) for f in (first, second, third)]
        return jax.jit(lambda x, w: (conv(x, w, stride, padding), [g(x, w) for g in grads]))(x, w)

    assert_close(orders(ours.conv), orders(reference))


@pytest.mark.slow
def test_the_forms_for_other_backends_are_the_same_operations():
    for (image, k, stride, cin, cout, padding), groups in [*zip(SHAPES, [1] * len(SHAPES)), (SHAPES[0], 3), (SHAPES[1], 20)]:
        x, w = operands(image, k, groups * cin, groups * cout)
        w, strides = w[:, :, :cin], (stride, stride)
        padding = ours.same_padding(w.shape[:2], strides, image) if padding is None else padding
        geometry = conv_forms.Geometry(strides, padding, image, w.shape[:2], groups)
        g = ours.conv(x, w, stride, padding, groups)
        for operation, pair in (("conv", (x, w)), ("input_grad", (g, w)), ("kernel_grad", (x, g))):
            cpu, other = (getattr(conv_forms, f"{kind}_{operation}") for kind in ("cpu", "lax"))
            assert_close(cpu(*pair, geometry=geometry), other(*pair, geometry=geometry))


def test_transposed_convolution_is_the_transpose():
    x, w = operands((8, 6), 4, 3, 5)
    y = jax.random.normal(jax.random.key(9), ours.conv(x, w, 2).shape)
    assert_close(jnp.sum(ours.conv(x, w, 2) * y), jnp.sum(x * ours.conv_transpose(y, w, 2)))
    assert ours.conv_transpose(y, w, 2).shape == x.shape


@pytest.mark.slow
def test_forward_mode_and_hessian():
    x, w = operands((5, 5), 3, 1, 2)
    f = lambda c: lambda w: jnp.sum(jnp.sin(c(x, w, 1)))  # noqa: E731
    assert_close(jax.hessian(f(ours.conv))(w), jax.hessian(f(reference))(w))
    assert_close(jax.jvp(f(ours.conv), (w,), (w,)), jax.jvp(f(reference), (w,), (w,)))


@pytest.mark.parametrize("form", ["turns", "grouped", "matmul"])
@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0), (1, 3)])
def test_vmap(axes, form):
    x, w = operands((6, 6), 3, 2, 2)
    xs = x if axes[0] is None else jnp.stack([x, 2 * x, -x], axes[0])
    ws = w if axes[1] is None else jnp.stack([w, 3 * w, w**2], axes[1])

    def all_of(conv):
        f = lambda x, w: jnp.sum(conv(x, w, 2) ** 3)  # noqa: E731
        return jax.vmap(lambda x, w: (conv(x, w, 2), jax.grad(f, (0, 1))(x, w)), axes)(xs, ws)

    with conv_population.members_as(form):
        assert_close(all_of(ours.conv), all_of(reference))
    assert conv_population.form() == "turns"  # on a CPU


@pytest.mark.slow
@pytest.mark.parametrize("form", conv_population.FORMS)
@pytest.mark.parametrize("image, kernel, stride, c, features, padding", SHAPES)
def test_members_of_every_shape(form, image, kernel, stride, c, features, padding):
    x, w = operands(image, kernel, c, features)
    xs, ws = jnp.stack([x, -2 * x]), jnp.stack([w, w**2])

    def of_all(conv):
        def slope(x, w):
            inner = jax.grad(lambda x: jnp.sum(conv(x, w, stride, padding) ** 3))
            return jax.grad(lambda w: jnp.sum(inner(x) ** 2))(w)  # as a gradient penalty's

        return jax.vmap(slope)(xs, ws)

    with conv_population.members_as(form):
        assert_close(of_all(ours.conv), of_all(reference))


def test_inside_scan_remat_shard_map_and_export():
    x, w = operands((8, 8), 3, 2, 2)

    def loss(conv, w):
        body = lambda c, _: (c - 0.01 * jax.grad(lambda c: jnp.sum(jnp.tanh(conv(x, c, 1)) ** 2))(c), None)  # noqa: E731
        return jnp.sum(lax.scan(jax.checkpoint(body), w, None, length=3)[0] ** 2)

    grad = jax.jit(jax.grad(lambda w: loss(ours.conv, w)))
    assert_close(grad(w), jax.grad(lambda w: loss(reference, w))(w))
    mesh = Mesh(np.array(jax.devices()[:2]), ("data",))
    split = jax.shard_map(lambda x: ours.conv(x, w, 1), mesh=mesh, in_specs=P("data"), out_specs=P("data"), check_vma=False)
    assert_close(split(x), reference(x, w, 1))
    exported = jax.export.export(grad, platforms=["cpu", "cuda", "tpu"])(w)  # lowers for each, without having them
    assert_close(exported.call(w), grad(w))


def test_bfloat16_and_mixed_operands():
    x, w = operands((8, 8), 3, 2, 2)
    y = ours.conv(x.astype(jnp.bfloat16), w.astype(jnp.bfloat16), 1)
    assert y.dtype == jnp.bfloat16
    assert_close(y.astype(float), reference(x, w, 1), 0.05)
    with pytest.raises(TypeError, match="one dtype"):
        ours.conv(x.astype(jnp.float32), w)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["turns", *conv_population.FORMS])
@pytest.mark.parametrize("groups, stride, c, features", [(3, 1, 2, 2), (18, 2, 1, 2)])  # unrolled; a loop
def test_groups_of_channels(groups, stride, c, features, form):
    """Against every group by itself, with derivatives of two orders; mapped as members are."""
    x, w = operands((6, 7), 3, groups * c, groups * features)
    w = w[:, :, :c]

    def theirs(x, w):
        pairs = zip(jnp.split(x, groups, -1), jnp.split(w, groups, -1))
        return jnp.concatenate([reference(x, w, stride) for x, w in pairs], -1)

    def orders(conv):
        first = lambda x, w: jnp.sum(jnp.tanh(conv(x, w)) ** 2)  # noqa: E731
        second = lambda x, w: jnp.sum(jnp.sin(jax.grad(first)(x, w)))  # noqa: E731
        every = lambda x, w: (conv(x, w), jax.grad(first, (0, 1))(x, w), jax.grad(second, (0, 1))(x, w))  # noqa: E731
        return jax.jit(every)(x, w), jax.jit(jax.vmap(every))(jnp.stack([x, 2 * x]), jnp.stack([w, -w]))

    with conv_population.members_as(form):
        assert_close(orders(lambda x, w: ours.conv(x, w, stride, groups=groups)), orders(theirs))


def test_kernel_gradients_of_large_batches_go_in_parts():
    x, g = (jax.random.normal(jax.random.key(i), (64, 16, 16, c)) for i, c in enumerate((160, 24)))
    assert conv_forms._part(x, g) == 16 and conv_forms._part(x[:32], g[:32]) == 32  # of 24 MB and of 12
    assert conv_forms._part(x[:61], g[:61]) == 61  # which nothing divides
    geometry = conv_forms.Geometry((1, 1), ((1, 1), (1, 1)), (16, 16), (3, 3))
    found = jax.jit(lambda: conv_forms.cpu_kernel_grad(x, g, geometry=geometry))()
    assert_close(found, conv_forms._kernel_grad(x, g, geometry=geometry))
    low = jax.jit(lambda x, g: conv_forms.cpu_kernel_grad(x, g, geometry=geometry))
    both = [jnp.concatenate([a] * 4).astype(jnp.bfloat16) for a in (x, g)]
    assert low(*both).dtype == jnp.bfloat16 and conv_forms._part(*both) == 64
    assert_close(low(*both).astype(float), 4 * found, 0.02)


@pytest.mark.parametrize(("resample", "image"), [("up", (6, 5)), ("up", (2, 2)), ("down", (6, 10)), ("down", (2, 2))])
def test_resampling_convolutions(resample, image):
    """One strided convolution is a doubled image's convolution, or the means of 2x2 of one."""
    x = jax.random.normal(jax.random.key(0), (3, *image, 2))
    layer = layers.Conv(4, dtype=jnp.float64, resample=resample, spectral=True)
    variables = layer.init(jax.random.key(1), x)
    variables["params"]["bias"] = jnp.arange(4.0)
    plain = layer.clone(resample="none")

    def whole(variables, x):
        if resample == "up":
            return plain.apply(variables, x.repeat(2, 1).repeat(2, 2))
        y = plain.apply(variables, x)
        return y.reshape(3, image[0] // 2, 2, image[1] // 2, 2, 4).mean((2, 4))

    assert_close(layer.apply(variables, x), whole(variables, x))
    both = [jax.grad(lambda v, x, f=f: jnp.sum(jnp.sin(f(v, x))), (0, 1))(variables, x) for f in (layer.apply, whole)]
    assert_close(*both)
