package kernel

import "strconv"

// Binary names an element-wise function of two variables.
type Binary uint8

// The element-wise functions of two variables. Maximum and Minimum give NaN where either side is NaN, as PyTorch does.
const (
	Add Binary = iota
	Sub
	Mul
	Div
	Maximum
	Minimum

	binaryCount = iota
)

var binaryNames = [binaryCount]string{"add", "sub", "mul", "div", "maximum", "minimum"}

// String is PyTorch's name of the function.
func (b Binary) String() string {
	if b >= binaryCount {
		return "Binary(" + strconv.Itoa(int(b)) + ")"
	}
	return binaryNames[b]
}

func maximum[T Float](x, y T) T {
	if x > y || x != x {
		return x
	}
	return y
}

func minimum[T Float](x, y T) T {
	if x < y || x != x {
		return x
	}
	return y
}

// Zip computes dst[i] = x[i] op y[i] for the length of dst. dst may be x or y.
func Zip[T Float](b Binary, dst, x, y []T) {
	n := len(dst)
	need("x of Zip", len(x), n)
	need("y of Zip", len(y), n)
	if parts := partsOf(n, grainMemory); parts > 1 {
		parallel(parts, n, lineElements, func(i, j int) { zipSerial(b, dst[i:j], x[i:j], y[i:j]) })
		return
	}
	zipSerial(b, dst, x[:n], y[:n])
}

func zipSerial[T Float](b Binary, dst, x, y []T) {
	n := len(dst)
	if f := kernelsOf[T]().zip[binaryIndex(b)]; f != nil && n > 0 {
		f(n, &dst[0], &x[0], &y[0])
		return
	}
	zipGo(b, dst, x, y)
}

func binaryIndex(b Binary) Binary {
	if b >= binaryCount {
		panic("BUG: kernel: unknown binary function " + strconv.Itoa(int(b)))
	}
	return b
}

func zipGo[T Float](b Binary, dst, x, y []T) {
	x, y = x[:len(dst)], y[:len(dst)]
	switch b {
	case Add:
		for i := range dst {
			dst[i] = x[i] + y[i]
		}
	case Sub:
		for i := range dst {
			dst[i] = x[i] - y[i]
		}
	case Mul:
		for i := range dst {
			dst[i] = x[i] * y[i]
		}
	case Div:
		for i := range dst {
			dst[i] = x[i] / y[i]
		}
	case Maximum:
		for i := range dst {
			dst[i] = maximum(x[i], y[i])
		}
	case Minimum:
		for i := range dst {
			dst[i] = minimum(x[i], y[i])
		}
	}
}

// ZipScalar computes dst[i] = x[i] op s. dst may be x.
func ZipScalar[T Float](b Binary, dst, x []T, s T) {
	n := len(dst)
	need("x of ZipScalar", len(x), n)
	if parts := partsOf(n, grainMemory); parts > 1 {
		parallel(parts, n, lineElements, func(i, j int) { zipScalarSerial(b, dst[i:j], x[i:j], s) })
		return
	}
	zipScalarSerial(b, dst, x[:n], s)
}

func zipScalarSerial[T Float](b Binary, dst, x []T, s T) {
	n := len(dst)
	if f := kernelsOf[T]().zipScalar[binaryIndex(b)]; f != nil && n > 0 {
		f(n, &dst[0], &x[0], s)
		return
	}
	zipScalarGo(b, dst, x, s)
}

func zipScalarGo[T Float](b Binary, dst, x []T, s T) {
	switch b {
	case Add:
		for i, v := range x {
			dst[i] = v + s
		}
	case Sub:
		for i, v := range x {
			dst[i] = v - s
		}
	case Mul:
		for i, v := range x {
			dst[i] = v * s
		}
	case Div:
		for i, v := range x {
			dst[i] = v / s
		}
	case Maximum:
		for i, v := range x {
			dst[i] = maximum(v, s)
		}
	case Minimum:
		for i, v := range x {
			dst[i] = minimum(v, s)
		}
	}
}

// ScalarZip computes dst[i] = s op x[i]. dst may be x.
func ScalarZip[T Float](b Binary, dst []T, s T, x []T) {
	n := len(dst)
	need("x of ScalarZip", len(x), n)
	if f := kernelsOf[T]().scalarZip[binaryIndex(b)]; f != nil && n > 0 {
		f(n, &dst[0], &x[0], s)
		return
	}
	switch b {
	case Sub:
		for i, v := range x[:n] {
			dst[i] = s - v
		}
	case Div:
		for i, v := range x[:n] {
			dst[i] = s / v
		}
	default: // the others commute
		ZipScalar(b, dst, x, s)
	}
}

// Axpy computes y[i] += a*x[i] for the length of y, with one rounding.
func Axpy[T Float](a T, x, y []T) {
	n := len(y)
	need("x of Axpy", len(x), n)
	if parts := partsOf(n, grainMemory); parts > 1 {
		parallel(parts, n, lineElements, func(i, j int) { axpySerial(a, x[i:j], y[i:j]) })
		return
	}
	axpySerial(a, x[:n], y)
}

func axpySerial[T Float](a T, x, y []T) {
	n := len(y)
	if f := kernelsOf[T]().axpy; f != nil && n > 0 {
		f(n, a, &x[0], &y[0])
		return
	}
	axpyGo(a, x, y)
}

func axpyGo[T Float](a T, x, y []T) {
	if a == 1 {
		for i, v := range x {
			y[i] += v
		}
		return
	}
	for i, v := range x {
		y[i] = fma(a, v, y[i])
	}
}

// Scale computes dst[i] = a*src[i]. dst may be src.
func Scale[T Float](dst, src []T, a T) { ZipScalar(Mul, dst[:len(src)], src, a) }
