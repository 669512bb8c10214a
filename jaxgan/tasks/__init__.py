"""Tasks by the names that a config gives them; `task` says what a task is."""

from jaxgan.tasks import classify, damsm, detect, encode, ganomaly, latent, paired, style, text, unpaired

TASKS = {
    "latent": latent.Latent,
    "style": style.Style,
    "paired": paired.Paired,
    "unpaired": unpaired.Unpaired,
    "classify": classify.Classify,
    "detect": detect.Detect,
    "encode": encode.Encode,
    "ganomaly": ganomaly.Ganomaly,
    "damsm": damsm.Damsm,
    "text": text.Text,
}
