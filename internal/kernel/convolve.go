package kernel

import (
	"slices"
	"sync"
	"unsafe"
)

// Convolution is a cross-correlation as deep learning calls it: x (Batch, Groups*In, Input) with weight
// (Groups*Out, In, Kernel) gives y (Batch, Groups*Out, Output). In and Out are channels of one group.
//
// All three products of a convolution are computed the same way. The channels read are laid out in scratch memory as
// planes with their zeros around them, one plane for each residue of the stride; then every tap is a plane shifted by a
// fixed distance, and the sum over the taps is a matrix product whose rows begin at those distances.
type Convolution struct {
	Window
	Batch, Groups, In, Out int
}

// ChannelEpilogue is what happens to the channels of a convolution before they are stored: Activation(Scale·sum + Bias), Scale
// and Bias one value a channel or nil. The zero value stores the sums as they are.
type ChannelEpilogue[T Float] struct {
	Scale, Bias []T
	Activation  Unary
	A, B        T // parameters of Activation
}

// Convolve computes y = epilogue(x * weight). weights belongs to weight, or is nil.
//
// Error of an element, before the activation: at most k*eps*sum|x||weight| with k = In*Taps, and one more where it is scaled.
func Convolve[T Float](c Convolution, y, x, weight []T, weights *Weights, epilogue ChannelEpilogue[T]) {
	slider[T]{slidePlan: planOf[T](c, false), src: x, dst: y, weights: weights, epilogue: epilogue}.compute(weight)
}

// forward plans [Convolve].
func (c Convolution) forward() *slidePlan {
	p := &slidePlan{
		batch: c.Batch, groups: c.Groups, from: c.Input, channels: c.In, to: c.Output, rows: c.Out,
		rowStride: c.In * c.Taps(), channelStride: c.Taps(),
	}
	sheet := c.sheet(&p.planes)
	p.sheet = sheet.size
	t := target{lattice: lattice{step: [3]int{1, 1, 1}}, count: c.Output, taps: make([]int, c.Taps())}
	for i := range c.In {
		for _, o := range sheet.taps {
			t.offsets = append(t.offsets, i*sheet.channel()+o)
		}
	}
	for i := range t.taps {
		t.taps[i] = i
	}
	p.targets = []target{t}
	return p
}

// sheet is how the input's channels lie in scratch memory.
type sheet struct {
	size   [3]int // of one plane
	planes int    // of one channel
	taps   []int  // where each tap's product begins in a channel
}

func (s *sheet) channel() int { return s.planes * volume(s.size) }

// sheet finds the planes that the taps read, and gives how each is filled.
func (c *Convolution) sheet(lattices *[]lattice) sheet {
	var used [3][]int // residues of the stride
	s := sheet{planes: 1}
	for d := range used {
		for k := range c.Kernel[d] {
			if r := k * c.Dilation[d] % c.Stride[d]; !slices.Contains(used[d], r) {
				used[d] = append(used[d], r)
			}
		}
		s.size[d] = c.Output[d] + (c.Kernel[d]-1)*c.Dilation[d]/c.Stride[d]
		s.planes *= len(used[d])
	}
	if c.Stride[2] == 1 {
		s.size[2] = shared(s.size[2], c.Padding[2], c.Input[2], c.Output[2])
	}
	counts := [3]int{len(used[0]), len(used[1]), len(used[2])}
	points(counts, func(p [3]int) {
		w := lattice{step: c.Stride}
		for d := range p {
			w.start[d] = used[d][p[d]] - c.Padding[d]
		}
		*lattices = append(*lattices, w)
	})
	points(c.Kernel, func(k [3]int) {
		var plane, shift [3]int
		for d := range k {
			at := k[d] * c.Dilation[d]
			plane[d], shift[d] = slices.Index(used[d], at%c.Stride[d]), at/c.Stride[d]
		}
		s.taps = append(s.taps, offsetOf(plane, counts)*volume(s.size)+offsetOf(shift, s.size))
	})
	return s
}

// shared is the length of a sheet's lines where those behind a line's end are the zeros before the next: products for what
// stands between the lines, which nobody wants, become fewer.
func shared(length, zeros, content, results int) int {
	zeros = max(zeros, 0)
	return max(length-zeros, zeros+content, results)
}

// ConvolveTransposed computes x = epilogue(y *ᵀ weight): the gradient of [Convolve] with respect to x, and the transposed
// convolution. weights belongs to weight, or is nil.
//
// Error of an element as of Convolve, with k = Out*Taps.
func ConvolveTransposed[T Float](c Convolution, x, y, weight []T, weights *Weights, epilogue ChannelEpilogue[T]) {
	s := slider[T]{slidePlan: planOf[T](c, true), src: y, dst: x, weights: weights, epilogue: epilogue}
	if volume(c.Stride) > 1 { // the order of packed weights would depend on more than themselves
		s.weights = nil
	}
	s.compute(weight)
}

