//go:build gpu

package cuda

// Room hands out memory for values of one size: of small ones many pieces of one allocation, which is given back once nobody
// holds any of them.
type Room struct {
	memory *Memory
	used   int
}

// roomBytes is from how many bytes on a piece is an allocation of its own.
const roomBytes = 1 << 16

// Next is memory for so many bytes.
func (r *Room) Next(g *GPU, bytes int) (*Place, error) {
	each := roundUp(max(bytes, 1), alignment)
	if separate || each >= roomBytes {
		m, err := g.Allocate(bytes)
		if err != nil {
			return nil, err
		}
		return m.Start(), nil
	}
	if r.memory == nil || r.used+each > r.memory.bytes {
		var err error
		if r.memory, err = g.Allocate(roomBytes); err != nil {
			return nil, err
		}
		r.used = 0
	}
	r.used += each
	return r.memory.At(r.used - each), nil
}
