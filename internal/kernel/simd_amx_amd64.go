package kernel

import "unsafe"

// tileConfig says that all eight tiles have 16 rows of 64 bytes.
var tileConfig = func() (c struct {
	palette, start byte
	_              [14]byte
	bytes          [16]uint16
	rows           [16]byte
}) {
	c.palette = 1
	for i := range 8 {
		c.bytes[i], c.rows[i] = 64, 16
	}
	return c
}()

func enterAMX() {
	enterAVX512()
	kernels32.splitter = &splitter{config: unsafe.Pointer(&tileConfig)}
	s := kernels32.splitter
	s.split[1], s.split[2], s.split[3] = split1, split2, split3
	s.product[1], s.product[2], s.product[3] = tileProduct1, tileProduct2, tileProduct3
	s.besideRows[1], s.besideRows[2], s.besideRows[3] = splitRowsBeside1, splitRowsBeside2, splitRowsBeside3
	s.besideColumns[1], s.besideColumns[2], s.besideColumns[3] = splitColumnsBeside1, splitColumnsBeside2, splitColumnsBeside3
	s.pairs, s.slide = splitPairs3, tileSlide3
}

// hasAMX says whether processor and operating system have tiles of bfloat16; extended and saved are what cpuid and xgetbv
// say. The system is asked once for the permission to use them.
func hasAMX(extended, saved uint32) bool {
	const tiles, bf16, states = 1 << 24, 1 << 22, 0x60000 // leaf 7, d; xgetbv
	has := extended&(tiles|bf16) == tiles|bf16 && saved&states == states
	return (has || amxEmulated) && amxPermitted()
}
