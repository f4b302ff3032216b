"""Learning-rate schedules."""

from torch import optim
from torch.optim import lr_scheduler as schedules
from torch.optim import swa_utils

from .. import record


def schedulers(out):
    """Schedules over 25 steps."""
    for name, cls, args in (
        ("constant", schedules.ConstantLR, {}), ("constant_3", schedules.ConstantLR, {"factor": 0.5, "total_iters": 3}), ("linear", schedules.LinearLR, {}),
        ("linear_7", schedules.LinearLR, {"start_factor": 0.1, "end_factor": 0.9, "total_iters": 7}), ("exponential", schedules.ExponentialLR, {"gamma": 0.9}),
        ("multi_step", schedules.MultiStepLR, {"milestones": [2, 5, 5, 9], "gamma": 0.5}), ("polynomial", schedules.PolynomialLR, {}),
        ("polynomial_2", schedules.PolynomialLR, {"total_iters": 8, "power": 2.0}), ("cosine", schedules.CosineAnnealingLR, {"T_max": 5}),
        ("cosine_min", schedules.CosineAnnealingLR, {"T_max": 4, "eta_min": 0.05}), ("restarts", schedules.CosineAnnealingWarmRestarts, {"T_0": 3}),
        ("restarts_2", schedules.CosineAnnealingWarmRestarts, {"T_0": 2, "T_mult": 2, "eta_min": 0.01}),
    ):
        record.scheduler(out / "scheduler" / f"{name}.safetensors", cls, args, steps=25)
    S = schedules
    for name, cls, args in (
        ("cyclic", S.CyclicLR, {"base_lr": 0.1, "max_lr": 0.7, "step_size_up": 4}), ("cyclic_2", S.CyclicLR, {"base_lr": [0.1], "max_lr": 0.7, "step_size_up": 3, "step_size_down": 5, "mode": "triangular2", "base_momentum": 0.5}),
        ("cyclic_exp", S.CyclicLR, {"base_lr": 0.1, "max_lr": 0.7, "step_size_up": 3, "mode": "exp_range", "gamma": 0.9, "max_momentum": 0.99}),
        ("cyclic_rate_only", S.CyclicLR, {"base_lr": 0.1, "max_lr": 0.7, "step_size_up": 5, "cycle_momentum": False}),
        ("one_cycle", S.OneCycleLR, {"max_lr": 0.7, "total_steps": 25}), ("one_cycle_linear", S.OneCycleLR, {"max_lr": [0.7], "epochs": 6, "steps_per_epoch": 5, "pct_start": 0.4, "anneal_strategy": "linear"}),
        ("one_cycle_three", S.OneCycleLR, {"max_lr": 0.7, "total_steps": 30, "three_phase": True, "div_factor": 5, "final_div_factor": 100, "base_momentum": 0.6, "max_momentum": 0.8}),
        ("one_cycle_rate_only", S.OneCycleLR, {"max_lr": 0.7, "total_steps": 30, "cycle_momentum": False}),
        ("chained", S.ChainedScheduler, {"schedulers": [(S.ConstantLR, {"factor": 0.1, "total_iters": 7}), (S.ExponentialLR, {"gamma": 0.9}), (S.CosineAnnealingLR, {"T_max": 6})]}),
        ("sequential", S.SequentialLR, {"schedulers": [(S.ConstantLR, {"factor": 0.1, "total_iters": 20}), (S.ExponentialLR, {"gamma": 0.9})], "milestones": [6]}),
        ("sequential_all", S.SequentialLR, {"milestones": [3, 6, 9, 12, 15, 18, 21], "schedulers": [
            (S.LinearLR, {}), (S.CosineAnnealingLR, {"T_max": 4}), (S.PolynomialLR, {}), (S.StepLR, {"step_size": 2}), (S.MultiStepLR, {"milestones": [0, 2], "gamma": 0.5}),
            (S.CosineAnnealingWarmRestarts, {"T_0": 2}), (S.LinearLR, {"start_factor": 0.5}), (S.ConstantLR, {"total_iters": 2})]}),
        ("sequential_cycles", S.SequentialLR, {"milestones": [5, 14], "schedulers": [
            (S.LinearLR, {"total_iters": 4}), (S.OneCycleLR, {"max_lr": 0.7, "total_steps": 9}), (S.CyclicLR, {"base_lr": 0.1, "max_lr": 0.7, "step_size_up": 2, "cycle_momentum": False})]}),
        ("sequential_chained", S.SequentialLR, {"milestones": [5], "schedulers": [
            (S.ChainedScheduler, {"schedulers": [(S.ExponentialLR, {"gamma": 0.8}), (S.PolynomialLR, {"total_iters": 9}), (S.CosineAnnealingLR, {"T_max": 4})]}), (S.ExponentialLR, {"gamma": 0.7})]}),
        ("sequential_nested", S.SequentialLR, {"milestones": [8], "schedulers": [
            (S.SequentialLR, {"milestones": [4], "schedulers": [(S.LinearLR, {}), (S.ExponentialLR, {"gamma": 0.8})]}), (S.ExponentialLR, {"gamma": 0.7})]}),
        ("swa", swa_utils.SWALR, {"swa_lr": 0.05}), ("swa_linear", swa_utils.SWALR, {"swa_lr": [0.05], "anneal_epochs": 5, "anneal_strategy": "linear"}), ("swa_at_once", swa_utils.SWALR, {"swa_lr": 0.05, "anneal_epochs": 0}),
    ):
        record.scheduler(out / "scheduler" / f"{name}.safetensors", cls, args, steps=25)
    record.scheduler(out / "scheduler" / "cyclic_betas.safetensors", S.CyclicLR, {"base_lr": 0.1, "max_lr": 0.7, "step_size_up": 4}, optim=optim.AdamW)
    record.scheduler(out / "scheduler" / "one_cycle_betas.safetensors", S.OneCycleLR, {"max_lr": 0.7, "total_steps": 12}, optim=optim.NAdam)
    metric = [1.0, 0.9, 0.9, 0.8999, 0.91, 0.7, 0.8, 0.75, 0.71, 0.72, 0.7, 0.3, 0.31, float("nan"), 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, -1.0, -1.0, -1.00005]
    for name, args in (
        ("plateau", {}), ("plateau_2", {"patience": 2, "factor": 0.5}), ("plateau_abs", {"patience": 0, "threshold": 0.05, "threshold_mode": "abs", "min_lr": 0.01}),
        ("plateau_max", {"mode": "max", "patience": 1, "cooldown": 2, "eps": 1e-3, "min_lr": [0.0001]}), ("plateau_max_abs", {"mode": "max", "patience": 3, "factor": 0.3, "threshold_mode": "abs"}),
    ):
        record.scheduler(out / "scheduler" / f"{name}.safetensors", S.ReduceLROnPlateau, args, steps=25, metric=metric)
    for size, gamma in ((1, 0.9), (3, 0.5), (5, 0.1)):
        record.scheduler(out / "scheduler" / f"step_lr_{size}_{gamma}.safetensors", schedules.StepLR, {"step_size": size, "gamma": gamma})
