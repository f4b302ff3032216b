package kernel

// Parts of a product are panels of columns. Where few panels are an odd number, or the last isn't full, one thread would have more of
// them than the other, up to twice as many: so where two threads meet, the panel between them is cut into rows.

const (
	// The cost of a tile of a whole panel, and of one that has a single vector.
	cutWhole, cutSingle = 5, 3
	// cutTiles is from how many tiles a panel is cut.
	cutTiles = 4
)

// corner is where a part ends and the next begins: before a row of the panel at a column.
type corner struct{ row, column int }

// columnsCut is how the columns of rows from to to are cut.
type columnsCut struct {
	from, to, height int // rows
	panel, panels    int
	cost             int // of all tiles of a row of tiles
	parts, threads   int
}

// cutColumns cuts a product, or a block of it, into at most so many parts.
func (g *product[T]) cutColumns(from, to, height, parts int) columnsCut {
	c := columnsCut{from: from, to: to, height: height, panel: g.kernels.panel()}
	c.panels = up(g.n, c.panel)
	c.cost = c.panels * cutWhole
	if rest := g.n % c.panel; rest > 0 && rest <= g.kernels.lanes {
		c.cost -= cutWhole - cutSingle
	}
	c.parts = min(parts, c.panels)
	c.threads = min(Threads(), c.parts)
	c.parts -= c.parts % c.threads
	return c
}

// corner is where a part begins.
func (c *columnsCut) corner(part int) corner {
	tiles := up(c.to-c.from, c.height)
	whole := tiles * cutWhole
	x := part * tiles * c.cost / c.parts
	if part == c.parts {
		return corner{c.from, c.panels * c.panel}
	}
	if part*c.threads%c.parts != 0 || tiles < cutTiles { // threads don't meet here: no panel is packed twice
		return corner{c.from, (x + whole/2) / whole * c.panel}
	}
	panel, cost := x/whole, cutWhole
	if panel == c.panels-1 {
		cost = c.cost - panel*cutWhole
	}
	tile := (x%whole + cost/2) / cost
	if tile >= tiles {
		return corner{c.from, (panel + 1) * c.panel}
	}
	return corner{c.from + tile*c.height, panel * c.panel}
}

// each calls f for the rectangles of a part of n columns.
func (c *columnsCut) each(part, n int, f func(i0, i1, j0, j1 int)) {
	first, last := c.corner(part), c.corner(part+1)
	if first == last {
		return
	}
	if first.column == last.column {
		f(first.row, last.row, first.column, min(first.column+c.panel, n))
		return
	}
	if first.row > c.from {
		f(first.row, c.to, first.column, min(first.column+c.panel, n))
		first.column += c.panel
	}
	if first.column < last.column {
		f(c.from, c.to, first.column, min(last.column, n))
	}
	if last.row > c.from {
		f(c.from, last.row, last.column, min(last.column+c.panel, n))
	}
}
