package kernel

import (
	"math"
	"strconv"
)

// Cell names the step of a recurrent layer.
type Cell uint8

// The cells, with their gates in PyTorch's order. Products are of x by weight_ih and of the state h before by weight_hh.
const (
	RNNTanh Cell = iota // h = tanh(x·W + b + h·U + b')
	RNNReLU             // h = max(x·W + b + h·U + b', 0)
	LSTM                // i, f, g, o: c = f*c + i*g, h = o*tanh(c), where i, f, o are sigmoids and g is a tanh
	GRU                 // r, z, n: n = tanh(x·W + b + r*(h·U + b')), h = n + z*(h - n), where r and z are sigmoids
)

var cellNames = [...]string{"rnn_tanh", "rnn_relu", "lstm", "gru"}

// String is PyTorch's name of the cell.
func (c Cell) String() string {
	if int(c) < len(cellNames) {
		return cellNames[c]
	}
	return "Cell(" + strconv.Itoa(int(c)) + ")"
}

// Gates is the number of gates.
func (c Cell) Gates() int { return [...]int{1, 1, 4, 3}[c] }

// Gradients is the number of blocks of [Recurrent.Backward]'s gradient: one a gate, and for a GRU that of n before r.
func (c Cell) Gradients() int { return [...]int{1, 1, 4, 4}[c] }

// activation is a plain cell's.
func (c Cell) activation() Unary {
	if c == RNNReLU {
		return ReLU
	}
	return Tanh
}

// The blocks that Forward keeps beside an LSTM's and a GRU's gates.
const (
	keptCell    = 4 // of an LSTM: c
	keptTanh    = 5 // tanh(c)
	keptRaw     = 6 // h before its projection
	keptProduct = 3 // of a GRU: h·U + b' of n
)

// Recurrent is one direction of one recurrent layer over a whole sequence. A block is steps×batch×hidden numbers; weights
// are as PyTorch stores them, gate after gate.
type Recurrent[T Float] struct {
	Cell                               Cell
	Steps, Batch, Input, Hidden        int
	Projection                         int // of h, for an LSTM; 0 for none
	Reverse                            bool
	WeightIH, WeightHH, BiasIH, BiasHH []T // biases may be nil
	WeightHR                           []T // projection×hidden
	Initial, InitialCell               []T // nil for zeros
}

// Output is the size of h.
func (r *Recurrent[T]) Output() int {
	if r.Projection > 0 {
		return r.Projection
	}
	return r.Hidden
}

// Kept is the number of blocks that Forward keeps for Backward.
func (r *Recurrent[T]) Kept() int {
	switch {
	case r.Projection > 0:
		return keptRaw + 1
	case r.Cell == LSTM:
		return keptTanh + 1
	case r.Cell == GRU:
		return keptProduct + 1
	}
	return 0 // y is all that a plain cell needs
}

func (r *Recurrent[T]) block() int { return r.Steps * r.Batch * r.Hidden }

// Order gives the step that is computed as number i, and the one before it, or -1.
func (r *Recurrent[T]) Order(i int) (step, before int) {
	switch {
	case !r.Reverse:
		return i, i - 1
	case i == 0:
		return r.Steps - 1, -1
	}
	return r.Steps - 1 - i, r.Steps - i
}

// part is the rows from to to of a step of a block of rows of size n.
func part[T any](x []T, step, batch, n, from, to int) []T {
	return x[(step*batch+from)*n : (step*batch+to)*n]
}

// rowsOfPart is how many rows of a step read the weights together: with fewer the weights come from the second-level cache
// too often.
const rowsOfPart = 16

// parts is into how many parts the rows of a batch are cut: each takes all steps, and waits for nobody.
func (r *Recurrent[T]) parts() int {
	parts := partsOf(r.Steps*r.Batch*r.Cell.Gates()*r.Hidden*r.Output(), grainProduct)
	return min(r.Batch, parts, max(Threads(), r.Batch/rowsOfPart))
}

