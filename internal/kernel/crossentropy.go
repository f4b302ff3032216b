package kernel

import "math"

// CrossEntropyArgs are the settings of a cross-entropy over rows×classes logits.
type CrossEntropyArgs[T Float] struct {
	Rows, Classes int
	Weight        []T   // one a class, or nil for 1
	IgnoreIndex   int64 // a row with this target has loss and gradient 0
	Smoothing     T     // label_smoothing, 0 to 1
}

// CrossEntropyIndices computes, for every row of logits with class index t, with p = softmax(row) and C classes,
//
//	loss = (1-smoothing) * weight[t] * -log p[t]  +  smoothing/C * sum over c of weight[c] * -log p[c]
//
// and, unless grad is nil, its gradient by the row's logits. Nothing is divided by the sum of weights: a mean is the
// caller's. grad may be logits. A class index out of range stops the work and its row is returned; otherwise -1.
func CrossEntropyIndices[T Float](loss, grad []T, logits []T, target []int64, args CrossEntropyArgs[T]) (badRow int) {
	checkCrossEntropy(loss, grad, logits, &args)
	need("target of CrossEntropyIndices", len(target), args.Rows)
	if parts := rowParts(args.Rows, args.Classes); parts > 1 {
		return parallelCrossEntropy(parts, loss, grad, logits, target, args)
	}
	return crossEntropyRows(loss, grad, logits, target, &args, 0, args.Rows)
}

func parallelCrossEntropy[T Float](parts int, loss, grad []T, logits []T, target []int64, args CrossEntropyArgs[T]) (badRow int) {
	w := borrow[T]()
	defer w.giveBack()
	if len(w.bad) < parts {
		w.bad = make([]int, parts)
	}
	bad := w.bad[:parts]
	for i := range bad {
		bad[i] = -1
	}
	inParts(&w.tasks.crossEntropy, crossEntropyTask[T]{loss, grad, logits, target, bad, args}, parts, args.Rows, 1)
	for _, r := range bad {
		if r >= 0 {
			return r
		}
	}
	return -1
}

type crossEntropyTask[T Float] struct {
	loss, grad, logits []T
	target             []int64
	bad                []int // by part
	args               CrossEntropyArgs[T]
}

func (t *crossEntropyTask[T]) run(part, from, to int) {
	t.bad[part] = crossEntropyRows(t.loss, t.grad, t.logits, t.target, &t.args, from, to)
}

func crossEntropyRows[T Float](loss, grad []T, logits []T, target []int64, args *CrossEntropyArgs[T], from, to int) (badRow int) {
	classes := args.Classes
	smooth := float64(args.Smoothing) / float64(classes)
	keep := 1 - float64(args.Smoothing)
	weights := 0.0
	if smooth != 0 {
		weights = args.weightSum()
	}
	w := borrow[T]()
	defer w.giveBack()
	most, sum, picked, weighted := &w.rowMost, &w.rowSum, &w.picked, &w.weighted
	for first := from; first < to; first += rowBlock {
		rows := min(rowBlock, to-first)
		block := logits[first*classes : (first+rows)*classes]
		for i := range rows { // what is needed of logits before grad overwrites them
			if t := target[first+i]; t >= 0 && t < int64(classes) {
				picked[i] = block[i*classes+int(t)]
			} else if t != args.IgnoreIndex {
				return first + i
			}
			if smooth != 0 {
				weighted[i] = args.weightedSum(block[i*classes : (i+1)*classes])
			}
		}
		if grad != nil {
			softmaxRows(grad[first*classes:(first+rows)*classes], block, classes, most[:rows], sum[:rows])
		} else {
			for i := range rows {
				most[i], sum[i] = expSum(block[i*classes : (i+1)*classes])
			}
		}
		for i := range rows {
			r, t := first+i, target[first+i]
			if t == args.IgnoreIndex {
				loss[r] = 0
				if grad != nil {
					clear(grad[r*classes : (r+1)*classes])
				}
				continue
			}
			pick := keep * args.weight(int(t))
			high, shift := float64(most[i]), math.Log(float64(sum[i]))
			value := pick * (shift - (float64(picked[i]) - high))
			if smooth != 0 {
				value += smooth * ((high+shift)*weights - weighted[i])
			}
			loss[r] = T(value)
			if grad == nil {
				continue
			}
			g := grad[r*classes : (r+1)*classes]
			if scale := T(pick + smooth*weights); scale != 1 {
				zipScalarSerial(Mul, g, g, scale)
			}
			if smooth != 0 {
				for c := range g {
					g[c] -= T(smooth * args.weight(c))
				}
			}
			g[t] -= T(pick)
		}
	}
	return -1
}

