package kernel

// way says how the coefficients of a normalization lie along n contiguous elements.
type way uint8

const (
	runWay    way = iota // one number for all
	rowWay               // weight and shift one an element, the statistics one for all
	columnWay            // all one an element, no weight
	wayCount
)

// vectors says which coefficients are one an element.
func (w way) vectors() (statistics, affine int) {
	switch w {
	case rowWay:
		return 0, 1
	case columnWay:
		return 1, 1
	}
	return 0, 0
}

// affine computes dst = (x - mean)*scale*weight + shift, weight by rowWay only.
func affine[T Float](w way, dst, x []T, mean, scale, weight, shift *T) {
	if len(dst) == 0 {
		return
	}
	if f := kernelsOf[T]().affine[w]; f != nil {
		f(len(dst), &dst[0], &x[0], mean, scale, weight, shift)
		return
	}
	s, a := w.vectors()
	for i := range dst {
		y := (x[i] - element(mean, i*s)) * element(scale, i*s)
		if w == rowWay {
			y *= element(weight, i)
		}
		dst[i] = y + element(shift, i*a)
	}
}

// affineGrad computes dx = scale*weight*dy + slope*(x - mean) + constant, weight by rowWay only.
func affineGrad[T Float](w way, dx, dy, x []T, mean, scale, weight, slope, constant *T) {
	if len(dx) == 0 {
		return
	}
	if f := kernelsOf[T]().affineGrad[w]; f != nil {
		f(len(dx), &dx[0], &dy[0], &x[0], mean, scale, weight, slope, constant)
		return
	}
	s, _ := w.vectors()
	for i := range dx {
		g := dy[i]
		if w == rowWay {
			g *= element(weight, i)
		}
		dx[i] = element(scale, i*s)*g + (element(slope, i*s)*(x[i]-element(mean, i*s)) + element(constant, i*s))
	}
}

// runBlock is over how many elements the sums of a run are in T, spread over the lanes of four vectors, before they are
// added up in float64.
const runBlock = 1024

// gradSums are the sums of weight*dy and of weight*dy*(x - mean), weight by rowWay only.
func gradSums[T Float](w way, dy, x []T, weight *T, mean T) (sum, product float64) {
	f := kernelsOf[T]().gradSums[w]
	for i := 0; i < len(dy); i += runBlock {
		n := min(runBlock, len(dy)-i)
		if f != nil {
			var from *T
			if w == rowWay {
				from = at(weight, i)
			}
			s, p := f(n, &dy[i], &x[i], from, mean)
			sum += float64(s)
			product += float64(p)
			continue
		}
		for i := i; n > 0; i, n = i+1, n-1 {
			g := float64(dy[i])
			if w == rowWay {
				g *= float64(element(weight, i))
			}
			sum += g
			product += g * (float64(x[i]) - float64(mean))
		}
	}
	return sum, product
}

// columnGradSums adds dy to sum, and dy*(x - mean)*scale to product, over rows that are len(sum) apart; mean and scale are one
// a row by runWay, one a column by columnWay.
func columnGradSums[T Float](w way, sum, product, dy, x []T, mean, scale *T, rows int) {
	cols := len(sum)
	if cols == 0 || rows == 0 {
		return
	}
	if f := kernelsOf[T]().columnGradSums[w]; f != nil {
		f(cols, &sum[0], &product[0], &dy[0], &x[0], mean, scale, rows, cols*sizeOf[T]())
		return
	}
	for r := range rows {
		for c := range cols {
			of := r
			if w == columnWay {
				of = c
			}
			i := r*cols + c
			sum[c] += dy[i]
			product[c] += dy[i] * ((x[i] - element(mean, of)) * element(scale, of))
		}
	}
}

// deviations are the sums of (x - about)² and of x - about.
func deviations[T Float](x []T, about T) (squares, sum float64) {
	f := kernelsOf[T]().deviations
	for i := 0; i < len(x); i += runBlock {
		n := min(runBlock, len(x)-i)
		if f != nil {
			q, s := f(n, &x[i], about)
			squares += float64(q)
			sum += float64(s)
			continue
		}
		for _, v := range x[i : i+n] {
			d := float64(v) - float64(about)
			squares += d * d
			sum += d
		}
	}
	return squares, sum
}

// columnDeviations adds (x - mean)² to sum, element by element.
func columnDeviations[T Float](sum, x, mean []T) {
	if len(sum) == 0 {
		return
	}
	if f := kernelsOf[T]().columnDeviations; f != nil {
		f(len(sum), &sum[0], &x[0], &mean[0])
		return
	}
	for i := range sum {
		d := x[i] - mean[i]
		sum[i] += d * d
	}
}
