package kernel

import (
	"slices"
	"sync"
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
	onTiles                  bool       // of AMX, see convolve_split.go
	split                    splitSheet // then
	splitSteps               int
}

// target is a part of the destination that one set of taps computes.
type target struct {
	lattice
	count   [3]int
	taps    []int
	offsets []int // where the product of each step begins in the sheet: in bytes, where a kernel reads them
	weights int   // where a group's weights begin, a step being rows elements
	places  []int // where the steps on AMX tiles begin in a split sheet, in bytes
	splitAt int   // the number of the first
}

// slideKey is what a plan is made for.
type slideKey struct {
	Convolution
	transposed, single, always bool
	simd                       string
}

// slidePlans are the plans made so far: making one takes as long as a small convolution.
var slidePlans struct {
	sync.RWMutex
	of map[slideKey]*slidePlan
}

const maxSlidePlans = 256

func planOf[T Float](c Convolution, transposed bool) *slidePlan {
	key := slideKey{c, transposed, isFloat32[T](), alwaysSplit, simd}
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
	if p.onTiles = p.splits(k.splitter); p.onTiles {
		p.planSplit(sizeOf[T]())
	}
	slidePlans.Lock()
	defer slidePlans.Unlock()
	if len(slidePlans.of) >= maxSlidePlans || slidePlans.of == nil {
		slidePlans.of = map[slideKey]*slidePlan{}
	}
	slidePlans.of[key] = p
	return p
}

// channel is the elements of a channel's planes in the sheet.
func (p *slidePlan) channel() int { return len(p.planes) * volume(p.sheet) }

// length is from the first grid point to the last: rows lie in the sheet with their surroundings.
func (t *target) length(sheet [3]int) int {
	return offsetOf([3]int{t.count[0] - 1, t.count[1] - 1, t.count[2] - 1}, sheet) + 1
}
