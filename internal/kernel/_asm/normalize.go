package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A layout says which coefficients of a normalization are one an element, by the way in which the elements lie in their
// statistics; the others are one number for all. Each is given by pointer.
type layout struct {
	way    string
	vector map[string]bool
}

var normalizations = []layout{
	{"Run", nil},
	{"Row", map[string]bool{"weight": true, "shift": true}},
	{"Column", map[string]bool{"mean": true, "scale": true, "shift": true, "slope": true, "constant": true}},
}

// coefficient is a parameter of a loop: a register filled beforehand, or an operand to be read.
type coefficient struct {
	filled  Register
	operand int
}

func (m machine) filledOrRead(c layout, operands *[]Register, names ...string) map[string]coefficient {
	out := map[string]coefficient{}
	for _, name := range names {
		if name == "weight" && !c.vector["weight"] {
			continue
		}
		p := param(name)
		if c.vector[name] {
			out[name] = coefficient{operand: len(*operands)}
			*operands = append(*operands, p)
			continue
		}
		r := m.vec()
		m.fill(Mem{Base: p}, r)
		out[name] = coefficient{filled: r}
	}
	return out
}

// of is the coefficient's value for one vector.
func (m machine) of(c coefficient, p pointers, v int, tl *tail) Register {
	if c.filled != nil {
		return c.filled
	}
	return m.load(p, c.operand, v, tl)
}

func normalize(m machine) {
	t := m.element()
	for _, c := range normalizations {
		key := strings.ToLower(c.way) + "Way"
		weight := ""
		if c.vector["weight"] {
			weight = ", weight"
		}

		// dst = (x - mean)*scale[*weight] + shift
		name := m.name("affine" + c.way)
		function(name, "func(n int, dst, x, mean, scale, weight, shift *"+t+")")
		table(m, "affine", key, name)
		n, operands := param("n"), []Register{param("dst"), param("x")}
		of := m.filledOrRead(c, &operands, "mean", "scale", "weight", "shift")
		m.loop("affine", n, 2, operands, func(p pointers, v int, tl *tail) {
			x := m.load(p, 1, v, tl)
			m.sub(m.of(of["mean"], p, v, tl), x, x)
			m.mul(m.of(of["scale"], p, v, tl), x, x)
			y := m.vec()
			m.move(m.of(of["shift"], p, v, tl), y)
			if weight == "" {
				m.add(y, x, y)
			} else {
				m.fma(m.of(of["weight"], p, v, tl), x, y)
			}
			m.store(y, p, 0, v, tl)
		})
		done()

		// dx = scale*[weight*]dy + slope*(x - mean) + constant
		name = m.name("affineGrad" + c.way)
		function(name, "func(n int, dx, dy, x, mean, scale, weight, slope, constant *"+t+")")
		table(m, "affineGrad", key, name)
		n, operands = param("n"), []Register{param("dx"), param("dy"), param("x")}
		of = m.filledOrRead(c, &operands, "mean", "scale", "weight", "slope", "constant")
		m.loop("grad", n, 2, operands, func(p pointers, v int, tl *tail) {
			g := m.load(p, 1, v, tl)
			if weight != "" {
				m.mul(m.of(of["weight"], p, v, tl), g, g)
			}
			x := m.load(p, 2, v, tl)
			m.sub(m.of(of["mean"], p, v, tl), x, x)
			y := m.vec()
			m.move(m.of(of["constant"], p, v, tl), y)
			m.fma(m.of(of["slope"], p, v, tl), x, y)
			m.fma(m.of(of["scale"], p, v, tl), g, y)
			m.store(y, p, 0, v, tl)
		})
		done()
	}
	deviations(m)
	ownMoments(m)
	gradientSums(m)
}

