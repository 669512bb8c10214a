"""The figure of augmentation.py: how many real pictures a set of samples is worth."""

from types import SimpleNamespace

import numpy as np

from configs.ablations import augmentation


def test_what_samples_are_worth_in_real_pictures():
    real = [(50, 60.0, 1.0), (100, 70.0, 1.0), (200, 80.0, 1.0)]
    assert augmentation.equal_real(65, real) == f"= {np.sqrt(50 * 100):.0f}"
    assert augmentation.equal_real(59, real) == "< 50" and augmentation.equal_real(81, real) == "> 200"
    assert augmentation.equal_real(65, real[:1]) == ""
    assert augmentation.equal_real(65, real[::-1]) == "?"  # more pictures are no better: nothing to read off


def test_the_figure_of_a_table_without_all_of_its_runs(tmp_path):
    for values in ([], [55.0, 57.0]):
        rows = augmentation.rows()
        entries = {row: {augmentation.ACCURACY: SimpleNamespace(values=values)} for row in rows}
        augmentation.exchange_rate(SimpleNamespace(entries=entries)).savefig(tmp_path / "figure.png")


def test_the_figure_says_what_samples_are_worth():
    rows = augmentation.rows()
    found = {row: [50.0] for row in rows} | {"real, 1": [40.0], "real, 2": [60.0], "50 samples, 20": [30.0]}
    found |= {f"real, {n}": [60.0 + n] for n in (3, *augmentation.COUNTS)}
    figure = augmentation.exchange_rate(
        SimpleNamespace(entries={row: {augmentation.ACCURACY: SimpleNamespace(values=x)} for row, x in found.items()})
    )
    told = [text.get_text().strip() for text in figure.axes[0].texts]
    assert told[:3] == ["10 real", "20 real", "30 real"]
    assert told[-4:] == ["< 10", "= 14", "= 14", "= 14"]


def test_every_arm_of_a_count_has_one_budget_and_the_same_labels():
    rows = augmentation.rows()
    for n in augmentation.COUNTS:
        own = {name: row.overrides for name, row in rows.items() if name.endswith(f", {n}")}
        changed = {
            name: {key for key in x if key == "steps" or key.startswith(("optim.", "nets."))} for name, x in own.items()
        }
        assert [name for name, keys in changed.items() if keys] == [f"GAN, {n}"]
        labelled = [x for x in own.values() if "data.per_class" in x]
        assert len(labelled) == 3 and all((x["data.per_class"], x["data.subset_seed"]) == (n, -1) for x in labelled)
