package random

import "math"

// vectorSize is from how many numbers on PyTorch fills in blocks.
const vectorSize = 16

// Normal fills dst from a normal distribution: torch.Tensor.normal_.
func Normal[T Float](g *Generator, dst []T, mean, std float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(dst) < vectorSize {
		for i := range dst {
			dst[i] = T(float64(g.normal()*std) + mean)
		}
		return
	}
	uniform := uniformOf[T](g)
	for i := range dst {
		dst[i] = uniform()
	}
	i := 0
	for ; i+vectorSize <= len(dst); i += vectorSize {
		transform(dst[i:i+vectorSize], mean, std)
	}
	if i < len(dst) { // the last block is drawn anew, over the end of the one before
		last := dst[len(dst)-vectorSize:]
		for j := range last {
			last[j] = uniform()
		}
		transform(last, mean, std)
	}
}

// transform turns sixteen uniform numbers into normal ones by the dtype's arithmetic.
func transform[T Float](u []T, mean, std float64) {
	switch u := any(u).(type) {
	case []float32:
		boxMullerVector(u, float32(mean), float32(std))
	case []float64:
		boxMuller(u, mean, std)
	}
}

// uniformOf gives what draws from [0, 1) with the digits of the dtype.
func uniformOf[T Float](g *Generator) func() T {
	if _, single := any(*new(T)).(float32); single {
		return func() T { return T(float32(g.word()&(1<<24-1)) * (1.0 / (1 << 24))) }
	}
	return func() T { return T(float64(g.word64()&(1<<53-1)) * (1.0 / (1 << 53))) }
}

// boxMuller turns sixteen uniform numbers into normal ones, the first eight giving the radius, the others the angle.
func boxMuller(u []float64, mean, std float64) {
	for j := range vectorSize / 2 {
		radius := math.Sqrt(-2 * log(1-u[j]))
		sin, cos := sincos(float64(2 * math.Pi * u[j+8]))
		u[j] = float64(radius*cos*std) + mean
		u[j+8] = float64(radius*sin*std) + mean
	}
}

// normal is one number of the standard normal distribution; they come in pairs, and the second waits for its turn.
func (g *Generator) normal() float64 {
	if g.hasNormal {
		g.hasNormal = false
		return g.nextNormal
	}
	u1 := float64(g.word64()&(1<<53-1)) * (1.0 / (1 << 53))
	u2 := float64(g.word64()&(1<<53-1)) * (1.0 / (1 << 53))
	radius := math.Sqrt(-2 * log1p(-u2))
	sin, cos := sincos(float64(2 * math.Pi * u1))
	g.nextNormal, g.hasNormal = float64(radius*sin), true
	return float64(radius * cos)
}
