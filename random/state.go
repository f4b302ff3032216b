package random

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Where PyTorch's get_rng_state has what.
const (
	stateBytes  = 5056
	leftAt      = 8
	seededAt    = 12
	nextAt      = 16
	wordsAt     = 24
	normalAt    = wordsAt + 8*stateSize + 8 // after normal_x; the number that waits
	hasNormalAt = normalAt + 16
)

// State is where the generator stands, in the bytes of PyTorch's torch.get_rng_state: either can go on from the other's.
func (g *Generator) State() []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, le := make([]byte, stateBytes), binary.LittleEndian
	le.PutUint64(b, g.seed)
	left, next := stateSize-g.next+1, g.next
	if !g.drawn { // the words are the seed's own still, and all used up
		left, next = 1, 0
	}
	le.PutUint32(b[leftAt:], uint32(left))
	le.PutUint32(b[seededAt:], 1)
	le.PutUint64(b[nextAt:], uint64(next))
	for i, word := range g.state {
		le.PutUint64(b[wordsAt+8*i:], uint64(word))
	}
	if g.hasNormal {
		le.PutUint64(b[normalAt:], math.Float64bits(g.nextNormal))
		le.PutUint32(b[hasNormalAt:], 1)
	}
	return b
}

// SetState has the generator go on from a state of its own or of PyTorch's: torch.set_rng_state. Other bytes are an error, and
// nothing is changed.
func (g *Generator) SetState(b []byte) error {
	le := binary.LittleEndian
	if len(b) != stateBytes {
		return fmt.Errorf("random: state of %d bytes, want %d", len(b), stateBytes)
	}
	left, next := le.Uint32(b[leftAt:]), le.Uint64(b[nextAt:])
	fresh := left == 1 && next == 0
	if !fresh && (next < 1 || next > stateSize || uint64(left) != stateSize+1-next) || le.Uint32(b[seededAt:]) != 1 {
		return fmt.Errorf("random: state with %d words left after %d, want %d in all", left, next, stateSize)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seed, g.drawn, g.next = le.Uint64(b), !fresh, int(next)
	if fresh {
		g.next = stateSize
	}
	for i := range g.state {
		g.state[i] = uint32(le.Uint64(b[wordsAt+8*i:]))
	}
	g.hasNormal = le.Uint32(b[hasNormalAt:]) != 0
	g.nextNormal = math.Float64frombits(le.Uint64(b[normalAt:]))
	return nil
}
