package optimizers

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { register("Muon", func() settings { return &muon{} }) }

// MuonOptimizer is made by [Muon].
type MuonOptimizer struct {
	*engine
	of []*muon
}

// muon are the settings of one group.
type muon struct {
	LR           float64               `torch:"lr=0.001"`
	WeightDecay  float64               `torch:"weight_decay=0.1"`
	Momentum     float64               `torch:"momentum=0.95"`
	Nesterov     bool                  `torch:"nesterov=true"`
	Coefficients [3]float64            `torch:"ns_coefficients=[3.4445,-4.775,2.0315]"`
	Eps          float64               `torch:"eps=1e-07"`
	Steps        int                   `torch:"ns_steps=5"`
	AdjustLR     spec.Optional[string] `torch:"adjust_lr_fn=null"`
}

// Muon moves matrices, and takes no other parameters, by their momentum made nearly orthogonal:
//
//	b = b + (1 - momentum)·(g - b)
//	p = p - lr·weight_decay·p
//	p = p - lr·adjusted · orthogonal(nesterov: g + momentum·(b - g); else b)
//
// The orthogonal matrix is found, as in PyTorch, by Newton and Schulz's iteration in bfloat16. Defaults: weight_decay 0.1,
// momentum 0.95, nesterov true, ns_coefficients 3.4445, -4.775, 2.0315, eps 1e-7, ns_steps 5; PyTorch's default lr is 1e-3.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.Muon.html and Jordan et al., "Muon: an optimizer for hidden
// layers in neural networks" (2024).
func Muon(params []*graph.Param, lr float64) *MuonOptimizer {
	s := &muon{LR: lr, WeightDecay: 0.1, Momentum: 0.95, Nesterov: true, Coefficients: [3]float64{3.4445, -4.775, 2.0315}, Eps: 1e-7, Steps: 5}
	o := &MuonOptimizer{engine: &engine{}, of: []*muon{s}}
	o.add(params, s)
	return o
}

// AddGroup adds parameters with settings of their own: the setters of the result set those of the new group, which begin
// as the first group's are.
func (o *MuonOptimizer) AddGroup(params []*graph.Param) *MuonOptimizer {
	s := *o.of[0]
	o.add(params, &s)
	return &MuonOptimizer{engine: o.engine, of: []*muon{&s}}
}

func (o *MuonOptimizer) set(f func(s *muon)) *MuonOptimizer {
	for _, s := range o.of {
		f(s)
	}
	return o
}

// LR sets the learning rate, 0 or more.
func (o *MuonOptimizer) LR(lr float64) *MuonOptimizer { return o.set(func(s *muon) { s.LR = lr }) }

// WeightDecay sets the weight decay, 0 or more; the default is 0.1.
func (o *MuonOptimizer) WeightDecay(value float64) *MuonOptimizer {
	return o.set(func(s *muon) { s.WeightDecay = value })
}

// Momentum sets the share of the last direction that is kept, 0 or more; the default is 0.95.
func (o *MuonOptimizer) Momentum(value float64) *MuonOptimizer {
	return o.set(func(s *muon) { s.Momentum = value })
}

// Nesterov chooses Nesterov's momentum, which is the default.
func (o *MuonOptimizer) Nesterov(on bool) *MuonOptimizer {
	return o.set(func(s *muon) { s.Nesterov = on })
}

// Coefficients sets those of the iteration's polynomial a·x + b·x³ + c·x⁵.
func (o *MuonOptimizer) Coefficients(a, b, c float64) *MuonOptimizer {
	return o.set(func(s *muon) { s.Coefficients = [3]float64{a, b, c} })
}

// Eps sets the least norm that a direction is divided by; the default is 1e-7.
func (o *MuonOptimizer) Eps(value float64) *MuonOptimizer {
	return o.set(func(s *muon) { s.Eps = value })
}

// Steps sets the number of iterations, 0 to 99; the default is 5.
func (o *MuonOptimizer) Steps(n int) *MuonOptimizer { return o.set(func(s *muon) { s.Steps = n }) }

// AdjustLR sets how the learning rate follows a parameter's shape (m, n): "original", the default, multiplies it by
// √max(1, m/n), "match_rms_adamw" by 0.2·√max(m, n), "spectral_unclamped" by √(m/n).
func (o *MuonOptimizer) AdjustLR(way string) *MuonOptimizer {
	return o.set(func(s *muon) { s.AdjustLR = spec.Some(way) })
}

var adjustments = map[string]func(m, n float64) float64{
	"":                   func(m, n float64) float64 { return math.Sqrt(math.Max(1, m/n)) },
	"original":           func(m, n float64) float64 { return math.Sqrt(math.Max(1, m/n)) },
	"match_rms_adamw":    func(m, n float64) float64 { return 0.2 * math.Sqrt(math.Max(m, n)) },
	"spectral_unclamped": func(m, n float64) float64 { return math.Sqrt(m / n) },
}

func (s *muon) rate() *float64 { return &s.LR }

