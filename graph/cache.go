package graph

import (
	"runtime"
	"sync"
)

// maxPrograms bounds the programs that one cache keeps: beyond it the one not used for longest goes.
const maxPrograms = 64

// Cache keeps compiled programs by what they were compiled for. It is safe for concurrent use: several goroutines with the
// same expression get a program each.
type Cache struct {
	mu      sync.Mutex
	entries map[uint64][]*entry
	count   int
	clock   uint64
}

type entry struct {
	signature signature
	hash      uint64
	idle      []executable
	used      uint64
}

// unowned serves expressions without a model.
var unowned Cache

// cacheOf is the cache of the first function that has one.
func cacheOf(r *request) *Cache {
	for _, e := range r.nodes {
		if p, ok := e.function.(Parametric); ok && !r.known(e) {
			return p.Programs()
		}
	}
	return &unowned
}

// acquire takes an idle program, or compiles one.
func (c *Cache) acquire(r *request) (*entry, executable, error) {
	c.mu.Lock()
	e := c.find(r)
	if e != nil && len(e.idle) > 0 {
		p := e.idle[len(e.idle)-1]
		e.idle = e.idle[:len(e.idle)-1]
		c.mu.Unlock()
		return e, p, nil
	}
	c.mu.Unlock()
	p, err := compile(r)
	if err != nil {
		return nil, nil, err
	}
	if e == nil {
		c.mu.Lock()
		if e = c.find(r); e == nil {
			e = c.insert(r)
		}
		c.mu.Unlock()
	}
	return e, p, nil
}

func (c *Cache) find(r *request) *entry {
	for _, e := range c.entries[r.hash] {
		if e.signature.matches(r) {
			c.clock++
			e.used = c.clock
			return e
		}
	}
	return nil
}

func (c *Cache) insert(r *request) *entry {
	if c.entries == nil {
		c.entries = map[uint64][]*entry{}
	}
	if c.count == maxPrograms {
		c.evict()
	}
	c.clock++
	e := &entry{signature: r.signature(), hash: r.hash, used: c.clock}
	c.entries[r.hash] = append(c.entries[r.hash], e)
	c.count++
	return e
}

func (c *Cache) evict() {
	var oldest *entry
	for _, bucket := range c.entries {
		for _, e := range bucket {
			if oldest == nil || e.used < oldest.used {
				oldest = e
			}
		}
	}
	bucket := c.entries[oldest.hash]
	for i, e := range bucket {
		if e == oldest {
			bucket = append(bucket[:i:i], bucket[i+1:]...)
			break
		}
	}
	if c.entries[oldest.hash] = bucket; len(bucket) == 0 {
		delete(c.entries, oldest.hash)
	}
	c.count--
}

// release gives a program back.
func (c *Cache) release(e *entry, p executable) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(e.idle) < runtime.GOMAXPROCS(0) {
		e.idle = append(e.idle, p)
	}
}

// Len is the number of different programs kept.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// Forget drops all programs: the next use of each compiles anew.
func Forget(c *Cache) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries, c.count = nil, 0
}
