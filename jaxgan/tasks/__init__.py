"""Tasks by the names that a config gives them; `latent.Latent` documents what a task is."""

from jaxgan.tasks import latent, style

TASKS = {"latent": latent.Latent, "style": style.Style}