// backward plans [ConvolveTransposed].
func (c Convolution) backward() *slidePlan {
	p := &slidePlan{
		transposed: true, batch: c.Batch, groups: c.Groups, from: c.Output, channels: c.Out, to: c.Input, rows: c.In,
		rowStride: c.Taps(), channelStride: c.In * c.Taps(),
	}
	// Input i = q*Stride + r - Padding is reached from outputs q - shift by the taps with residue r.
	var shift, first [3]int
	front := lattice{step: [3]int{1, 1, 1}}
	for d := range shift {
		shift[d] = (c.Kernel[d] - 1) * c.Dilation[d] / c.Stride[d]
		first[d] = c.Padding[d] / c.Stride[d]
		front.start[d] = first[d] - shift[d]
		p.sheet[d] = (c.Input[d]-1+c.Padding[d])/c.Stride[d] - first[d] + shift[d] + 1
	}
	if c.Stride[2] == 1 {
		p.sheet[2] = shared(p.sheet[2], -front.start[2], c.Output[2], c.Input[2])
	}
	p.planes = []lattice{front}
	points(c.Stride, func(r [3]int) {
		t := target{lattice: lattice{step: c.Stride}}
		var begin [3]int
		for d := range r {
			q := max(0, (c.Padding[d]-r[d]+c.Stride[d]-1)/c.Stride[d])
			t.start[d] = q*c.Stride[d] + r[d] - c.Padding[d]
			if last := c.Input[d] - 1 - t.start[d]; last >= 0 {
				t.count[d] = last/c.Stride[d] + 1
			}
			begin[d] = q - first[d] + shift[d]
		}
		if volume(t.count) == 0 {
			return
		}
		var places []int
		tap := 0
		points(c.Kernel, func(k [3]int) {
			at, mine := begin, true
			for d := range k {
				mine = mine && k[d]*c.Dilation[d]%c.Stride[d] == r[d]
				at[d] -= k[d] * c.Dilation[d] / c.Stride[d]
			}
			if mine {
				t.taps, places = append(t.taps, tap), append(places, offsetOf(at, p.sheet))
			}
			tap++
		})
		for o := range c.Out {
			for _, place := range places {
				t.offsets = append(t.offsets, o*volume(p.sheet)+place)
			}
		}
		p.targets = append(p.targets, t)
	})
	return p
}

// slidePlan is how planes of outputs are made of planes of inputs.
type slidePlan struct {
	transposed               bool
	batch, groups            int
	from, to                 [3]int    // sizes of a source and a destination plane
	channels, rows           int       // of one group: read, and written
	planes                   []lattice // how a channel's planes are filled
	sheet                    [3]int    // the size of such a plane
	targets                  []target
	rowStride, channelStride int // element (row, channel, tap) of a group's weights stands at row*rowStride + channel*channelStride + tap
	blockRows, steps, work   int
}

// slider computes them, an image and a group at a time.
type slider[T Float] struct {
	*slidePlan
	src, dst []T
	weights  *Weights
	epilogue ChannelEpilogue[T]
	packed   []T // the weights of all groups, by blocks of blockRows rows
	cuts     int // of each image's rows: more than one where there are fewer images than threads
}

// target is a part of the destination that one set of taps computes.
type target struct {
	lattice
	count   [3]int
	taps    []int
	offsets []int // where the product of each step begins in the sheet: in bytes, where a kernel reads them
	weights int   // where a group's weights begin, a step being rows elements
}

// slideKey is what a plan is made for.
type slideKey struct {
	Convolution
	transposed, single bool
	simd               string
}

// slidePlans are the plans made so far: making one takes as long as a small convolution.
var slidePlans struct {
	sync.RWMutex
	of map[slideKey]*slidePlan
}

const maxSlidePlans = 256

func planOf[T Float](c Convolution, transposed bool) *slidePlan {
	key := slideKey{c, transposed, isFloat32[T](), simd}
	slidePlans.RLock()
	p := slidePlans.of[key]
	slidePlans.RUnlock()
	if p != nil {
		return p
	}
	if transposed {
		p = c.backward()
	} else {
		p = c.forward()
	}
	k := kernelsOf[T]()
	p.blockRows = 1
	if k.lanes > 0 {
		p.blockRows = even(p.rows, k.maxRows, 1)
	}
	for i := range p.targets {
		t := &p.targets[i]
		t.weights = p.steps * p.rows
		p.steps += len(t.offsets)
		p.work += len(t.offsets) * t.length(p.sheet)
		for j := range t.offsets {
			if k.lanes > 0 {
				t.offsets[j] *= sizeOf[T]()
			}
		}
	}
	slidePlans.Lock()
	defer slidePlans.Unlock()
	if len(slidePlans.of) >= maxSlidePlans || slidePlans.of == nil {
		slidePlans.of = map[slideKey]*slidePlan{}
	}
	slidePlans.of[key] = p
	return p
}

