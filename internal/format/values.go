package format

import (
	"math"
	"strconv"
)

// values reads a flat row-major tensor of any supported Go type. Exactly one
// of float and text is set.
type values struct {
	dtype string
	len   int
	float func(i int) float64 // floating-point dtypes, widened exactly
	text  func(i int) string  // all other dtypes
}

// valuesOf reports false for a type that Tensor does not print.
func valuesOf(data any) (values, bool) {
	switch v := data.(type) {
	case nil:
		return values{dtype: "float32", float: func(int) float64 { return 0 }}, true
	case []float32:
		return values{"float32", len(v), func(i int) float64 { return float64(v[i]) }, nil}, true
	case []float64:
		return values{"float64", len(v), func(i int) float64 { return v[i] }, nil}, true
	case []bool:
		return values{"bool", len(v), nil, func(i int) string { return boolRepr(v[i]) }}, true
	case []int:
		return integers("int64", v), true
	case []int64:
		return integers("int64", v), true
	case []int32:
		return integers("int32", v), true
	case []int16:
		return integers("int16", v), true
	case []int8:
		return integers("int8", v), true
	case []uint8:
		return integers("uint8", v), true
	}
	return values{}, false
}

func integers[T int | int64 | int32 | int16 | int8 | uint8](dtype string, v []T) values {
	return values{dtype, len(v), nil, func(i int) string { return strconv.FormatInt(int64(v[i]), 10) }}
}

// formatter decides one notation and width for all shown elements of a
// tensor, as PyTorch's _Formatter does.
type formatter struct {
	values
	precision int
	intMode   bool // every element is a whole number: "1."
	sciMode   bool // "1.0000e+00"
	width     int
}

// newFormatter looks at the elements whose indices each lists.
func newFormatter(v values, o Options, each func(yield func(i int) bool)) *formatter {
	f := &formatter{values: v, precision: o.Precision, intMode: true, width: 1}
	if v.float == nil {
		for i := range each {
			f.width = max(f.width, len(v.text(i)))
		}
		return f
	}

	smallest, largest := math.Inf(1), 0.0
	for i := range each {
		x := v.float(i)
		if !counts(x) {
			continue
		}
		smallest, largest = min(smallest, math.Abs(x)), max(largest, math.Abs(x))
		f.intMode = f.intMode && x == math.Ceil(x)
	}
	if largest == 0 {
		return f
	}
	f.sciMode = largest/smallest > 1000 || largest > 1e8 || smallest < 1e-4
	if o.SciMode != nil {
		f.sciMode = *o.SciMode
	}
	for i := range each {
		if x := v.float(i); counts(x) {
			f.width = max(f.width, len(f.number(x)))
		}
	}
	return f
}

// counts says whether x has a part in choosing notation and width: zeros,
// infinities and NaN have none.
func counts(x float64) bool {
	return x != 0 && !math.IsInf(x, 0) && !math.IsNaN(x)
}

// number formats x without padding.
func (f *formatter) number(x float64) string {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return nonFinite(x)
	case f.sciMode:
		return strconv.FormatFloat(x, 'e', f.precision, 64)
	case f.intMode:
		return strconv.FormatFloat(x, 'f', 0, 64) + "."
	}
	return strconv.FormatFloat(x, 'f', f.precision, 64)
}

// element formats the element at i, padded on the left to the common width.
func (f *formatter) element(i int) string {
	if f.float != nil {
		return pad(f.number(f.float(i)), f.width)
	}
	return pad(f.text(i), f.width)
}
