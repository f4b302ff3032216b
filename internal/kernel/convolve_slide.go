package kernel

import "unsafe"

// slider computes them, an image and a group at a time.
type slider[T Float] struct {
	*slidePlan
	src, dst []T
	weights  *Weights
	epilogue ChannelEpilogue[T]
	packed   []T          // the weights of all groups, by blocks of blockRows rows, or
	parted   *partedSlide // split for AMX tiles
	weight   []T
	cuts     int  // of the rows
	heavy    bool // weights take more memory than all images
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
	s.weight = weight
	if !s.packKept() {
		s.prepare(&w.slid, &w.a)
	}
	items := s.batch * s.groups
	parts := partsOf(s.work*s.rows*items, grainProduct)
	most := up(s.rows, s.unit())
	if s.heavy = s.groups == 1 && s.rows*s.steps > s.batch*s.channels*s.channel(); s.heavy {
		s.cuts = min(parts, Threads(), most)
		pool.run(s, s.cuts, s.cuts, 1)
		return
	}
	s.cuts = min(up(min(parts, Threads()), items), most)
	pool.run(s, min(items*s.cuts, parts), items*s.cuts, 1)
}

// unit is how many rows are computed together.
func (s *slider[T]) unit() int {
	if s.parted != nil {
		return splitSide
	}
	return s.blockRows
}

// run computes the images from one to another, or cuts of the rows: of all images where weights are heavy, of each where there are fewer than
// threads.
func (s *slider[T]) run(_, from, to int) {
	for ; from < to; from++ {
		first, last := share(from%s.cuts, s.cuts, s.rows, s.unit())
		switch {
		case s.heavy:
			s.images(0, s.batch, first, last)
		case s.cuts == 1:
			s.images(from, to, 0, s.rows)
			return
		default:
			s.images(from/s.cuts, from/s.cuts+1, first, last)
		}
	}
}

// laidOut is some images of a group, as they are read and computed.
type laidOut[T Float] struct {
	images, rows int
	sheets       []T // the channels read of each image, room apart
	room         int
	grids        []T // the rows computed of each, stride apart
	stride       int
	split        unsafe.Pointer // the sheets, split, and
	unscale      []float32      // by what their products are multiplied, or 0 where one can't be split
}

// layOut makes room for up to so many images.
func (s *slider[T]) layOut(w *workspace[T], images, rows int) laidOut[T] {
	channels, longest := s.channels, 0
	if s.parted != nil {
		channels = s.paddedChannels()
	}
	for i := range s.targets {
		longest = max(longest, s.targets[i].length(s.sheet))
	}
	x := laidOut[T]{images: 1, rows: rows, stride: up(longest, lineElements) * lineElements}
	x.room = channels*s.channel() + s.sheet[2] + 4*lineElements // the last line's zeros, and what tiles read beyond
	if s.heavy {
		x.images = min(images, max(1, heavyBytes/sizeOf[T]()/x.room))
	}
	x.sheets = zeroed(&w.b, x.images*x.room) // what surrounds the planes stays 0
	x.grids = unsafe.Slice(aligned(&w.out, x.images*rows*x.stride), x.images*rows*x.stride)
	if s.parted != nil {
		x.split = w.splitBytes(x.images * s.imageBytes())
	}
	return x
}

// images computes rows first to last of items from to to, each an image's group.
func (s *slider[T]) images(from, to, first, last int) {
	w := borrow[T]()
	defer w.giveBack()
	x, plane := s.layOut(w, to-from, last-first), volume(s.to)
	for most := x.images; from < to; from += most {
		x.images = min(most, to-from)
		for n := range x.images {
			s.gatherImage(x.sheets[n*x.room:], from+n)
		}
		if s.parted != nil {
			s.splitImages(w, &x)
		}
		for i := range s.targets {
			t := &s.targets[i]
			s.target(w, &x, t, from%s.groups, first)
			for n := range x.images {
				dst := s.dst[((from+n)*s.rows+first)*plane:]
				for r := range x.rows {
					scatter(dst[r*plane:], s.to, t.lattice, x.grids[(n*x.rows+r)*x.stride:], t.count, s.sheet)
				}
			}
		}
		for n := range x.images {
			dst := s.dst[((from+n)*s.rows+first)*plane:][:x.rows*plane]
			if s.parted != nil && x.unscale[n] == 0 {
				s.loose(from+n, first, last)
			} else if a := s.epilogue; a.Activation != Identity && a.Activation != ReLU {
				mapSerial(a.Activation, dst, dst, a.A, a.B)
			}
		}
	}
}

