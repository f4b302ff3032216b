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
		w := borrow[T]()
		inParts(&w.tasks.zip, zipTask[T]{b, dst, x, y}, parts, n, lineElements)
		w.giveBack()
		return
	}
	zipSerial(b, dst, x[:n], y[:n])
}

type zipTask[T Float] struct {
	b         Binary
	dst, x, y []T
}

func (t *zipTask[T]) run(_, i, j int) { zipSerial(t.b, t.dst[i:j], t.x[i:j], t.y[i:j]) }

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
		w := borrow[T]()
		inParts(&w.tasks.zipScalar, zipScalarTask[T]{b, dst, x, s}, parts, n, lineElements)
		w.giveBack()
		return
	}
	zipScalarSerial(b, dst, x[:n], s)
}

type zipScalarTask[T Float] struct {
	b      Binary
	dst, x []T
	s      T
}

func (t *zipScalarTask[T]) run(_, i, j int) { zipScalarSerial(t.b, t.dst[i:j], t.x[i:j], t.s) }

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
		w := borrow[T]()
		inParts(&w.tasks.axpy, axpyTask[T]{a, x, y}, parts, n, lineElements)
		w.giveBack()
		return
	}
	axpySerial(a, x[:n], y)
}

type axpyTask[T Float] struct {
	a    T
	x, y []T
}

func (t *axpyTask[T]) run(_, i, j int) { axpySerial(t.a, t.x[i:j], t.y[i:j]) }

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