func (s *muon) momentum() *float64 { return &s.Momentum }

func (s *muon) check() error {
	if _, ok := adjustments[s.AdjustLR.Value]; !ok {
		return &ops.ValueError{What: "adjust_lr_fn", Got: fmt.Sprintf("%q", s.AdjustLR.Value), Want: `"original", "match_rms_adamw" or "spectral_unclamped"`}
	}
	if s.Steps < 0 || s.Steps >= 100 {
		return &ops.ValueError{What: "ns_steps", Got: fmt.Sprint(s.Steps), Want: "0 to 99"}
	}
	return firstError(atLeast("lr", s.LR, 0), atLeast("momentum", s.Momentum, 0), atLeast("weight_decay", s.WeightDecay, 0),
		finite("eps", s.Eps), finite("ns_coefficients[0]", s.Coefficients[0]), finite("ns_coefficients[1]", s.Coefficients[1]),
		finite("ns_coefficients[2]", s.Coefficients[2]))
}

// admit takes matrices only.
func (s *muon) admit(p *graph.Param) error {
	if len(p.Shape()) != 2 {
		return fmt.Errorf("%s: Muon: %w", p.Name(), &ops.ShapeError{What: "parameter", Got: p.Shape(), Want: []int{-1, -1}})
	}
	return nil
}

var muonMemory = func() memory {
	m := keeps("momentum_buffer").uncounted()
	m.alone = true
	return m
}()

func (s *muon) memory() memory { return muonMemory }

func (s *muon) update(r *run) {
	if r.values.DType == tensor.Float64 {
		updateMuon[float64](s, r)
	} else {
		updateMuon[float32](s, r)
	}
}

func updateMuon[T kernel.Float](s *muon, r *run) {
	values, gradients, buffer := ops.Slice[T](&r.values), ops.Slice[T](&r.gradients), slice[T](r, 0)
	shape := r.param.Data().Shape
	m, n := shape[0], shape[1]
	if len(values) == 0 {
		return
	}
	kernel.Lerp(buffer, gradients, T(1-s.Momentum))
	ahead := buffer
	if s.Nesterov {
		ahead = append([]T{}, gradients...)
		kernel.Lerp(ahead, buffer, T(s.Momentum))
	}
	direction := make([]float64, len(values))
	for i, d := range ahead {
		direction[i] = brain(float64(d))
	}
	direction = s.orthogonal(direction, m, n)
	step := s.LR * adjustments[s.AdjustLR.Value](float64(m), float64(n))
	for i, d := range direction {
		values[i] = T(float64(values[i]*T(1-s.LR*s.WeightDecay)) - step*d)
	}
}

// brain rounds to bfloat16, by way of float32 as PyTorch does.
func brain(x float64) float64 {
	bits := math.Float32bits(float32(x))
	if x != x || math.IsInf(x, 0) {
		return x
	}
	bits += 0x7fff + bits>>16&1
	return float64(math.Float32frombits(bits &^ 0xffff))
}

// orthogonal brings the singular values of an m×n matrix of bfloat16 numbers near 1: x ← a·x + (b·s + c·s²)·x with s = x·xᵀ.
// PyTorch multiplies with float32 sums and rounds each product to bfloat16; sums in float64 give the same on every machine,
// and the same as PyTorch's but where its own sums' rounding shows.
func (s *muon) orthogonal(x []float64, m, n int) []float64 {
	tall := m > n
	if tall {
		x = transposed(x, m, n)
		m, n = n, m
	}
	norm := brain(math.Sqrt(kernel.SumSquares(x)))
	norm = math.Max(norm, brain(s.Eps))
	for i := range x {
		x[i] = brain(float64(float32(x[i]) / float32(norm)))
	}
	gram, square, next := make([]float64, m*m), make([]float64, m*m), make([]float64, len(x))
	a, b, c := s.Coefficients[0], s.Coefficients[1], s.Coefficients[2]
	for range s.Steps {
		multiply(kernel.NT, m, m, n, x, n, x, n, gram)
		for i, v := range gram {
			gram[i] = brain(v)
		}
		multiply(kernel.NN, m, m, m, gram, m, gram, m, square)
		for i, v := range square {
			square[i] = brain(b*gram[i] + c*v)
		}
		multiply(kernel.NN, m, n, m, square, m, x, n, next)
		for i, v := range next {
			x[i] = brain(a*x[i] + v)
		}
	}
	if tall {
		x = transposed(x, m, n)
	}
	return x
}

func multiply(layout kernel.Layout, m, n, k int, a []float64, lda int, b []float64, ldb int, c []float64) {
	kernel.Gemm(layout, m, n, k, a, lda, b, ldb, c, n, false, kernel.Epilogue[float64]{})
}

// transposed is an m×n matrix as n×m.
func transposed(x []float64, m, n int) []float64 {
	y := make([]float64, len(x))
	for i := range m {
		for j := range n {
			y[j*m+i] = x[i*n+j]
		}
	}
	return y
}