// target computes a group's rows from first on at one target's points.
func (s *slider[T]) target(w *workspace[T], x *laidOut[T], t *target, g, first int) {
	var bias, weights []T
	if s.epilogue.Bias != nil {
		bias = s.epilogue.Bias[g*s.rows+first:][:x.rows]
	}
	steps := len(t.offsets)
	if s.parted == nil {
		weights = s.packed[g*s.steps*s.rows+t.weights+first*steps:]
	}
	switch {
	case steps == 0 || kernelsOf[T]().lanes == 0:
		for n := range x.images {
			s.loops(t, x.rows, x.grids[n*x.rows*x.stride:], x.stride, x.sheets[n*x.room:], weights, bias)
		}
	case s.parted == nil:
		s.tiles(x, t, weights, bias)
	default:
		if bias != nil {
			constantRows(x.grids, x.stride, x.images*x.rows, t.length(s.sheet), bias, false)
		}
		s.splitTiles(w, x, t, g, first, bias != nil)
	}
}

// gatherImage lays out an image's group.
func (s *slider[T]) gatherImage(sheet []T, item int) {
	for c := range s.channels {
		src := s.src[(item*s.channels+c)*volume(s.from):][:volume(s.from)]
		for i, w := range s.planes {
			gather(sheet[c*s.channel()+i*volume(s.sheet):], s.sheet, src, s.from, w)
		}
	}
}

// constantRows is a product without any tap: of images, each of as many rows as there are biases.
func constantRows[T Float](c []T, ldc, rows, n int, bias []T, relu bool) {
	for r := range rows {
		v := T(0)
		if bias != nil {
			v = bias[r%len(bias)]
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

// heavyBytes is how much of the images at a time stays in the second-level cache while heavy weights go by.
const heavyBytes = 768 << 10

// tiles computes rows of images. What is read in turn is what takes less memory, of the images and the weights.
func (s *slider[T]) tiles(x *laidOut[T], t *target, weights, bias []T) {
	k, size, rows, ldc := kernelsOf[T](), sizeOf[T](), x.rows, x.stride
	vectors := (t.length(s.sheet) + k.lanes - 1) / k.lanes
	steps := len(t.offsets)
	stepsBlock := even(steps, slideSteps, 1)
	rowsAtOnce := rows
	if s.heavy {
		rowsAtOnce = s.blockRows
	}
	for p := 0; p < steps; p += stepsBlock {
		depth, flags := min(stepsBlock, steps-p), 0
		if p > 0 {
			flags = tileAdd
		}
		if p+depth == steps && s.epilogue.Activation == ReLU {
			flags |= tileReLU
		}
		for i0 := 0; i0 < rows; i0 += rowsAtOnce {
			for n := range x.images {
				sheet, grid := x.sheets[n*x.room:], x.grids[n*rows*ldc:]
				for j := 0; j < vectors; {
					wide := 2
					for wide > 0 && (j+1<<wide > vectors || k.slide[wide][s.blockRows] == nil) {
						wide--
					}
					for i := i0; i < min(i0+rowsAtOnce, rows); i += s.blockRows {
						r := min(s.blockRows, rows-i)
						var first *T
						if bias != nil && p == 0 {
							first = &bias[i]
						}
						k.slide[wide][r](depth, &weights[i*steps+p*r], &sheet[j*k.lanes], &t.offsets[p], &grid[i*ldc+j*k.lanes], ldc*size, first, flags)
					}
					j += 1 << wide
				}
			}
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
