package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A product added to c has the bits of one that was stored, and a step of SGD along it.
func TestAddProduct(t *testing.T) {
	defer SetThreads(0)
	eachSIMD(t, func(t *testing.T) {
		for _, threads := range []int{1, 3} {
			SetThreads(threads)
			t.Run(fmt.Sprint("float32 ", threads), testAddProduct[float32])
			t.Run(fmt.Sprint("float64 ", threads), testAddProduct[float64])
		}
	})
}

func testAddProduct[T Float](t *testing.T) {
	b := newBench[T](t)
	edges := []int{1, 2, 5, 6, 7, 13, 14, 15, 16, 17, 31, 32, 33, 47, 70, 200}
	for i, m := range edges {
		for j, n := range edges {
			testAddProductOf(t, b, m, n, edges[(3*i+5*j)%len(edges)], i+j)
		}
	}
	for i, s := range [][3]int{{512, 784, 1}, {300, 260, 64}, {200, 500, 192}, {40, 40, blockK}, {40, 40, deepK}, {200, 200, 300}} {
		testAddProductOf(t, b, s[0], s[1], s[2], i)
	}
	require.False(t, AddProduct(20, 20, 0, 1, b.empty(0, 0), 20, b.empty(1, 0), 20, nil, b.empty(2, 400), 20), "no product")
	require.False(t, AddsProduct[T](200, 200, 300), "in halves")
	require.False(t, AddProduct(20, 20, deepK+1, 1, b.empty(0, 20*deepK+20), 20, b.empty(1, 20*deepK+20), 20, nil, b.empty(2, 400), 20), "more than one block of k")
}

func testAddProductOf[T Float](t *testing.T, bench *bench[T], m, n, k, variant int) {
	bench.round++
	pad := variant % 3
	lda, ldb, ldc := m+pad, n+pad, n+pad
	a, b, c := bench.normal(0, (k-1)*lda+m, 1), bench.normal(1, (k-1)*ldb+n, 1), bench.normal(2, (m-1)*ldc+n, 1)
	if variant%4 == 0 {
		a[len(a)/2], b[len(b)/2], c[0] = T(math.Inf(1)), T(math.NaN()), T(math.Copysign(0, -1))
	}
	scale := T(-0.037)
	product, want := make([]T, m*n), append([]T(nil), c...)
	Gemm(TN, m, n, k, a, lda, b, ldb, product, n, false, Epilogue[T]{})
	for i := range m {
		SGD(want[i*ldc:][:n], product[i*n:][:n], nil, SGDArgs{LR: float64(-scale)})
	}
	var weights *Weights
	if variant%2 == 1 {
		weights = new(Weights)
		PackRight(TN, m, n, k, b, ldb, weights)
	}
	what := fmt.Sprintf("%d×%d×%d, variant %d", m, n, k, variant)
	switch variant % 3 { // whatever the memory was last used for
	case 0: // dot products
		Gemm(NT, 2, 3, 5, make([]T, 10), 5, make([]T, 15), 5, make([]T, 6), 3, false, Epilogue[T]{})
	case 1: // rows of c
		Gemm(NN, 100, 40, 70, make([]T, 7000), 70, make([]T, 2800), 40, make([]T, 4000), 40, false, Epilogue[T]{})
	}
	fits := AddsProduct[T](m, n, k)
	before := append([]T(nil), c...)
	require.Equal(t, fits, AddProduct(m, n, k, scale, a, lda, b, ldb, weights, c, ldc), what)
	if !fits {
		want = before
	}
	sameBits(t, want, c, what)
}

// Rows of a product are added only where the whole is made of multiply-adds, however few they are.
func TestAddProductOfRows(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		const m, n, k, rows, from = 512, 784, 64, 16, 70
		random := rand.New(rand.NewPCG(5, 6))
		a, b, c := normals[float32](random, k*m), normals[float32](random, k*n), normals[float32](random, rows*n)
		var weights Weights
		PackRight(TN, m, n, k, b, n, &weights)
		product, want := make([]float32, rows*n), append([]float32(nil), c...)
		GemmPacked(TN, rows, n, k, a[from:], m, b, n, &weights, product, n, false, Epilogue[float32]{})
		SGD(want, product, nil, SGDArgs{LR: 0.1})
		if !AddProduct(rows, n, k, -0.1, a[from:], m, b, n, &weights, c, n) {
			require.True(t, kernels32.lanes == 0 || weights.packed.Load().parts > 0)
			return
		}
		sameBits(t, want, c, "rows of a product")
	})
}
