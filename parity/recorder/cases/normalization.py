"""Normalizations and dropouts."""

from torch import nn

from ..spec import Made as M

MODULES = {
    "batch_norm1d": ([M(nn.BatchNorm1d, 5)], (6, 5), "train"), "batch_norm1d_eval": ([M(nn.BatchNorm1d, 5)], (6, 5), "eval"),
    "batch_norm1d_3d": ([M(nn.BatchNorm1d, 3, eps=1e-2, momentum=0.4)], (2, 3, 4), "train"), "batch_norm1d_many": ([M(nn.BatchNorm1d, 19)], (70, 19), "train"),
    "batch_norm1d_empty": ([M(nn.BatchNorm1d, 3)], (0, 3), "train"), "batch_norm1d_no_bias": ([M(nn.BatchNorm1d, 3, bias=False)], (4, 3), "train"),
    "batch_norm2d": ([M(nn.BatchNorm2d, 3)], (2, 3, 4, 5), "train"), "batch_norm2d_cumulative": ([M(nn.BatchNorm2d, 3, momentum=None)], (2, 3, 4, 5), "train"),
    "batch_norm2d_plain": ([M(nn.BatchNorm2d, 3, affine=False, track_running_stats=False)], (2, 3, 4, 5), "eval"),
    "batch_norm2d_not_affine": ([M(nn.BatchNorm2d, 3, affine=False)], (2, 3, 4, 5), "train"), "batch_norm3d": ([M(nn.BatchNorm3d, 2)], (2, 2, 3, 2, 2), "train"),
    "batch_norm3d_eval": ([M(nn.BatchNorm3d, 2)], (2, 2, 3, 2, 2), "eval"),
    "mlp_batch_norm": ([M(nn.Linear, 4, 9), M(nn.BatchNorm1d, 9), M(nn.ReLU), M(nn.Linear, 9, 3)], (8, 4), "train"),
    "instance_norm1d": ([M(nn.InstanceNorm1d, 3)], (2, 3, 7), "train"), "instance_norm1d_unbatched": ([M(nn.InstanceNorm1d, 3, affine=True)], (3, 7), "train"),
    "instance_norm2d": ([M(nn.InstanceNorm2d, 3, affine=True, eps=1e-3)], (2, 3, 4, 5), "train"),
    "instance_norm2d_tracked": ([M(nn.InstanceNorm2d, 3, track_running_stats=True, momentum=0.3)], (2, 3, 4, 5), "train"),
    "instance_norm2d_tracked_eval": ([M(nn.InstanceNorm2d, 3, affine=True, track_running_stats=True)], (2, 3, 4, 5), "eval"),
    "instance_norm2d_momentum_none": ([M(nn.InstanceNorm2d, 3, track_running_stats=True, momentum=None)], (2, 3, 4, 5), "train"),
    "instance_norm2d_no_bias": ([M(nn.InstanceNorm2d, 3, affine=True, bias=False)], (2, 3, 4, 5), "train"), "instance_norm3d": ([M(nn.InstanceNorm3d, 2)], (2, 2, 3, 2, 2), "eval"),
    "layer_norm": ([M(nn.LayerNorm, 9)], (4, 9), "train"), "layer_norm_1d": ([M(nn.LayerNorm, 9)], (9,), "train"), "layer_norm_2": ([M(nn.LayerNorm, (3, 4), eps=1e-2)], (2, 3, 4), "train"),
    "layer_norm_no_bias": ([M(nn.LayerNorm, 5, bias=False)], (2, 3, 5), "train"), "layer_norm_plain": ([M(nn.LayerNorm, 5, elementwise_affine=False)], (2, 3, 5), "eval"),
    "layer_norm_empty": ([M(nn.LayerNorm, 3)], (0, 3), "train"), "layer_norm_wide": ([M(nn.LayerNorm, 133)], (7, 133), "train"),
    "rms_norm": ([M(nn.RMSNorm, 9)], (4, 9), "train"), "rms_norm_2": ([M(nn.RMSNorm, (3, 4), eps=1e-2)], (2, 3, 4), "eval"), "rms_norm_plain": ([M(nn.RMSNorm, 5, elementwise_affine=False)], (2, 5), "train"),
    "group_norm": ([M(nn.GroupNorm, 2, 6)], (2, 6, 3, 2), "train"), "group_norm_flat": ([M(nn.GroupNorm, 3, 6, eps=1e-2)], (4, 6), "train"),
    "group_norm_one": ([M(nn.GroupNorm, 1, 4, bias=False)], (2, 4, 5), "eval"), "group_norm_plain": ([M(nn.GroupNorm, 4, 4, affine=False)], (2, 4, 5), "train"),
    "group_norm_empty": ([M(nn.GroupNorm, 2, 4)], (0, 4, 3), "train"),
    "local_response_norm": ([M(nn.LocalResponseNorm, 3)], (2, 5, 4), "train"), "local_response_norm_2": ([M(nn.LocalResponseNorm, 2, alpha=0.5, beta=0.6, k=2.0)], (2, 5, 3, 2), "train"),
    "local_response_norm_wide": ([M(nn.LocalResponseNorm, 9, alpha=1.0)], (2, 4, 3), "eval"),
    "dropout1d_eval": ([M(nn.Dropout1d, 0.3)], (2, 3, 4), "eval"), "dropout2d_p1": ([M(nn.Dropout2d, 1.0)], (2, 3, 4, 2), "train"), "dropout2d_eval": ([M(nn.Dropout2d)], (2, 3, 4), "eval"),
    "dropout3d_p0": ([M(nn.Dropout3d, 0.0)], (2, 3, 2, 2, 2), "train"), "alpha_dropout_eval": ([M(nn.AlphaDropout)], (3, 4), "eval"), "alpha_dropout_p1": ([M(nn.AlphaDropout, 1.0)], (3, 4), "train"),
    "feature_alpha_dropout_p0": ([M(nn.FeatureAlphaDropout, 0.0)], (3, 4, 2), "train"), "feature_alpha_dropout_eval": ([M(nn.FeatureAlphaDropout, 0.2)], (3, 4, 2), "eval"),
}