// length is from the first grid point to the last: rows lie in the sheet with their surroundings.
func (t *target) length(sheet [3]int) int {
	return offsetOf([3]int{t.count[0] - 1, t.count[1] - 1, t.count[2] - 1}, sheet) + 1
}

// compute packs the weights and computes all images.
func (given slider[T]) compute(weight []T) {
	w := borrow[T]()
	defer w.giveBack()
	s := &w.tasks.slide
	defer func() { *s = slider[T]{} }()
	*s = given
	if s.batch == 0 || s.groups*s.rows == 0 || volume(s.to) == 0 {
		return
	}
	need("dst of a convolution", len(s.dst), s.batch*s.groups*s.rows*volume(s.to))
	need("src of a convolution", len(s.src), s.batch*s.groups*s.channels*volume(s.from))
	need("weight of a convolution", len(weight), s.groups*s.rows*s.channels*min(s.rowStride, s.channelStride))
	if s.epilogue.Scale != nil {
		need("scale of a convolution", len(s.epilogue.Scale), s.groups*s.rows)
	}
	if s.epilogue.Bias != nil {
		need("bias of a convolution", len(s.epilogue.Bias), s.groups*s.rows)
	}
	if !s.packKept(weight) {
		s.packAll(&w.a, weight)
	}
	items := s.batch * s.groups
	parts := partsOf(s.work*s.rows*items, grainProduct)
	s.cuts = min(up(min(parts, Threads()), items), up(s.rows, s.blockRows))
	pool.run(s, min(items*s.cuts, parts), items*s.cuts, 1)
}

// run computes the images from one to another: of each the rows of a cut, where there are fewer images than threads.
func (s *slider[T]) run(_, from, to int) {
	if s.cuts == 1 {
		s.images(from, to, 0, s.rows)
		return
	}
	for ; from < to; from++ {
		first, last := share(from%s.cuts, s.cuts, s.rows, s.blockRows)
		s.images(from/s.cuts, from/s.cuts+1, first, last)
	}
}

func (s *slider[T]) packAll(buffer *[]T, weight []T) {
	n := s.groups*s.steps*s.rows + lineElements
	s.packed = unsafe.Slice(aligned(buffer, n), n)
	groupSize := len(weight) / s.groups
	for g := range s.groups {
		for i := range s.targets {
			s.pack(g, &s.targets[i], weight[g*groupSize:])
		}
	}
}

// pack brings a group's weights for one target into the order in which they are read, and scales them.
func (s *slider[T]) pack(g int, t *target, weight []T) {
	s.copyWeights(g, t, weight)
	if s.epilogue.Scale == nil {
		return
	}
	steps := len(t.offsets)
	dst, scale := s.packed[g*s.steps*s.rows+t.weights:][:s.rows*steps], s.epilogue.Scale[g*s.rows:(g+1)*s.rows]
	for i := 0; i < s.rows; i += s.blockRows {
		of := scale[i:min(i+s.blockRows, s.rows)]
		for line := dst[i*steps : (i+len(of))*steps]; len(line) > 0; line = line[len(of):] {
			for r, v := range of {
				line[r] *= v
			}
		}
	}
}

func (s *slider[T]) copyWeights(g int, t *target, weight []T) {
	steps := len(t.offsets)
	dst := s.packed[g*s.steps*s.rows+t.weights:]
	if k := kernelsOf[T](); k.lanes > 0 && len(t.taps) == s.channelStride && steps > 0 { // a whole row-major matrix
		(&product[T]{kernels: k, layout: NN, a: &weight[0], lda: s.rowStride}).packA(block[T]{to: s.rows, p1: steps, height: s.blockRows, packed: &dst[0]}, 0, s.rows)
		return
	}
	for i := 0; i < s.rows; i += s.blockRows {
		n := min(s.blockRows, s.rows-i)
		block := dst[i*steps : (i+n)*steps]
		for c := range s.channels { // a row of which lies beside the other rows' where weight is transposed
			for r := range n {
				line, to := weight[(i+r)*s.rowStride+c*s.channelStride:], c*len(t.taps)*n+r
				for _, tap := range t.taps {
					block[to] = line[tap]
					to += n
				}
			}
		}
	}
}