// Forward computes y (steps, batch, output), and keeps in kept what Backward needs: Kept blocks.
func (r *Recurrent[T]) Forward(y, kept, x []T) {
	m, block, gates := r.Steps*r.Batch, r.block(), r.Cell.Gates()
	if m == 0 {
		return
	}
	before := kept // of the activations
	if r.Kept() == 0 {
		before = y
	}
	w := borrow[T]()
	defer w.giveBack()
	bias := w.floats(gates * r.Hidden)
	for g := range gates {
		own := bias[g*r.Hidden : (g+1)*r.Hidden]
		e := Epilogue[T]{}
		if r.BiasIH != nil {
			copy(own, r.BiasIH[g*r.Hidden:])
			if r.Cell != GRU || g < 2 {
				Zip(Add, own, own, r.BiasHH[g*r.Hidden:])
			}
			e.Bias = own
		}
		Gemm(NT, m, r.Hidden, r.Input, x, r.Input, r.WeightIH[g*r.Hidden*r.Input:], r.Input, before[g*block:], r.Hidden, false, e)
	}
	t := borrow[T]()
	defer t.giveBack()
	u := r.transposed(t)
	inParts(&w.tasks.recurrent, recurrentTask[T]{*r, y, kept, before, u}, r.parts(), r.Batch, 1)
}

// recurrentTask is a [Recurrent.Forward].
type recurrentTask[T Float] struct {
	r               Recurrent[T]
	y, kept, before []T
	u               recurrentWeights[T]
}

func (t *recurrentTask[T]) run(_, from, to int) {
	for i := range t.r.Steps {
		t.r.step(i, from, to, t.y, t.kept, t.before, t.u)
	}
}

// LastCell copies an LSTM's last c from what Forward kept.
func (r *Recurrent[T]) LastCell(c, kept []T) {
	if r.Steps > 0 {
		last, _ := r.Order(r.Steps - 1)
		copy(c, part(kept[keptCell*r.block():], last, r.Batch, r.Hidden, 0, r.Batch))
	}
}

// recurrentWeights are the weights of the product of h, transposed, so that each step reads them in place.
type recurrentWeights[T Float] struct {
	hh, hr         []T
	hhRow, hrRow   int // lengths of stored rows: a little more than needed, to spread them over the cache
	output, hidden int
}

func (r *Recurrent[T]) transposed(w *workspace[T]) recurrentWeights[T] {
	const spread = 16
	u := recurrentWeights[T]{hhRow: r.Hidden + spread, hrRow: r.Projection + spread, output: r.Output(), hidden: r.Hidden}
	gates, gate := r.Cell.Gates(), u.output*u.hhRow
	all := w.floats(gates*gate + r.Hidden*u.hrRow)
	u.hh, u.hr = all[:gates*gate], all[gates*gate:]
	for g := range gates {
		Transpose(u.hh[g*gate:], u.hhRow, r.WeightHH[g*r.Hidden*u.output:], u.output, r.Hidden, u.output)
	}
	if r.Projection > 0 {
		Transpose(u.hr, u.hrRow, r.WeightHR, r.Hidden, r.Projection, r.Hidden)
	}
	return u
}

