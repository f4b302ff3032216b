//go:build gpu

package cuda

// #include "core.h"
import "C"

import (
	"cmp"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gorgonia.org/cu"
)

const alignment = 256

// A test makes them smaller.
var (
	// chunkBytes is what the driver is asked for at least.
	chunkBytes = 64 << 20
	// pressure is how much memory is handed out before the collector is asked what of it nobody holds any more: of values and
	// inputs of steps long past it sees only a few bytes on the host.
	pressure = 256 << 20
	// pressurePart is which part of the GPU's memory that is at least: the collector takes as long as many steps do on the host.
	pressurePart = 16
	// waitingPart is which part of that is enough where the host is about to wait for the GPU.
	waitingPart = 4
)

// arena cuts large pieces of device memory, chunks, into what is asked for.
type arena struct {
	like   map[int][]extent // given back, by their bytes: what is asked for next is most often of a size that was there
	free   []extent         // by address
	handed int              // bytes, since the collector last began to run
	asked  atomic.Bool      // the collector is at work
	mu     sync.Mutex
	back   []extent // given back by the collector, not yet kept
	graves []grave
}

// extent is a stretch of one chunk.
type extent struct {
	address uint64
	bytes   int
	chunk   chunk
}

// chunk is memory that the driver gave.
type chunk struct {
	address uint64
	bytes   int
}

// grave is what a plan leaves that is the GPU's to drop.
type grave struct {
	layouts  []uint64
	watches  []int
	products []*C.aegis_lt
}

// Separate says that each array has memory of its own.
func Separate() bool { return separate }

// separate has each piece allocated by the driver itself, so that checkers of memory see its bounds.
var separate = os.Getenv("AEGIS_CUDA_ARENA") == "off"

// Allocate gives memory, whose content is undefined. Where none is free, what the collector finds unused is taken back first,
// and chunks that are wholly free are given to the driver, which may join them.
func (g *GPU) Allocate(bytes int) (*Memory, error) {
	if g.lost != nil {
		return nil, g.lost
	}
	g.arena.handed += bytes
	g.arena.ask(g.pressure())
	for attempt := range 4 {
		if attempt > 0 {
			reclaim(time.Duration(attempt) * time.Millisecond)
			if err := g.trim(); err != nil {
				return nil, err
			}
		}
		e, err := g.take(max(bytes, 1))
		if err == nil {
			m := &Memory{address: e.address, bytes: bytes}
			m.start = Place{address: e.address, memory: m}
			g.traffic.Bytes += e.bytes
			runtime.AddCleanup(m, g.arena.giveBack, e)
			return m, nil
		}
		if !isOutOfMemory(err) {
			return nil, err
		}
	}
	return nil, &OutOfMemoryError{Device: g.number, Bytes: bytes}
}

// pressure is how much memory is handed out before the collector is asked.
func (g *GPU) pressure() int { return max(pressure, g.bytes/pressurePart, g.traffic.Bytes/2) }

// ask has the collector run beside us once much memory was handed out, and waits for it where it doesn't keep up.
func (a *arena) ask(much int) {
	if a.handed > 2*much {
		a.handed = 0
		runtime.GC()
	}
	a.askBeside(much)
}

// askBeside has it run beside us, unless it does, and waits for nothing.
func (a *arena) askBeside(much int) {
	if a.handed > much && a.asked.CompareAndSwap(false, true) {
		a.handed = 0
		go func() {
			runtime.GC()
			a.asked.Store(false)
		}()
	}
}

func (a *arena) giveBack(e extent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.back = append(a.back, e)
}

// bury leaves something to be dropped when somebody next works with the GPU.
func (g *GPU) bury(remains grave) {
	g.arena.mu.Lock()
	defer g.arena.mu.Unlock()
	g.arena.graves = append(g.arena.graves, remains)
}

// reclaim has the collector find what nobody holds any more, and gives its cleanups, which run beside us, some time.
func reclaim(within time.Duration) {
	runtime.GC()
	time.Sleep(within)
}

