"""Every mistake that we know of gets one line and exit code 2, and leaves nothing behind.

`tests/mistakes.md` is this table with its answers: `python -m pytest tests/test_mistakes.py --write` writes it.
"""

import fcntl
import json
import os
import shlex
import tarfile
from pathlib import Path

import jax
import numpy as np
import pytest
from absl import logging
from helpers import ROOT
from PIL import Image

from jaxgan import cli
from jaxgan.training import budget

pass

VANILLA, WGAN, DCGAN = ("--config=configs/vanilla.py", "--config=configs/wgan.py", "--config=configs/dcgan.py")
FOLDER = "--config.data.name=image_folder"
PIX2PIX, CYCLEGAN = ("--config=configs/pix2pix.py", "--config=configs/cyclegan.py")
TILES = f"{DCGAN} --config.data.name=picture_tiles"
CONTENT = "--config.objective.terms.content.name=feature_distance --config.objective.terms.content"
CGAN = "--config=configs/cgan.py"
CLASSIFIER = "--config=configs/classifier.py"
FANOGAN = "--config=configs/fanogan.py"
PAIRS = f"{PIX2PIX} --config.data.name=image_pairs"
SMALL = ["--config.steps=2", "--config.batch_size=8", "--config.nets.gen.widths=4", "--config.nets.disc.widths=4"]
PHOTOS = [VANILLA, FOLDER, "--config.data.size=8", "--config.data.cache=cache", *SMALL]