// step computes step number i of the rows from to to.
func (r *Recurrent[T]) step(i, from, to int, y, kept, before []T, u recurrentWeights[T]) {
	step, last := r.Order(i)
	rows, n, size, block := to-from, (to-from)*r.Hidden, r.Output(), r.block()
	gate := func(g int) []T { return part(before[g*block:(g+1)*block], step, r.Batch, r.Hidden, from, to) }
	h := r.state(y, r.Initial, size, last, from, to)
	product := func(g int, c []T, add bool) {
		if h != nil {
			Gemm(NN, rows, r.Hidden, size, h, size, u.hh[g*size*u.hhRow:], u.hhRow, c, r.Hidden, add, Epilogue[T]{})
		}
	}
	out := part(y, step, r.Batch, size, from, to)
	switch r.Cell {
	case RNNTanh, RNNReLU:
		product(0, out, true)
		mapSerial(r.Cell.activation(), out, out, 0, 0)
	case LSTM:
		for g := range 4 {
			product(g, gate(g), true)
		}
		c := r.state(kept[keptCell*block:], r.InitialCell, r.Hidden, last, from, to)
		if c == nil {
			c = gate(keptCell)
			clear(c)
		}
		raw := out
		if r.Projection > 0 {
			raw = gate(keptRaw)
		}
		lstmStep(n, gate(0), gate(1), gate(2), gate(3), c, gate(keptCell), gate(keptTanh), raw)
		if r.Projection > 0 {
			Gemm(NN, rows, size, r.Hidden, raw, r.Hidden, u.hr, u.hrRow, out, size, false, Epilogue[T]{})
		}
	case GRU:
		product(0, gate(0), true)
		product(1, gate(1), true)
		hn := gate(keptProduct)
		clear(hn)
		if r.BiasHH != nil {
			for row := range rows {
				copy(hn[row*r.Hidden:(row+1)*r.Hidden], r.BiasHH[2*r.Hidden:])
			}
		}
		product(2, hn, true)
		if h == nil {
			h = out
			clear(h)
		}
		gruStep(n, gate(0), gate(1), gate(2), hn, h, out)
	}
}

// state is what the step before left, or the initial state, or nil for zeros.
func (r *Recurrent[T]) state(x, initial []T, size, last, from, to int) []T {
	switch {
	case last >= 0:
		return part(x, last, r.Batch, size, from, to)
	case initial != nil:
		return initial[from*size : to*size]
	}
	return nil
}

// RecurrentGradient is what [Recurrent.Backward] computes: the gradients of the gates before their activations, which
// those of the input and the weights are made of, and of the initial state and the projection. Initial and Cell may be
// nil.
type RecurrentGradient[T Float] struct {
	Gates         []T // Cell.Gradients blocks
	Initial, Cell []T
	WeightHR      []T
}

// Backward goes back from dy, the gradient of y, and dc, of an LSTM's last c, or nil.
func (r *Recurrent[T]) Backward(d RecurrentGradient[T], dy, dc, y, kept []T) {
	size := r.Output()
	clear(d.WeightHR)
	if r.Steps == 0 {
		clear(d.Initial)
		copy(d.Cell, dc)
		return
	}
	w := borrow[T]()
	defer w.giveBack()
	state, cells, raw := r.Batch*size, r.Batch*r.Hidden, 0
	if r.Projection > 0 {
		raw = r.Batch*r.Hidden + r.Steps*r.Batch*size
	}
	all := w.floats(state + cells + raw)
	b := backward[T]{r: r, d: d, dy: dy, y: y, kept: kept, dh: all[:state], dc: all[state : state+cells]}
	if raw > 0 {
		b.raw, b.projected = all[state+cells:][:cells], all[state+2*cells:]
	}
	clear(b.dh)
	clear(b.dc)
	copy(b.dc, dc)
	parallel(r.parts(), r.Batch, 1, func(from, to int) {
		for i := r.Steps - 1; i >= 0; i-- {
			b.step(i, from, to)
		}
	})
	copy(d.Initial, b.dh)
	copy(d.Cell, b.dc)
	if r.Projection > 0 {
		m := r.Steps * r.Batch
		Gemm(TN, size, r.Hidden, m, b.projected, size, kept[keptRaw*r.block():], r.Hidden, d.WeightHR, r.Hidden, false, Epilogue[T]{})
	}
}

// backward is one run of Backward.
type backward[T Float] struct {
	r              *Recurrent[T]
	d              RecurrentGradient[T]
	dy, y, kept    []T
	dh, dc         []T // of the state after the step at hand
	raw, projected []T // of h before its projection, and of h at all steps
}

