package ops

import "gorgonia.org/gorgonia"

// maskGradients adds the gradients of masks of floating point, which nobody computes where no mask wants one. They are sums of
// those of the products of queries and keys, for which the weights stand in memory.
func (a attention) maskGradients(gradients, in gorgonia.Nodes, out, grad *gorgonia.Node) error {
	mask, padding, draw := a.named()
	floats := func(at int) bool { return at >= 0 && isFloat(in[at].Dtype()) }
	if !floats(mask) && !floats(padding) {
		return nil
	}
	weights, d := out, grad
	if !a.Weights {
		var build builder
		whole := a
		whole.Weights, whole.Draw, whole.P = true, false, 0
		inputs := in
		if draw >= 0 {
			inputs = in[:draw:draw]
		}
		v := in[0]
		if !a.Packed {
			v, inputs = in[2], append(append(gorgonia.Nodes{}, in[:2]...), inputs[3:]...)
		}
		weights = build.do(Apply(whole, inputs...))
		if build.err != nil {
			return build.err
		}
		values := attentionValues{Layout: a.Layout, Heads: a.Heads, Packed: a.Packed}
		d = build.do(Apply(attentionValuesGradient{of: values}, weights, v, grad))
		if draw >= 0 && build.err == nil {
			d = build.do(Dropout(d, in[draw], a.P))
		}
		if build.err != nil {
			return build.err
		}
	}
	d, err := Apply(softmaxGradient{softmax: softmax{Dim: 3}}, weights, d)
	if err != nil {
		return err
	}
	if d, err = Narrow(d, 3, 0, d.Shape()[3]-a.Extra); err != nil {
		return err
	}
	if floats(mask) {
		if gradients[mask], err = reduceTo(d, in[mask]); err != nil {
			return err
		}
	}
	if !floats(padding) {
		return nil
	}
	for range 2 { // heads, then queries
		if d, err = SumDim(d, 1, false); err != nil {
			return err
		}
	}
	gradients[padding] = d
	return nil
}
