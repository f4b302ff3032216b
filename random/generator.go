// Package random draws PyTorch's random numbers bit for bit: the same seed gives the same weights, the same shuffles.
package random

import "sync"

const (
	stateSize = 624
	shift     = 397
)

// Generator is PyTorch's CPU generator: a Mersenne Twister, MT19937, seeded with the low 32 bits of the seed. It is safe
// for concurrent use, although only one goroutine's draws in a row have an order to repeat.
type Generator struct {
	mu    sync.Mutex
	seed  uint64
	state [stateSize]uint32
	next  int
	drawn bool // since it was seeded

	nextNormal float64
	hasNormal  bool
}

// New makes a generator with a seed.
func New(seed uint64) *Generator {
	g := &Generator{}
	g.Seed(seed)
	return g
}

var defaultGenerator = New(67280421310721) // PyTorch's default seed

// Default is the generator that models and loaders draw from unless given one.
func Default() *Generator { return defaultGenerator }

// Seed seeds the default generator: torch.manual_seed.
func Seed(seed uint64) { defaultGenerator.Seed(seed) }

// Seed starts the sequence of a seed.
func (g *Generator) Seed(seed uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seed = seed
	g.state[0] = uint32(seed)
	for i := 1; i < stateSize; i++ {
		g.state[i] = 1812433253*(g.state[i-1]^g.state[i-1]>>30) + uint32(i)
	}
	g.next = stateSize
	g.drawn, g.hasNormal = false, false
}

// InitialSeed is the seed given last.
func (g *Generator) InitialSeed() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.seed
}

// Uint32 is the next word.
func (g *Generator) Uint32() uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.word()
}

// Uint64 is the next two words, the first being the upper half.
func (g *Generator) Uint64() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.word64()
}

func (g *Generator) word64() uint64 {
	high := uint64(g.word())
	return high<<32 | uint64(g.word())
}

func (g *Generator) word() uint32 {
	if g.next == stateSize {
		g.refill()
	}
	y := g.state[g.next]
	g.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (g *Generator) refill() {
	for i := range g.state {
		y := g.state[i]&0x80000000 | g.state[(i+1)%stateSize]&0x7fffffff
		v := g.state[(i+shift)%stateSize] ^ y>>1
		if y&1 != 0 {
			v ^= 0x9908b0df
		}
		g.state[i] = v
	}
	g.next, g.drawn = 0, true
}
