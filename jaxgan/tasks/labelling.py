"""Labels of generated examples: how they are drawn, and what does not fit together about them."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxgan.errors import UserError
from jaxgan.objectives.context import Facts

# Heads of a discriminator that learn labels by a term alone: what they return in `Out.aux`, and the term.
BY_TERM = {"auxiliary": ("classes", "acgan"), "contrast": ("embedding", "contrast")}


def draw(task: Any, keys: jax.Array) -> jax.Array:
    """A label, int32 [N], or a vector of attributes, [N, K], for each key of [N], as `task.fake_labels` says."""
    label, shares = task.label, _shares(task)
    if label and label.shape:
        p = jnp.array(shares or (0.5,) * task.num_classes)
        return jax.vmap(lambda key: jax.random.bernoulli(key, p).astype(jnp.int32))(keys)
    if shares:
        p = jnp.array(shares) / sum(shares)
        return jax.vmap(lambda key: jax.random.choice(key, task.num_classes, p=p).astype(jnp.int32))(keys)
    return jax.vmap(partial(jax.random.randint, shape=(), minval=0, maxval=task.num_classes))(keys)


def _shares(task: Any) -> tuple[float, ...]:
    """How likely each class is, or each attribute; () where all classes are alike, and attributes as likely as not."""
    own = task.label.shares if task.label else ()
    return {"data": own, "weights": task.fake_weights}.get(task.fake_labels, ())


def check_fake_labels(task: Any, facts: Facts) -> None:
    """Refuses weights that fit no classes, and shares that nobody knows. Raises UserError."""
    weights, classes, label = task.fake_weights, task.num_classes, facts.data.get("label")
    if not classes and task.fake_labels != "batch":
        raise UserError(f"task.fake_labels={task.fake_labels} is of labels; --config.task.num_classes says how many")
    if bool(weights) != (task.fake_labels == "weights"):
        raise UserError("task.fake_weights goes with --config.task.fake_labels=weights, a number for each class")
    if weights and (len(weights) != classes or not sum(weights)):
        raise UserError(f"task.fake_weights wants {classes} numbers, one a class, and not all 0; it has {len(weights)}")
    if label and label.shape and weights and max(weights) > 1:
        raise UserError("task.fake_weights of attributes are probabilities, from 0 to 1 each")
    if task.fake_labels == "data" and facts.opened and not (label and label.shares):
        raise UserError(
            "task.fake_labels=data needs to know how often each class occurs, which this data set does not say; "
            "--config.task.fake_labels=batch, or weights"
        )


def check_heads(task: Any) -> None:
    """Refuses terms that read what the discriminator's head does not return, and a head that no term reads. Raises
    UserError."""
    if not hasattr(task.disc, "head"):
        return  # a network of the reader's own returns what it likes
    own = task.disc.head if task.num_classes else ""
    asked = {name: term.aux for name, term in task.objective.terms.items() if getattr(term, "aux", "")}
    for name, aux in asked.items():
        head = next(head for head, (returned, _) in BY_TERM.items() if returned == aux)
        if own != head:
            more = "" if task.num_classes else ", and --config.task.num_classes says how many labels there are"
            raise UserError(f"objective.terms.{name} reads a head of its own: --config.nets.disc.head={head}{more}")
    if own in BY_TERM and BY_TERM[own][0] not in asked.values():
        raise UserError(
            f"nets.disc.head={own} learns labels by a term, and there is none; "
            f"--config.objective.terms.{BY_TERM[own][1]}.weight=1"
        )
