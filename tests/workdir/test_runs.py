"""What a run's record says of its data."""

import dataclasses
import json

from helpers import noise_images, plan_of

from jaxgan.data.features import features_of
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.frozen import features_in
from jaxgan.workdir.runs import check_data, record_start


def test_the_names_of_classes_are_kept_and_compared_with_nothing(tmp_path):
    names = [f"class {i}" for i in range(9)] + ["caf\udce9"]  # a folder's name need not be text
    images = dataclasses.replace(noise_images(), features=features_of((12, 12, 1), 10, names=names))
    record_start(plan_of("vanilla.py"), tmp_path, images, "vanilla.py", [], 0, {})
    workdir = Workdir(tmp_path)
    record = json.loads(workdir.record.read_text())
    assert record["data"]["features"]["label"]["names"] == names
    assert features_in(workdir.saved["data"]) == images.features
    check_data(tmp_path, images)
    check_data(tmp_path, noise_images())  # whose classes have no names
    del record["data"]["features"]["label"]["names"]  # as older revisions wrote it
    workdir.record.write_text(json.dumps(record))
    assert features_in(workdir.saved["data"]) == noise_images().features
    check_data(tmp_path, images)