# heading: [(what is typed after "python launch.py", what the answer must say)]
MISTAKES = {
    "Flags and files": [
        ("", "say what to train: python launch.py --config=configs/wgan.py"),
        ("--config=configs/wgn.py", "did you mean 'configs/wgan.py'?"),
        ("--config=wgan", "did you mean 'configs/wgan.py'?"),
        ("--config=configs/wgan.py:clp", "has no variant 'clp'; did you mean 'clip'?"),
        ("--config=configs/dcgan.py:big", "has no variant 'big'"),
        ("--config=broken.py", "broken.py, line 3:"),
        ("--config=misspelt.py", "no config field 'optim.gen.lrr'; did you mean 'optim.gen.lr'?"),
        ("--config=undefined.py", "undefined.py, line 4: NameError: name 'defualt' is not defined"),
        ("--config=nothing.py", "get_config must return a ConfigDict"),
        ("--config=configs/wgn.py --help", "did you mean 'configs/wgan.py'?"),
        (f"{WGAN} --num_processes=2 --process_id=0", "--coordinator is missing"),
        (f"{WGAN} --coordinator=host --num_processes=2 --process_id=0", "--coordinator must be HOST:PORT"),
        (f"{WGAN} --mode=trian", "unknown mode 'trian'; did you mean 'train'?"),
        (f"{WGAN} --workdri=x", "no flag --workdri; did you mean '--workdir'?"),
        (f"{WGAN} --steps=100", "no flag --steps; did you mean --config.steps?"),
        (f"{WGAN} --lr=1e-4", "did you mean --config.optim.disc.lr or --config.optim.gen.lr?"),
        (f"{WGAN} train", "'train' is no flag"),
        (f"{WGAN} --num=9", "--num has no effect in --mode=train"),
        (f"{WGAN} --workers=2", "--workers has no effect in --mode=train"),
        ("--config=configs/ablations/rign.py", "did you mean 'configs/ablations/ring.py'?"),
        ("--mode=ablate --workdir=nowhere", "nowhere holds no table (no table.json)"),
        (f"{WGAN} --mode=ablate", "has no table(), which makes an ablation's table"),
        ("--config=configs/ablations/ring.py --mode=ablate --workers=0", "--workers must be at least 1, not 0"),
        ("--config=configs/ablations/ring.py --mode=ablate --cell=70", "the table has cells 0 to 69"),
        (
            "--config=configs/ablations/ring.py --mode=ablate --config.stesp=9",
            "row 'GAN': no config field 'stesp'; did you mean 'steps'?",
        ),
        ("--config=configs/ablations/ring.py --mode=ablate --report_only", "nothing has been trained in runs/ring"),
        ("--config=configs/ablations/ring.py --mode=ablate --join=nowhere", "--join=nowhere holds no report.json"),
        ("--config=configs/ablations/ring.py --mode=ablate --cell=1 --join=runs/ring", "--cell writes no report"),
        ("--config=configs/ablations/ring.py --mode=ablate --controls --cell=1", "leave --cell out"),
    ],
    "Fields and names": [
        (f"{WGAN} --config.step=5", "did you mean 'steps'?"),
        (f"{WGAN} --config.optim.gen.lrr=1", "did you mean 'optim.gen.lr'?"),
        (f"{WGAN} --config.nets.gan.width=3", "did you mean 'nets.gen.width'"),
        (
            f"{WGAN} --config.task.unroll=3",
            "which needs a derivative at 0: --config.optim.disc.eps_root=1e-16 (adam) or sgd",
        ),
        (
            "--config=configs/wgan.py:clip --config.nets.disc.minibatch=stddev --config.batch_size=36",
            "no whole groups of 4; 32 does",
        ),
        (f"{WGAN} --config.lr=1e-4", "did you mean 'optim.disc.lr' or 'optim.gen.lr'?"),
        (f"{DCGAN} --config.data.name=shapes/32 --config.data.size=33 --config.data.dir=new", "multiples of 4, 8 or more"),
        (f"{WGAN} --config.data=cifar10", "'data' is a section; its kind is data.name=..."),
        (f"{WGAN} --config.objective.loss=hing", "unknown loss 'hing'; did you mean 'hinge'?"),
        (f"{WGAN} --config.objective.terms.r3.weight=1", "unknown term 'r3'"),
        (f"{WGAN} --config.objective.terms.r1=5", "takes fields"),
        (
            f"{WGAN} --config.objective.terms.consensus.every=2",
            "objective.terms.consensus.every must be at least 1 and below 2",
        ),
        (f"{WGAN} --config.task.pack=2", "'task.pack' is called critic.pack now"),
        (f"{WGAN} --config.objective.terms.r1=none", "there is no term 'r1' to remove"),
        (f"{WGAN} --config.nets.gen.name=resnte", "did you mean 'resnet'?"),
        (f"{WGAN} --config.nets.gen.norm=btch", "did you mean 'batch'?"),
        (f"{WGAN} --config.optim.gen.name=adm", "unknown optimizer 'adm'; did you mean 'adam'?"),
        (f"{WGAN} --config.task.name=latnt", "unknown task 'latnt'; did you mean 'latent'?"),
        (f"{WGAN} --config.augment.name=diffaugmnt", "unknown augmentation 'diffaugmnt'; did you mean 'diffaugment'?"),
        (f"{WGAN} --config.augment.name=ada", "augment.adapt_p asks how many reals are taken for real"),
        (f"{WGAN} --config.data.name=digitz", "unknown data set 'digitz'; did you mean 'digits'?"),
        (f"{WGAN} --config.dtype=float16", "did you mean 'bfloat16'?"),
        (f"{WGAN} --config.nets.gen.name=my_nets:Generator", "cannot be imported: No module named 'my_nets'"),
        (f"{WGAN} --config.nets.gen.name=jaxgan.nets.dcgan:Genrator", "has no 'Genrator'; did you mean 'Generator'?"),
        (f"{WGAN} --config.nets.gen.name=jaxgan.nets.dcgan:halvings", "must be a dataclass or a flax module"),
        (f"{WGAN} --config.objective.loss=jaxgan.losses:hinge_disc", "must be a pair of functions (critic's, maker's)"),
    ],
    "Values": [
        (f"{WGAN} --config.steps=many", "steps must be a whole number, not 'many'"),
        (f"{WGAN} --config.steps=1.5", "steps must be a whole number, not '1.5'"),
        (f"{WGAN} --config.steps=-1", "steps must be at least 0, not -1"),
        (f"{WGAN} --config.steps=1e9", "more than 2^32"),
        (f"{WGAN} --config.seed=99999999999", "seed must be at least 0 and below"),
        (f"{WGAN} --config.batch_size=0", "batch_size must be at least 1, not 0"),
        (f"{WGAN} --config.batch_size=30", "not divisible by the 4 devices; 32 is"),
        (f"{WGAN} --config.optim.gen.lr=-1e-4", "optim.gen.lr must be at least 0, not -0.0001"),
        (f"{WGAN} --config.optim.gen.lr=fast", "must be a number or a schedule"),
        (f'{WGAN} --config.optim.gen.lr="linear(1, 2)"', "must be a number or a schedule"),
        (f'{WGAN} --config.optim.gen.lr="linear(1e-4, 0, 100, 5)"', "begin_kimg must be at least 0 and at most end_kimg"),
        (
            f'{WGAN} --config.optim.gen.lr="linear(1e-4, 0, 5, 100%)"',
            "both times are in kimg, or both are shares of the run",
        ),
        (f'{WGAN} --config.optim.gen.lr="geometric(1e-4, 0, 0, 5)"', "goes between positive numbers"),
        (f"{WGAN} --config.optim.gen.lr=nan", "must be a finite number"),
        (f"{WGAN} --config.optim.gen.b1=1", "must be at least 0 and below 1, not 1"),
        (f"{WGAN} --config.optim.gen.freeze=Conv_9", "finds no param"),
        (f"{WGAN} --config.optim.gen.freeze='*'", "is no regular expression"),
        (f"{WGAN} --config.log.tensorboard=maybe", "must be true or false"),
        (f"{WGAN} --config.rounds.disc=0", "rounds.disc must be at least 1"),
        (f"{WGAN} --config.nets.gen.width=0", "nets.gen.width must be at least 1"),
        (f"{WGAN} --config.simultaneous=true", "every rounds.PLAYER must be 1"),
        (f"{WGAN} --config.nets.gen.width=1e9", "this run needs at least 6.4e+05 PB"),
        (f"{WGAN} --config.nets.gen.width=20000", "this run needs at least"),
        (f"{VANILLA} --config.batch_size=64", "too little memory: lower --config.batch_size"),
    ],
    "Data": [
        (f"{DCGAN} {FOLDER}", "say where the pictures are"),
        (f"{DCGAN} {FOLDER} --config.data.dir=fotos", "there is no 'fotos'; did you mean 'photos'?"),
        (f"{DCGAN} {FOLDER} --config.data.dir=empty", "'empty' holds no pictures"),
        (f"{DCGAN} {FOLDER} --config.data.dir=~nouser/photos", "'~nouser/photos': Could not determine home"),
        (f"{DCGAN} {FOLDER} --config.data.dir=notes.txt", "neither a folder nor an archive"),
        (f"{DCGAN} {FOLDER} --config.data.dir=mixed", "holds 1 pictures and 1 archives (cut.tar): which are meant?"),
        (f"{DCGAN} {FOLDER} --config.data.dir=mixed/cut.tar", "is damaged or cut short after 2 files"),
        (f"{DCGAN} {FOLDER} --config.data.dir=broken.zip", "'broken.zip' cannot be read"),
        (f"{DCGAN} {FOLDER} --config.data.dir=damaged --config.data.cache=cache", "the first b.png: "),
        (f"{DCGAN} {FOLDER} --config.data.dir=photos --config.data.labels=folders", "has no labels"),
        (
            f"{DCGAN} {FOLDER} --config.data.dir=photos --config.data.size=30 --config.data.cache=cache",
            "multiples of 4, 8 or more, not 30x30",
        ),
        (f"{DCGAN} {FOLDER} --config.data.dir=photos --config.data.size=1,2,3", "data.size must be 1 or 2 numbers"),
        (f"{DCGAN} {FOLDER} --config.data.dir=photos --config.data.filter=lancos", "did you mean 'lanczos'?"),
        (f"{DCGAN} --config.data.name=ring", "convolutions want images, not points of 2 numbers"),
        (f"{DCGAN} --config.data.label=digit", "has no labels 'digit'"),
        (f"{DCGAN} --config.data.image=picture", "has no feature 'picture'"),
        (f"{DCGAN} --config.data.split=trian", "has no split 'trian'; did you mean 'train'?"),
        (f"{DCGAN} --config.data.name=mnist --config.data.dir=tfds", "needs TensorFlow, once"),
        (f"{DCGAN} --config.data.name=cifar10 --config.data.dir=tfds", "must be downloaded, and "),
        (f"{DCGAN} --config.data.name=lsun/bedroom --config.data.dir=tfds", "choose one: --config.data.size=64"),
        (f"{DCGAN} --config.data.name=lsun/bedrom", "has no 'bedrom'; did you mean 'bedroom'?"),
    ],
    "Tiles": [
        (TILES, "say where the pictures are: --config.data.dir=FOLDER"),
        (f"{TILES} --config.data.dir=fotos", "there is no 'fotos'; did you mean 'photos'?"),
        (f"{TILES} --config.data.dir=empty", "'empty' holds no pictures"),
        (f"{TILES} --config.data.source=down5", "data.source cannot be 'down5'; did you mean 'down4'?"),
        (f"{TILES} --config.data.size=30", "data.size=30, but data.source=down4 needs multiples of 4: 32"),
        (f"{TILES} --config.data.jitter=6", "data.jitter=6, but data.source=down4 needs multiples of 4: 8"),
        (f"{TILES} --config.data.size=64,96 --config.data.turns=true", "data.turns is of square tiles, not 64x96"),
        (f"{TILES} --config.data.size=0", "data.size must be at least 1"),
        (
            f"{TILES} --config.data.dir=photos --config.data.size=16 --config.data.cache=cache",
            "fewer than a tile of 16x16; remove it, or choose a smaller --config.data.size",
        ),
        (f"{TILES} --config.data.dir=damaged --config.data.size=8 --config.data.cache=cache", "'b.png' of damaged"),
        (
            f"{PIX2PIX} --config.data.name=picture_tiles --config.data.source=none",
            "and the data set picture_tiles has none to start from; --config.data.source=down4",
        ),
        (f"{TILES} --config.data.dir=photos --config.data.crop=8", "no config field 'data.crop'"),
        (f"{DCGAN} --config.data.name=photographs", 'need the package scikit-image: pip install -e ".[photographs]"'),
        (f"{DCGAN} --config.data.name=photograps", "unknown data set 'photograps'; did you mean 'photographs'?"),
        (f"{DCGAN} --config.data.name=div2k --config.data.dir=new", "preparing TFDS's div2k needs TensorFlow, once"),
        (f"{DCGAN} --config.data.name=div2k/bicubic_x9", "data set div2k has no 'bicubic_x9'; did you mean"),
    ],
    "Workdirs": [
        (f"{VANILLA} --workdir=notes.txt/run", "workdir notes.txt/run cannot be written: Not a directory"),
        (f"{VANILLA} --workdir=busy", "busy is in use by another run"),
        (f"{VANILLA} --workdir=done", "done holds another experiment; choose another --workdir, or undo: "),
        (" ".join([*PHOTOS, "--config.data.dir=photos", "--workdir=done"]), "the data of done have changed since it began"),
        (f"{VANILLA} --workdir=half", "half/config.json is damaged"),
        ("--workdir=nowhere", "nowhere holds no run"),
        (
            "--mode=sample --workdir=theirs",
            "theirs would run code from outside jaxgan, 'their_nets:Generator', and this machine has no note that you made",
        ),
        (f"{VANILLA} --workdir=mine", "mine holds no run, and one in it would replace its metrics.jsonl; choose another"),
        (
            "--config=configs/ablations/ring.py --mode=ablate --workdir=mine",
            "mine holds no table, and a report in it would replace its report.md; choose another --workdir",
        ),
        ("--mode=ablate --workdir=theirs --report_only", "theirs would run code from outside jaxgan, 'their_table.py', and"),
        (f"{VANILLA} --workdir=new --config.init_from.workdir=nowhere", "nowhere holds no run"),
    ],
    "Samples": [
        ("--mode=sample --workdir=nowhere", "nowhere holds no run"),
        ("--mode=sample --workdir=done --config.seed=1", "--config.seed has no effect in --mode=sample"),
        ("--mode=sample --workdir=done --num=0", "--num must be at least 1"),
        ("--mode=sample --workdir=done --num=ten", "flag --num=ten: invalid"),
        ("--mode=sample --workdir=done --grid=8by8", "--grid must be COLUMNSxROWS"),
        ("--mode=sample --workdir=done --grid=8x8 --num=10", "leave one out"),
        ("--mode=sample --workdir=done --seeds=9-3", "--seeds must be numbers and ranges"),
        ("--mode=sample --workdir=done --out=cats.jpg", "must be FILE.png"),
        ("--mode=sample --workdir=done --out=notes.txt/cats.png", "'notes.txt' is a file, not a folder"),
        ("--mode=sample --workdir=done --out=empty.png", "--out=empty.png is a folder"),
        (
            "--mode=sample --workdir=done --out=photos",
            "photos holds 'b.png', which this command has not made; choose another",
        ),
        ("--mode=sample --workdir=done --out=photos/b.png", "photos/b.png exists already; choose another --out, or replace"),
        ("--mode=sample --workdir=done --overwrite", "--overwrite goes with --out"),
        ("--mode=sample --workdir=done --interpolate=8 --grid=2x2", "--grid has no effect with --interpolate"),
        ("--mode=sample --workdir=done --interpolate=8 --num=1", "at least two seeds"),
        ("--mode=sample --workdir=done --truncation_psi=.7", "--truncation_psi is of generators with styles"),
        ("--mode=sample --workdir=done --truncation_psi=half", "--truncation_psi must be a number, .7, or several"),
        (
            "--mode=sample --workdir=done --mix=8-15",
            "--mix takes styles in some layers: --seeds=0-3 --mix=8-15 --layers=0-1",
        ),
        ("--mode=sample --workdir=done --label=3", "this generator is told no labels"),
        ("--mode=sample --workdir=done --labels=3 --interpolate=8", "--labels is of pictures and tables, and not of --mix"),
        ("--mode=sample --workdir=done --labels=cat", "--labels must be numbers and ranges"),
        ("--mode=sample --workdir=done --labels=3 --label=3", "--label=3 is --labels=3 by its old name"),
        ("--mode=sample --workdir=done --truncation=0.7", "names its kind, scale:0.7 or resample:0.7"),
        ("--mode=sample --workdir=done --truncation=resampel:0.7", "did you mean 'resample'?"),
        ("--mode=sample --workdir=done --truncation=scale:7", "values are from 0 to 1, not 7"),
        ("--mode=sample --workdir=done --truncation=scale:1 --truncation_psi=.7", "leave one out"),
        ("--mode=sample --workdir=done --standing=16", "of BatchNorm, which this run's generator has not"),
        ("--mode=export --workdir=done", "--mode=export needs --out: the folder to write"),
        ("--mode=export --workdir=done --out=model.zip", "--out=model.zip must be a folder, and not a file"),
        ("--mode=export --workdir=done --out=photos", "photos holds 'b.png', which this command has not made"),
        ("--mode=export --workdir=done --out=new --format=onnx", "value should be one of <archive|stablehlo>"),
        ("--mode=export --workdir=nowhere --out=new", "nowhere holds no run"),
        ("--mode=verify", "--mode=verify needs --input: a folder that --mode=export has written"),
        ("--mode=verify --input=done", "done is no exported model (no archive.json)"),
        ("--mode=verify --input=digts", "there is no model 'digts'"),
        ("--mode=project --workdir=done", "--mode=project needs --input"),
        ("--mode=project --workdir=done --input=empty.npz", "'empty.npz' cannot be read: No such file"),
        (
            "--config=configs/toy.py:ring --config.task.num_classes=10 --config.nets.gen.name=dirac "
            "--config.nets.disc.name=dirac",
            "nets.disc.name=dirac takes no labels; dcgan, for one, does",
        ),
        ("--config=configs/stylegan_lite.py --config.task.num_classes=7", "the data set has labels of 10 classes"),
        (
            "--config=configs/stylegan_lite.py:emoji --config.data.dir=empty",
            "npm pack emoji-datasource-google@16.0.0 writes",
        ),
    ],
    "Translating pictures": [
        (f"{PIX2PIX} --config.data.name=digits", "and the data set digits has none to start from"),
        (
            f"{CYCLEGAN} --config.data.name=shapes/32 --config.data.source_split= --config.data.dir=new",
            "has none to start from",
        ),
        (f"{PIX2PIX} --config.data.name=digits --config.data.source=lable", "has no feature 'lable'; did you mean 'label'?"),
        (f"{PIX2PIX} --config.data.name=digits --config.data.source=label", "has shape (): no image"),
        (f"{PIX2PIX} --config.data.source=lables", "has no feature 'lables'; did you mean 'labels'?"),
        (f"{PIX2PIX} --config.data.source_split=test", "or a split, data.source_split: not both"),
        (f"{CYCLEGAN} --config.data.source=grey", "or a split, data.source_split: not both"),
        (f"{CYCLEGAN} --config.data.jitter=4", "data.jitter=4 is beyond a size: --config.data.size=SIDE"),
        (f"{PIX2PIX} --config.augment.name=ada", "augmentation would move the image and not the source beside it"),
        (
            f"{PIX2PIX} --config.objective.terms.l1=none --config.objective.loss=none",
            "objective.loss=none leaves nothing to train by but terms",
        ),
        (
            f"{PIX2PIX} --config.objective.terms.l1.of=imgae",
            "needs the pair 'imgae', which task paired does not have; did you",
        ),
        (f"{PIX2PIX} --config.objective.terms.path_length.weight=2", "needs 'path', which task paired does not have; "),
        (f"{PIX2PIX} --config.task.l1=10", "'task.l1' is called objective.terms.l1.weight now"),
        (f"{PIX2PIX} --config.task.adversarial=false", "'task.adversarial' is called objective.loss=none now"),
        (f"{PIX2PIX} --config.nets.disc.field=286", "patches of 286 px want images of 96 px or more, not 32x32; "),
        (f"{PIX2PIX} --config.nets.disc.field=71", "nets.disc.field cannot be '71'; did you mean 70? (known: 1, 16, 34, 70"),
        (f"{PIX2PIX} --config.nets.gen.name=dcgan", "unknown network for gen 'dcgan'; known: bicubic, rrdb, srresnet"),
        (f"{PIX2PIX} --config.nets.gen.name=srresnet", "2, 3 or 4 times, and images of these data are no larger than"),
        (f"{PIX2PIX} --config.objective.loss=relativistic_avg", "did you mean 'relativistic_average'?"),
        (
            f"{PIX2PIX} --config.frozen.eye.name=vgg19 {CONTENT}.weight=1",
            "the extractor vgg19 has no weights: its field weights=FILE",
        ),
        (f"{PIX2PIX} --config.frozen.eye.name=random {CONTENT}.stage=conv_9", "frozen.eye has no stage 'conv_9'; did you"),
        (
            f"{PIX2PIX} --config.frozen.eye.name=random",
            "nothing asks for the frozen network 'eye'; --config.frozen.eye=none",
        ),
        (f"{CYCLEGAN} --config.rounds.disc=2", "one round of each player: --config.rounds.disc=1"),
        (f"{CYCLEGAN} --config.augment.name=ada", "two discriminators overfit each in its way"),
        (f"{CYCLEGAN} --config.objective.terms.cycle.of=cycle/c", "did you mean 'cycle/b'? (known: cycle, cycle/a, "),
        (f"{CYCLEGAN} --config.objective.terms.cycle.every=0", "objective.terms.cycle.every must be at least 1, not 0"),
        (PAIRS, "say where the pictures are: --config.data.dir=FOLDER"),
        (f"{PAIRS} --config.data.size=31", "halves images, whose sides must be even, not 31x31"),
        (f"{PAIRS} --config.data.dir=pears", "there is no folder 'pears'; did you mean 'pairs'?"),
        (f"{PAIRS} --config.data.dir=photos", "it has no folders"),
        (f"{PAIRS} --config.data.dir=pairs --config.data.cache=cache", "no picture has one; --config.data.source=FEATURE"),
        (f"{PAIRS} --config.data.dir=pairs --config.data.split=trian", "it has the folders trainA, trainB"),
        (
            f"{PAIRS} --config.data.dir=pairs --config.data.direction=back",
            "data.direction cannot be 'back'; did you mean 'ba'?",
        ),
        (
            f"{PAIRS} --config.data.dir=pairs --config.data.paired=true",
            "'pairs/trainA/c.png' has no counterpart c.* in 'pairs/trainB'",
        ),
        (
            f"{PAIRS} --config.data.dir=unlike --config.data.paired=true --config.data.cache=cache",
            "a.png: its size is 9x20, and that of its counterpart a.jpg 10x20",
        ),
        (
            f"{PAIRS} --config.data.dir=halves --config.data.cache=cache",
            "it is 21 pixels wide, and a pair side by side has two halves of one size",
        ),
        ("--mode=translate --workdir=done", "--mode=translate needs --input"),
        ("--mode=translate --workdir=done --input=fotos", "there is no 'fotos'; did you mean 'photos'?"),
        ("--mode=translate --workdir=done --input=photos", "is of runs that translate pictures"),
        ("--mode=translate --workdir=done --input=photos --out=notes.txt", "--out=notes.txt must be a folder"),
        (
            "--mode=translate --workdir=done --input=photos --out=photos/new",
            "photos/new is among what is read, photos; choose",
        ),
        (
            "--mode=translate --workdir=done --input=pairs/trainA --out=pairs",
            "pairs holds what is read, pairs/trainA; choose",
        ),
        ("--mode=translate --workdir=done --input=photos --direction=back", "should be one of <ab|ba>"),
        ("--mode=translate --workdir=nowhere --input=photos", "nowhere holds no run"),
        ("--mode=detect --workdir=done", "--mode=detect needs --input"),
        ("--mode=detect --workdir=done --input=fotos", "there is no 'fotos'; did you mean 'photos'?"),
        ("--mode=detect --workdir=done --input=photos", "has no score of abnormality of its own"),
        ("--mode=detect --workdir=done --input=photos --out=photos/new", "photos/new is among what is read, photos"),
        ("--mode=detect --workdir=done --input=photos --config.eval.detector.name=pca", "held-out normal pictures"),
        ("--mode=detect --workdir=done --input=photos --config.steps=9", "--config.steps has no effect in --mode=detect"),
        ("--mode=upscale --workdir=done", "--mode=upscale needs --input"),
        ("--mode=upscale --workdir=done --input=fotos", "there is no 'fotos'; did you mean 'photos'?"),
        ("--mode=upscale --workdir=done --input=photos", "is of runs that enlarge pictures (configs/srgan.py)"),
        ("--mode=upscale --workdir=done --input=notes.txt", "'notes.txt' is no picture, no folder and no archive"),
        ("--mode=upscale --workdir=done --input=photos --memory=lots", "--memory must be a number of bytes, 1GB or 800MB"),
        ("--mode=upscale --workdir=done --input=photos --strength=0.5", "--strength goes with --base"),
        ("--mode=upscale --workdir=done --input=photos --base=done --strength=2", "is not a number in the range [0, 1]"),
        ("--mode=upscale --workdir=done --input=photos --out=photos/new", "photos/new is among what is read, photos"),
        ("--mode=upscale --workdir=nowhere --input=photos", "nowhere holds no run"),
        ("--mode=sample --workdir=done --direction=ba", "--direction has no effect in --mode=sample"),
    ],
    "Searches": [
        (f"{DCGAN} --mode=tune", "say what to search: --config=configs/wgan.py --space=configs/spaces/wgan.py"),
        (f"{DCGAN} --mode=tune --space=configs/spaces/wgn.py", "did you mean 'configs/spaces/wgan.py'?"),
        (f"{DCGAN} --mode=tune --space=configs/dcgan.py", "has no space()"),
        (f"{WGAN} --mode=tune --space=configs/spaces/wgan.py --score=fdd", "no score 'fdd' among those of eval.metrics"),
        (f"{WGAN} --mode=tune --space=configs/spaces/wgan.py --sampler=tpee", "no sampler 'tpee'; did you mean 'tpe'?"),
        (f"{WGAN} --mode=tune --space=configs/spaces/wgan.py --budget=0", "--budget must be at least 1, not 0"),
        ("--mode=tune --workdir=done --trial=3", "done has no trial 3"),
    ],
    "Parts of data, classifiers, samples": [
        (f"{DCGAN} --config.data.class_shares=1,1", "data.class_shares has 2 numbers, and digits"),
        (f"{DCGAN} --config.data.class_shares=0,0,0,0,0,0,0,0,0,0", "data.class_shares leaves nothing"),
        (f"{DCGAN} --config.data.class_shares=2", "data.class_shares must be at least 0 and at most 1, not 2"),
        (f"{DCGAN} --config.data.per_class=401", "data.per_class=401, but class 0 of digits"),
        (f"{DCGAN} --config.data.label=none --config.data.per_class=4", "data.per_class is of data with labels"),
        (f"{DCGAN} --config.data.wrong_labels=1", "data.wrong_labels must be at least 0 and below 1, not 1"),
        (f"{CGAN} --config.data.label=none", "task.num_classes=10, but the data set has no labels"),
        (f"{CGAN} --config.task.fake_labels=weights --config.task.fake_weights=1,2", "task.fake_weights wants 10 numbers"),
        ("--mode=sample --workdir=done --attributes=red", "this generator is told no labels"),
        (f"{CLASSIFIER} --config.data.label=none", "task.name=classify learns labels, and the data have none"),
        (f"{CLASSIFIER} --config.task.num_classes=3", "task.num_classes=3, but the data have 10 classes"),
        (
            f"{CLASSIFIER} --config.data.name=shapes/32 --config.data.label=attributes",
            "wants one class a picture, and the label is a vector of 10 attributes",
        ),
        (f"{CLASSIFIER} --config.data.name=samples", "say where the samples are"),
        (f"{CLASSIFIER} --config.data.name=samples --config.data.dir=photoz.npz", "there is no 'photoz.npz'"),
        (f"{CLASSIFIER} --config.data.name=samples --config.data.workdir=nowhere", "nowhere holds no run"),
        (f"{DCGAN} --config.eval.every=50 --config.eval.metrics=cas", "is of a generator that is told classes"),
    ],
    "Anomalies": [
        (f"{FANOGAN} --config.frozen.first.overrides=steps", "frozen.first.overrides are FIELD=VALUE"),
        (
            f"{FANOGAN} --config.frozen.first.overrides=stepz=3",
            "frozen.first: no config field 'stepz'; did you mean 'steps'?",
        ),
        (f"{FANOGAN} --config.frozen.first.overrides=seed=3", "seed is that of the run itself, --config.seed=3"),
        (f"{FANOGAN} --config.frozen.first.config=configs/wgn.py", "did you mean 'configs/wgan.py'?"),
        (f"{FANOGAN} --config.frozen.first.workdir=nowhere", "nowhere holds no run"),
        (f"{FANOGAN} --config.task.z_dim=7", "the generator of frozen.first has a z of 64; --config.task.z_dim=64"),
        (f"{FANOGAN} --config.objective.loss=hinge", "trains an encoder by terms alone: --config.objective.loss=none"),
        (f"{FANOGAN} --config.frozen.first=none", "needs a frozen network 'first'"),
        (f"{FANOGAN} --config.nets.enc.name=mlp", "unknown network for enc 'mlp'"),
        (f"{FANOGAN} --config.objective.terms.image.of=latnt", "objective.terms.image needs the pair 'latnt'"),
        ("--config=configs/ganomaly.py --config.objective.loss=minimx", "did you mean 'minimax'?"),
    ],
    "Evaluation": [
        (f"{DCGAN} --config.eval.every=50 --config.eval.metrics=fdd", "unknown metric 'fdd' in eval.metrics"),
        (f"{DCGAN} --config.eval.every=50 --config.eval.num_samples=1", "'fd' needs at least 2 generated images, not 1"),
        (
            f"{DCGAN} --config.eval.every=50 --config.eval.num_samples=5 --config.eval.metrics=is",
            "'is' needs at least 20 generated images, not 5",
        ),
        (
            f"{DCGAN} --config.eval.every=50 --config.eval.metrics=label_accuracy",
            "is of a generator that is told labels, and this one is told none; --config.task.num_classes=N tells it",
        ),
        (
            "--config=configs/r3gan.py --config.task.num_classes=10 --config.eval.every=50 --config.eval.metrics=intra_fd "
            "--config.eval.num_samples=1000",
            "'intra_fd' needs 129 samples of each class for its 128 features",
        ),
        (
            "--config=configs/r3gan.py --config.task.num_classes=10 --config.eval.every=50 "
            "--config.eval.metrics=label_accuracy --config.eval.features.name=random",
            "wants an extractor of the data's 10 classes, and 'random' has no classes",
        ),
        (
            f"{PIX2PIX} --config.eval.every=50 --config.eval.metrics=class_recall --config.eval.features.name=random",
            "is of a generator that is told labels, and this one is told none; leave it out of --config.eval.metrics",
        ),
        (f"{DCGAN} --config.eval.features.name=digitz", "unknown extractor 'digitz'; did you mean 'digits'?"),
        (f"{DCGAN} --config.eval.every=50 --config.data.size=12", "digits takes square pictures of at least 16x16"),
        ("--config=configs/cifar10.py --config.eval.every=50", "the extractor inception has no weights"),
        ("--config=configs/toy.py --config.eval.every=50 --config.eval.features.name=digits", "this run makes points"),
        ("--mode=evaluate --workdir=nowhere", "nowhere holds no run"),
        ("--mode=evaluate --workdir=done --config.steps=3", "--config.steps has no effect in --mode=evaluate"),
        ("--mode=evaluate --workdir=done --num=3", "--num has no effect in --mode=evaluate"),
        ("--mode=evaluate --workdir=done --step=7", "done has no checkpoint of step 7, but of 2"),
        ("--mode=evaluate --workdir=done --out=scores.json", "--out goes with --samples"),
        ("--mode=evaluate --samples=damaged", "--samples needs --reference"),
        ("--mode=evaluate --reference=damaged", "--reference needs --samples"),
        ("--mode=evaluate --samples=photos --reference=digits --workdir=done", "--workdir has no effect beside --samples"),
        (
            "--mode=evaluate --samples=photos --reference=digits --out=x.txt",
            "--out=x.txt must be FILE.json in a folder that exists",
        ),
        (
            "--mode=evaluate --samples=photos --reference=digits --out=photos/x.json",
            "photos/x.json is among what is read, photo",
        ),
        ("--mode=evaluate --samples=photos --reference=digits --out=no/x.json", "must be FILE.json in a folder that exists"),
        ("--mode=evaluate --samples=photos --reference=digits --config.eval.split=test", "eval.split has no effect beside"),
        ("--mode=evaluate --samples=broken.npz --reference=digits", "'broken.npz' cannot be read"),
        ("--mode=evaluate --samples=photoz --reference=digits", "there is no 'photoz'; did you mean 'photos'?"),
        (
            "--mode=evaluate --samples=runs --reference=digits",
            "'runs' is no folder, archive or .npz file, and as a data set: ",
        ),
        ("--mode=evaluate --workdir=done --truncation=scale", "--truncation must be KIND:VALUE"),
        ("--mode=evaluate --workdir=done --truncation=scale:1 --config.eval.metrics=kid", "draws fd, prdc, label_accuracy"),
        ("--mode=evaluate --samples=digits@tset --reference=digits", "has no split 'tset'; did you mean 'test'?"),
    ],
}
CASES = [(typed, fragment) for cases in MISTAKES.values() for typed, fragment in cases]
answers: dict[str, str] = {}


