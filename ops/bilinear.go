package ops

import "gorgonia.org/gorgonia"

// Bilinear is y = x1ᵀ·A·x2 + bias for each A of weight (out, in1, in2): x1 (*, in1), x2 (*, in2), bias (out) or nil, y
// (*, out). See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.bilinear.html.
//
// It is a linear product of x2, all A being one matrix, then one with x1.
func Bilinear(x1, x2, weight, bias *gorgonia.Node) (*gorgonia.Node, error) {
	first, second, w := operandOf(x1), operandOf(x2), operandOf(weight)
	if len(w.Shape) != 3 {
		return nil, &ShapeError{What: "weight", Got: shapeOf(w), Want: []int{-1, -1, -1}}
	}
	want := shapeOf(first)
	if len(want) == 0 || want[len(want)-1] != w.Shape[1] {
		return nil, &ShapeError{What: "input1", Got: want, Want: []int{-1, w.Shape[1]}}
	}
	want[len(want)-1] = w.Shape[2]
	if err := wantLike("input2", second, Operand{Shape: want, DType: first.DType}); err != nil {
		return nil, err
	}
	out, in1 := w.Shape[0], w.Shape[1]
	rows := size(want[:len(want)-1])
	matrix, err := Reshape(weight, out*in1, w.Shape[2])
	if err != nil {
		return nil, err
	}
	y, err := Linear(x2, matrix, nil)
	if err != nil {
		return nil, err
	}
	if y, err = Reshape(y, rows, out, in1); err != nil {
		return nil, err
	}
	x, err := Reshape(x1, rows, 1, in1)
	if err != nil {
		return nil, err
	}
	if y, err = Mul(y, x); err != nil {
		return nil, err
	}
	if y, err = SumDim(y, 2, false); err != nil {
		return nil, err
	}
	if bias != nil {
		if y, err = Add(y, bias); err != nil {
			return nil, err
		}
	}
	return Reshape(y, append(want[:len(want)-1:len(want)-1], out)...)
}
