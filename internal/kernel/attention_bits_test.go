package kernel

import (
	"hash/crc32"
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

// recordedAttention are sizes of small attention, what its queries and keys are multiplied by, and the checksum of what PyTorch 2.15
// gives on AVX-512: the value and the gradients of queries, keys and values. Scores are large, where roundings are seen most.
var recordedAttention = []struct {
	heads, length, size int
	factor              float32
	checksum            uint32
}{
	{2, 3, 2, 6, 0x68fd046d},
	{2, 2, 2, 6, 0xcea88e8d},
	{1, 4, 2, 5, 0xc97b921f},
	{2, 6, 2, 4, 0x607dee3b},
	{1, 3, 3, 5, 0x8540de88},
}

func TestSmallAttentionBits(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		if kernels32.lanes != 16 {
			return
		}
		for _, c := range recordedAttention {
			n := c.heads * c.length * c.size
			a := Attention[float32]{
				Batch: 1, Heads: c.heads, KeyHeads: c.heads, Queries: c.length, Keys: c.length, Size: c.size, ValueSize: c.size,
				Scale: float32(1 / math.Sqrt(float64(c.size))),
			}
			rows := func(x []float32) Rows[float32] {
				return Rows[float32]{Data: x, Batch: n, Head: c.length * c.size, Row: c.size}
			}
			var in, out [4]Rows[float32]
			all := make([]float32, 4*n)
			for i := range in {
				x := recordedNumbers(n, i+1)
				for j := range x {
					if i < 2 {
						x[j] *= c.factor
					}
				}
				in[i], out[i] = rows(x), rows(all[i*n:(i+1)*n])
			}
			sums := make([]float32, 2*c.heads*c.length)
			a.Forward(out[0], sums, in[0], in[1], in[2])
			a.Backward(AttentionGradient[float32]{out[1], out[2], out[3]}, in[3], out[0], sums, in[0], in[1], in[2])
			bytes := unsafe.Slice((*byte)(unsafe.Pointer(&all[0])), 4*len(all))
			assert.Equal(t, c.checksum, crc32.ChecksumIEEE(bytes), "%v", c)
		}
	})
}
