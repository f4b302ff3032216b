"""The checked-in records, a file for each family: every case is a line."""

import torch

from .bad import bad
from .functions import functions
from .further_losses import further_losses
from .losses import losses
from .modules import modules
from .optimizers import optimizers
from .randoms import randoms
from .schedulers import schedulers
from .trainings import trainings


def all_records(out):
    """Every checked-in record."""
    torch.set_num_threads(1)
    for f in (modules, losses, further_losses, functions, optimizers, schedulers, randoms, trainings):
        f(out)
    bad(out.parent / "testdata-bad")