func (b *backward[T]) step(i, from, to int) {
	r := b.r
	step, last := r.Order(i)
	rows, n, size, block := to-from, (to-from)*r.Hidden, r.Output(), r.block()
	at := func(x []T, g int) []T { return part(x[g*block:(g+1)*block], step, r.Batch, r.Hidden, from, to) }
	gate := func(g int) []T { return at(b.kept, g) }
	grad := func(g int) []T { return at(b.d.Gates, g) }
	dh, dc := b.dh[from*size:to*size], b.dc[from*r.Hidden:to*r.Hidden]
	zipSerial(Add, dh, dh, part(b.dy, step, r.Batch, size, from, to))
	h := r.state(b.y, r.Initial, size, last, from, to)
	if r.Cell == GRU && h == nil {
		h = make([]T, len(dh))
	}
	add := false
	switch r.Cell {
	case RNNTanh, RNNReLU:
		out := part(b.y, step, r.Batch, size, from, to)
		mapGradSerial(r.Cell.activation(), grad(0), dh, out, out, 0, 0)
	case LSTM:
		raw := dh
		if r.Projection > 0 {
			raw = b.raw[from*r.Hidden : to*r.Hidden]
			copy(part(b.projected, step, r.Batch, size, from, to), dh)
			Gemm(NN, rows, r.Hidden, size, dh, size, r.WeightHR, r.Hidden, raw, r.Hidden, false, Epilogue[T]{})
		}
		c := r.state(b.kept[keptCell*block:], r.InitialCell, r.Hidden, last, from, to)
		if c == nil {
			c = make([]T, n)
		}
		lstmOutGradient(n, grad(3), dc, raw, gate(3), gate(keptTanh))
		lstmInGradient(n, grad(0), grad(1), grad(2), dc, gate(0), gate(1), gate(2), c)
	case GRU:
		gruGradient(n, grad(0), grad(1), grad(2), grad(3), dh, gate(0), gate(1), gate(2), gate(keptProduct), h)
		add = true
	}
	if i == 0 && b.d.Initial == nil {
		return
	}
	for g := range r.Cell.Gates() {
		Gemm(NN, rows, size, r.Hidden, grad(r.recurrentGate(g)), r.Hidden, r.WeightHH[g*r.Hidden*size:], size, dh, size, add || g > 0, Epilogue[T]{})
	}
}

// recurrentGate is the block with the gradient of gate g's product of h.
func (r *Recurrent[T]) recurrentGate(g int) int {
	if r.Cell == GRU && g == 2 {
		return 3
	}
	return g
}

// InputGradient computes dx from the gates' gradients.
func (r *Recurrent[T]) InputGradient(dx, gates []T) {
	for g := range r.Cell.Gates() {
		Gemm(NN, r.Steps*r.Batch, r.Input, r.Hidden, gates[g*r.block():], r.Hidden, r.WeightIH[g*r.Hidden*r.Input:], r.Input, dx, r.Input, g > 0, Epilogue[T]{})
	}
}

// WeightGradients computes the gradients of the weights and, where they are not nil, the biases.
func (r *Recurrent[T]) WeightGradients(ih, hh, biasIH, biasHH, x, y, gates []T) {
	m, size, earlier := r.Steps*r.Batch, r.Output(), max(r.Steps-1, 0)*r.Batch
	for g := range r.Cell.Gates() {
		of := gates[g*r.block() : (g+1)*r.block()]
		Gemm(TN, r.Hidden, r.Input, m, of, r.Hidden, x, r.Input, ih[g*r.Hidden*r.Input:], r.Input, false, Epilogue[T]{})
		if biasIH != nil {
			ColumnSums(biasIH[g*r.Hidden:(g+1)*r.Hidden], of, m, r.Hidden)
		}
		other := r.recurrentGate(g)
		if biasIH != nil && other == g {
			copy(biasHH[g*r.Hidden:(g+1)*r.Hidden], biasIH[g*r.Hidden:])
		}
		of = gates[other*r.block() : (other+1)*r.block()]
		if biasIH != nil && other != g {
			ColumnSums(biasHH[g*r.Hidden:(g+1)*r.Hidden], of, m, r.Hidden)
		}
		own := hh[g*r.Hidden*size : (g+1)*r.Hidden*size]
		later, before, first := of[m*r.Hidden-earlier*r.Hidden:], y, of
		if r.Reverse {
			later, before, first = of, y[m*size-earlier*size:], of[earlier*r.Hidden:]
		}
		Gemm(TN, r.Hidden, size, earlier, later, r.Hidden, before, size, own, size, false, Epilogue[T]{})
		if r.Initial != nil && r.Steps > 0 {
			Gemm(TN, r.Hidden, size, r.Batch, first, r.Hidden, r.Initial, size, own, size, true, Epilogue[T]{})
		}
	}
}

