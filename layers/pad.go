package layers

import (
	"encoding/json"
	"fmt"
	"math"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/format"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	Register[PadLayer[D1, zeros]]("ZeroPad1d")
	Register[PadLayer[D2, zeros]]("ZeroPad2d")
	Register[PadLayer[D3, zeros]]("ZeroPad3d")
	Register[PadLayer[D1, reflection]]("ReflectionPad1d")
	Register[PadLayer[D2, reflection]]("ReflectionPad2d")
	Register[PadLayer[D3, reflection]]("ReflectionPad3d")
	Register[PadLayer[D1, replication]]("ReplicationPad1d")
	Register[PadLayer[D2, replication]]("ReplicationPad2d")
	Register[PadLayer[D3, replication]]("ReplicationPad3d")
	Register[PadLayer[D1, circular]]("CircularPad1d")
	Register[PadLayer[D2, circular]]("CircularPad2d")
	Register[PadLayer[D3, circular]]("CircularPad3d")
	Register[ConstantPadLayer[D1]]("ConstantPad1d")
	Register[ConstantPadLayer[D2]]("ConstantPad2d")
	Register[ConstantPadLayer[D3]]("ConstantPad3d")
}

// A padMode tells the classes of padding layers apart.
type padMode interface {
	zeros | reflection | replication | circular
	mode() ops.PadMode
}

type (
	zeros       struct{}
	reflection  struct{}
	replication struct{}
	circular    struct{}
)

func (zeros) mode() ops.PadMode       { return ops.PadConstant }
func (reflection) mode() ops.PadMode  { return ops.PadReflect }
func (replication) mode() ops.PadMode { return ops.PadReplicate }
func (circular) mode() ops.PadMode    { return ops.PadCircular }

// PadLayer is made by [ZeroPad2d], [ReflectionPad2d], [ReplicationPad2d], [CircularPad2d] and those of the other ranks.
type PadLayer[R Rank, M padMode] struct {
	stateless
	Padding spec.Extent `torch:"padding"`
}

// ConstantPadLayer is made by [ConstantPad1d], [ConstantPad2d] and [ConstantPad3d].
type ConstantPadLayer[R Rank] struct {
	stateless
	Padding spec.Extent `torch:"padding"`
	Value   number      `torch:"value"`
}

// ZeroPad1d puts zeros around the last dim: any dtype, any number of dims before it. The padding is one size for both sides,
// or left, right; a negative one cuts. Cutting more than there is is an [ops.ShapeError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad1d.html.
func ZeroPad1d(padding ...int) PadLayer[D1, zeros] { return padOf[D1, zeros](padding) }

// ZeroPad2d puts zeros around the last two dims: one size for all sides, or left, right, top, bottom.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html.
func ZeroPad2d(padding ...int) PadLayer[D2, zeros] { return padOf[D2, zeros](padding) }

// ZeroPad3d puts zeros around the last three dims: one size for all sides, or left, right, top, bottom, front, back.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad3d.html.
func ZeroPad3d(padding ...int) PadLayer[D3, zeros] { return padOf[D3, zeros](padding) }

// ReflectionPad1d mirrors (N, C, L) or (C, L), any dtype but bool, at its first and last element: padding as of [ZeroPad1d].
// L or more of it is an [ops.ShapeError], as is a result without elements.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad1d.html.
func ReflectionPad1d(padding ...int) PadLayer[D1, reflection] { return padOf[D1, reflection](padding) }

// ReflectionPad2d is [ReflectionPad1d] for images, padding as of [ZeroPad2d].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad2d.html.
func ReflectionPad2d(padding ...int) PadLayer[D2, reflection] { return padOf[D2, reflection](padding) }

// ReflectionPad3d is [ReflectionPad1d] for volumes, padding as of [ZeroPad3d].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad3d.html.
func ReflectionPad3d(padding ...int) PadLayer[D3, reflection] { return padOf[D3, reflection](padding) }

// ReplicationPad1d repeats the first and the last element of (N, C, L) or (C, L), any dtype but bool: padding as of
// [ZeroPad1d]. A result without elements is an [ops.ShapeError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad1d.html.
func ReplicationPad1d(padding ...int) PadLayer[D1, replication] {
	return padOf[D1, replication](padding)
}

// ReplicationPad2d is [ReplicationPad1d] for images, padding as of [ZeroPad2d].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad2d.html.
func ReplicationPad2d(padding ...int) PadLayer[D2, replication] {
	return padOf[D2, replication](padding)
}

