"""Tasks by the names that a config gives them; `latent.Latent` documents what a task is."""

from jaxgan.tasks import latent

TASKS = {"latent": latent.Latent}
