package kernel

import (
	"hash/crc32"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// recordedProducts are sizes of tiny products of x and a transposed w, of numbers from 1 and from 5 on of recordedNumbers, and the
// checksum of what PyTorch 2.15 with MKL gives on AVX-512: on both sides of where it takes dot products.
var recordedProducts = []struct {
	m, n, k  int
	checksum uint32
}{
	{2, 2, 2, 0x5d21f612},
	{3, 3, 3, 0x9dbc6d61},
	{3, 9, 3, 0x4e2c64d4},
	{15, 2, 5, 0xffc3928d},
	{10, 3, 16, 0xb35da2a2},
	{11, 3, 4, 0x848a6f61},
	{3, 4, 4, 0xd43499bd},
	{4, 4, 4, 0xe456d738},
	{4, 5, 5, 0xeb228977},
	{6, 8, 8, 0x78d4d53b},
	{8, 8, 8, 0x7d3d4d4c},
	{9, 10, 10, 0xa46bbf14},
	{10, 10, 10, 0xb6c283e8},
	{3, 12, 4, 0x8b6b5927},
	{5, 11, 3, 0x98391d47},
	{7, 6, 9, 0x19149d2e},
}

func recordedNumbers(n, from int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32((i+from)*7919%2003-1001) / 997
	}
	return x
}

// Tiny products give PyTorch's bits, packed or not.
func TestTinyProductsBits(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		if kernels32.lanes != 16 {
			return
		}
		for _, s := range recordedProducts {
			x, w, y := recordedNumbers(s.m*s.k, 1), recordedNumbers(s.n*s.k, 5), make([]float32, s.m*s.n)
			kept := &Weights{Version: new(atomic.Uint64)}
			for i, weights := range []*Weights{nil, kept, kept, kept} {
				Linear(s.m, s.n, s.k, x, w, weights, y, Epilogue[float32]{})
				bytes := unsafe.Slice((*byte)(unsafe.Pointer(&y[0])), 4*len(y))
				require.Equal(t, s.checksum, crc32.ChecksumIEEE(bytes), "%d×%d×%d, use %d", s.m, s.n, s.k, i)
			}
		}
	})
}
