package kernel

import "unsafe"

// The products of panels on AMX tiles: the sheet is split once for all taps, into pairs of positions.

// panelSteps is how many steps of 32 positions are multiplied under one tap after the other.
const panelSteps = 16

// panelPlaces are where the steps begin in a panel of pairs, and one more.
var panelPlaces = func() (places [panelSteps + 1]int) {
	for i := range places {
		places[i] = i * splitSide * pairBytes
	}
	return places
}()

// pairBytes is what the pairs of two positions take in a panel of 32 channels.
const pairBytes = splitSide * 4

// splitsPanels says whether tiles are worth it.
func (s *weightSlider[T]) splitsPanels() bool {
	row, length := s.row()
	taps, columns, rows := len(s.taps), up(s.In, splitSide)*splitSide, up(s.Out, splitSide)*splitSide
	if kernelsOf[T]().splitter == nil || slideParts*4*max(columns*s.channel, rows*row) > sheetBytes {
		return false
	}
	tiles := cyclesSheet*float64(columns*s.channel+rows*row) + float64(rows*columns*taps)*(cyclesGrid*float64(up(length, panelSteps*splitSide))+cyclesSlide*float64(up(length, splitSide)*splitSide))
	return alwaysSplit || tiles < cyclesSlideFMA*float64(s.Out*s.In*taps*length)
}

// splitMultiply multiplies on tiles, and says whether the numbers can be split.
func (p *panels[T]) splitMultiply(w *workspace[T], add bool) bool {
	k := kernelsOf[T]().splitter
	part := p.columns * p.depth * 4
	pairs := w.splitBytes(slideParts * part)
	from := (*float32)(unsafe.Pointer(&p.turned[0]))
	unscale := splitRaised(func(scale float32) (most, least uint32) {
		return k.pairs(pairs, part, from, pairSide*pairBytes, (p.columns*p.depth-splitSide*pairSide)/lineElements, scale)
	})
	if unscale == 0 {
		return false
	}
	steps := up(p.length, splitSide)
	panels := up(p.out, splitSide)
	a := bytesOf(&w.panel, (panels*steps+1)*slideStep)
	w.unscale = w.unscale[:0]
	g := product[T]{kernels: kernelsOf[T](), parts: slideParts}
	scaled := false
	for s := 0; s < steps; s += panelSteps {
		n := min(panelSteps, steps-s)
		for i := range panels {
			o := i * splitSide
			x := g.splitPanel(w, unsafe.Add(a, (s*panels+i*n)*slideStep), &p.rows[o*p.row+s*splitSide], p.row, false, true, min(splitSide, p.out-o), min(n*splitSide, p.length-s*splitSide))
			if x == 0 {
				return false
			}
			scaled = scaled || x != 1
			w.unscale = append(w.unscale, x)
		}
	}
	square := (*float32)(unsafe.Pointer(aligned(&w.square, 2*splitSide*splitSide)))
	for s := 0; s < steps; s += panelSteps {
		n, flags := min(panelSteps, steps-s), 0
		if add || s > 0 {
			flags = tileAdd
		}
		if n*splitSide > sumDepth {
			flags |= tileTwice
		}
		for c := 0; c < p.columns; c += splitSide {
			for i := 0; i < panels; {
				end := panels
				if scaled {
					end = i + 1
				}
				o := i * splitSide
				for t, tap := range p.taps {
					b := unsafe.Add(pairs, (c/splitSide*p.depth+tap+s*splitSide)*pairBytes)
					k.slide(k.config, unsafe.Add(a, (s*panels+i*n)*slideStep), b, &panelPlaces[0], pairBytes, part, n, firstSteps(n*splitSide), square,
						min(end*splitSide, p.out)-o, (*float32)(unsafe.Pointer(p.product(o, c, t, splitSide))), 4*p.columns*len(p.taps), nil, splitSide, flags, unscale*w.unscale[s/panelSteps*panels+i])
				}
				i = end
			}
		}
	}
	return true
}
