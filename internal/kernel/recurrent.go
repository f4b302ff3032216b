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
	if !r.byColumns() {
		inParts(&w.tasks.recurrent, recurrentTask[T]{*r, y, kept, before, r.transposed(t), 0}, r.parts(), r.Batch, 1)
		return
	}
	task := recurrentTask[T]{*r, y, kept, before, recurrentWeights[T]{packed: r.packed(NT, t)}, 0}
	for task.step = range r.Steps {
		inParts(&w.tasks.recurrent, task, Threads(), r.Hidden, columnsUnit)
	}
}

// recurrentTask is a [Recurrent.Forward] in parts of rows, or a step of it in parts of columns.
type recurrentTask[T Float] struct {
	r               Recurrent[T]
	y, kept, before []T
	u               recurrentWeights[T]
	step            int
}

func (t *recurrentTask[T]) run(_, from, to int) {
	if t.r.byColumns() {
		t.r.step(t.step, area{0, t.r.Batch, from, to}, t.y, t.kept, t.before, t.u)
		return
	}
	for i := range t.r.Steps {
		t.r.step(i, area{from, to, 0, t.r.Hidden}, t.y, t.kept, t.before, t.u)
	}
}

// columnBytes is from how large a weight_hh threads take columns of it at each step, rather than rows of the batch at all steps: the cores'
// second-level caches then hold it between them, where else each would read all of it from further away, and it is worth packing. An LSTM
// of 512 then takes half the time.
const columnBytes = 1 << 20

// columnsUnit is where columns are cut: panels of packed weights have so many, or a part.
const columnsUnit = splitSide

// byColumns says whether parts are columns of each step.
func (r *Recurrent[T]) byColumns() bool {
	return r.Projection == 0 && r.Cell.Gates()*r.Hidden*r.Hidden*sizeOf[T]() >= columnBytes
}

// area is rows of a batch and columns of the hidden state.
type area struct{ from, to, left, right int }

