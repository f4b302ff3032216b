package parity

import "github.com/seed-70b75153/aegis/ops"

// normalizations are those, and distances.
var normalizations = map[string]function{
	"batch_norm":    {"input running_mean running_var weight bias", batchNorm},
	"instance_norm": {"input running_mean running_var weight bias", instanceNorm},
	"group_norm": {"input weight bias", func(c *call) (node, error) {
		return ops.GroupNorm(c.input(), c.int("num_groups", 0), c.x("weight"), c.x("bias"), c.float("eps", 1e-5))
	}},
	"layer_norm": {"input weight bias", func(c *call) (node, error) {
		return ops.LayerNorm(c.input(), len(c.list("normalized_shape")), c.x("weight"), c.x("bias"), c.float("eps", 1e-5))
	}},
	"rms_norm": {"input weight", func(c *call) (node, error) {
		x := c.input()
		return ops.RMSNorm(x, len(c.list("normalized_shape")), c.x("weight"), c.float("eps", ops.Epsilon(x.Dtype())))
	}},
	"local_response_norm": {"input", func(c *call) (node, error) {
		return ops.LocalResponseNorm(c.input(), c.int("size", 0), c.float("alpha", 1e-4), c.float("beta", 0.75), c.float("k", 1))
	}},
	"normalize": {"input", func(c *call) (node, error) {
		return ops.Normalize(c.input(), c.float("p", 2), c.float("eps", 1e-12), c.list("dim")...)
	}},
	"cosine_similarity": {"x1 x2", func(c *call) (node, error) {
		return ops.CosineSimilarity(c.x("x1"), c.x("x2"), c.int("dim", 1), c.float("eps", 1e-8))
	}},
	"pairwise_distance": {"x1 x2", func(c *call) (node, error) {
		return ops.PairwiseDistance(c.x("x1"), c.x("x2"), c.float("p", 2), c.float("eps", 1e-6), c.flag("keepdim", false))
	}},
	"pdist": {"input", func(c *call) (node, error) { return ops.PDist(c.input(), c.float("p", 2)) }},
}

func batchNorm(c *call) (node, error) {
	eps := c.float("eps", 1e-5)
	if !c.flag("training", false) {
		return ops.BatchNormOf(c.input(), c.x("running_mean"), c.x("running_var"), c.x("weight"), c.x("bias"), eps)
	}
	y, _, _, err := ops.BatchNorm(c.input(), c.x("weight"), c.x("bias"), eps)
	return y, err
}

func instanceNorm(c *call) (node, error) {
	eps := c.float("eps", 1e-5)
	if !c.flag("use_input_stats", true) {
		return ops.BatchNormOf(c.input(), c.x("running_mean"), c.x("running_var"), c.x("weight"), c.x("bias"), eps)
	}
	y, _, _, err := ops.InstanceNorm(c.input(), c.x("weight"), c.x("bias"), eps)
	return y, err
}
