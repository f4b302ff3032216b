"""Writes the tables of this folder from the copies that scikit-learn 1.9.1 ships: python convert.py"""

import gzip
import pathlib

import numpy
from sklearn import datasets

HERE = pathlib.Path(__file__).parent


def write(name: str, columns: list[str], rows: list[list[str]]) -> None:
    text = "\n".join(",".join(row) for row in [columns, *rows]) + "\n"
    with open(HERE / f"{name}.csv.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        file.write(text.encode("ascii"))


def table(features: numpy.ndarray, target: numpy.ndarray) -> list[list[str]]:
    return [[f"{value:.10g}" for value in (*row, last)] for row, last in zip(features, target)]


digits = datasets.load_digits()
write("digits", [f"pixel_{y}_{x}" for y in range(8) for x in range(8)] + ["digit"], table(digits.data, digits.target))

iris = datasets.load_iris()
columns = [name.removesuffix(" (cm)").replace(" ", "_") + "_cm" for name in iris.feature_names]
write("iris", columns + ["species"], table(iris.data, iris.target))

diabetes = datasets.load_diabetes(scaled=False)
write("diabetes", [*diabetes.feature_names, "progression"], table(diabetes.data, diabetes.target))
