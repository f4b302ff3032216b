package format

import (
	"fmt"
	"math/bits"
	"strings"
)

// Tensor returns what PyTorch's repr says of the tensor with this shape and
// these elements in row-major order.
//
// data is a []float32, []float64, []int64 (or []int), []int32, []int16,
// []int8, []uint8 or []bool; nil stands for no elements of float32. The dtype
// is printed when it is not the default one (float32), int64 or bool, or when
// the tensor is empty and not float32. Where data does not fit shape, the text
// says so instead of the values: "tensor(<2 elements, want 6 for size (2, 3)>)".
func Tensor(shape []int, data any, opts Options) string {
	opts = opts.withDefaults()
	const prefix = "tensor("
	v, ok := valuesOf(data)
	if !ok {
		return fmt.Sprintf("%s<no dtype for %T>)", prefix, data)
	}
	numel, ok := elements(shape)
	if !ok {
		return fmt.Sprintf("%s<invalid size %s>)", prefix, tuple(shape))
	}
	if v.len != numel {
		return fmt.Sprintf("%s<%d elements, want %d for size %s>)", prefix, v.len, numel, tuple(shape))
	}

	p := printer{Options: opts, summarize: numel > opts.Threshold}
	p.WriteString(prefix)
	var suffixes []string
	if numel == 0 {
		p.WriteString("[]")
		if len(shape) != 1 {
			suffixes = append(suffixes, "size="+tuple(shape))
		}
		if v.dtype != "float32" {
			suffixes = append(suffixes, "dtype=torch."+v.dtype)
		}
	} else {
		p.formatter = newFormatter(v, opts, func(yield func(int) bool) { p.shown(shape, 0, yield) })
		p.print(shape, 0, opts.Indent+len(prefix))
		if opts.EdgeItems == 0 {
			suffixes = append(suffixes, "size="+tuple(shape))
		}
		if v.dtype != "float32" && v.dtype != "int64" && v.dtype != "bool" {
			suffixes = append(suffixes, "dtype=torch."+v.dtype)
		}
	}
	if opts.GradFn != "" {
		suffixes = append(suffixes, "grad_fn=<"+opts.GradFn+">")
	} else if opts.RequiresGrad {
		suffixes = append(suffixes, "requires_grad=True")
	}
	return addSuffixes(p.String(), suffixes, opts, opts.Indent+len(prefix))
}

// Parameter returns what PyTorch's repr says of a torch.nn.Parameter: the text
// of [Tensor] after a line "Parameter containing:".
func Parameter(shape []int, data any, opts Options) string {
	opts.Indent = max(0, opts.Indent)
	return "Parameter containing:\n" + strings.Repeat(" ", opts.Indent) + Tensor(shape, data, opts)
}

// elements multiplies the sizes; it reports false if one is negative or the
// product overflows.
func elements(shape []int) (int, bool) {
	n := uint(1)
	for _, size := range shape {
		hi, lo := bits.Mul(n, uint(size))
		if size < 0 || hi != 0 || int(lo) < 0 {
			return 0, false
		}
		n = lo
	}
	return int(n), true
}

// printer writes the nested brackets of one tensor.
type printer struct {
	Options
	*formatter
	strings.Builder
	summarize bool
}

// cut says whether a dimension of this size is shown by its two ends only.
func (p *printer) cut(size int) bool {
	return p.summarize && size > 2*p.EdgeItems
}

// shown yields the flat indices of the elements that print writes for the
// part of the tensor at offset; it reports false once yield does.
func (p *printer) shown(shape []int, offset int, yield func(i int) bool) bool {
	if len(shape) == 0 {
		return yield(offset)
	}
	size, stride := shape[0], stride(shape)
	for i := 0; i < size; i++ {
		if i == p.EdgeItems && p.cut(size) {
			if i = size - p.EdgeItems; i == size {
				break
			}
		}
		if !p.shown(shape[1:], offset+i*stride, yield) {
			return false
		}
	}
	return true
}

// stride is the number of elements from one index of the first dimension to
// the next.
func stride(shape []int) int {
	n := 1
	for _, size := range shape[1:] {
		n *= size
	}
	return n
}

// print writes the part of the tensor at offset; indent is the column of its
// opening bracket.
func (p *printer) print(shape []int, offset, indent int) {
	if len(shape) == 0 {
		p.WriteString(p.element(offset))
		return
	}
	if len(shape) == 1 {
		p.vector(shape[0], offset, indent)
		return
	}
	separator := "," + strings.Repeat("\n", len(shape)-1) + strings.Repeat(" ", indent+1)
	size, stride := shape[0], stride(shape)
	p.WriteByte('[')
	for i := 0; i < size; i++ {
		if i > 0 {
			p.WriteString(separator)
		}
		if i == p.EdgeItems && p.cut(size) {
			p.WriteString("...")
			if i = size - p.EdgeItems; i == size {
				break
			}
			p.WriteString(separator)
		}
		p.print(shape[1:], offset+i*stride, indent+1)
	}
	p.WriteByte(']')
}

// vector writes one innermost row, broken into lines that fit the line width.
func (p *printer) vector(size, offset, indent int) {
	var items []string
	for i := 0; i < size; i++ {
		if i == p.EdgeItems && p.cut(size) {
			items = append(items, ellipsis(p.EdgeItems))
			if i = size - p.EdgeItems; i == size {
				break
			}
		}
		items = append(items, p.element(offset+i))
	}
	perLine := max(1, (p.LineWidth-indent)/(p.width+len(", ")))
	p.WriteByte('[')
	for i, item := range items {
		switch {
		case i == 0:
		case i%perLine == 0:
			p.WriteString(",\n" + strings.Repeat(" ", indent+1))
		default:
			p.WriteString(", ")
		}
		p.WriteString(item)
	}
	p.WriteByte(']')
}

// ellipsis stands for the elements left out of a row; PyTorch writes it with
// a space before it unless it stands alone.
func ellipsis(edgeItems int) string {
	if edgeItems == 0 {
		return "..."
	}
	return " ..."
}

// addSuffixes appends "dtype=…" and the like, each on the last line if it has
// room, and closes the parenthesis.
func addSuffixes(text string, suffixes []string, opts Options, indent int) string {
	var b strings.Builder
	b.WriteString(text)
	newline := strings.LastIndexByte(text, '\n')
	column := len(text) - newline + 1
	if newline < 0 {
		column += opts.Indent
	}
	for _, suffix := range suffixes {
		if column+len(suffix)+2 > opts.LineWidth {
			b.WriteString(",\n" + strings.Repeat(" ", indent) + suffix)
			column = indent + len(suffix)
		} else {
			b.WriteString(", " + suffix)
			column += len(suffix) + 2
		}
	}
	b.WriteByte(')')
	return b.String()
}