// CrossEntropyProbabilities computes, for every row of logits with a row of target probabilities q, with p = softmax(row),
// C classes and q' = (1-smoothing)*q + smoothing/C,
//
//	loss = sum over c of weight[c] * q'[c] * -log p[c]
//
// and, unless grad is nil, its gradient by the row's logits. grad may be logits.
func CrossEntropyProbabilities[T Float](loss, grad, logits, target []T, args CrossEntropyArgs[T]) {
	checkCrossEntropy(loss, grad, logits, &args)
	need("target of CrossEntropyProbabilities", len(target), args.Rows*args.Classes)
	if parts := rowParts(args.Rows, args.Classes); parts > 1 {
		w := borrow[T]()
		inParts(&w.tasks.probabilities, probabilitiesTask[T]{loss, grad, logits, target, args}, parts, args.Rows, 1)
		w.giveBack()
		return
	}
	crossEntropyOfProbabilities(loss, grad, logits, target, &args, 0, args.Rows)
}

type probabilitiesTask[T Float] struct {
	loss, grad, logits, target []T
	args                       CrossEntropyArgs[T]
}

func (t *probabilitiesTask[T]) run(_, from, to int) {
	crossEntropyOfProbabilities(t.loss, t.grad, t.logits, t.target, &t.args, from, to)
}

func crossEntropyOfProbabilities[T Float](loss, grad, logits, target []T, args *CrossEntropyArgs[T], from, to int) {
	classes := args.Classes
	smooth := float64(args.Smoothing) / float64(classes)
	keep := 1 - float64(args.Smoothing)
	for r := from; r < to; r++ {
		row := logits[r*classes : (r+1)*classes]
		q := target[r*classes : (r+1)*classes]
		most, sum := expSum(row)
		shift := math.Log(float64(sum))
		value, total := 0.0, 0.0
		for c, x := range row {
			wq := args.weight(c) * (keep*float64(q[c]) + smooth)
			value -= wq * (float64(x-most) - shift)
			total += wq
		}
		loss[r] = T(value)
		if grad == nil {
			continue
		}
		g := grad[r*classes : (r+1)*classes]
		expRow(g, row)
		scale := total / float64(sum)
		for c, e := range g {
			g[c] = T(float64(e)*scale - args.weight(c)*(keep*float64(q[c])+smooth))
		}
	}
}

func (args *CrossEntropyArgs[T]) weight(c int) float64 {
	if args.Weight == nil {
		return 1
	}
	return float64(args.Weight[c])
}

// weightedSum is the sum of weight[c]*row[c].
func (args *CrossEntropyArgs[T]) weightedSum(row []T) float64 {
	s := 0.0
	for c, x := range row {
		s += args.weight(c) * float64(x)
	}
	return s
}

func (args *CrossEntropyArgs[T]) weightSum() float64 {
	if args.Weight == nil {
		return float64(args.Classes)
	}
	return sumGo(args.Weight[:args.Classes])
}

func checkCrossEntropy[T Float](loss, grad, logits []T, args *CrossEntropyArgs[T]) {
	total := args.Rows * args.Classes
	need("loss of a cross-entropy", len(loss), args.Rows)
	need("logits of a cross-entropy", len(logits), total)
	if grad != nil {
		need("grad of a cross-entropy", len(grad), total)
	}
	if args.Weight != nil {
		need("weight of a cross-entropy", len(args.Weight), args.Classes)
	}
}
