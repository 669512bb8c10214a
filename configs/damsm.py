"""DAMSM (Xu et al. 2018, section 3.2): which caption belongs to which picture? On `shapes` at 64 px with five captions each.

    python launch.py --config=configs/damsm.py

It trains the text encoder that text-to-image runs take, and the judge of their pictures. Its score is the share of the
split `test` whose own caption is nearest among 100, `retrieval`. It has to be .95 at least before a generator is worth
training with it.

Published, CUB and COCO: codes of 256, an LSTM of 128 a direction over embeddings of 300, gamma 4, 5 and 10, Adam with 2e-3,
0.98 times that after each epoch, gradients of the LSTM cut at .25, batches of 48; regions of a frozen Inception v3. Here a
small convolutional network is trained in its place.
"""

from configs import default


def get_config():
    config = default.get_config()
    config.steps, config.batch_size = 3000, 48
    config.data = {"name": "shapes/64", "label": "none", "captions": "captions", "words": 30}
    config.task = {"name": "damsm"}
    config.nets = {"text": {"name": "lstm"}, "image": {"name": "regions"}}
    config.optim = {"match": {"name": "adam", "lr": "cosine(2e-3, 2e-5, 0, 100%)", "b1": 0.5, "max_grad_norm": 0.25}}
    config.rounds = {"match": 1}
    config.sample.every = 0
    config.eval.update(metrics=("retrieval",), split="test", every=500)
    return config