// take finds an extent, of the free ones or of the driver's.
func (g *GPU) take(bytes int) (extent, error) {
	if err := g.collect(); err != nil {
		return extent{}, err
	}
	if separate {
		return g.fromDriver(bytes)
	}
	bytes = roundUp(bytes, alignment)
	if e, ok := g.arena.find(bytes); ok {
		return e, nil
	}
	e, err := g.fromDriver(max(bytes, chunkBytes))
	if isOutOfMemory(err) {
		e, err = g.fromDriver(bytes)
	}
	if err != nil {
		return extent{}, err
	}
	g.arena.keep(e)
	e, _ = g.arena.find(bytes)
	return e, nil
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// fromDriver asks the driver for a chunk: in the order of the stream where it can.
func (g *GPU) fromDriver(bytes int) (extent, error) {
	var address C.uint64_t
	if g.pools {
		if err := g.answer("cuMemAllocAsync", int(C.aegis_alloc_async(&address, C.size_t(bytes), g.streamPointer()))); err != nil {
			return extent{}, err
		}
	} else {
		at, err := cu.MemAlloc(int64(bytes))
		if err != nil {
			return extent{}, g.named("cuMemAlloc", err)
		}
		address = C.uint64_t(at)
	}
	c := chunk{uint64(address), bytes}
	return extent{c.address, bytes, c}, nil
}

// toDriver gives a chunk back.
func (g *GPU) toDriver(c chunk) error {
	if g.pools {
		return g.answer("cuMemFreeAsync", int(C.aegis_free_async(C.uint64_t(c.address), g.streamPointer())))
	}
	return g.named("cuMemFree", cu.MemFree(cu.DevicePtr(c.address)))
}

// collect takes in what was given back, and drops what plans have left.
func (g *GPU) collect() error {
	g.arena.mu.Lock()
	back, graves := g.arena.back, g.arena.graves
	g.arena.back, g.arena.graves = nil, nil
	g.arena.mu.Unlock()
	for _, e := range back {
		g.traffic.Bytes -= e.bytes
		if !separate {
			g.arena.keep(e)
			continue
		}
		if err := g.toDriver(e.chunk); err != nil {
			return err
		}
	}
	for _, remains := range graves {
		for _, number := range remains.watches {
			delete(g.watches.failures, number)
		}
		for _, lt := range remains.products {
			forgetLt(lt)
		}
		if err := g.queue.forgetLayouts(remains.layouts); err != nil {
			return err
		}
	}
	return nil
}

// trim gives the driver the chunks that are wholly free.
func (g *GPU) trim() error {
	if err := g.Flush(); err != nil {
		return err
	}
	if err := g.collect(); err != nil {
		return err
	}
	g.arena.join()
	var rest []extent
	for _, e := range g.arena.free {
		if e.bytes < e.chunk.bytes {
			rest = append(rest, e)
		} else if err := g.toDriver(e.chunk); err != nil {
			return err
		}
	}
	g.arena.free = rest
	// What was freed in the stream's order is free for others once the stream has come there.
	return g.named("cuStreamSynchronize", g.stream.Synchronize())
}

// EmptyCache gives the driver the memory that is kept for what is allocated next, and that of values that nobody holds any more, for
// other programs to use: torch.cuda.empty_cache. It waits for the device, and for Go's collector.
func (d Device) EmptyCache() error {
	g, err := d.Open()
	if err != nil {
		return err
	}
	reclaim(2 * time.Millisecond)
	return g.Do(g.trim)
}

// cut takes the first bytes of the smallest free extent that has as many.
func (a *arena) cut(bytes int) (extent, bool) {
	best := -1
	for i, e := range a.free {
		if e.bytes >= bytes && (best < 0 || e.bytes < a.free[best].bytes) {
			best = i
		}
	}
	if best < 0 {
		return extent{}, false
	}
	e := a.free[best]
	if e.bytes == bytes {
		a.free = slices.Delete(a.free, best, best+1)
	} else {
		a.free[best] = extent{e.address + uint64(bytes), e.bytes - bytes, e.chunk}
	}
	return extent{e.address, bytes, e.chunk}, true
}

// keep holds an extent for the next of its size.
func (a *arena) keep(e extent) {
	if a.like == nil {
		a.like = map[int][]extent{}
	}
	a.like[e.bytes] = append(a.like[e.bytes], e)
}

// find gives an extent of that size that was there, or cuts one. Only where neither is to be had are the kept ones joined.
func (a *arena) find(bytes int) (extent, bool) {
	if list := a.like[bytes]; len(list) > 0 {
		e := list[len(list)-1]
		a.like[bytes] = list[:len(list)-1]
		return e, true
	}
	if e, ok := a.cut(bytes); ok {
		return e, true
	}
	a.join()
	return a.cut(bytes)
}

// join puts the kept extents among the free ones, each joined with its neighbours of the same chunk.
func (a *arena) join() {
	for _, list := range a.like {
		a.free = append(a.free, list...)
	}
	clear(a.like)
	slices.SortFunc(a.free, func(x, y extent) int { return cmp.Compare(x.address, y.address) })
	joined := a.free[:0]
	for _, e := range a.free {
		if last := len(joined) - 1; last >= 0 && e.follows(joined[last]) {
			joined[last].bytes += e.bytes
		} else {
			joined = append(joined, e)
		}
	}
	a.free = joined
}

// follows says whether an extent begins where another of its chunk ends.
func (e extent) follows(before extent) bool {
	return e.chunk == before.chunk && e.address == before.address+uint64(before.bytes)
}
