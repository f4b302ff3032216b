package ops

import "sync"

// memo keeps what operations found for their settings and sizes, so that a run in steady state finds nothing anew. What it holds is
// shared, and read only.
type memo[K comparable, V any] struct {
	mu sync.Mutex
	of map[K]V
}

// mostKept bounds a memo: when it is full it begins anew.
const mostKept = 256

func (m *memo[K, V]) find(key K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.of[key]
	return v, ok
}

func (m *memo[K, V]) keep(key K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil || len(m.of) == mostKept {
		m.of = map[K]V{}
	}
	m.of[key] = v
}

// spaceOf is a shape's last dims, as a key.
func spaceOf(shape []int) (s Spatial) {
	copy(s[:], shape)
	return s
}