// ownMoments normalize a row by its own moments, which they return: a first mean, about which no digits cancel, the exact
// one with the variance, and (x - mean)/sqrt(variance + eps)[*weight + shift]. Without center the mean is 0.
func ownMoments(m machine) {
	t := m.element()
	for _, affine := range []bool{false, true} {
		key, stem := "runWay", "normalizeRun"
		if affine {
			key, stem = "rowWay", "normalizeRow"
		}
		name := m.name(stem)
		function(name, "func(n int, dst, x, weight, shift *"+t+", count, eps "+t+", center int) (mean, variance "+t+")")
		table(m, "normalizeSelf", key, name)
		n, operands := param("n"), []Register{param("dst"), param("x")}
		if affine {
			operands = append(operands, param("weight"), param("shift"))
		}
		count, center := m.fillParam("count"), param("center")
		const unroll = 4
		sums := func() (s []Register) {
			for range unroll {
				r := m.vec()
				m.zero(r)
				s = append(s, r)
			}
			return s
		}
		share := func(s []Register) Register { // the sum over the count, in every lane
			for _, other := range s[1:] {
				m.add(other, s[0], s[0])
			}
			m.fold(s[0], m.addAny)
			m.spread(s[0])
			m.div(count, s[0], s[0])
			return s[0]
		}
		about := m.vec()
		m.zero(about)
		CMPQ(center, I32(0))
		JEQ(LabelRef("centered"))
		first := sums()
		m.loop("first", n, unroll, operands, func(p pointers, v int, tl *tail) {
			m.add(m.load(p, 1, v, tl), first[v], first[v])
		})
		m.move(share(first), about)
		Label("centered")
		second, squares := sums(), sums()
		// The next row comes to the cache meanwhile: the processor's own prefetching ends with a page.
		next := GP64()
		LEAQ(Mem{Base: operands[1], Index: n, Scale: uint8(m.size())}, next)
		m.loop("second", n, unroll, []Register{next, operands[1]}, func(p pointers, v int, tl *tail) {
			if tl == nil {
				PREFETCHT0(p.at(0, v))
			}
			x := m.load(p, 1, v, tl)
			m.sub(about, x, x)
			if tl != nil {
				m.keepTail(*tl, x)
			}
			m.add(x, second[v], second[v])
			m.fma(x, x, squares[v])
		})
		off, variance := share(second), share(squares)
		mean := m.vec()
		m.zero(mean)
		CMPQ(center, I32(0))
		JEQ(LabelRef("moments"))
		m.add(off, about, mean)
		m.fnma(off, off, variance)
		zero := m.vec()
		m.zero(zero)
		m.max(variance, zero, variance)
		Label("moments")
		m.result(mean, 0)
		m.result(variance, 1)
		scale := m.fillParam("eps")
		m.add(variance, scale, scale)
		m.sqrt(scale, scale)
		one := m.filled(1)
		m.div(scale, one, scale)
		m.loop("apply", n, 2, operands, func(p pointers, v int, tl *tail) {
			x := m.load(p, 1, v, tl)
			m.sub(mean, x, x)
			m.mul(scale, x, x)
			if affine {
				y := m.load(p, 3, v, tl)
				m.fma(m.load(p, 2, v, tl), x, y)
				x = y
			}
			m.store(x, p, 0, v, tl)
		})
		done()
	}
}

// deviations sum the squares of x - mean, of a run or of every column.
func deviations(m machine) {
	t := m.element()
	name := m.name("deviations")
	function(name, "func(n int, x *"+t+", mean "+t+") (squares, sum "+t+")")
	table(m, "deviations", "", name)
	n, operands := param("n"), []Register{param("x")}
	mean := m.fillParam("mean")
	const unroll = 4
	var squares, sums [unroll]Register
	for i := range sums {
		squares[i], sums[i] = m.vec(), m.vec()
		m.zero(squares[i])
		m.zero(sums[i])
	}
	m.loop("sum", n, unroll, operands, func(p pointers, v int, tl *tail) {
		x := m.load(p, 0, v, tl)
		m.sub(mean, x, x)
		if tl != nil {
			m.keepTail(*tl, x)
		}
		m.add(x, sums[v], sums[v])
		m.fma(x, x, squares[v])
	})
	m.results(squares[:], sums[:])
	done()

	// sum += (x - mean)^2
	name = m.name("columnDeviations")
	function(name, "func(n int, sum, x, mean *"+t+")")
	table(m, "columnDeviations", "", name)
	n, operands = param("n"), []Register{param("sum"), param("x"), param("mean")}
	m.loop("column", n, 2, operands, func(p pointers, v int, tl *tail) {
		x := m.load(p, 1, v, tl)
		m.sub(m.load(p, 2, v, tl), x, x)
		sum := m.load(p, 0, v, tl)
		m.fma(x, x, sum)
		m.store(sum, p, 0, v, tl)
	})
	done()
}

// results adds up each list of running sums and returns them in their order.
func (m machine) results(lists ...[]Register) {
	for i, sums := range lists {
		for _, s := range sums[1:] {
			m.add(s, sums[0], sums[0])
		}
		m.fold(sums[0], m.addAny)
		m.result(sums[0], i)
	}
}

