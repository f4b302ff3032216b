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
			dst[i] = T(g.normal()*std + mean)
		}
		return
	}
	uniform := uniformOf[T](g)
	for i := range dst {
		dst[i] = uniform()
	}
	i := 0
	for ; i+vectorSize <= len(dst); i += vectorSize {
		boxMuller(dst[i:i+vectorSize], T(mean), T(std))
	}
	if i < len(dst) { // the last block is drawn anew, over the end of the one before
		last := dst[len(dst)-vectorSize:]
		for j := range last {
			last[j] = uniform()
		}
		boxMuller(last, T(mean), T(std))
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
func boxMuller[T Float](u []T, mean, std T) {
	for j := range vectorSize / 2 {
		radius := T(math.Sqrt(float64(T(-2 * T(math.Log(float64(1-u[j])))))))
		angle := T(2*math.Pi) * u[j+8]
		u[j] = T(radius*T(math.Cos(float64(angle)))*std) + mean
		u[j+8] = T(radius*T(math.Sin(float64(angle)))*std) + mean
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
	radius, angle := math.Sqrt(-2*math.Log1p(-u2)), 2*math.Pi*u1
	g.nextNormal, g.hasNormal = radius*math.Sin(angle), true
	return radius * math.Cos(angle)
}