def run(typed: str) -> int:
    """`launch.py` in this process: the exit code."""
    return cli.main(["launch.py", *shlex.split(typed)])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with pictures, runs and files to make mistakes with."""
    folder, home = tmp_path_factory.mktemp("place"), os.getcwd()
    os.chdir(folder)
    verbosity = logging.get_verbosity()
    (folder / "configs").symlink_to(ROOT / "configs")
    rng = np.random.default_rng(0)
    for i in range(12):
        for where in ("photos", "damaged"):
            (folder / where).mkdir(exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (9 + i, 20, 3), dtype=np.uint8)).save(
                folder / where / f"{'abcdefghijkl'[i]}.png"
            )
    for name, size in (
        *((f"pairs/train{x}.png", (9, 20)) for x in ("A/a", "A/b", "A/c", "B/a", "B/b")),
        ("unlike/trainA/a.png", (9, 20)), ("unlike/trainB/a.jpg", (10, 20)), ("halves/train/a.png", (9, 21)),
    ):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(folder / name)
    (folder / "damaged" / "b.png").write_bytes((folder / "damaged" / "b.png").read_bytes()[:60])
    for name in ("empty", "half", "busy", "mixed", "empty.png"):
        (folder / name).mkdir()
    (folder / "notes.txt").write_text("notes")
    (folder / "broken.zip").write_bytes(b"PK and no more")
    (folder / "half" / "config.json").write_text('{"config": {')
    (folder / "mine").mkdir()
    for name in ("metrics.jsonl", "report.md"):
        (folder / "mine" / name).write_text("mine")
    (folder / "theirs").mkdir()
    theirs = {"config": {"nets": {"gen": {"name": "their_nets:Generator"}}}, "data": {"size": 1}, "starts": []}
    (folder / "theirs" / "config.json").write_text(json.dumps(theirs))
    (folder / "theirs" / "table.json").write_text(
        '{"config": "their_table.py", "overrides": [], "seeds": null, "starts": []}'
    )
    (folder / "their_table.py").write_text("raise SystemExit\n")
    header = "from configs import default\n\n"
    (folder / "broken.py").write_text(header + "def get_config(:\n")
    (folder / "misspelt.py").write_text(
        header + "def get_config():\n    c = default.get_config()\n    c.optim.gen.lrr = 1.0\n    return c\n"
    )
    (folder / "undefined.py").write_text(header + "def get_config():\n    return defualt.get_config()\n")
    (folder / "nothing.py").write_text(header + "def get_config():\n    default.get_config()\n")
    (folder / "mixed" / "a.png").write_bytes((folder / "photos" / "a.png").read_bytes())
    with tarfile.open(folder / "mixed" / "cut.tar", "w") as out:
        for name in "abc":
            out.add(folder / "photos" / f"{name}.png", f"{name}.png")
    with tarfile.open(folder / "mixed" / "cut.tar") as whole:
        third = whole.getmember("c.png").offset
    (folder / "mixed" / "cut.tar").write_bytes((folder / "mixed" / "cut.tar").read_bytes()[:third])
    assert run(" ".join([*PHOTOS, "--config.data.dir=photos", "--workdir=done"])) == 0
    (folder / "photos" / "a.png").unlink()
    busy = os.open(folder / "busy", os.O_RDONLY)
    fcntl.flock(busy, fcntl.LOCK_EX)
    yield folder
    os.close(busy)
    os.chdir(home)
    logging.set_verbosity(verbosity)


@pytest.fixture
def small_machine(monkeypatch):
    """What differs between machines, pinned: 16 GB of memory a device, no network, TensorFlow for CIFAR-10 alone."""
    monkeypatch.setattr(budget, "capacity", lambda placement: 16 * 10**9)
    monkeypatch.setattr("jaxgan.data.builders._reachable", lambda url: False)

    def exhausted(*_):
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8589934592 bytes.")

    def pin(typed):
        has_tensorflow = "cifar10" in typed
        monkeypatch.setattr("importlib.util.find_spec", lambda name: "found" if has_tensorflow else None)
        if "batch_size=64" in typed:
            monkeypatch.setattr("jaxgan.training.train.train", exhausted)

    return pin


def files(folder: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in folder.rglob("*") if "cache" not in p.parts}


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "fragment"), CASES)
def test_one_line_and_nothing_left_behind(typed, fragment, place, small_machine, capsys):
    small_machine(typed)
    before = files(place)
    assert run(typed) == 2
    shown = capsys.readouterr().err.strip().splitlines()
    lines = [line for line in shown if " pictures/s]" not in line]  # a machine that decodes for two seconds shows a bar
    assert len(lines) == 1 and lines[0].startswith("error: ") and fragment in lines[0]
    assert str(place) not in lines[0]  # told in the user's own words
    assert files(place) == before
    answers[typed] = lines[0]


def test_the_written_answers(request):
    if len(answers) < len(CASES):
        pytest.skip("needs every answer")
    parts = [
        "# Mistakes, and what they get",
        "Each of these ends in one line and exit code 2, before anything is compiled where that can be known, and\n"
        "leaves no file behind. Written by `python -m pytest tests/test_mistakes.py --write`, and checked by it without\n"
        "that flag; on a machine with four devices of 16 GB and no network, with pictures in `photos/` and a finished run\n"
        "in `done/`.",
    ]
    for heading, cases in MISTAKES.items():
        parts.append(f"## {heading}")
        for typed, _ in cases:
            parts.append(f"```\n$ python launch.py {typed}".rstrip() + f"\n{answers[typed]}\n```")
    text, path = "\n\n".join(parts) + "\n", ROOT / "tests" / "mistakes.md"
    if request.config.getoption("--write"):
        path.write_text(text)
    assert path.read_text() == text, "the answers have changed: python -m pytest tests/test_mistakes.py --write"


@pytest.mark.parametrize(("steps", "value"), [("1e3", 1000), ("1_000", 1000), ("1000.0", 1000)])
def test_natural_spellings_simply_work(steps, value, place, capsys):
    assert run(f"{WGAN} --config.steps={steps} --print_config") == 0
    assert f"--config.steps={value}\n" in capsys.readouterr().out


def test_a_real_lack_of_memory_is_recognised():
    import jax.numpy as jnp

    with pytest.raises(Exception) as caught:
        jnp.zeros((1 << 46,)).block_until_ready()
    assert cli.is_out_of_memory(caught.value)