// lstmStep computes a step of n numbers: i, f, g, o in place, c from the one before, tanh(c) and h. before may be c.
func lstmStep[T Float](n int, i, f, g, o, before, c, tanh, h []T) {
	if k := kernelsOf[T]().lstm; k != nil && n > 0 {
		k(n, &i[0], &f[0], &g[0], &o[0], &before[0], &c[0], &tanh[0], &h[0])
		return
	}
	for x := range n {
		i[x], f[x], o[x] = sigmoid(i[x]), sigmoid(f[x]), sigmoid(o[x])
		g[x] = T(math.Tanh(float64(g[x])))
		c[x] = f[x]*before[x] + i[x]*g[x]
		tanh[x] = T(math.Tanh(float64(c[x])))
		h[x] = o[x] * tanh[x]
	}
}

// lstmOutGradient computes do, and adds to dc what came by h.
func lstmOutGradient[T Float](n int, do, dc, dh, o, tanh []T) {
	if k := kernelsOf[T]().lstmOutGrad; k != nil && n > 0 {
		k(n, &do[0], &dc[0], &dh[0], &o[0], &tanh[0])
		return
	}
	for x := range n {
		do[x] = dh[x] * tanh[x] * o[x] * (1 - o[x])
		dc[x] += dh[x] * o[x] * (1 - tanh[x]*tanh[x])
	}
}

// lstmInGradient computes di, df and dg from dc, which becomes that of the cell before.
func lstmInGradient[T Float](n int, di, df, dg, dc, i, f, g, before []T) {
	if k := kernelsOf[T]().lstmInGrad; k != nil && n > 0 {
		k(n, &di[0], &df[0], &dg[0], &dc[0], &i[0], &f[0], &g[0], &before[0])
		return
	}
	for x := range n {
		di[x] = dc[x] * g[x] * i[x] * (1 - i[x])
		df[x] = dc[x] * before[x] * f[x] * (1 - f[x])
		dg[x] = dc[x] * i[x] * (1 - g[x]*g[x])
		dc[x] *= f[x]
	}
}

// gruStep computes a step: r, z and n in place, and h. before may be h.
func gruStep[T Float](n int, r, z, n_, hn, before, h []T) {
	if k := kernelsOf[T]().gru; k != nil && n > 0 {
		k(n, &r[0], &z[0], &n_[0], &hn[0], &before[0], &h[0])
		return
	}
	for x := range n {
		r[x], z[x] = sigmoid(r[x]), sigmoid(z[x])
		n_[x] = T(math.Tanh(float64(n_[x] + r[x]*hn[x])))
		h[x] = n_[x] + z[x]*(before[x]-n_[x])
	}
}

// gruGradient computes dr, dz, dn and dhn from dh, which becomes the part of the state before's that doesn't go by a gate.
func gruGradient[T Float](n int, dr, dz, dn, dhn, dh, r, z, n_, hn, before []T) {
	if k := kernelsOf[T]().gruGrad; k != nil && n > 0 {
		k(n, &dr[0], &dz[0], &dn[0], &dhn[0], &dh[0], &r[0], &z[0], &n_[0], &hn[0], &before[0])
		return
	}
	for x := range n {
		dz[x] = dh[x] * (before[x] - n_[x]) * z[x] * (1 - z[x])
		dn[x] = dh[x] * (1 - z[x]) * (1 - n_[x]*n_[x])
		dhn[x] = dn[x] * r[x]
		dr[x] = dn[x] * hn[x] * r[x] * (1 - r[x])
		dh[x] *= z[x]
	}
}
