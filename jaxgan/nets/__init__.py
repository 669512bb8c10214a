"""Networks by the names that a config gives them.

A generator is called `(z, cond, *, train, keys)` and returns images in [-1, 1]; a discriminator is called
`(image, cond, *, train, keys)` and returns a `layers.Out`. cond: labels [N], or attributes [N, K], of a network that has
`num_classes`, or an image that belongs to this one, or None. A translator is a generator whose z is an image; one that has
the field `scale` returns an image so many times as large. keys: a function from a role to one random key an example, or
None. An encoder is called `(image, *, train)` and returns z [N, z_dim]. A class' fields with defaults are its section of the
config; those without (`image_shape`, `dtype`, `scale`) follow from the run. `tiny` holds the fields that make it as small as
tests want it.
"""

from jaxgan.nets import (
    attngan,
    bicubic,
    biggan,
    dcgan,
    dfgan,
    dirac,
    mlp,
    patch,
    r3gan,
    resnet,
    rrdb,
    sngan,
    srgan,
    srresnet,
    stylegan,
    translator,
    unet,
)

_FILES = {
    "mlp": mlp,
    "dcgan": dcgan,
    "resnet": resnet,
    "sngan": sngan,
    "stylegan": stylegan,
    "r3gan": r3gan,
    "biggan": biggan,
    "dirac": dirac,
}
GENERATORS = {name: file.Generator for name, file in _FILES.items()}
DISCRIMINATORS = {name: file.Discriminator for name, file in _FILES.items()}
ENCODERS = {"dcgan": dcgan.Encoder, "resnet": resnet.Encoder}
TRANSLATORS = {
    "unet": unet.Generator,
    "translator": translator.Generator,
    "bicubic": bicubic.Generator,  # these three enlarge
    "srresnet": srresnet.Generator,
    "rrdb": rrdb.Generator,
}
TEXT_GENERATORS = {"dfgan": dfgan.Generator, "attngan": attngan.Generator}  # of z and a `protocols.TextCodes`
TEXT_CRITICS = {"dfgan": dfgan.Discriminator, "attngan": attngan.Discriminator}
CRITICS = {"patch": patch.Discriminator, "srgan": srgan.Discriminator}  # of an image, perhaps beside another
