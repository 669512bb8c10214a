"""Every section and every field of a config, with its unit and its default.

Experiments start from this one and change what they are about. A section with a `name` holds the fields of the class
that the name picks; choosing another name replaces the section. Fields left out here and in an experiment take the
class' own defaults, so nothing hides: `config.json` in the workdir has them all.

A number marked * is data of the compiled step: it may be a schedule, "linear(2e-4, 0, 50, 100)" from 50 to 100 kimg,
where a kimg is a thousand real images shown to the discriminator, or "linear(2e-4, 0, 50%, 100%)" from the middle of the
run to its end; a run that goes on with more steps then goes on along the longer run's line.
"""

from typing import Any

from ml_collections import ConfigDict


def get_config() -> Any:
    config: Any = ConfigDict(type_safe=False)  # types are checked against the classes, where a number may be a schedule

    config.steps = 1000  # passes over the update list: the discriminator's rounds, then the generator's
    config.seed = 0  # of every draw, and of the order of the data
    config.batch_size = 64  # real images in a round, over all devices of all hosts
    config.dtype = "float32"  # of networks; or bfloat16, with params, norms, terms on D and logits in float32
    config.parallel = "shard_map"  # or pmap: the same bits
    config.steps_per_dispatch = 0  # of data on the device; 0: 1 for a run on a CPU, else 8; the same bits
    config.population = (
        "auto"  # --mode=ablate: cells that differ in seed and * numbers alone train as one program; or on, off
    )
    config.shards = 1  # devices that share optimizer state and moving averages, each with a part of them
    config.accumulate = 1  # parts of a batch, computed one after the other, for less memory
    config.remat = False  # compute again, for gradients, what lies within blocks of networks, for less memory
    config.rollbacks = 0  # how often a run that diverges goes back to its last checkpoint, with other noise, before it stops
    config.simultaneous = False  # True: all players' gradients at the same params, on the same draws
    config.deterministic = False  # forbid nondeterministic GPU kernels (slower; CPU and TPU are exact anyway)

    config.data = {
        "name": "digits",  # any of TFDS ("mnist", "lsun/bedroom"), image_folder, solar_cells, a toy (ring, ...), ...
        "split": "train",  # in TFDS's notation
        "dir": "",  # TFDS's data folder; empty: its default
        "image": "image",  # names of the features
        "label": "label",  # or none
        "source": "",  # of tasks that translate: the feature to start from, or grey, the image without its colours
        "source_split": "",  # or a split whose images are sources that belong to no image
        "truth": "",  # and the feature with their true translations, for scores alone
        "jitter": 0,  # pixels: images are fitted to so many more than size, and training takes a random part of them
        "size": (),  # side, or height,width, to bring images to; empty: as they are
        "crop": (),  # first the centre of this side, or height,width
        "fit": "crop",  # another shape is made to fit by: crop, stretch, pad (with the background), refuse
        "filter": "lanczos",  # of resizing, antialiased: nearest, box, bilinear, hamming, bicubic, lanczos
        "channels": 0,  # 1 grey, 3 RGB, 4 RGBA; 0: as they are
        "background": (255,),  # behind transparent pixels; a grey level or red,green,blue
        "white": 0.0,  # the white level of grey pictures of more than 8 bits; 0: 65535 for 16 bits, floats are refused
        "flip": False,  # mirror every other image, at random
        "captions": "",  # of data with texts: the feature with the captions; empty: none are read
        "words": 18,  # how many words of a caption count
        "vocabulary_split": "train",  # the split whose words are known
        "unseen": (),  # words that follow each other: no example with these in a caption is trained on
        "resident": "auto",  # keep the split in device memory: auto (up to 1 GiB), on, off; the batches are the same
        "corrupt": "refuse",  # images that cannot be read, where they are fitted: refuse to go on, or skip them
        "cache": "",  # folder of fitted images; empty: ~/.cache/jaxgan/images
        "classes": (),  # of data with labels: those that are kept in every split, by name or number; empty: all
        "without": (),  # or those that are not
        "class_shares": (),  # of data with labels: what share of each class is kept, one number a class; empty: all
        "per_class": 0,  # how many examples of each class; 0: all
        "contamination": 0.0,  # what share of the training examples are of classes that are not kept
        "wrong_labels": 0.0,  # what share of the labels is replaced by another class
        "subset_seed": 0,  # which examples, and which labels; -1: the run's seed
    }
    config.task = {
        "name": "latent",  # or style, with generators of styles
        "z_dim": 100,
        "z": "normal",  # or uniform in [-1, 1]
        "gen_norm": "batch",  # the generator's BatchNorm in the discriminator's rounds: batch, or running statistics
        "gen_batch": 1,  # fakes in the generator's own update for each real example of the batch
        "num_classes": 0,  # labels, or attributes, that both networks are told; 0: none
        "fake_labels": "batch",  # of fakes in training: those of the batch, or from the data's shares, uniform, weights
        "fake_weights": (),  # with fake_labels=weights, a number a class
        "unroll": 0,  # updates of the discriminator that the generator's loss looks ahead
    }
    config.critic = {
        "batches": "separate",  # real and fake in two batches (BatchNorm sees one kind at a time), or joint
        "instance_noise": None,  # * standard deviation of noise on all that the discriminator sees
        "pack": 1,  # images that the discriminator judges as one
    }
    # Networks of other runs, or extractors, by names of yours: {"eye": {"name": "run", "workdir": "runs/classifier"}}.
    config.frozen = {}
    config.augment = {"name": "none"}  # of what the discriminator sees: none, diffaugment, or ada
    config.nets = {
        "gen": {
            "name": "dcgan",  # mlp, resnet, sngan, biggan, stylegan, r3gan
            "width": 64,
            "activation": "relu",
            "norm": "batch",
            "epsilon": 1e-5,  # of norms
            "cond": "norm",  # how it is told labels: norm (conditional BatchNorm), concat, embed
        },
        "disc": {
            "name": "dcgan",
            "width": 64,
            "activation": "leaky_relu",
            "norm": "batch",  # or none, layer, spectral
            "epsilon": 1e-5,
            "minibatch": "none",  # what an example may know of its group: none, stddev, discrimination
            "group": 4,  # adjacent examples
            "head": "projection",  # how it is told labels: projection, concat, auxiliary, contrast, none
        },
    }
    config.objective = {
        # minimax, nonsaturating, lsgan, hinge, wasserstein, relativistic, relativistic_average, bce_critic; none: terms
        "loss": "nonsaturating",
        "weight": 1.0,  # * of the generator's adversarial loss
        # wgan_gp, dragan, r1, r2, lecam, consensus, path_length, l1, l2, feature_distance, acgan, contrast, orthogonal:
        # each {"weight": *, "every": steps between its updates, 1 = part of the loss, ...}
        "terms": {},
    }
    config.rounds = {"disc": 1, "gen": 1}  # batches in a row for a player; the discriminator's is n_critic
    config.optim = {
        player: {
            "name": "adam",  # or rmsprop, sgd
            "lr": 2e-4,  # *
            "b1": 0.5,  # *
            "b2": 0.999,  # *
            "eps": 1e-8,  # *
            "eps_root": 0.0,  # inside the root, for task.unroll
            "max_grad_norm": None,  # * gradients are scaled down to this global norm
            "clip_weights": None,  # * params are clipped to [-c, c] after a step
            "freeze": "",  # regular expression on "Layer/param" paths whose params never move
        }
        for player in ("disc", "gen")
    }
    config.ema = {
        "half_life_kimg": 10.0,  # * after which an old weight counts half
        "rampup": 0.05,  # * the half-life is at most this share of the images seen so far
        "start_kimg": 0.0,  # until then the averages are the weights themselves
    }
    config.log = {"every": 50, "tensorboard": True, "params": False}  # steps; params that are a single number too
    config.sample = {"every": 250, "num": 64}  # steps (0: at the end only), images in the grid
    config.checkpoint = {"every": 250, "keep": 3}  # steps (0: at the end only), how many stay
    config.eval = {
        "every": 0,  # steps between evaluations while training, and at its end; 0: none
        "metrics": (
            "fd",
            "kid",
            "prdc",
            "repetition",
            # and: ppl; is, classes, class_modes, for extractors that have classes; of translators pairs, cycles, reading; of
            # runs on normal pictures anomaly; of
            # generators that are told labels label_accuracy, intra_fd, class_recall, cas; of classifiers accuracy, of
            # detectors map50
        ),
        # Of the metric anomaly: task, the run's own score; search, for AnoGAN; pca, patches.
        "detector": {
            "name": "task",
            "test": "test",  # split of normal and abnormal pictures: of classes that data.classes keeps, and of others
            "calibrate": "validation",  # split of held-out normal pictures that the threshold comes of
            "rate": 0.05,  # false positive rate that is asked for
            "ignore": (),  # classes of the test split that are neither normal nor abnormal
            "batch_norm": "running",  # or batch, a leak: BatchNorm by the test batch
            "order": "mixed",  # of such batches; or pure, normal pictures first
        },
        "features": {"name": "digits"},  # or efficientnet_lite0, inception (with eval.features.weights=FILE), random
        "num_samples": 5000,  # generated images
        "repeats": 3,  # sets of them that are scored at the end
        "split": "",  # of the real images; empty: the run's own
        "source_split": "",  # of sources that belong to none of them
        "num_real": 0,  # how many of them, chosen once; 0: all
        "batch_size": 200,  # images at once
        "ema": True,  # score the moving averages of the weights
        "allow_few": False,  # a Frechet distance of no more images than dimensions
        "batch_norm": "running",  # statistics of the generator's BatchNorm; or standing, taken anew
        "standing_passes": 16,  # batches that they are taken over
        "ranker_workdir": "",  # a run of damsm.py that judges pictures of captions
        "pictures": "",  # a folder of whole pictures, Set14 for one, that the metric upscaling is taken on
    }
    config.init_from = {
        "workdir": "",  # start from this run's newest checkpoint
        "players": (),  # whose params; empty: all players'
        "ema": False,  # its moving averages, for players that have them
        "base_workdir": "",  # start between this run's weights and the first one's
        "strength": 1.0,  # the first one's share, from 0 to 1
    }
    return config
