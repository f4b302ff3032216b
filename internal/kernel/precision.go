package kernel

import "sync/atomic"

// Precision is how exactly float32 matrix products are computed, in PyTorch's words.
type Precision uint8

// The precisions. What a processor has no faster kernel for is computed as Highest.
const (
	Highest Precision = iota // float32
	High                     // the sum of two bfloat16 a number: 16 bits
	Medium                   // bfloat16: 8 bits
)

var precision atomic.Uint32

// SetPrecision sets the precision of products that begin later; one that is unknown is Highest.
func SetPrecision(p Precision) {
	if p > Medium {
		p = Highest
	}
	precision.Store(uint32(p))
}

// MatmulPrecision is the precision set.
func MatmulPrecision() Precision { return Precision(precision.Load()) }

var precisionNames = [...]string{"highest", "high", "medium"}

// String is PyTorch's name.
func (p Precision) String() string { return precisionNames[p] }

// parts is how many bfloat16 stand for a number.
func (p Precision) parts() int { return 3 - int(p) }