// images computes rows first to last of items from to to, each an image's group.
func (s *slider[T]) images(from, to, first, last int) {
	w := borrow[T]()
	defer w.giveBack()
	k := kernelsOf[T]()
	channel := len(s.planes) * volume(s.sheet)
	room := s.channels*channel + s.sheet[2] + 4*lineElements // the last line's zeros, and what tiles read beyond
	sheet := unsafe.Slice(aligned(&w.b, room), room)
	clear(sheet) // what surrounds the planes stays 0
	longest := 0
	for i := range s.targets {
		longest = max(longest, s.targets[i].length(s.sheet))
	}
	stride := (longest + lineElements - 1) / lineElements * lineElements
	grid := unsafe.Slice(aligned(&w.out, (last-first)*stride), (last-first)*stride)
	for item := from; item < to; item++ {
		g := item % s.groups
		for c := range s.channels {
			src := s.src[(item*s.channels+c)*volume(s.from):][:volume(s.from)]
			for i, w := range s.planes {
				gather(sheet[c*channel+i*volume(s.sheet):], s.sheet, src, s.from, w)
			}
		}
		dst := s.dst[(item*s.rows+first)*volume(s.to):][:(last-first)*volume(s.to)]
		for i := range s.targets {
			t := &s.targets[i]
			weights := s.packed[g*s.steps*s.rows+t.weights:]
			var bias []T
			if s.epilogue.Bias != nil {
				bias = s.epilogue.Bias[g*s.rows+first : g*s.rows+last]
			}
			weights = weights[first*len(t.offsets):]
			switch {
			case len(t.offsets) == 0:
				constantRows(grid, stride, last-first, t.length(s.sheet), bias, s.epilogue.Activation == ReLU)
			case k.lanes > 0:
				s.tiles(t, last-first, grid, stride, sheet, weights, bias)
			default:
				s.loops(t, last-first, grid, stride, sheet, weights, bias)
			}
			for r := range last - first {
				scatter(dst[r*volume(s.to):], s.to, t.lattice, grid[r*stride:], t.count, s.sheet)
			}
		}
		if a := s.epilogue; a.Activation != Identity && a.Activation != ReLU {
			mapSerial(a.Activation, dst, dst, a.A, a.B)
		}
	}
}

// constantRows is a product without any tap.
func constantRows[T Float](c []T, ldc, rows, n int, bias []T, relu bool) {
	for r := range rows {
		v := T(0)
		if bias != nil {
			v = bias[r]
		}
		if relu && v < 0 {
			v = 0
		}
		line := c[r*ldc : r*ldc+n]
		for j := range line {
			line[j] = v
		}
	}
}

// slideSteps is how many steps a tile takes before it goes on to the next: more would push the sheet out of the cache.
const slideSteps = 768

func (s *slider[T]) tiles(t *target, rows int, c []T, ldc int, sheet, weights, bias []T) {
	k, size := kernelsOf[T](), sizeOf[T]()
	vectors := (t.length(s.sheet) + k.lanes - 1) / k.lanes
	steps := len(t.offsets)
	stepsBlock := even(steps, slideSteps, 1)
	for p := 0; p < steps; p += stepsBlock {
		n, flags := min(stepsBlock, steps-p), 0
		b := bias
		if p > 0 {
			flags, b = tileAdd, nil
		}
		if p+n == steps && s.epilogue.Activation == ReLU {
			flags |= tileReLU
		}
		for j := 0; j < vectors; {
			wide := 2
			for wide > 0 && (j+1<<wide > vectors || k.slide[wide][s.blockRows] == nil) {
				wide--
			}
			for i := 0; i < rows; i += s.blockRows {
				r := min(s.blockRows, rows-i)
				var first *T
				if b != nil {
					first = &b[i]
				}
				k.slide[wide][r](n, &weights[i*steps+p*r], &sheet[j*k.lanes], &t.offsets[p], &c[i*ldc+j*k.lanes], ldc*size, first, flags)
			}
			j += 1 << wide
		}
	}
}

// loops is what tiles computes.
func (s *slider[T]) loops(t *target, rows int, c []T, ldc int, sheet, weights, bias []T) {
	n, steps := t.length(s.sheet), len(t.offsets)
	constantRows(c, ldc, rows, n, bias, false)
	for r := range rows {
		line := c[r*ldc : r*ldc+n]
		for p, from := range t.offsets {
			addScaled(weights[r*steps+p], sheet[from:from+n], line)
		}
		if s.epilogue.Activation == ReLU {
			mapSerial(ReLU, line, line, 0, 0)
		}
	}
}
