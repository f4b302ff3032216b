package random

import (
	"fmt"
	"math"
)

// Float is what the fills draw.
type Float interface{ float32 | float64 }

// Uniform fills dst with numbers from [from, to): torch.Tensor.uniform_.
func Uniform[T Float](g *Generator, dst []T, from, to float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch d := any(dst).(type) {
	case []float32:
		low, width := float32(from), float32(to)-float32(from)
		for i := range d {
			u := float32(g.word()&(1<<24-1)) * (1.0 / (1 << 24))
			d[i] = fma32(u, width, low)
		}
	case []float64:
		width := to - from
		for i := range d {
			u := float64(g.word64()&(1<<53-1)) * (1.0 / (1 << 53))
			d[i] = math.FMA(u, width, from)
		}
	}
}

// fma32 is x·y + z with one rounding. The product is exact in float64; rounding the sum to odd there makes the second
// rounding, to float32, the only one that counts.
func fma32(x, y, z float32) float32 {
	p, s := float64(x)*float64(y), float64(z)
	sum := p + s
	t := sum - p
	low := (p - (sum - t)) + (s - t)
	bits := math.Float64bits(sum)
	if low != 0 && bits&1 == 0 && !math.IsInf(sum, 0) && !math.IsNaN(sum) {
		if (low > 0) == (sum > 0) {
			bits++
		} else {
			bits--
		}
		sum = math.Float64frombits(bits)
	}
	return float32(sum)
}

// Randint fills dst with integers from [low, high): torch.randint.
func Randint(g *Generator, dst []int64, low, high int64) error {
	if low >= high {
		return fmt.Errorf("random: integers from %d to %d, want a lower bound below the upper", low, high)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	width := uint64(high) - uint64(low)
	for i := range dst {
		if width >= 1<<32 {
			dst[i] = int64(g.word64()%width + uint64(low))
		} else {
			dst[i] = int64(uint64(g.word())%width + uint64(low))
		}
	}
	return nil
}
