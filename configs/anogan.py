"""AnoGAN (Schlegl et al. 2017): a DCGAN of normal images, in whose z the nearest image is searched.

    python launch.py --config=configs/anogan.py

Training is DCGAN's; what is AnoGAN's is the search: z by 500 steps of gradient descent on (1 - l) sum |x - G(z)| + l sum
|f(x) - f(G(z))|, f a hidden layer of the discriminator and l .1, and that loss as the score. f-AnoGAN finds z by one pass
of an encoder (configs/fanogan.py). The default trains on all digits, none of which is abnormal.

Published: a DCGAN at 64 px on patches of retinal scans (OCT), AUROC .89. The default is DCGAN's at width 32, on digits of
28 px.
"""

from configs import dcgan


def get_config():
    config = dcgan.get_config()
    return config
