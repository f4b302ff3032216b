package kernel

import (
	"math"
	"unsafe"
)

// Convolutions on AMX tiles. An image's sheet is split once for all taps, into pairs of channels, which a tile of b holds beside each other:
// each tap then reads its tiles from its own place on, and nothing is copied per tap. Always in three parts: what MatmulPrecision says is of
// matrix products.

const (
	slideParts = 3
	// slideStep is what 32 rows take for a step of 32 channels under one tap.
	slideStep = slideParts * 2 * splitTile
	// sheetBytes bounds what an image takes, split: 1.5 times what it takes else, and larger ones come from memory anyway.
	sheetBytes = 64 << 20
	// pairSide is how many channels apart a pair's are.
	pairSide = splitSide / 2
)

// splitSheet is how an image lies when it is split.
type splitSheet struct {
	row  int // bytes of a pair of channels
	part int // bytes of a part
}

// planesSplit is how many elements of a channel are split: the last line's zeros, which are the next channel's first, with them.
func (p *slidePlan) planesSplit() int { return up(p.channel()+p.sheet[2], lineElements) * lineElements }

// splitSheet is how the images lie, split; tiles of the last columns read behind the planes.
func (p *slidePlan) splitSheet() splitSheet {
	lines := (p.planesSplit() + 2*splitSide) / lineElements
	lines += 1 - lines%2 // rows of a tile must not share lines of the first-level cache
	row := lines * lineBytes
	return splitSheet{row, p.paddedChannels() / 2 * row}
}

// Cycles a multiply-add of both ways, a number of a sheet to split, and one of a result to store, as measured.
const cyclesSlideFMA, cyclesSlide, cyclesSheet, cyclesGrid = 0.040, 0.027, 1.2, 2.8

// splits says whether tiles are worth it.
func (p *slidePlan) splits(k *splitter) bool {
	if k == nil || slideParts*p.splitSheet().part > sheetBytes {
		return false
	}
	tiles, adds := cyclesSheet*float64(p.paddedChannels()*p.channel()), 0.0
	for i := range p.targets {
		t := &p.targets[i]
		depth, length := len(t.taps), t.length(p.sheet)
		adds += cyclesSlideFMA * float64(p.rows*length*p.channels*depth)
		tiles += float64(p.paddedRows()*up(length, splitSide)*splitSide) * (cyclesGrid + cyclesSlide*float64(p.paddedChannels()*depth))
	}
	return alwaysSplit || tiles < adds
}

func (p *slidePlan) paddedChannels() int { return up(p.channels, splitSide) * splitSide }

func (p *slidePlan) paddedRows() int { return up(p.rows, splitSide) * splitSide }

// planSplit finds where the steps of the targets begin in a sheet that is split: for each tap those of 32 channels each.
func (p *slidePlan) planSplit(size int) {
	p.split = p.splitSheet()
	for i := range p.targets {
		t := &p.targets[i]
		for tap := range t.taps {
			for c := 0; c < p.channels; c += splitSide {
				t.places = append(t.places, c/splitSide*pairSide*p.split.row+t.offsets[tap]/size*4)
			}
		}
		t.splitAt = p.splitSteps
		p.splitSteps += len(t.places)
		if n := len(t.places); n > 0 {
			t.places = append(t.places, t.places[n-1])[:n] // one more is read
		}
	}
}

// partedSlide is the weights of all groups, split: of each target for each block of steps its panels of rows.
type partedSlide struct {
	first   unsafe.Pointer
	unscale []float32 // of the panels
	scales  bool      // some are not 1
}

// splitBlock is how many steps a target's blocks have.
func (t *target) splitBlock() int { return even(len(t.places), splitDepth/splitSide, 1) }

// partedAt is where the steps of a target from p on begin in what is split of a group, and the panel's number: of the rows from i on, multiples
// of 32.
func (s *slider[T]) partedAt(g int, t *target, p, i int) (unsafe.Pointer, int) {
	panels, block := up(s.rows, splitSide), t.splitBlock()
	index := (g*s.splitSteps+t.splitAt+p)*panels + i/splitSide*min(block, len(t.places)-p)
	return unsafe.Add(s.parted.first, index*slideStep), (g*s.splitSteps+t.splitAt+p)*panels + i/splitSide
}