// ReplicationPad3d is [ReplicationPad1d] for volumes, padding as of [ZeroPad3d].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad3d.html.
func ReplicationPad3d(padding ...int) PadLayer[D3, replication] {
	return padOf[D3, replication](padding)
}

// CircularPad1d continues (N, C, L) or (C, L), any dtype, with its other end: padding as of [ZeroPad1d]. More than L of it is
// an [ops.ShapeError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.CircularPad1d.html.
func CircularPad1d(padding ...int) PadLayer[D1, circular] { return padOf[D1, circular](padding) }

// CircularPad2d is [CircularPad1d] for images, padding as of [ZeroPad2d].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.CircularPad2d.html.
func CircularPad2d(padding ...int) PadLayer[D2, circular] { return padOf[D2, circular](padding) }

// CircularPad3d is [CircularPad1d] for volumes, padding as of [ZeroPad3d].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.CircularPad3d.html.
func CircularPad3d(padding ...int) PadLayer[D3, circular] { return padOf[D3, circular](padding) }

// ConstantPad1d puts a value around the last dim: as [ZeroPad1d].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad1d.html.
func ConstantPad1d(value float64, padding ...int) ConstantPadLayer[D1] {
	return ConstantPadLayer[D1]{Padding: spec.ExtentOf(padding...), Value: number(value)}
}

// ConstantPad2d puts a value around the last two dims: as [ZeroPad2d].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad2d.html.
func ConstantPad2d(value float64, padding ...int) ConstantPadLayer[D2] {
	return ConstantPadLayer[D2]{Padding: spec.ExtentOf(padding...), Value: number(value)}
}

// ConstantPad3d puts a value around the last three dims: as [ZeroPad3d].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad3d.html.
func ConstantPad3d(value float64, padding ...int) ConstantPadLayer[D3] {
	return ConstantPadLayer[D3]{Padding: spec.ExtentOf(padding...), Value: number(value)}
}

func padOf[R Rank, M padMode](padding []int) PadLayer[R, M] {
	return PadLayer[R, M]{Padding: spec.ExtentOf(padding...)}
}

func padded(x *gorgonia.Node, rank int, e spec.Extent, mode ops.PadMode, value float64) (*gorgonia.Node, error) {
	list, err := e.Over("padding", 2*rank)
	if err != nil {
		return nil, err
	}
	return ops.Pad(x, ops.PadSettings{Mode: mode, Padding: list, Value: value})
}

// Forward is [ops.Pad].
func (l PadLayer[R, M]) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	var m M
	return padded(x, spatial[R](), l.Padding, m.mode(), 0)
}

// Forward is [ops.Pad].
func (l ConstantPadLayer[R]) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return padded(x, spatial[R](), l.Padding, ops.PadConstant, float64(l.Value))
}

// Check wants one size, or one for each side.
func (l PadLayer[R, M]) Check() error { return checkSides(l.Padding, spatial[R]()) }

// Check wants one size, or one for each side.
func (l ConstantPadLayer[R]) Check() error { return checkSides(l.Padding, spatial[R]()) }

func checkSides(e spec.Extent, rank int) error {
	_, err := e.Over("padding", 2*rank)
	return err
}

func (l PadLayer[R, M]) String() string {
	return fmt.Sprintf("%s(%s)", className(l), sidesText(l.Padding, spatial[R]()))
}

func (l ConstantPadLayer[R]) String() string {
	return fmt.Sprintf("%s(padding=%s, value=%s)", className(l), sidesText(l.Padding, spatial[R]()), format.Value(l.Value.PythonRepr()))
}

// sidesText is the padding as PyTorch keeps it, a size for each side.
func sidesText(e spec.Extent, rank int) string {
	list, err := e.Over("padding", 2*rank)
	if err != nil {
		return format.Value(e.PythonRepr())
	}
	return format.Value(list)
}

// number is a float that is printed as the int that it is, as Python does with one that was given as an int.
type number float64

// PythonRepr is an int where there is nothing behind the point.
func (n number) PythonRepr() any {
	if n == number(int(n)) {
		return int(n)
	}
	return float64(n)
}

// MarshalJSON writes what PythonRepr says, and as strings what JSON lacks.
func (n number) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsInf(f, 0) || math.IsNaN(f) {
		return json.Marshal(format.Float(f))
	}
	return json.Marshal(n.PythonRepr())
}