// ranges calls f for the numbers of the area, of those of its rows, whose size is hidden: all in one go where it has all columns.
func (a area) ranges(hidden int, f func(from, to int)) {
	rows := a.to - a.from
	if a.right-a.left == hidden {
		f(0, rows*hidden)
		return
	}
	for row := range rows {
		f(row*hidden+a.left, row*hidden+a.right)
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
	packed         *[4]Weights // of each gate, of all columns, or nil
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

// step computes step number i of an area.
func (r *Recurrent[T]) step(i int, a area, y, kept, before []T, u recurrentWeights[T]) {
	step, last := r.Order(i)
	rows, size, block := a.to-a.from, r.Output(), r.block()
	gate := func(g int) []T { return part(before[g*block:(g+1)*block], step, r.Batch, r.Hidden, a.from, a.to) }
	h := r.state(y, r.Initial, size, last, a.from, a.to)
	product := func(g int, c []T) {
		switch {
		case h == nil:
		case u.packed != nil:
			gemmColumns(NT, rows, r.Hidden, size, h, size, r.WeightHH[g*r.Hidden*size:], size, &u.packed[g], c, r.Hidden, true, a.left, a.right)
		default:
			Gemm(NN, rows, r.Hidden, size, h, size, u.hh[g*size*u.hhRow:], u.hhRow, c, r.Hidden, true, Epilogue[T]{})
		}
	}
	out := part(y, step, r.Batch, size, a.from, a.to)
	switch r.Cell {
	case RNNTanh, RNNReLU:
		product(0, out)
		a.ranges(r.Hidden, func(p, q int) { mapSerial(r.Cell.activation(), out[p:q], out[p:q], 0, 0) })
	case LSTM:
		for g := range 4 {
			product(g, gate(g))
		}
		c := r.state(kept[keptCell*block:], r.InitialCell, r.Hidden, last, a.from, a.to)
		raw := out
		if r.Projection > 0 {
			raw = gate(keptRaw)
		}
		i, f, g, o, cell, tanh := gate(0), gate(1), gate(2), gate(3), gate(keptCell), gate(keptTanh)
		a.ranges(r.Hidden, func(p, q int) {
			lstmStep(q-p, i[p:q], f[p:q], g[p:q], o[p:q], orCleared(c, cell, p, q), cell[p:q], tanh[p:q], raw[p:q])
		})
		if r.Projection > 0 {
			Gemm(NN, rows, size, r.Hidden, raw, r.Hidden, u.hr, u.hrRow, out, size, false, Epilogue[T]{})
		}
	case GRU:
		product(0, gate(0))
		product(1, gate(1))
		hn := gate(keptProduct)
		for row := range rows {
			own := hn[row*r.Hidden+a.left : row*r.Hidden+a.right]
			if r.BiasHH != nil {
				copy(own, r.BiasHH[2*r.Hidden+a.left:])
			} else {
				clear(own)
			}
		}
		product(2, hn)
		reset, update, n := gate(0), gate(1), gate(2)
		a.ranges(r.Hidden, func(p, q int) {
			gruStep(q-p, reset[p:q], update[p:q], n[p:q], hn[p:q], orCleared(h, out, p, q), out[p:q])
		})
	}
}

// orCleared is elements from to to of x, or those of room, cleared, where there is none.
func orCleared[T Float](x, room []T, from, to int) []T {
	if x == nil {
		clear(room[from:to])
		return room[from:to]
	}
	return x[from:to]
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
	b.run()
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
	dh, dc         []T         // of the state after the step at hand
	raw, projected []T         // of h before its projection, and of h at all steps
	packed         *[4]Weights // of each gate, or nil
}

func (b *backward[T]) run() {
	r := b.r
	if !r.byColumns() {
		parallel(r.parts(), r.Batch, 1, func(from, to int) {
			for i := r.Steps - 1; i >= 0; i-- {
				a := area{from, to, 0, r.Hidden}
				b.gates(i, a)
				b.state(i, a)
			}
		})
		return
	}
	w := borrow[T]()
	defer w.giveBack()
	b.packed = r.packed(NN, w)
	// A part computes columns of a state's gradient from that of all gates after it, and then those of its own gates.
	for i := r.Steps - 1; i >= -1; i-- {
		parallel(Threads(), r.Hidden, columnsUnit, func(left, right int) {
			a := area{0, r.Batch, left, right}
			if i+1 < r.Steps {
				b.state(i+1, a)
			}
			if i >= 0 {
				b.gates(i, a)
			}
		})
	}
}

// gates computes the gradients of step i's gates.
func (b *backward[T]) gates(i int, a area) {
	r := b.r
	step, last := r.Order(i)
	rows, size, block := a.to-a.from, r.Output(), r.block()
	at := func(x []T, g int) []T { return part(x[g*block:(g+1)*block], step, r.Batch, r.Hidden, a.from, a.to) }
	gate := func(g int) []T { return at(b.kept, g) }
	grad := func(g int) []T { return at(b.d.Gates, g) }
	dh, dc := b.dh[a.from*size:a.to*size], b.dc[a.from*r.Hidden:a.to*r.Hidden]
	dy := part(b.dy, step, r.Batch, size, a.from, a.to)
	h := r.state(b.y, r.Initial, size, last, a.from, a.to)
	raw := dh
	if r.Projection > 0 {
		zipSerial(Add, dh, dh, dy)
		raw = b.raw[a.from*r.Hidden : a.to*r.Hidden]
		copy(part(b.projected, step, r.Batch, size, a.from, a.to), dh)
		Gemm(NN, rows, r.Hidden, size, dh, size, r.WeightHR, r.Hidden, raw, r.Hidden, false, Epilogue[T]{})
	}
	a.ranges(r.Hidden, func(p, q int) {
		n := q - p
		if r.Projection == 0 {
			zipSerial(Add, dh[p:q], dh[p:q], dy[p:q])
		}
		switch r.Cell {
		case RNNTanh, RNNReLU:
			out := part(b.y, step, r.Batch, size, a.from, a.to)[p:q]
			mapGradSerial(r.Cell.activation(), grad(0)[p:q], dh[p:q], out, out, 0, 0)
		case LSTM:
			lstmOutGradient(n, grad(3)[p:q], dc[p:q], raw[p:q], gate(3)[p:q], gate(keptTanh)[p:q])
			c := orZeros(r.state(b.kept[keptCell*block:], r.InitialCell, r.Hidden, last, a.from, a.to), p, q)
			lstmInGradient(n, grad(0)[p:q], grad(1)[p:q], grad(2)[p:q], dc[p:q], gate(0)[p:q], gate(1)[p:q], gate(2)[p:q], c)
		case GRU:
			gruGradient(n, grad(0)[p:q], grad(1)[p:q], grad(2)[p:q], grad(3)[p:q], dh[p:q], gate(0)[p:q], gate(1)[p:q], gate(2)[p:q], gate(keptProduct)[p:q], orZeros(h, p, q))
		}
	})
}

// orZeros is elements from to to of x, or zeros where there is none.
func orZeros[T Float](x []T, from, to int) []T {
	if x == nil {
		return make([]T, to-from)
	}
	return x[from:to]
}

// state computes the gradient of the state before step i.
func (b *backward[T]) state(i int, a area) {
	r := b.r
	if i == 0 && b.d.Initial == nil {
		return
	}
	step, _ := r.Order(i)
	rows, size, block := a.to-a.from, r.Output(), r.block()
	dh := b.dh[a.from*size : a.to*size]
	for g := range r.Cell.Gates() {
		own := r.recurrentGate(g)
		of := part(b.d.Gates[own*block:(own+1)*block], step, r.Batch, r.Hidden, a.from, a.to)
		weight, add := r.WeightHH[g*r.Hidden*size:], r.Cell == GRU || g > 0
		if b.packed != nil {
			gemmColumns(NN, rows, size, r.Hidden, of, r.Hidden, weight, size, &b.packed[g], dh, size, add, a.left, a.right)
		} else {
			Gemm(NN, rows, size, r.Hidden, of, r.Hidden, weight, size, dh, size, add, Epilogue[T]{})
		}
	}
}

// packed packs each gate's weights of the product of h, or of that of its gradient.
func (r *Recurrent[T]) packed(layout Layout, w *workspace[T]) *[4]Weights {
	for g := range r.Cell.Gates() {
		PackRight(layout, max(r.Batch, packRightSide), r.Hidden, r.Hidden, r.WeightHH[g*r.Hidden*r.Hidden:][:r.Hidden*r.Hidden], r.Hidden, &w.gates[g])
	}
	return &w.gates
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