// splitWeights splits all weights, and says whether that is possible.
func (s *slider[T]) splitWeights(parted *partedSlide, buffer *[]T) bool {
	panels := s.groups * up(s.rows, splitSide)
	count := panels * s.splitSteps
	parted.first = bytesOf(buffer, (count+1)*slideStep)
	if cap(parted.unscale) < count {
		parted.unscale = make([]float32, count)
	}
	parted.unscale, parted.scales = parted.unscale[:count], false
	s.parted = parted
	w := borrow[T]()
	inParts(&w.tasks.slideSplitting, slideSplittingTask[T]{s}, partsOf(count*splitSide*splitSide, grainPacking), panels, 1)
	w.giveBack()
	for g := range s.groups {
		for i := range s.targets {
			t := &s.targets[i]
			for p := 0; p < len(t.places); p += t.splitBlock() {
				for r := 0; r < s.rows; r += splitSide {
					_, index := s.partedAt(g, t, p, r)
					if parted.unscale[index] != 1 {
						parted.scales = true
					}
					if parted.unscale[index] == 0 {
						s.parted = nil
						return false
					}
				}
			}
		}
	}
	return true
}

// slideSplittingTask splits panels of rows.
type slideSplittingTask[T Float] struct{ slider *slider[T] }

func (k *slideSplittingTask[T]) run(_, from, to int) {
	s := k.slider
	w := borrow[T]()
	defer w.giveBack()
	panels, group := up(s.rows, splitSide), len(s.weight)/s.groups
	g := product[T]{kernels: kernelsOf[T](), parts: slideParts}
	for ; from < to; from++ {
		of, i := from/panels, from%panels*splitSide
		rows := min(splitSide, s.rows-i)
		for x := range s.targets {
			t := &s.targets[x]
			lines, depth := s.weightLines(w, s.weight[of*group:], of*s.rows+i, i, rows, t)
			for p := 0; p < len(t.places); p += t.splitBlock() {
				dst, index := s.partedAt(of, t, p, i)
				s.parted.unscale[index] = g.splitPanel(w, dst, &lines[p*splitSide], depth, false, true, rows, min(t.splitBlock(), len(t.places)-p)*splitSide)
			}
		}
	}
}

// weightLines copies rows of a group's weights in the order of the steps, by tap and in each by channel, and scales them. scale is the number
// of the first row's.
func (s *slider[T]) weightLines(w *workspace[T], weight []T, scale, i, rows int, t *target) (lines []T, depth int) {
	k, size, taps, channels := kernelsOf[T](), sizeOf[T](), len(t.taps), s.paddedChannels()
	depth = taps * channels
	lines = zeroed(&w.a, rows*depth+k.lanes*channels) // what is written behind a row's taps is overwritten by the next
	tap := func(r, c, x int) { lines[r*depth+x*channels+c] = weight[(i+r)*s.rowStride+c*s.channelStride+t.taps[x]] }
	switch {
	case taps == 1 && s.channelStride == 1:
		for r := range rows {
			copy(lines[r*depth:], weight[(i+r)*s.rowStride:][:s.channels])
		}
	case taps == s.channelStride && taps <= k.lanes: // a row's channels lie taps apart
		for r := range rows {
			row := weight[(i+r)*s.rowStride:]
			c := 0
			for ; c < s.channels && (c+k.lanes)*taps+k.lanes <= len(row); c += k.lanes {
				k.transpose(1, &lines[r*depth+c], channels*size, &row[c*taps], taps*size, min(k.lanes, s.channels-c), k.lanes)
			}
			for ; c < s.channels; c++ {
				for x := range taps {
					tap(r, c, x)
				}
			}
		}
	case taps == s.rowStride: // a channel's rows do
		whole := rows * taps / k.lanes * k.lanes
		for c := 0; c < s.channels; c += k.lanes {
			n := min(k.lanes, s.channels-c)
			if whole > 0 {
				k.transpose(whole/k.lanes, &lines[c], channels*size, &weight[i*taps+c*s.channelStride], s.channelStride*size, n, k.lanes)
			}
			for q := whole; q < rows*taps; q++ {
				for x := range n {
					tap(q/taps, c+x, q%taps)
				}
			}
		}
	default:
		for r := range rows {
			for c := range s.channels {
				for x := range taps {
					tap(r, c, x)
				}
			}
		}
	}
	if s.epilogue.Scale != nil {
		for r := range rows {
			row := lines[r*depth:][:depth]
			zipScalarSerial(Mul, row, row, s.epilogue.Scale[scale+r])
		}
	}
	return lines, depth
}

