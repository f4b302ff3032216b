package main

import . "github.com/mmcloughlin/avo/reg"

var binaryKernels = []struct {
	name string
	op   func(m machine, x, y Register) Register
}{
	{"Add", func(m machine, x, y Register) Register { m.add(y, x, x); return x }},
	{"Sub", func(m machine, x, y Register) Register { m.sub(y, x, x); return x }},
	{"Mul", func(m machine, x, y Register) Register { m.mul(y, x, x); return x }},
	{"Div", func(m machine, x, y Register) Register { m.div(y, x, x); return x }},
	{"Maximum", func(m machine, x, y Register) Register {
		r := m.vec()
		m.max(y, x, r) // NaN in y stays; NaN in x is put back
		m.choose(m.compare(unordered, x, x), x, r, r)
		return r
	}},
	{"Minimum", func(m machine, x, y Register) Register {
		r := m.vec()
		m.min(y, x, r)
		m.choose(m.compare(unordered, x, x), x, r, r)
		return r
	}},
}

func binary(m machine) {
	t := m.element()
	for _, k := range binaryKernels {
		name := m.name("zip" + k.name)
		function(name, "func(n int, dst, x, y *"+t+")")
		table(m, "zip", k.name, name)
		n, operands := param("n"), []Register{param("dst"), param("x"), param("y")}
		m.loop("zip", n, 2, operands, func(p pointers, v int, tl *tail) {
			m.store(k.op(m, m.load(p, 1, v, tl), m.load(p, 2, v, tl)), p, 0, v, tl)
		})
		done()
		for _, left := range []bool{false, true} {
			stem, field := "zipScalar", "zipScalar"
			if left {
				if k.name != "Sub" && k.name != "Div" {
					continue // commutes
				}
				stem, field = "scalarZip", "scalarZip"
			}
			name := m.name(stem + k.name)
			function(name, "func(n int, dst, x *"+t+", s "+t+")")
			table(m, field, k.name, name)
			n, operands := param("n"), []Register{param("dst"), param("x")}
			s := m.fillParam("s")
			m.loop("zip", n, 2, operands, func(p pointers, v int, tl *tail) {
				x := m.load(p, 1, v, tl)
				if left {
					x = k.op(m, m.copied(s), x)
				} else {
					x = k.op(m, x, s)
				}
				m.store(x, p, 0, v, tl)
			})
			done()
		}
	}
	name := m.name("axpy")
	function(name, "func(n int, a "+t+", x, y *"+t+")")
	table(m, "axpy", "", name)
	n, operands := param("n"), []Register{param("x"), param("y")}
	a := m.fillParam("a")
	m.loop("axpy", n, 4, operands, func(p pointers, v int, tl *tail) {
		y := m.load(p, 1, v, tl)
		m.fma(m.load(p, 0, v, tl), a, y)
		m.store(y, p, 1, v, tl)
	})
	done()
}
