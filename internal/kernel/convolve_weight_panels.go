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

// panels adds the products of some images and channels of dy to sums, which hold nothing for them yet.
func (s *weightSlider[T]) panels(sums []T, from, to, first, last int) {
	w := borrow[T]()
	defer w.giveBack()
	k, size := kernelsOf[T](), sizeOf[T]()
	out, columns := last-first, up(s.In, k.lanes)*k.lanes
	row, length := s.row()
	if sharesLines(row * size) {
		row += lineElements
	}
	depth := up(s.channel, k.lanes)*k.lanes + s.sheet[2] + lineElements // and what is read behind the last line
	sheet := zeroed(&w.b, s.In*s.channel+s.sheet[2]+lineElements)
	rows := zeroed(&w.out, out*row)
	turned := zeroed(&w.a, columns*depth)
	products := unsafe.Slice(aligned(&w.other, out*columns*len(s.taps)), out*columns*len(s.taps))
	for g := range s.Groups {
		for i := from; i < to; i++ {
			s.gatherInput(sheet, i*s.Groups+g)
			s.gatherOutput(rows, row, i*s.Groups+g, first, last)
			for c := 0; c < s.In; c += k.lanes {
				p := panelOf(c, columns, k.lanes)
				k.transpose(up(s.channel, k.lanes), &turned[p.from*depth+c-p.from], p.width*size, &sheet[c*s.channel], s.channel*size, min(k.lanes, s.In-c), k.lanes)
			}
			s.multiplyPanels(products, columns, rows, row, turned, depth, length, out, i > from)
		}
		s.storePanels(sums[(g*s.Out+first)*s.In*len(s.taps):], products, columns, out, &w.turned)
	}
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

// multiplyPanels multiplies one image. Products of a channel of dy lie side by side, panel by panel, in each by taps.
func (s *weightSlider[T]) multiplyPanels(products []T, columns int, rows []T, row int, turned []T, depth, length, out int, add bool) {
	k, size := kernelsOf[T](), sizeOf[T]()
	height := k.tileHeight(out)
	block := even(length, panelPositions, 1)
	for p0 := 0; p0 < length; p0 += block {
		n, flags := min(block, length-p0), tileFull
		if add || p0 > 0 {
			flags |= tileAdd
		}
		for c := 0; c < columns; c += 2 * k.lanes {
			p := panelOf(c, columns, k.lanes)
			for o := 0; o < out; o += height {
				r := min(height, out-o)
				for t, tap := range s.taps {
					k.tile[p.vectors-1][r](n, &rows[o*row+p0], row*size, size, &turned[c*depth+(tap+p0)*p.width], p.width*size, 0,
						&products[(o*columns+c)*len(s.taps)+t*p.width], columns*len(s.taps)*size, nil, p.width, flags)
				}
			}
		}
	}
}

// storePanels brings the products into the order of weights.
func (s *weightSlider[T]) storePanels(sums, products []T, columns, out int, buffer *[]T) {
	k, size, taps := kernelsOf[T](), sizeOf[T](), len(s.taps)
	for o := range out {
		for c := 0; c < s.In; c += k.lanes {
			p := panelOf(c, columns, k.lanes)
			src := products[(o*columns+p.from)*taps+c-p.from:]
			dst := sums[(o*s.In+c)*taps:]
			channels := min(k.lanes, s.In-c)
			if channels < k.lanes {
				dst = unsafe.Slice(aligned(buffer, k.lanes*taps), k.lanes*taps)
			}
			for t := 0; t < taps; t += k.lanes {
				n := min(k.lanes, taps-t)
				k.transpose(1, &dst[t], taps*size, &src[t*p.width], p.width*size, n, n)
			}
			if channels < k.lanes {
				copy(sums[(o*s.In+c)*taps:][:channels*taps], dst)
			}
		}
	}
}
