package kernel

// NormalizeGrad computes the gradients of y = [Normalize] with respect to x, weight and bias. Where fixed, the statistics
// are no function of x; without center the mean isn't. dweight and dbias have one element a channel. What isn't wanted is nil.
func NormalizeGrad[T Float](z Normalization, dx, dweight, dbias, dy, x, mean, variance, weight []T, eps float64, fixed, center bool) {
	z.check("NormalizeGrad", len(dy), len(x))
	if z.size() == 0 {
		clear(dweight)
		clear(dbias)
		return
	}
	g := normGrad[T]{z, dx, dy, x, mean, variance, weight, eps, fixed, center, dweight != nil || dbias != nil}
	w := borrow[T]()
	defer w.giveBack()
	w.columns(z.Channels)
	if dweight == nil {
		dweight = w.most
	}
	if dbias == nil {
		dbias = w.sum
	}
	switch {
	case z.columns():
		g.columns(dweight, dbias)
	case z.Batch:
		z.each(func(from, to int) {
			w := borrow[T]()
			defer w.giveBack()
			for c := from; c < to; c++ {
				g.batch(c, w, dweight, dbias)
			}
		})
	default:
		g.groups(dweight, dbias)
	}
}

type normGrad[T Float] struct {
	z                      Normalization
	dx, dy, x              []T
	mean, variance, weight []T
	eps                    float64
	fixed, center          bool
	affine                 bool // dweight or dbias is wanted
}

// input computes dx between i and j, where it is wanted.
func (g *normGrad[T]) input(way way, i, j int, mean, scale, weight, slope, constant *T) {
	if g.dx != nil {
		affineGrad(way, g.dx[i:j], g.dy[i:j], g.x[i:j], mean, scale, weight, slope, constant)
	}
}

// coefficients gives what dx is made of, besides scale*dy, from the sums of weight*dy and weight*dy*(x-mean).
func (g *normGrad[T]) coefficients(scale T, sum, product float64) (slope, constant T) {
	if g.fixed {
		return 0, 0
	}
	n, r := float64(g.z.Elements()), float64(scale)
	slope = T(-r * r * r * product / n)
	if g.center {
		constant = T(-r * sum / n)
	}
	return slope, constant
}

// batch is one channel of a batch norm.
func (g *normGrad[T]) batch(c int, w *workspace[T], dweight, dbias []T) {
	weight := orOne(g.weight, c)
	w.mean, w.scale = g.mean[c], inverse(g.variance[c], g.eps)
	sum, product := 0.0, 0.0
	g.z.runs(c, func(i, j int) {
		s, p := gradSums(runWay, g.dy[i:j], g.x[i:j], nil, w.mean)
		sum += s
		product += p
	})
	dweight[c], dbias[c] = T(product*float64(w.scale)), T(sum)
	w.shift, w.constant = g.coefficients(w.scale, sum*float64(weight), product*float64(weight))
	w.scale *= weight
	g.z.runs(c, func(i, j int) {
		g.input(runWay, i, j, &w.mean, &w.scale, nil, &w.shift, &w.constant)
	})
}

// columns is a batch norm whose channels are columns.
func (g *normGrad[T]) columns(dweight, dbias []T) {
	rows, cols := g.z.Outer, g.z.Channels
	w := borrow[T]()
	defer w.giveBack()
	w.columns(cols)
	scale, slope, constant := w.most, w.sum, w.row
	for c := range cols {
		scale[c] = inverse(g.variance[c], g.eps)
	}
	g.columnSums(columnWay, true, dweight, dbias, cols, 0, rows, func(int, int) (mean, s *T) { return first(g.mean), first(scale) })
	if g.dx == nil {
		return
	}
	for c := range cols {
		weight := orOne(g.weight, c)
		r := float64(scale[c])
		slope[c], constant[c] = g.coefficients(scale[c], float64(dbias[c]*weight), float64(dweight[c]*weight)/r)
		scale[c] *= weight
	}
	step := func(from, to int) {
		for r := from; r < to; r++ {
			i := r * cols
			g.input(columnWay, i, i+cols, first(g.mean), first(scale), nil, first(slope), first(constant))
		}
	}
	if parts := min(rows, partsOf(g.z.size(), grainMemory)); parts > 1 {
		parallel(parts, rows, 1, step)
		return
	}
	step(0, rows)
}

