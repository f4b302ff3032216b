//go:build gpu

package ops

import (
	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

// The steps of a cell, as in package kernel. A block is of (steps, batch, hidden) numbers.
var recurrentSource = cuda.NewSource("recurrent", `
__device__ inline T logistic(T x) { return 1 / (1 + exp(-x)); }

// y (rows, n) is the sum of up to two biases and, where it adds, of what it was.
extern "C" __global__ void biases(T *y, const T *b, const T *c, int hasB, int hasC, int adds, i64 rows, i64 n) {
	EACH(i, rows * n) y[i] = (adds ? y[i] : T(0)) + ((hasB ? b[i % n] : T(0)) + (hasC ? c[i % n] : T(0)));
}

extern "C" __global__ void plain(T *h, int relu, i64 n) { EACH(x, n) h[x] = relu ? (h[x] < 0 ? T(0) : h[x]) : tanh(h[x]); }

extern "C" __global__ void plain_gradient(T *d, const T *dh, const T *h, int relu, i64 n) {
	EACH(x, n) d[x] = relu ? (h[x] <= 0 ? T(0) : dh[x]) : dh[x] * (1 - h[x] * h[x]);
}

extern "C" __global__ void lstm(T *i, T *f, T *g, T *o, const T *before, int hasBefore, T *c, T *tanh_, T *h, i64 n) {
	EACH(x, n) {
		i[x] = logistic(i[x]);
		f[x] = logistic(f[x]);
		g[x] = tanh(g[x]);
		o[x] = logistic(o[x]);
		c[x] = (hasBefore ? f[x] * before[x] : T(0)) + i[x] * g[x];
		tanh_[x] = tanh(c[x]);
		h[x] = o[x] * tanh_[x];
	}
}

extern "C" __global__ void lstm_gradient(T *di, T *df, T *dg, T *d_o, T *dc, const T *dh, const T *i, const T *f, const T *g, const T *o,
	const T *tanh_, const T *before, int hasBefore, i64 n) {
	EACH(x, n) {
		d_o[x] = dh[x] * tanh_[x] * o[x] * (1 - o[x]);
		T d = dc[x] + dh[x] * o[x] * (1 - tanh_[x] * tanh_[x]);
		di[x] = d * g[x] * i[x] * (1 - i[x]);
		df[x] = hasBefore ? d * before[x] * f[x] * (1 - f[x]) : T(0);
		dg[x] = d * i[x] * (1 - g[x] * g[x]);
		dc[x] = d * f[x];
	}
}

extern "C" __global__ void gru(T *r, T *z, T *n_, const T *hn, const T *before, int hasBefore, T *h, i64 n) {
	EACH(x, n) {
		r[x] = logistic(r[x]);
		z[x] = logistic(z[x]);
		n_[x] = tanh(n_[x] + r[x] * hn[x]);
		h[x] = n_[x] + z[x] * ((hasBefore ? before[x] : T(0)) - n_[x]);
	}
}

extern "C" __global__ void gru_gradient(T *dr, T *dz, T *dn, T *dhn, T *dh, const T *r, const T *z, const T *n_, const T *hn,
	const T *before, int hasBefore, i64 n) {
	EACH(x, n) {
		dz[x] = dh[x] * ((hasBefore ? before[x] : T(0)) - n_[x]) * z[x] * (1 - z[x]);
		dn[x] = dh[x] * (1 - z[x]) * (1 - n_[x] * n_[x]);
		dhn[x] = dn[x] * r[x];
		dr[x] = dn[x] * hn[x] * r[x] * (1 - r[x]);
		dh[x] *= z[x];
	}
}
`)

// The blocks that are kept beside the gates, as in package kernel.
const (
	keptCell, keptTanh, keptRaw = 4, 5, 6 // of an LSTM: c, tanh(c), h before its projection
	keptProduct                 = 3       // of a GRU: h·U + b' of n
)

// recurrentPlan adds a recurrent operation to a plan. Its first mistake is kept.
type recurrentPlan struct {
	*Launches
	of recurrent
	recurrentSizes
	real  cuda.Type
	block int
	err   error
}

func (d recurrent) plan(to *Launches, x, ih, hh Remote) *recurrentPlan {
	s := d.sizes(x.Shape, ih.Shape, hh.Shape)
	return &recurrentPlan{Launches: to, of: d, recurrentSizes: s, real: x.real(), block: s.steps * s.batch * s.hidden}
}

func (p *recurrentPlan) check(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *recurrentPlan) launch(name string, n int, args ...any) {
	p.check(p.Launch(recurrentSource.Kernel(name, p.real), cuda.Elements(n), args...))
}

func (p *recurrentPlan) product(add bool, layout cuda.Layout, m, n, k int, a, b, c *cuda.Place) {
	f := p.Product
	if add {
		f = p.AddProduct
	}
	p.check(f(layout, p.real, m, n, k, a, b, c))
}

// at is element n of an array.
func (p *recurrentPlan) at(a *cuda.Place, n int) *cuda.Place { return a.Plus(n * p.real.Bytes()) }

// gate is block g of an array at a step.
func (p *recurrentPlan) gate(a *cuda.Place, g, step int) *cuda.Place {
	return p.at(a, g*p.block+step*p.batch*p.hidden)
}

func (p *recurrentPlan) scratch(n int) *cuda.Place {
	at, err := p.Scratch(n, p.real)
	p.check(err)
	return at
}

// order gives the step that is computed as number i, and the one before it, or -1.
func (p *recurrentPlan) order(i int) (step, before int) {
	r := kernel.Recurrent[float32]{Steps: p.steps, Reverse: p.of.Reverse}
	return r.Order(i)
}

// state is what the step before left, or the initial state, or nil for zeros.
func (p *recurrentPlan) state(x, initial *cuda.Place, n, before int) *cuda.Place {
	if before >= 0 {
		return p.at(x, before*p.batch*n)
	}
	return initial
}

// or is a place, or one that stands for it where it isn't there.
func or(at, other *cuda.Place) *cuda.Place {
	if at == nil {
		return other
	}
	return at
}

// optionalInput is an input's place, nil where it isn't there.
func optionalInput(in []Remote, at int) *cuda.Place {
	if at < 0 {
		return nil
	}
	return in[at].At
}

func (d recurrent) Launch(to *Launches, in, out []Remote) error {
	p := d.plan(to, in[0], in[1], in[2])
	if p.batch == 0 {
		return nil
	}
	biasIH, biasHH, hr, h0, c0 := d.named()
	bIH, bHH, projection := optionalInput(in, biasIH), optionalInput(in, biasHH), optionalInput(in, hr)
	initial, initialCell := optionalInput(in, h0), optionalInput(in, c0)
	x, ih, hh, y := in[0].At, in[1].At, in[2].At, out[0].At
	gates, before := y, y // of the activations; what is kept
	if len(out) > 1 {
		gates, before = out[1].At, out[1].At
	}
	m, w := p.steps*p.batch, p.hidden*p.output
	for g := range d.Cell.Gates() {
		to := p.at(gates, g*p.block)
		p.product(false, cuda.NT, m, p.hidden, p.input, x, p.at(ih, g*p.hidden*p.input), to)
		if bIH != nil {
			both := d.Cell != kernel.GRU || g < 2
			p.launch("biases", m*p.hidden, to, p.at(bIH, g*p.hidden), p.at(bHH, g*p.hidden), true, both, true, m, p.hidden)
		}
	}
	n := p.batch * p.hidden
	for i := range p.steps {
		step, last := p.order(i)
		h := p.state(y, initial, p.output, last)
		times := func(g int, to *cuda.Place) {
			if h != nil {
				p.product(true, cuda.NT, p.batch, p.hidden, p.output, h, p.at(hh, g*w), to)
			}
		}
		to := p.at(y, step*p.batch*p.output)
		gate := func(g int) *cuda.Place { return p.gate(gates, g, step) }
		switch d.Cell {
		case kernel.LSTM:
			for g := range 4 {
				times(g, gate(g))
			}
			c, raw := p.state(p.at(before, keptCell*p.block), initialCell, p.hidden, last), to
			if projection != nil {
				raw = gate(keptRaw)
			}
			p.launch("lstm", n, gate(0), gate(1), gate(2), gate(3), or(c, gate(0)), c != nil, gate(keptCell), gate(keptTanh), raw, n)
			if projection != nil {
				p.product(false, cuda.NT, p.batch, p.output, p.hidden, raw, projection, to)
			}
		case kernel.GRU:
			times(0, gate(0))
			times(1, gate(1))
			hn := gate(keptProduct)
			p.launch("biases", n, hn, p.at(or(bHH, x), 2*p.hidden), x, bHH != nil, false, false, p.batch, p.hidden)
			times(2, hn)
			p.launch("gru", n, gate(0), gate(1), gate(2), hn, or(h, x), h != nil, to, n)
		default:
			times(0, to)
			p.launch("plain", n, to, d.Cell == kernel.RNNReLU, n)
		}
	}
	if d.Cell == kernel.LSTM {
		last, _ := p.order(p.steps - 1)
		p.Copy(p.at(y, m*p.output), p.gate(before, keptCell, last), n*p.real.Bytes())
	}
	return p.err
}

func (g recurrentGradient) Launch(to *Launches, in, out []Remote) error {
	d := g.of
	p := d.plan(to, in[0], in[1], in[2])
	_, _, hr, h0, c0 := d.named()
	var dProjection, dInitial, dCell *Remote
	rest := out[1:]
	for _, one := range []struct {
		at int
		to **Remote
	}{{hr, &dProjection}, {h0, &dInitial}, {c0, &dCell}} {
		if one.at >= 0 {
			*one.to, rest = &rest[0], rest[1:]
		}
	}
	if p.batch == 0 {
		if dProjection != nil {
			to.Zero(dProjection.At, dProjection.bytes())
		}
		return nil
	}
	projection, initial, initialCell := optionalInput(in, hr), optionalInput(in, h0), optionalInput(in, c0)
	inputs := len(in) - 2
	var kept *cuda.Place
	if d.kept(p.recurrentSizes) > 0 {
		inputs--
		kept = in[inputs+2].At
	}
	hh, y, dy, gates := in[2].At, in[inputs].At, in[inputs+1].At, out[0].At
	m, n, state, w := p.steps*p.batch, p.batch*p.hidden, p.batch*p.output, p.hidden*p.output
	size := p.real.Bytes()
	dh, dc := p.scratch(state), p.scratch(n)
	raw, projected := dh, dh
	if projection != nil {
		raw, projected = p.scratch(n), p.scratch(m*p.output)
	}
	if p.err != nil {
		return p.err
	}
	to.Zero(dh, state*size)
	to.Zero(dc, n*size)
	if d.Cell == kernel.LSTM {
		to.Copy(dc, p.at(dy, m*p.output), n*size)
	}
	operand := Operand{Shape: []int{state}, DType: dtypes[p.real]}
	for i := p.steps - 1; i >= 0; i-- {
		step, last := p.order(i)
		p.check(Accumulate(to, Remote{operand, dh}, Remote{operand, p.at(dy, step*state)}))
		h := p.state(y, initial, p.output, last)
		gate := func(g int) *cuda.Place { return p.gate(kept, g, step) }
		grad := func(g int) *cuda.Place { return p.gate(gates, g, step) }
		switch d.Cell {
		case kernel.LSTM:
			if projection != nil {
				to.Copy(p.at(projected, step*state), dh, state*size)
				p.product(false, cuda.NN, p.batch, p.hidden, p.output, dh, projection, raw)
			}
			c := p.state(p.at(kept, keptCell*p.block), initialCell, p.hidden, last)
			p.launch("lstm_gradient", n, grad(0), grad(1), grad(2), grad(3), dc, raw, gate(0), gate(1), gate(2), gate(3), gate(keptTanh),
				or(c, gate(0)), c != nil, n)
		case kernel.GRU:
			p.launch("gru_gradient", n, grad(0), grad(1), grad(2), grad(3), dh, gate(0), gate(1), gate(2), gate(keptProduct), or(h, y), h != nil, n)
		default:
			p.launch("plain_gradient", n, grad(0), dh, p.at(y, step*state), d.Cell == kernel.RNNReLU, n)
		}
		if i == 0 && dInitial == nil {
			break
		}
		for g := range d.Cell.Gates() {
			p.product(d.Cell == kernel.GRU || g > 0, cuda.NN, p.batch, p.output, p.hidden, grad(d.recurrentGate(g)), p.at(hh, g*w), dh)
		}
	}
	if dInitial != nil {
		to.Copy(dInitial.At, dh, state*size)
	}
	if dCell != nil {
		to.Copy(dCell.At, dc, n*size)
	}
	if dProjection != nil {
		p.product(false, cuda.TN, p.output, p.hidden, m, projected, p.at(kept, keptRaw*p.block), dProjection.At)
	}
	return p.err
}

// recurrentGate is the block with the gradient of gate g's product of h.
func (d recurrent) recurrentGate(g int) int {
	if d.Cell == kernel.GRU && g == 2 {
		return 3
	}
	return g
}

func (g recurrentInputGradient) Launch(to *Launches, in, out []Remote) error {
	p := g.of.plan(to, in[1], in[2], in[3])
	for i := range g.of.Cell.Gates() {
		p.product(i > 0, cuda.NN, p.steps*p.batch, p.input, p.hidden, p.at(in[0].At, i*p.block), p.at(in[2].At, i*p.hidden*p.input), out[0].At)
	}
	return p.err
}

func (g recurrentWeightGradient) Launch(to *Launches, in, out []Remote) error {
	d := g.of
	p := d.plan(to, in[2], in[3], in[4])
	gates, y, x := in[0].At, in[1].At, in[2].At
	m, earlier, state := p.steps*p.batch, (p.steps-1)*p.batch, p.batch*p.output
	for i := range d.Cell.Gates() {
		of, other := p.at(gates, i*p.block), p.at(gates, d.recurrentGate(i)*p.block)
		p.product(false, cuda.TN, p.hidden, p.input, m, of, x, p.at(out[0].At, i*p.hidden*p.input))
		if d.Bias {
			p.check(to.sum(p.at(out[2].At, i*p.hidden), of, p.real, 1, m, p.hidden, 1))
			p.check(to.sum(p.at(out[3].At, i*p.hidden), other, p.real, 1, m, p.hidden, 1))
		}
		later, before, first := p.at(other, p.batch*p.hidden), y, other
		if d.Reverse {
			later, before, first = other, p.at(y, state), p.at(other, earlier*p.hidden)
		}
		own := p.at(out[1].At, i*p.hidden*p.output)
		p.product(false, cuda.TN, p.hidden, p.output, earlier, later, before, own)
		if len(in) > 5 {
			p.product(true, cuda.TN, p.hidden, p.output, p.batch, first, in[5].At, own)
		}
	}
	return p.err
}
