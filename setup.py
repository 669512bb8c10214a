"""What pyproject.toml cannot say: in a wheel the folder configs/ is the package jaxgan.configs."""

from setuptools import find_packages, setup

CONFIGS = ["jaxgan.configs", "jaxgan.configs.ablations", "jaxgan.configs.spaces"]
setup(packages=[*find_packages(include=["jaxgan", "jaxgan.*"]), *CONFIGS], package_dir={"jaxgan.configs": "configs"})
