package graph

import (
	"sync"
	"sync/atomic"

	"github.com/seed-70b75153/aegis/ops"
)

// Twin is an array that lies on the host and, once a device computes with it, there too. Writes are counted, so that it
// is copied from one to the other only when the other's copy is older.
type Twin struct {
	mu     sync.Mutex
	host   ops.Array
	writes atomic.Uint64 // so far
	onHost uint64        // as many as the host's copy holds
	device deviceCopy
}

// NewTwin is a zeroed array on the host.
func NewTwin(o ops.Operand) *Twin { return &Twin{host: ops.NewArray(o)} }

// Host is the host's copy, brought up to date. Who writes to it calls [Twin.Wrote] afterwards.
func (t *Twin) Host() (*ops.Array, error) {
	t.mu.Lock()
	old := t.onHost != t.writes.Load()
	t.mu.Unlock()
	if old {
		return &t.host, t.pull()
	}
	return &t.host, nil
}

// Wrote says that the host's copy, which was up to date, was written.
func (t *Twin) Wrote() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.onHost = t.writes.Add(1)
	t.device.old()
}

// Writes is how often the array was written, on either side.
func (t *Twin) Writes() uint64 { return t.writes.Load() }

// leave brings the array back to the host, and gives up the device's copy.
func (t *Twin) leave() error {
	if _, err := t.Host(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.device.drop()
	return nil
}
