// c (m, n) = a·b by tiles in shared memory, where there is no cuBLAS.
#define TILE 16

extern "C" __global__ void product(T *c, const T *a, const T *b, i64 m, i64 n, i64 k, int transposeA, int transposeB, int add) {
	__shared__ T left[TILE][TILE + 1], right[TILE][TILE + 1];
	i64 across = (n + TILE - 1) / TILE;
	int x = threadIdx.x % TILE, y = threadIdx.x / TILE;
	i64 row = blockIdx.x / across * TILE, column = blockIdx.x % across * TILE;
	T sum = 0;
	for (i64 at = 0; at < k; at += TILE) {
		// Neighbouring threads read neighbours in memory, whichever way the matrix lies.
		i64 i = row + (transposeA ? x : y), l = at + (transposeA ? y : x);
		left[transposeA ? x : y][transposeA ? y : x] = i < m && l < k ? a[transposeA ? l * m + i : i * k + l] : T(0);
		i64 j = column + (transposeB ? y : x), r = at + (transposeB ? x : y);
		right[transposeB ? x : y][transposeB ? y : x] = j < n && r < k ? b[transposeB ? j * k + r : r * n + j] : T(0);
		__syncthreads();
		for (int s = 0; s < TILE; s++)
			sum += left[y][s] * right[s][x];
		__syncthreads();
	}
	if (row + y < m && column + x < n)
		c[(row + y) * n + column + x] = add ? c[(row + y) * n + column + x] + sum : sum;
}
