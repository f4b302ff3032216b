package kernel

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// softmaxBits are checksums of what PyTorch 2.15 computes on a processor with AVX-512 of three rows of n float32, and of their
// gradient:
//
//	i = torch.arange(3 * n)
//	x = (((i * 37) % 101 - 50).float() / 8).reshape(3, n).requires_grad_()
//	torch.softmax(x, -1).backward((((i * 53) % 89 - 44).float() / 16).reshape(3, n))
var softmaxBits = []struct {
	n               int
	value, gradient uint32
}{
	{1, 0xdc7c4e94, 0x7bd5c66f},
	{5, 0xe3087bc4, 0x0a7e98a8},
	{15, 0x36cca6ae, 0xff767a81},
	{16, 0xc937ec4e, 0x679d9f13},
	{17, 0x7efbe7b4, 0xa1a3863c},
	{40, 0x6d410b94, 0x2cb94fd0},
	{64, 0x265d9b88, 0x0de3cfbd},
	{130, 0x1ae7b641, 0xb2e23bfa},
}

// Softmax has PyTorch's bits, by every instruction set.
func TestSoftmaxBits(t *testing.T) {
	checksum := func(x []float32) uint32 {
		var b []byte
		for _, v := range x {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		return crc32.ChecksumIEEE(b)
	}
	eachSIMD(t, func(t *testing.T) {
		for _, row := range softmaxBits {
			x, dy := make([]float32, 3*row.n), make([]float32, 3*row.n)
			for i := range x {
				x[i], dy[i] = float32(i*37%101-50)/8, float32(i*53%89-44)/16
			}
			y, dx := make([]float32, len(x)), make([]float32, len(x))
			Softmax(y, x, 3, row.n, 1)
			SoftmaxGrad(dx, dy, y, 3, row.n, 1)
			require.Equal(t, row.value, checksum(y), "softmax of %d", row.n)
			require.Equal(t, row.gradient, checksum(dx), "gradient of %d", row.n)
		}
	})
}