// columnSums sums dy into dbias and dy*(x-mean)*scale into dweight over the rows from and to: in T over a few rows, then in
// float64. before is called ahead of each few rows, and gives their coefficients.
func (g *normGrad[T]) columnSums(way way, wanted bool, dweight, dbias []T, cols, from, to int, before func(from, to int) (mean, scale *T)) {
	total, w := borrow[float64](), borrow[T]()
	defer total.giveBack()
	defer w.giveBack()
	total.columns(cols)
	w.columns(cols)
	clear(total.sum)
	clear(total.most)
	clear(w.sum)
	clear(w.most)
	for r := from; r < to; r += rowsAtOnce {
		end := min(r+rowsAtOnce, to)
		mean, scale := before(r, end)
		if !wanted {
			continue
		}
		columnGradSums(way, w.sum, w.most, g.dy[r*cols:], g.x[r*cols:], mean, scale, end-r)
		if (end-from)%rowsAtATime != 0 && end < to {
			continue
		}
		for c := range cols {
			total.sum[c] += float64(w.sum[c])
			total.most[c] += float64(w.most[c])
		}
		clear(w.sum)
		clear(w.most)
	}
	for c := range cols {
		dbias[c], dweight[c] = T(total.sum[c]), T(total.most[c])
	}
}

// groups is a group, instance or layer norm: each thread sums the weight's and the bias's gradient of its part, and the
// parts are added in their order.
func (g *normGrad[T]) groups(dweight, dbias []T) {
	z := g.z
	parts := max(1, min(z.Outer, partsOf(z.size(), grainMemory)))
	if parts == 1 {
		g.outer(0, z.Outer, dweight, dbias)
		return
	}
	w := borrow[T]()
	defer w.giveBack()
	w.columns(parts * z.Channels)
	pool.run(taskFunc(func(part, from, to int) {
		c := part * z.Channels
		g.outer(from, to, w.most[c:c+z.Channels], w.sum[c:c+z.Channels])
	}), parts, z.Outer, 1)
	for c := range z.Channels {
		weight, bias := 0.0, 0.0
		for part := range parts {
			weight += float64(w.most[part*z.Channels+c])
			bias += float64(w.sum[part*z.Channels+c])
		}
		dweight[c], dbias[c] = T(weight), T(bias)
	}
}

// outer does a range of Outer.
func (g *normGrad[T]) outer(from, to int, dweight, dbias []T) {
	if g.z.Inner == 1 && g.z.Groups == 1 {
		g.rows(from, to, dweight, dbias)
		return
	}
	z, total, w := g.z, borrow[float64](), borrow[T]()
	defer total.giveBack()
	defer w.giveBack()
	total.columns(z.Channels)
	clear(total.sum)
	clear(total.most)
	for s := from * z.Groups; s < to*z.Groups; s++ {
		mean, scale := g.mean[s], inverse(g.variance[s], g.eps)
		w.mean = mean
		sum, product := 0.0, 0.0
		z.channels(s, func(c, i, j int) {
			a, b := gradSums(runWay, g.dy[i:j], g.x[i:j], nil, mean)
			total.sum[c] += a
			total.most[c] += b * float64(scale)
			weight := float64(orOne(g.weight, c))
			sum += a * weight
			product += b * weight
		})
		w.shift, w.constant = g.coefficients(scale, sum, product)
		z.channels(s, func(c, i, j int) {
			w.scale = scale * orOne(g.weight, c)
			g.input(runWay, i, j, &w.mean, &w.scale, nil, &w.shift, &w.constant)
		})
	}
	for c := range z.Channels {
		dbias[c], dweight[c] = T(total.sum[c]), T(total.most[c])
	}
}

// rows is a layer norm.
func (g *normGrad[T]) rows(from, to int, dweight, dbias []T) {
	n, way := g.z.Channels, runWay
	if g.weight != nil {
		way = rowWay
	}
	w := borrow[T]()
	defer w.giveBack()
	g.columnSums(runWay, g.affine, dweight, dbias, n, from, to, func(from, to int) (mean, scale *T) {
		for r := from; r < to; r++ {
			w.mean, w.scale = g.mean[r], inverse(g.variance[r], g.eps)
			w.scales[r-from] = w.scale
			if g.dx == nil {
				continue
			}
			i := r * n
			sum, product := gradSums(way, g.dy[i:i+n], g.x[i:i+n], first(g.weight), w.mean)
			w.shift, w.constant = g.coefficients(w.scale, sum, product)
			g.input(way, i, i+n, &w.mean, &w.scale, first(g.weight), &w.shift, &w.constant)
		}
		return &g.mean[from], &w.scales[0]
	})
}
