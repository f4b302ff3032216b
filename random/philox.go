package random

// Philox is block index of the counter-based generator Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy
// as 1, 2, 3", 2011) under a seed and a stream: four words that depend on nothing else.
func Philox(seed, stream, index uint64) [4]uint32 {
	k0, k1 := uint32(seed), uint32(seed>>32)
	a, b, c, d := uint32(index), uint32(index>>32), uint32(stream), uint32(stream>>32)
	for range 10 {
		p, q := uint64(a)*0xd2511f53, uint64(c)*0xcd9e8d57
		a, b, c, d = uint32(q>>32)^b^k0, uint32(q), uint32(p>>32)^d^k1, uint32(p)
		k0 += 0x9e3779b9
		k1 += 0xbb67ae85
	}
	return [4]uint32{a, b, c, d}
}
