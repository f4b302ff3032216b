package kernel

import "unsafe"

// Where a group has channels enough, its sheet is turned around so that those of a position lie side by side: then the gradients under a tap
// are a matrix product of dy (channels × positions) and of the sheet (positions × channels) from the tap's place on, on the tiles of [Gemm].

const (
	// panelPositions is how many positions of dy and of a panel of the sheet are multiplied under one tap after the other.
	panelPositions = 256
	// panelLanes is the share of a vector that a group's channels fill at least.
	panelLanes = 2
)

// hasPanels says whether the sheet is turned around.
func (s *weightSlider[T]) hasPanels() bool {
	lanes := kernelsOf[T]().lanes
	return lanes > 0 && s.In*panelLanes > lanes
}

// imagesInPanels adds the products of some images and channels of dy to sums, which hold nothing for them yet.
func (s *weightSlider[T]) imagesInPanels(sums []T, from, to, first, last int) {
	w := borrow[T]()
	defer w.giveBack()
	k, size := kernelsOf[T](), sizeOf[T]()
	row, length := s.row()
	if sharesLines(row * size) {
		row += lineElements
	}
	p := panels[T]{out: last - first, row: row, length: length, taps: s.taps, columns: up(s.In, k.lanes) * k.lanes}
	if s.onTiles {
		p.columns = up(s.In, splitSide) * splitSide
	}
	p.depth = up(s.channel, k.lanes)*k.lanes + s.sheet[2] + 4*splitSide // and what is read behind the last line
	sheet := zeroed(&w.b, s.In*s.channel+s.sheet[2]+lineElements)
	p.rows = zeroed(&w.out, p.out*row)
	p.turned = zeroed(&w.a, p.columns*p.depth)
	p.products = unsafe.Slice(aligned(&w.other, p.out*p.columns*len(s.taps)), p.out*p.columns*len(s.taps))
	for g := range s.Groups {
		for i := from; i < to; i++ {
			s.gatherInput(sheet, i*s.Groups+g)
			s.gatherOutput(p.rows, row, i*s.Groups+g, first, last)
			for c := 0; c < s.In; c += k.lanes {
				to := panelOf(c, p.columns, k.lanes)
				k.transpose(up(s.channel, k.lanes), &p.turned[to.from*p.depth+c-to.from], to.width*size, &sheet[c*s.channel], s.channel*size, min(k.lanes, s.In-c), k.lanes)
			}
			if !s.onTiles || !p.splitMultiply(w, i > from) {
				p.multiply(i > from)
			}
		}
		p.store(sums[(g*s.Out+first)*s.In*len(s.taps):], s.In, &w.turned)
	}
}

// panels is the product of one image's dy, rows, and of its sheet, turned around in panels.
type panels[T Float] struct {
	out, row, length int // channels of dy, how far apart they lie, and the positions of each
	columns, depth   int // channels of the sheet, up to whole vectors, and how many positions are laid out of each
	taps             []int
	rows, turned     []T
	products         []T // those of a channel of dy lie side by side, panel by panel, in each by taps
}

// zeroed gives n zeros.
func zeroed[T Float](buffer *[]T, n int) []T {
	x := unsafe.Slice(aligned(buffer, n), n)
	clear(x)
	return x
}

// channelPanel is channels that lie side by side: two vectors of them, or the one that is left.
type channelPanel struct{ from, width, vectors int }

// panelOf is the panel of a channel.
func panelOf(channel, columns, lanes int) channelPanel {
	from := channel / (2 * lanes) * 2 * lanes
	vectors := min(2, (columns-from)/lanes)
	return channelPanel{from, vectors * lanes, vectors}
}

// multiply multiplies on multiply-adds.
func (p *panels[T]) multiply(add bool) {
	k, size := kernelsOf[T](), sizeOf[T]()
	height := k.tileHeight(p.out)
	block := even(p.length, panelPositions, 1)
	for p0 := 0; p0 < p.length; p0 += block {
		n, flags := min(block, p.length-p0), tileFull
		if add || p0 > 0 {
			flags |= tileAdd
		}
		for c := 0; c < p.columns; c += 2 * k.lanes {
			of := panelOf(c, p.columns, k.lanes)
			for o := 0; o < p.out; o += height {
				r := min(height, p.out-o)
				for t, tap := range p.taps {
					k.tile[of.vectors-1][r](n, &p.rows[o*p.row+p0], p.row*size, size, &p.turned[c*p.depth+(tap+p0)*of.width], of.width*size, 0,
						p.product(o, c, t, of.width), p.columns*len(p.taps)*size, nil, of.width, flags)
				}
			}
		}
	}
}

// product is where those of a channel of dy and of a panel begin under a tap.
func (p *panels[T]) product(o, c, tap, width int) *T {
	return &p.products[(o*p.columns+c)*len(p.taps)+tap*width]
}

// store brings the products into the order of weights, of in channels.
func (p *panels[T]) store(sums []T, in int, buffer *[]T) {
	k, size, taps := kernelsOf[T](), sizeOf[T](), len(p.taps)
	for o := range p.out {
		for c := 0; c < in; c += k.lanes {
			of := panelOf(c, p.columns, k.lanes)
			src := p.products[(o*p.columns+of.from)*taps+c-of.from:]
			dst := sums[(o*in+c)*taps:]
			channels := min(k.lanes, in-c)
			if channels < k.lanes {
				dst = unsafe.Slice(aligned(buffer, k.lanes*taps), k.lanes*taps)
			}
			for t := 0; t < taps; t += k.lanes {
				n := min(k.lanes, taps-t)
				k.transpose(1, &dst[t], taps*size, &src[t*of.width], of.width*size, n, n)
			}
			if channels < k.lanes {
				copy(sums[(o*in+c)*taps:][:channels*taps], dst)
			}
		}
	}
}
