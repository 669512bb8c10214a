"""Trials that see equally many real images, whatever their batch and their rounds of the discriminator."""

from jaxgan.config.resolve import Config, Overrides, resolve_config
from jaxgan.sections import sections

EVERY = ("log.every", "sample.every", "checkpoint.every", "eval.every")


def equal_images(base: Config, common: Overrides, own: Overrides) -> Overrides:
    """Overrides by which a run with `common` and `own` ones shows its discriminator as many real images as one with the
    common ones alone, and is logged, saved and scored after as many."""
    plain, config = resolve_config(base, common, sections), resolve_config(base, common + own, sections)
    share = images_a_step(plain) / images_a_step(config)
    if share == 1:
        return []
    out = [("steps", str(max(1, round(plain.steps * share))))]
    for path in EVERY:
        section = path.partition(".")[0]
        if plain[section].every:
            out.append((path, str(max(1, round(plain[section].every * share)))))
    return out


def images_a_step(config: Config) -> int:
    """Real images that the player with the most updates sees in a step."""
    return config.batch_size * max(config.rounds.values(), default=1)
