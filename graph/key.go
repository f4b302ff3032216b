package graph

import (
	"hash/maphash"
	"sync"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
)

// request is one wish: an expression, whether its gradients are wanted, and a given gradient. Its nodes are the
// expressions below it in topological order.
type request struct {
	root     *Expr
	backward bool
	gradient *Expr

	into  ops.Array // where the caller wants the root's value, see Call.Into
	nodes []*Expr
	index map[*Expr]int // nil while the nodes are few
	hash  uint64
}

var requests = sync.Pool{New: func() any { return new(request) }}

// few is up to how many nodes a linear search beats a map.
const few = 24

func newRequest(root, gradient *Expr, backward bool) *request {
	r := requests.Get().(*request)
	r.root, r.gradient, r.backward = root, gradient, backward
	r.visit(root)
	r.hash = r.sum()
	return r
}

func (r *request) release() {
	clear(r.nodes)
	*r = request{nodes: r.nodes[:0]}
	requests.Put(r)
}

// at is a node's place, or -1.
func (r *request) at(e *Expr) int {
	if r.index != nil {
		if i, ok := r.index[e]; ok {
			return i
		}
		return -1
	}
	for i, n := range r.nodes {
		if n == e {
			return i
		}
	}
	return -1
}

func (r *request) add(e *Expr) {
	if len(r.nodes) == few && r.index == nil {
		r.index = make(map[*Expr]int, 4*few)
		for i, n := range r.nodes {
			r.index[n] = i
		}
	}
	if r.index != nil {
		r.index[e] = len(r.nodes)
	}
	r.nodes = append(r.nodes, e)
}

// inputsOf are what a node needs computed first. Where no gradient is wanted a value that is known already is an input.
func (r *request) inputsOf(e *Expr) []*Expr {
	if r.known(e) {
		return nil
	}
	return e.inputs
}

// known says whether a node's value need not be computed.
func (r *request) known(e *Expr) bool {
	return e.isInput() || e.done && (!r.backward || e.noGrad)
}

// visit adds what e needs, then e. It keeps a stack of its own, since an expression may be a chain of many thousands.
func (r *request) visit(root *Expr) {
	type frame struct {
		e    *Expr
		next int
	}
	var small [few]frame
	stack := append(small[:0], frame{e: root})
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		in := r.inputsOf(top.e)
		if top.next < len(in) {
			child := in[top.next]
			top.next++
			if r.at(child) < 0 {
				stack = append(stack, frame{e: child})
			}
			continue
		}
		if r.at(top.e) < 0 {
			r.add(top.e)
		}
		stack = stack[:len(stack)-1]
	}
}

var hashSeed = maphash.MakeSeed()

// sum hashes what signature compares.
func (r *request) sum() uint64 {
	h := uint64(14695981039346656037)
	mix := func(v uint64) { h = (h ^ v) * 1099511628211 }
	mix(boolBit(r.backward, 1) | boolBit(r.gradient != nil, 2))
	for _, e := range r.nodes {
		mix(flags(e, r))
		if r.known(e) {
			for _, d := range e.result().Shape {
				mix(uint64(d))
			}
			continue
		}
		mix(maphash.Comparable(hashSeed, e.function))
		for _, in := range e.inputs {
			mix(uint64(r.at(in)))
		}
	}
	return h
}

func boolBit(b bool, bit uint64) uint64 {
	if b {
		return bit
	}
	return 0
}

// flags are what else tells a node's program from another's.
func flags(e *Expr, r *request) uint64 {
	f := boolBit(e.training, 1) | boolBit(e.noGrad, 2) | boolBit(r.known(e), 4) | boolBit(e.gradient != nil, 8)
	f |= boolBit(e.tracked && r.known(e), 16) | boolBit(e.committed && !r.known(e), 32) | boolBit(e.several, 64)
	if r.known(e) {
		f |= dtypeCode(e.result().DType) << 8
	}
	return f
}

func dtypeCode(t tensor.Dtype) uint64 {
	switch t {
	case tensor.Float32:
		return 1
	case tensor.Float64:
		return 2
	case tensor.Int64:
		return 3
	}
	return 4
}

// signature is what a program was compiled for.
type signature struct {
	backward bool
	gradient signatureNode // of a given gradient, its shape and dtype
	nodes    []signatureNode
}

type signatureNode struct {
	device   Device
	flags    uint64
	function Function
	revision uint64
	param    *Param
	inputs   []int
	shape    []int
}

func (r *request) signature() signature {
	s := signature{backward: r.backward}
	if g := r.gradient; g != nil {
		s.gradient = signatureNode{flags: dtypeCode(g.result().DType), shape: append([]int{}, g.result().Shape...)}
	}
	for _, e := range r.nodes {
		n := signatureNode{flags: flags(e, r)}
		if r.known(e) {
			n.device = e.device
			n.shape = append([]int{}, e.result().Shape...)
			if n.param = e.param; n.param != nil {
				n.revision = n.param.storage.Revision()
			}
		} else {
			n.function, n.revision = e.function, revision(e.function)
			for _, in := range e.inputs {
				n.inputs = append(n.inputs, r.at(in))
			}
		}
		s.nodes = append(s.nodes, n)
	}
	return s
}

func revision(f Function) uint64 {
	if p, ok := f.(Parametric); ok {
		return p.Revision()
	}
	return 0
}

// matches says whether a program compiled for s serves the request.
func (s *signature) matches(r *request) bool {
	if s.backward != r.backward || len(s.nodes) != len(r.nodes) || !s.gradient.fits(r.gradient) {
		return false
	}
	for i := range s.nodes {
		n, e := &s.nodes[i], r.nodes[i]
		if n.flags != flags(e, r) {
			return false
		}
		if r.known(e) {
			if n.param != e.param || n.device != e.device || !equal(n.shape, e.result().Shape) {
				return false
			}
			if e.param != nil && n.revision != e.param.storage.Revision() {
				return false
			}
			continue
		}
		if n.function != e.function || n.revision != revision(e.function) || len(n.inputs) != len(e.inputs) {
			return false
		}
		for j, in := range e.inputs {
			if n.inputs[j] != r.at(in) {
				return false
			}
		}
	}
	return true
}

// fits compares a given gradient with the one that was compiled for.
func (n *signatureNode) fits(g *Expr) bool {
	if g == nil {
		return n.flags == 0
	}
	return n.flags == dtypeCode(g.result().DType) && equal(n.shape, g.result().Shape)
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
