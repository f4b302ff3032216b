package layers

import (
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

// settings collects the first error while arguments of one value, or one for each spatial dim, are spread over the dims.
type settings struct {
	rank int
	err  error
}

// spatial spreads an argument; one that is None gives the value of another.
func (s *settings) spatial(name string, e spec.Extent, otherwise ops.Spatial) ops.Spatial {
	if !e.Set() || s.err != nil {
		return otherwise
	}
	list, err := e.Spread(name, s.rank)
	if err != nil {
		s.err = err
		return otherwise
	}
	out := otherwise
	copy(out[3-s.rank:], list)
	return out
}
