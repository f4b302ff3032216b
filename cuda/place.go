//go:build gpu

package cuda

// Memory is a piece of device memory. It is given back when nothing refers to it any more: the stream is in order, so
// that what is still to run is done with it before its next owner's work begins.
type Memory struct {
	address uint64
	bytes   int
	halves  map[halfKey]*halved // of matrices in it, see keptHalf
	start   Place               // allocated with it
}

// At is a place within the memory.
func (m *Memory) At(offset int) *Place { return &Place{address: m.address + uint64(offset), memory: m} }

// Start is the place that it begins at, one for all who ask.
func (m *Memory) Start() *Place { return &m.start }

// Bytes is the memory's size.
func (m *Memory) Bytes() int { return m.bytes }

// Place is where an array lies in device memory. One that is zero at first is aimed elsewhere between a plan's runs.
type Place struct {
	address uint64
	memory  *Memory // kept alive
	base    *Place  // what the place is a part of, wherever that is aimed
	offset  uint64
	aimed   bool
	stamp   uint64
}

// now is the address.
func (p *Place) now() uint64 {
	if p.base != nil {
		return p.base.now() + p.offset
	}
	return p.address
}

// loose says whether the address may change.
func (p *Place) loose() bool {
	if p.base != nil {
		return p.base.loose()
	}
	return p.aimed || p.memory == nil
}

// Plus is a part of the place that begins some bytes further on, also when the place has been aimed elsewhere.
func (p *Place) Plus(offset int) *Place { return &Place{base: p, offset: uint64(offset)} }

// within says whether the place is another, or a part of it.
func (p *Place) within(whole *Place) bool {
	for ; p != nil; p = p.base {
		if p == whole {
			return true
		}
	}
	return false
}

// Aim moves the place to another's.
func (p *Place) Aim(at *Place) {
	*p = Place{address: at.now(), memory: at.holder(), aimed: true}
}

// Stamp says that what lies there is what lay there whenever the place had the same stamp, which isn't 0. It holds until the place is
// aimed elsewhere.
func (p *Place) Stamp(stamp uint64) { p.stamp = stamp }

// stamped is the stamp, 0 where there is none.
func (p *Place) stamped() uint64 {
	if p.base != nil {
		return p.base.stamped()
	}
	return p.stamp
}

// Address is where the place is now, as a number to compare.
func (p *Place) Address() uint64 { return p.now() }

// holder is the memory that the place is within.
func (p *Place) holder() *Memory {
	if p.base != nil {
		return p.base.holder()
	}
	return p.memory
}
