package main

import . "github.com/mmcloughlin/avo/reg"

// recurrent are the element-wise parts of one step of a recurrent layer; see ../recurrent.go for the formulas.
func recurrent(m machine) {
	t := m.element()
	cell := func(field, arguments string, names []string, body func(p pointers, v int, tl *tail)) {
		name := m.name(field)
		function(name, "func(n int, "+arguments+" *"+t+")")
		table(m, field, "", name)
		n := param("n")
		operands := make([]Register, len(names))
		for i, name := range names {
			operands[i] = param(name)
		}
		m.loop(field, n, 1, operands, body)
		done()
	}
	// grown is y*(1-y)*g, tanhGrown (1-y*y)*g, in g.
	grown := func(g, y Register) {
		other := m.filled(1)
		m.sub(y, other, other)
		m.mul(y, g, g)
		m.mul(other, g, g)
	}
	tanhGrown := func(g, y Register) {
		other := m.filled(1)
		m.fnma(y, y, other)
		m.mul(other, g, g)
	}

	cell("lstm", "i, f, g_, o, before, c, tanh, h", []string{"i", "f", "g_", "o", "before", "c", "tanh", "h"}, func(p pointers, v int, tl *tail) {
		forget := m.sigmoid(m.load(p, 1, v, tl))
		m.store(forget, p, 1, v, tl)
		c := m.load(p, 4, v, tl)
		m.mul(forget, c, c)
		in := m.sigmoid(m.load(p, 0, v, tl))
		m.store(in, p, 0, v, tl)
		candidate := m.tanh(m.load(p, 2, v, tl))
		m.store(candidate, p, 2, v, tl)
		m.fma(candidate, in, c)
		m.store(c, p, 5, v, tl)
		out := m.sigmoid(m.load(p, 3, v, tl))
		m.store(out, p, 3, v, tl)
		c = m.tanh(c)
		m.store(c, p, 6, v, tl)
		m.mul(out, c, c)
		m.store(c, p, 7, v, tl)
	})
	cell("lstmOutGrad", "do, dc, dh, o, tanh", []string{"do", "dc", "dh", "o", "tanh"}, func(p pointers, v int, tl *tail) {
		dh, out, tanh, dc := m.load(p, 2, v, tl), m.load(p, 3, v, tl), m.load(p, 4, v, tl), m.load(p, 1, v, tl)
		g := m.vec()
		m.mul(dh, out, g)
		tanhGrown(g, tanh)
		m.add(g, dc, dc)
		m.store(dc, p, 1, v, tl)
		m.mul(tanh, dh, dh)
		grown(dh, out)
		m.store(dh, p, 0, v, tl)
	})
	cell("lstmInGrad", "di, df, dg, dc, i, f, g_, before", []string{"di", "df", "dg", "dc", "i", "f", "g_", "before"}, func(p pointers, v int, tl *tail) {
		dc, in, candidate := m.load(p, 3, v, tl), m.load(p, 4, v, tl), m.load(p, 6, v, tl)
		g := m.vec()
		m.mul(candidate, dc, g)
		grown(g, in)
		m.store(g, p, 0, v, tl)
		m.mul(in, dc, g)
		tanhGrown(g, candidate)
		m.store(g, p, 2, v, tl)
		forget := m.load(p, 5, v, tl)
		m.mul(m.load(p, 7, v, tl), dc, g)
		grown(g, forget)
		m.store(g, p, 1, v, tl)
		m.mul(forget, dc, dc)
		m.store(dc, p, 3, v, tl)
	})
	cell("gru", "r, z, n_, hn, before, h", []string{"r", "z", "n_", "hn", "before", "h"}, func(p pointers, v int, tl *tail) {
		r := m.sigmoid(m.load(p, 0, v, tl))
		m.store(r, p, 0, v, tl)
		n := m.load(p, 2, v, tl)
		m.fma(m.load(p, 3, v, tl), r, n)
		n = m.tanh(n)
		m.store(n, p, 2, v, tl)
		z := m.sigmoid(m.load(p, 1, v, tl))
		m.store(z, p, 1, v, tl)
		h := m.load(p, 4, v, tl) // n + z*(before - n)
		m.sub(n, h, h)
		m.fma(h, z, n)
		m.store(n, p, 5, v, tl)
	})
	cell("gruGrad", "dr, dz, dn, dhn, dh, r, z, n_, hn, before", []string{"dr", "dz", "dn", "dhn", "dh", "r", "z", "n_", "hn", "before"}, func(p pointers, v int, tl *tail) {
		dh, z, n := m.load(p, 4, v, tl), m.load(p, 6, v, tl), m.load(p, 7, v, tl)
		g := m.load(p, 9, v, tl)
		m.sub(n, g, g)
		m.mul(dh, g, g)
		grown(g, z)
		m.store(g, p, 1, v, tl)
		g = m.filled(1)
		m.sub(z, g, g)
		m.mul(dh, g, g)
		tanhGrown(g, n)
		m.store(g, p, 2, v, tl)
		m.mul(z, dh, dh)
		m.store(dh, p, 4, v, tl)
		r := m.load(p, 5, v, tl)
		d := m.vec()
		m.mul(r, g, d)
		m.store(d, p, 3, v, tl)
		m.mul(m.load(p, 8, v, tl), g, g)
		grown(g, r)
		m.store(g, p, 0, v, tl)
	})
}
