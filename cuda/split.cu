// What is moved before large products, for tensor cores.

struct alignas(8) FourParts { unsigned short at[4]; };

// The next part of x, a bfloat16, which is taken from it. What would become infinite is cut.
__device__ inline unsigned short part(float &x) {
	u32 bits = (u32)__float_as_int(x), near = bits + 0x7fff + (bits >> 16 & 1);
	if ((near & 0x7f800000) == 0x7f800000)
		near = bits;
	near &= 0xffff0000;
	x -= __int_as_float((int)near);
	return (unsigned short)(near >> 16);
}

// The three parts of four numbers of a row: rows of parts are row apart, and the parts of a number are apart.
__device__ inline void part_four(unsigned short *to, const T *from, i64 columns, i64 row, i64 apart, bool reversed, u32 *wrong, u32 i) {
	u32 across = (u32)(columns / 4), r = i / across, c = i % across;
	Four four = four_of(from, 4 * (i64)i);
	FourParts out[3];
	for (int e = 0; e < 4; e++) {
		float x = float(four.at[e]);
		if (!isfinite(x))
			atomicCAS(wrong, 0u, 1u);
		for (int p = 0; p < 3; p++)
			out[p].at[e] = part(x);
	}
	FourParts *at = (FourParts *)(to + r * row) + c;
	for (int p = 0; p < 3; p++)
		at[(reversed ? 2 - p : p) * (apart / 4)] = out[p];
}

// The parts of both factors of a product, those of the second the other way around: n fours of the first, m of the second.
extern "C" __global__ void parts(unsigned short *to0, const T *from0, i64 columns0, i64 row0, i64 apart0, i64 n, unsigned short *to1,
	const T *from1, i64 columns1, i64 row1, i64 apart1, i64 m, u32 *wrong) {
	EACH(i, n + m) {
		if (i < n)
			part_four(to0, from0, columns0, row0, apart0, false, wrong, (u32)i);
		else
			part_four(to1, from1, columns1, row1, apart1, true, wrong, (u32)(i - n));
	}
}

// to (columns, rows) is from (rows, columns) transposed; a block has a tile of 32 by 32.
extern "C" __global__ void turn(T *to, const T *from, i64 rows, i64 columns) {
	__shared__ T tile[32][33];
	i64 across = (columns + 31) / 32, row = blockIdx.x / across * 32, column = blockIdx.x % across * 32;
	int x = threadIdx.x % 32, y = threadIdx.x / 32;
	for (int i = y; i < 32; i += 8)
		if (row + i < rows && column + x < columns)
			tile[i][x] = from[(row + i) * columns + column + x];
	__syncthreads();
	for (int i = y; i < 32; i += 8)
		if (column + i < columns && row + x < rows)
			to[(column + i) * rows + row + x] = tile[x][i];
}
