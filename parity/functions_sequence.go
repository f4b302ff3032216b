package parity

import "github.com/seed-70b75153/aegis/ops"

// sequenceFunctions are attention.
var sequenceFunctions = map[string]function{
	"scaled_dot_product_attention": {"query key value attn_mask", func(c *call) (node, error) {
		p := c.float("dropout_p", 0)
		return ops.ScaledDotProductAttention(c.x("query"), c.x("key"), c.x("value"), c.x("attn_mask"), c.draw(p > 0), p,
			c.flag("is_causal", false), c.float("scale", 0), c.flag("enable_gqa", false))
	}},
	"multi_head_attention_forward": {
		"query key value in_proj_weight in_proj_bias bias_k bias_v out_proj_weight out_proj_bias key_padding_mask attn_mask " +
			"q_proj_weight k_proj_weight v_proj_weight", multiHeadAttention,
	},
}

func multiHeadAttention(c *call) (node, error) {
	in := ops.MultiHeadAttentionInputs{
		Query: c.x("query"), Key: c.x("key"), Value: c.x("value"), KeyPaddingMask: c.x("key_padding_mask"), Mask: c.x("attn_mask"),
		InWeight: c.x("in_proj_weight"), InBias: c.x("in_proj_bias"), BiasKey: c.x("bias_k"), BiasValue: c.x("bias_v"),
		OutWeight: c.x("out_proj_weight"), OutBias: c.x("out_proj_bias"),
	}
	if c.flag("use_separate_proj_weight", false) {
		in.InWeight, in.QueryWeight, in.KeyWeight, in.ValueWeight = nil, c.x("q_proj_weight"), c.x("k_proj_weight"), c.x("v_proj_weight")
	}
	s := ops.MultiHeadAttentionSettings{
		Heads: c.int("num_heads", 0), AddZero: c.flag("add_zero_attn", false), P: c.float("dropout_p", 0), Causal: c.flag("is_causal", false),
		NeedWeights: c.flag("need_weights", true), PerHead: !c.flag("average_attn_weights", true),
	}
	in.Draw = c.draw(c.flag("training", true) && s.P > 0)
	y, weights, err := ops.MultiHeadAttentionForward(in, s)
	if weights != nil {
		c.further = append(c.further, weights)
	}
	return y, err
}
