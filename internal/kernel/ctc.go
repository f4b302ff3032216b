package kernel

import "math"

// CTCArgs are the settings of a connectionist temporal classification loss over log-probabilities (Steps, Batch, Classes).
type CTCArgs struct {
	Steps, Batch, Classes int
	Blank                 int64
	Stride                int     // from one sample's targets to the next one's; 0 where they follow each other without padding
	InputLengths          []int64 // of each sample: steps and targets that count
	TargetLengths         []int64
	ZeroInfinity          bool // what can't be aligned has loss and gradient 0
}

// CTC computes, for every sample, the negative log likelihood of its targets l_1 … l_L given log-probabilities p of its T
// steps. With the labels l' = (blank, l_1, blank, …, l_L, blank), and log-sums,
//
//	alpha[t][s] = p[t][l'_s] + log Σ exp(alpha[t-1][s], alpha[t-1][s-1], and alpha[t-1][s-2] where l'_s ≠ l'_(s-2))
//	loss = -log Σ exp(alpha[T-1][2L], alpha[T-1][2L-1])
//
// and the gradient by scores below a log-softmax that gave p, from beta, which is alpha from the other end:
//
//	gradient[t][c] = exp(p[t][c]) - exp(loss - p[t][c] + log Σ_(l'_s = c) exp(alpha[t][s] + beta[t][s]))
//
// Steps behind a sample's last have gradient 0. Lengths and targets must be in range. Sums are rounded to T where PyTorch does
// that: over a few dozen steps of float32 the fourth digit of the gradient depends on it.
func CTC[T Float](loss, gradient, logProbs []T, targets []int64, args CTCArgs) {
	need("loss of CTC", len(loss), args.Batch)
	need("gradient of CTC", len(gradient), args.Steps*args.Batch*args.Classes)
	need("log-probabilities of CTC", len(logProbs), args.Steps*args.Batch*args.Classes)
	clear(gradient)
	cells := 0 // of alpha and beta
	for i, n := range args.InputLengths {
		cells += 2 * int(n) * (2*int(args.TargetLengths[i]) + 1)
	}
	parallel(min(args.Batch, partsOf(cells, grainSlow)), args.Batch, 1, func(from, to int) {
		w := borrow[T]()
		defer w.giveBack()
		for b := from; b < to; b++ {
			s := ctcSample[T]{args: &args, sample: b, logProbs: logProbs, gradient: gradient}
			s.labels = targets[args.start(b):][:args.TargetLengths[b]]
			s.steps, s.states = int(args.InputLengths[b]), 2*len(s.labels)+1
			loss[b] = s.run(&w.a)
		}
	})
}

// start is where a sample's targets begin.
func (args *CTCArgs) start(sample int) int {
	if args.Stride > 0 {
		return sample * args.Stride
	}
	at := 0
	for _, n := range args.TargetLengths[:sample] {
		at += int(n)
	}
	return at
}

// ctcSample is one sample of a batch.
type ctcSample[T Float] struct {
	args               *CTCArgs
	sample             int
	labels             []int64
	steps, states      int
	logProbs, gradient []T
}

// at is where a step's classes begin.
func (s *ctcSample[T]) at(step int) int { return (step*s.args.Batch + s.sample) * s.args.Classes }

// label is l'_state.
func (s *ctcSample[T]) label(state int) int64 {
	if state%2 == 0 {
		return s.args.Blank
	}
	return s.labels[state/2]
}

// logSum is the logarithm of a sum of exponentials.
func logSum[T Float](a, b, c T) T {
	m := max(a, b, c)
	if math.IsInf(float64(m), -1) {
		return m
	}
	return m + logOf(shareOf(a, m)+shareOf(b, m)+shareOf(c, m))
}

// shareOf is exp(x - m), without a call for the largest and for nothing.
func shareOf[T Float](x, m T) T {
	switch {
	case x == m:
		return 1
	case x < -math.MaxFloat32 && math.IsInf(float64(x), -1):
		return 0
	}
	return expOf(x - m)
}

func expOf[T Float](x T) T { return T(math.Exp(float64(x))) }

func logOf[T Float](x T) T { return T(math.Log(float64(x))) }

// run gives the loss and writes the gradient; buffer is memory for alpha and two rows of beta.
func (s *ctcSample[T]) run(buffer *[]T) T {
	n := s.states
	if need := (s.steps + 2) * n; len(*buffer) < need {
		*buffer = make([]T, need)
	}
	alpha, beta := (*buffer)[:s.steps*n], (*buffer)[s.steps*n:]
	loss := s.forward(alpha)
	if math.IsInf(float64(loss), 1) && s.args.ZeroInfinity {
		return 0
	}
	s.backward(alpha, beta[:n], beta[n:2*n], loss)
	return loss
}

// forward fills alpha and gives the loss.
func (s *ctcSample[T]) forward(alpha []T) T {
	n, nothing := s.states, T(math.Inf(-1))
	for t := range s.steps {
		p, row := s.logProbs[s.at(t):], alpha[t*n:][:n]
		for i := range row {
			var sum T
			switch {
			case t > 0:
				before := alpha[(t-1)*n:][:n]
				one, two := nothing, nothing
				if i > 0 {
					one = before[i-1]
				}
				if i > 1 && s.label(i) != s.label(i-2) {
					two = before[i-2]
				}
				sum = logSum(before[i], one, two)
			case i > 1:
				sum = nothing
			}
			row[i] = sum + p[s.label(i)]
		}
	}
	switch {
	case s.steps == 0 && n == 1:
		return 0
	case s.steps == 0:
		return -nothing
	case n == 1:
		return -alpha[len(alpha)-1]
	}
	return -logSum(alpha[len(alpha)-1], alpha[len(alpha)-2], nothing)
}

// backward computes the gradient, in row and next those of beta.
func (s *ctcSample[T]) backward(alpha, row, next []T, loss T) {
	n, nothing := s.states, T(math.Inf(-1))
	for t := s.steps - 1; t >= 0; t-- {
		p, sums := s.logProbs[s.at(t):][:s.args.Classes], s.gradient[s.at(t):][:s.args.Classes]
		row, next = next, row
		for c := range sums {
			sums[c] = nothing
		}
		for i := n - 1; i >= 0; i-- {
			label := s.label(i)
			var sum T
			switch {
			case t < s.steps-1:
				one, two := nothing, nothing
				if i < n-1 {
					one = next[i+1]
				}
				if i < n-2 && label != s.label(i+2) {
					two = next[i+2]
				}
				sum = logSum(next[i], one, two)
			case i < n-2:
				sum = nothing
			}
			row[i] = sum + p[label]
			sums[label] = logSum(sums[label], alpha[t*n+i]+row[i], nothing)
		}
		for c, v := range p {
			sums[c] = expOf(v) - expOf(sums[c]+loss-v)
		}
	}
}