// gradientSums are the sums of dy and of dy*(x - mean), of a run (weighted or not) or of every column.
func gradientSums(m machine) {
	t := m.element()
	for _, weighted := range []bool{false, true} {
		key, stem := "runWay", "gradSumsRun"
		if weighted {
			key, stem = "rowWay", "gradSumsRow"
		}
		name := m.name(stem)
		function(name, "func(n int, dy, x, weight *"+t+", mean "+t+") (sum, product "+t+")")
		table(m, "gradSums", key, name)
		n, operands := param("n"), []Register{param("dy"), param("x")}
		if weighted {
			operands = append(operands, param("weight"))
		}
		mean := m.fillParam("mean")
		const unroll = 4
		var sums, products [unroll]Register
		for i := range sums {
			sums[i], products[i] = m.vec(), m.vec()
			m.zero(sums[i])
			m.zero(products[i])
		}
		m.loop("sums", n, unroll, operands, func(p pointers, v int, tl *tail) {
			g, x := m.load(p, 0, v, tl), m.load(p, 1, v, tl)
			if weighted {
				m.mul(m.load(p, 2, v, tl), g, g)
			}
			m.sub(mean, x, x)
			m.add(g, sums[v], sums[v])
			m.fma(g, x, products[v])
		})
		m.results(sums[:], products[:])
		done()
	}
	columnGradientSums(m)
}

// columnGradientSums adds dy, and dy*(x - mean)*scale, over rows; mean and scale are one number a row, or one a column.
func columnGradientSums(m machine) {
	t := m.element()
	for _, byColumn := range []bool{false, true} {
		key, stem := "runWay", "columnGradSumsRun"
		if byColumn {
			key, stem = "columnWay", "columnGradSumsColumn"
		}
		name := m.name(stem)
		function(name, "func(cols int, sum, product, dy, x, mean, scale *"+t+", rows, stride int)")
		table(m, "columnGradSums", key, name)
		cols, operands := param("cols"), []Register{param("sum"), param("product"), param("dy"), param("x")}
		mean, scale := param("mean"), param("scale")
		if byColumn {
			operands = append(operands, mean, scale)
		}
		rows, stride := param("rows"), param("stride")
		// A step's vectors are summed together: the loop's body is called for each, so the first call does them all.
		const unroll = 3
		block := 0
		m.loop("strip", cols, unroll, operands, func(p pointers, v int, tl *tail) {
			if v > 0 {
				return
			}
			block++
			vectors := 1
			if block == 1 {
				vectors = unroll
			}
			var sums, products, means, scales []Register
			for i := range vectors {
				sums, products = append(sums, m.load(p, 0, i, tl)), append(products, m.load(p, 1, i, tl))
				if byColumn && m.avx512 { // AVX2 has not the registers
					means, scales = append(means, m.load(p, 4, i, tl)), append(scales, m.load(p, 5, i, tl))
				}
			}
			left, dy, x := GP64(), GP64(), GP64()
			MOVQ(rows, left)
			LEAQ(p.at(2, 0), dy)
			LEAQ(p.at(3, 0), x)
			r := GP64()
			XORQ(r, r)
			label := fmt.Sprintf("rows%d", block)
			Label(label)
			var rowMean, rowScale Register
			if !byColumn {
				rowMean, rowScale = m.vec(), m.vec()
				m.fill(Mem{Base: mean, Index: r, Scale: uint8(m.size())}, rowMean)
				m.fill(Mem{Base: scale, Index: r, Scale: uint8(m.size())}, rowScale)
			}
			read := func(base Register, i int) Register {
				from, v := Mem{Base: base, Disp: i * m.bytes()}, m.vec()
				if tl != nil {
					m.loadTail(*tl, from, v)
				} else {
					m.move(from, v)
				}
				return v
			}
			for i := range vectors {
				g, v := read(dy, i), read(x, i)
				m.add(g, sums[i], sums[i])
				switch {
				case !byColumn:
					m.sub(rowMean, v, v)
					m.mul(rowScale, v, v)
				case m.avx512:
					m.sub(means[i], v, v)
					m.mul(scales[i], v, v)
				default:
					m.sub(m.load(p, 4, i, tl), v, v)
					m.mul(m.load(p, 5, i, tl), v, v)
				}
				m.fma(g, v, products[i])
			}
			ADDQ(stride, dy)
			ADDQ(stride, x)
			INCQ(r)
			DECQ(left)
			JNZ(LabelRef(label))
			for i := range vectors {
				m.store(sums[i], p, 0, i, tl)
				m.store(products[i], p, 1, i, tl)
			}
		})
		done()
	}
}