// splitBytes gives memory for what is split, where a block of a product may have been, which nobody finds any more.
func (w *workspace[T]) splitBytes(n int) unsafe.Pointer {
	w.serial = 0
	return bytesOf(&w.splitRows, n)
}

// splitImages splits the sheets of images to rows of pairs of channels, with zeros up to whole steps.
func (s *slider[T]) splitImages(w *workspace[T], x *laidOut[T]) {
	k, channel := kernelsOf[T]().splitter, s.channel()
	w.unscale = w.unscale[:0]
	for n := range x.images {
		dst, sheet := unsafe.Add(x.split, n*s.imageBytes()), x.sheets[n*x.room:]
		w.unscale = append(w.unscale, splitRaised(func(scale float32) (most, least uint32) {
			least = math.MaxUint32
			for pair := range s.paddedChannels() / 2 {
				c := pair/pairSide*splitSide + pair%pairSide
				high, low := k.pairs(unsafe.Add(dst, pair*s.split.row), s.split.part, (*float32)(unsafe.Pointer(&sheet[c*channel])), 4*pairSide*channel, s.planesSplit()/lineElements, scale)
				most, least = max(most, high), min(least, low)
			}
			return most, least
		}))
	}
	x.unscale = w.unscale
}

// splitTiles computes rows of a group from first on of images that are split, or adds them to the grids.
func (s *slider[T]) splitTiles(w *workspace[T], x *laidOut[T], t *target, g, first int, add bool) {
	k, rows := kernelsOf[T]().splitter, x.rows
	length, steps, block := t.length(s.sheet), len(t.places), t.splitBlock()
	square := (*float32)(unsafe.Pointer(aligned(&w.square, 2*splitSide*splitSide)))
	atOnce := max(1, splitBytes/(block*slideStep)) * splitSide
	for p := 0; p < steps; p += block {
		n, flags := min(block, steps-p), 0
		if p > 0 || add {
			flags = tileAdd
		}
		if n*splitSide > sumDepth {
			flags |= tileTwice
		}
		if p+n == steps && s.epilogue.Activation == ReLU {
			flags |= tileReLU
		}
		for i0 := 0; i0 < rows; i0 += atOnce {
			for image, unscale := range x.unscale {
				if unscale == 0 {
					continue
				}
				grid := x.grids[image*rows*x.stride:]
				for j := 0; j < length; j += splitSide {
					b := unsafe.Add(x.split, image*s.imageBytes()+4*j)
					for i := i0; i < min(i0+atOnce, rows); {
						a, index := s.partedAt(g, t, p, first+i)
						end := min(i0+atOnce, rows)
						if s.parted.scales {
							end = min(i+splitSide, end)
						}
						k.slide(k.config, a, b, &t.places[p], s.split.row, s.split.part, n, firstSteps(n*splitSide), square, end-i,
							(*float32)(unsafe.Pointer(&grid[i*x.stride+j])), 4*x.stride, nil, min(splitSide, length-j), flags, unscale*s.parted.unscale[index])
						i = end
					}
				}
			}
		}
	}
}

// imageBytes is what an image takes, split.
func (p *slidePlan) imageBytes() int { return slideParts * p.split.part }

// loose computes what can't be split on multiply-adds.
func (s *slider[T]) loose(item, first, last int) {
	w := borrow[T]()
	defer w.giveBack()
	one := *s
	one.parted, one.heavy = nil, false
	n := s.groups*s.steps*s.rows + lineElements
	one.packed = unsafe.Slice(aligned(&w.a, n), n)
	task := slidePackingTask[T]{&one}
	task.run(0, 0, s.groups*up(s.rows, s.blockRows))
	one.images(item, item+1, first, last)
}
