package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPermute(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, shape := range [][]int{{}, {1}, {7}, {3, 4}, {40, 50}, {0, 3}, {2, 3, 4}, {5, 1, 20, 2}, {3, 2, 2, 9, 11}, {2, 3, 17, 4, 19}, {6, 90, 70}} {
		for range 8 {
			order := r.Perm(len(shape))
			strides, n := make([]int, len(shape)), 1
			for d := len(shape) - 1; d >= 0; d-- {
				strides[d] = n
				n *= shape[d]
			}
			size, stride := make([]int, len(shape)), make([]int, len(shape))
			for d, from := range order {
				size[d], stride[d] = shape[from], strides[from]
			}
			src, dst := make([]int64, n), make([]int64, n)
			for i := range src {
				src[i] = int64(i)
			}
			Permute(dst, src, size, stride)
			for o, got := range dst {
				want, rest := 0, o
				for d := len(size) - 1; d >= 0; d-- {
					want += rest % size[d] * stride[d]
					rest /= size[d]
				}
				require.EqualValues(t, want, got, "%v of %v in the order %v", o, shape, order)
			}
		}
	}
}
