package sequential

import (
	"fmt"
	"iter"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
)

// UpdateBatchNorm computes the running statistics of a model's batch norms anew, as the averages over batches of inputs:
// torch.optim.swa_utils.update_bn, which an average of weights wants at its end. A model without batch norms is left as it
// is. See data.Loader's Inputs.
func UpdateBatchNorm(m *Model, inputs iter.Seq[*graph.Expr]) error {
	if m.err != nil {
		return m.err
	}
	var found []string
	container := accumulating(m.container, "", &found)
	if len(found) == 0 {
		return nil
	}
	for _, path := range found {
		for name, value := range map[string]float64{"running_mean": 0, "running_var": 1, "num_batches_tracked": 0} {
			fill(m.Param(path+"."+name), value)
		}
	}
	// A model over the same memory, in training mode.
	shadow := &Model{container: container, storages: m.storages, state: m.state, training: true, random: m.random}
	i := 0
	for x := range inputs {
		if _, err := (graph.Call{Function: shadow, Training: true, NoGrad: true, Random: m.random}).Of(x).Array(); err != nil {
			return fmt.Errorf("batch %d: %w", i, err)
		}
		i++
	}
	return nil
}

// accumulating is a container whose batch norms average all batches, and finds where they are.
func accumulating(s layers.SequentialLayer, path string, found *[]string) layers.SequentialLayer {
	changed := s.Layers()
	for i, l := range changed {
		here, tracks := path+s.Name(i), false
		switch l := l.(type) {
		case layers.SequentialLayer:
			changed[i] = accumulating(l, here+".", found)
		case layers.BatchNormLayer[layers.D1]:
			changed[i], tracks = l.CumulativeAverage(), l.TrackRunningStats
		case layers.BatchNormLayer[layers.D2]:
			changed[i], tracks = l.CumulativeAverage(), l.TrackRunningStats
		case layers.BatchNormLayer[layers.D3]:
			changed[i], tracks = l.CumulativeAverage(), l.TrackRunningStats
		}
		if tracks {
			*found = append(*found, here)
		}
		changed[i] = layers.Named(s.Name(i), changed[i])
	}
	return layers.Sequential(changed...)
}

// fill sets all values of a buffer.
func fill(p *graph.Param, value float64) {
	a := p.Data()
	for i := range a.Len {
		switch a.DType {
		case tensor.Float64:
			ops.Slice[float64](a)[i] = value
		case tensor.Float32:
			ops.Slice[float32](a)[i] = float32(value)
		default:
			ops.Slice[int64](a)[i] = int64(value)
		}
	}
	p.Touch()
}
