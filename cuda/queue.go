//go:build gpu

package cuda

// #include "core.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"slices"
)

// maxQueue is how many plans wait at most.
const maxQueue = 8

// sequence is plans in their order, by the numbers of their layouts.
type sequence [maxQueue]uint64

// replay is a sequence that was launched before; from its second time on it is a CUDA graph.
type replay struct {
	used     uint64
	captured *C.aegis_replay // nil at first
}

// maxReplays bounds the sequences that are remembered: beyond it the one not used for longest goes.
const maxReplays = 256

var (
	// capturing is switched off to launch kernels one by one.
	capturing = os.Getenv("AEGIS_CUDA_GRAPH") != "off"
	// blocking has every launch waited for, so that an error is that of the kernel it names.
	blocking = os.Getenv("AEGIS_CUDA_BLOCKING") == "1"
)

// queue holds the plans that are to run next. They are launched together: what a training step does, forward, backward,
// clipping and update, is one graph and one call of the driver.
type queue struct {
	plans   []*Plan
	parts   *[maxQueue]C.aegis_part // in C memory
	replays map[sequence]*replay
	clock   uint64
	since   []*Plan // launched since the last synchronisation, each once, a few
}

// enqueue puts a plan behind the others.
func (g *GPU) enqueue(p *Plan) error {
	p.queued = true
	g.queue.plans = append(g.queue.plans, p)
	if len(g.queue.plans) == maxQueue || blocking {
		return g.Flush()
	}
	return nil
}

// Flush launches what is queued. Everything that waits for the device or looks at its memory does so first; a training step
// does at its end. What fails on the device itself shows at the next synchronisation.
func (g *GPU) Flush() error {
	q := &g.queue
	if len(q.plans) == 0 {
		return nil
	}
	plans := q.plans
	defer func() {
		for _, p := range plans {
			p.queued = false
		}
		clear(plans)
		q.plans = plans[:0]
	}()
	var key sequence
	for i, p := range plans {
		key[i] = p.layout
		q.parts[i] = C.aegis_part{steps: &p.steps[0], count: C.int(len(p.steps)), mode: p.mode}
		if len(q.since) < maxQueue && !slices.Contains(q.since, p) {
			q.since = append(q.since, p)
		}
	}
	if !capturing || blocking {
		return g.launch(plans)
	}
	r := q.replays[key]
	if r == nil {
		if err := q.remember(key); err != nil {
			return err
		}
		return g.launch(plans)
	}
	q.clock++
	r.used = q.clock
	if r.captured == nil {
		if err := g.capture(r, plans); err != nil {
			return err
		}
	}
	g.traffic.Launches++
	return g.answer("launch of a CUDA graph", int(C.aegis_replay_launch(&q.parts[0], C.int(len(plans)), r.captured, g.streamPointer())))
}

// launch runs the steps one by one.
func (g *GPU) launch(plans []*Plan) error {
	for i, p := range plans {
		var at C.int
		g.traffic.Launches += len(p.steps)
		code := C.aegis_run(&g.queue.parts[i], g.streamPointer(), g.blas.pointer(), bit(blocking), &at)
		if err := g.failed(p, int(at), int(code)); err != nil {
			return err
		}
	}
	return nil
}

func (g *GPU) capture(r *replay, plans []*Plan) error {
	var part, at C.int
	movers, err := g.movers()
	if err != nil {
		return err
	}
	captured := newReplay()
	code := C.aegis_capture(&g.queue.parts[0], C.int(len(plans)), g.streamPointer(), g.blas.pointer(), &movers, &part, &at, captured)
	if code == 0 {
		r.captured = captured
		return nil
	}
	failed := g.answer("capture of a CUDA graph", int(code))
	if int(part) < len(plans) {
		failed = g.failed(plans[part], int(at), int(code))
	}
	return errors.Join(failed, freeReplay(captured))
}

// failed names the step that was not taken.
func (g *GPU) failed(p *Plan, at, code int) error {
	const blas = 10000
	switch {
	case code == 0:
		return nil
	case code >= blas:
		return fmt.Errorf("%s: %w", p.notes[at].name, &CallError{Call: "cuBLAS", Code: code - blas, Text: "cuBLAS error"})
	}
	return g.answer("kernel "+p.notes[at].name, code)
}

// remember makes room for a sequence.
func (q *queue) remember(key sequence) error {
	if len(q.replays) == maxReplays {
		oldest := key
		for k, r := range q.replays {
			if q.replays[oldest] == nil || r.used < q.replays[oldest].used {
				oldest = k
			}
		}
		if err := q.forget(oldest); err != nil {
			return err
		}
	}
	q.clock++
	q.replays[key] = &replay{used: q.clock}
	return nil
}

// forget drops a sequence and its graph.
func (q *queue) forget(key sequence) error {
	r := q.replays[key]
	delete(q.replays, key)
	if r.captured == nil {
		return nil
	}
	return freeReplay(r.captured)
}

// forgetLayouts drops the sequences that a layout was part of.
func (q *queue) forgetLayouts(numbers []uint64) error {
	if len(numbers) == 0 {
		return nil
	}
	for key := range q.replays {
		if slices.ContainsFunc(key[:], func(n uint64) bool { return n != 0 && slices.Contains(numbers, n) }) {
			if err := q.forget(key); err != nil {
				return err
			}
		}
	}
	return nil
}

// launched are the names of what was launched since the last synchronisation, for the error of a kernel that fails.
func (q *queue) launched() []string {
	const most = 16
	var names []string
	for _, p := range q.since {
		for _, n := range p.notes {
			if len(names) < most && !slices.Contains(names, n.name) {
				names = append(names, n.name)
			}
		}
	}
	return names
}

func bit(on bool) C.int {
	if on {
		return 1
	}
	return 0
}
