package kernel

import "unsafe"

// ConvolveWeight computes dweight, the gradient of [Convolve] with respect to weight from dy: the sum over images and
// positions of dy times the input under each tap.
//
// Error of an element: at most k*eps*sum|x||dy| with k = Batch*Output.
func ConvolveWeight[T Float](c Convolution, dweight, x, dy []T) {
	size := c.Groups * c.Out * c.In * c.Taps()
	need("dweight of ConvolveWeight", len(dweight), size)
	need("x of ConvolveWeight", len(x), c.Batch*c.Groups*c.In*volume(c.Input))
	need("dy of ConvolveWeight", len(dy), c.Batch*c.Groups*c.Out*volume(c.Output))
	clear(dweight[:size])
	if c.Batch == 0 || size == 0 || volume(c.Output) == 0 {
		return
	}
	s := weightSlider[T]{Convolution: c, x: x, dy: dy}
	layout := c.sheet(&s.lattices)
	s.sheet, s.channel, s.taps = layout.size, layout.channel(), layout.taps
	images, unit := s.images, 1 // channels of dy that are multiplied together
	switch {
	case !s.hasPanels():
		s.makeOffsets()
	case s.splitsPanels():
		s.onTiles = true
		images, unit = s.imagesInPanels, splitSide
	default:
		images = s.imagesInPanels
	}
	parts := min(Threads(), partsOf(size*c.Batch*volume(c.Output), grainProduct))
	if parts == 1 {
		images(dweight, 0, c.Batch, 0, c.Out)
		return
	}
	if parts > c.Batch || size > c.Batch*c.Groups*c.In*volume(c.Input) { // to prepare x for each costs less than a dweight of its own
		pool.run(taskFunc(func(_, from, to int) { images(dweight, 0, c.Batch, from, to) }), parts, c.Out, unit)
		return
	}
	w := borrow[T]()
	sums := unsafe.Slice(aligned(&w.a, parts*size), parts*size)
	clear(sums)
	pool.run(taskFunc(func(part, from, to int) {
		images(sums[part*size:(part+1)*size], from, to, 0, c.Out)
	}), parts, c.Batch, 1)
	for part := range parts {
		Axpy(1, sums[part*size:(part+1)*size], dweight[:size])
	}
	w.giveBack()
}

// dotColumns is how many taps slideDots takes at a time.
const dotColumns = 4

type weightSlider[T Float] struct {
	Convolution
	x, dy    []T
	lattices []lattice
	sheet    [3]int
	channel  int   // elements of a channel's planes
	taps     []int // where the product under each begins in a channel
	offsets  []int // where those of all channels do: in bytes, where a kernel reads them
	onTiles  bool  // of AMX
}

func (s *weightSlider[T]) makeOffsets() {
	offsets := make([]int, 0, s.In*len(s.taps)+dotColumns)
	for i := range s.In {
		for _, o := range s.taps {
			offsets = append(offsets, i*s.channel+o)
		}
	}
	s.offsets = offsets
	if kernelsOf[T]().lanes == 0 {
		return
	}
	for i := range offsets {
		offsets[i] *= sizeOf[T]()
	}
	for range dotColumns { // the last four columns may lack some
		offsets = append(offsets, offsets[len(offsets)-1])
	}
	s.offsets = offsets[:s.In*len(s.taps)]
}

// row is how long a channel of dy is, and how far its first position is from behind its last: it lies as far apart as the input's sheet.
func (s *weightSlider[T]) row() (row, length int) {
	row = up(volume(s.grid()), lineElements) * lineElements
	return row, offsetOf([3]int{s.Output[0] - 1, s.Output[1] - 1, s.Output[2] - 1}, s.sheet) + 1
}

func (s *weightSlider[T]) grid() [3]int { return [3]int{s.Output[0], s.sheet[1], s.sheet[2]} }

// gatherInput lays out an image's group.
func (s *weightSlider[T]) gatherInput(sheet []T, item int) {
	for c := range s.In {
		plane := s.x[(item*s.In+c)*volume(s.Input):][:volume(s.Input)]
		for p, w := range s.lattices {
			gather(sheet[c*s.channel+p*volume(s.sheet):], s.sheet, plane, s.Input, w)
		}
	}
}

// gatherOutput lays out channels of dy's group.
func (s *weightSlider[T]) gatherOutput(rows []T, row, item, first, last int) {
	for o := range last - first {
		plane := s.dy[(item*s.Out+first+o)*volume(s.Output):][:volume(s.Output)]
		gather(rows[o*row:], s.grid(), plane, s.Output, lattice{step: [3]int{1, 1, 1}})
	}
}

// images adds the products of some images and channels of dy to sums. As many images at a time lie in scratch memory as keep the rows of dy
// that are read together in the first-level cache.
func (s *weightSlider[T]) images(sums []T, from, to, first, last int) {
	w := borrow[T]()
	defer w.giveBack()
	const cache = 24 << 10
	k := kernelsOf[T]()
	row, length := s.row()
	images := max(1, min(to-from, cache/(row*sizeOf[T]()*max(1, min(last-first, k.maxDots)))))
	sheetSize, gridSize := s.In*s.channel, (last-first)*row
	room := images*sheetSize + s.sheet[2] + lineElements
	sheet := unsafe.Slice(aligned(&w.b, room), room)
	clear(sheet) // what surrounds the planes stays 0
	rows := unsafe.Slice(aligned(&w.out, images*gridSize), images*gridSize)
	clear(rows)
	for ; from < to; from += images {
		n := min(images, to-from)
		for g := range s.Groups {
			for i := range n {
				item := (from+i)*s.Groups + g
				s.gatherInput(sheet[i*sheetSize:], item)
				s.gatherOutput(rows[i*gridSize:], row, item, first, last)
			}
			part := sums[(g*s.Out+first)*len(s.offsets):][:(last-first)*len(s.offsets)]
			if k.lanes > 0 {
				s.dots(part, last-first, sheet, sheetSize, rows, row, length, n)
			} else {
				s.loops(part, last-first, sheet, sheetSize, rows, row, length, n)
			}
		}
	}
}

func (s *weightSlider[T]) dots(sums []T, out int, sheet []T, sheetSize int, rows []T, row, length, images int) {
	k, size := kernelsOf[T](), sizeOf[T]()
	vectors := (length + k.lanes - 1) / k.lanes
	block := even(out, k.maxDots, 1)
	taps := len(s.offsets)
	var last [maxDotRows * dotColumns]T
	for o := 0; o < out; o += block {
		r := min(block, out-o)
		for t := 0; t < taps; t += dotColumns {
			to, stride := &sums[o*taps+t], taps*size
			columns := min(dotColumns, taps-t)
			if columns < dotColumns {
				clear(last[:])
				to, stride = &last[0], dotColumns*size
			}
			k.slideDots[r](vectors, &rows[o*row], row*size, &sheet[0], &s.offsets[t], images, out*row*size, sheetSize*size, to, stride)
			if columns < dotColumns {
				for i := range r {
					for j := range columns {
						sums[(o+i)*taps+t+j] += last[i*dotColumns+j]
					}
				}
			}
		}
	}
}

// loops is what dots computes.
func (s *weightSlider[T]) loops(sums []T, out int, sheet []T, sheetSize int, rows []T, row, length, images int) {
	for i := range images {
		for o := range out {
			line := rows[(i*out+o)*row:][:length]
			for t, from := range s.offsets {
				sums[o*len(s.offsets)+t] += dot(line, sheet[i*sheetSize+from:][:length])
			}
		}
	}
}
