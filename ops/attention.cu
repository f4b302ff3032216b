// Attention by tiles of SIDE by SIDE. A block owns SIDE rows of what it computes (of queries, or of keys for their gradients) and up to
// SIDE columns, and walks over the other rows, those that the sum is over; all of a row's scores never stand in memory.
// Its threads stand in 8 lines of 16; each has R by C elements of a tile.
#if DOUBLE
enum { R = 4, C = 2 };
#else
enum { R = 8, C = 4 };
#endif
enum { THREADS = 128, ACROSS = 16, SIDE = ACROSS * C, DEPTH = 16, STRIDE = SIDE + 4 };

#define THREAD_ROW ((int)threadIdx.x / ACROSS * R)
#define THREAD_COLUMN ((int)threadIdx.x % ACROSS * C)
#define UNROLLED _Pragma("unroll")
#define ELEMENTS UNROLLED for (int i = 0; i < R; i++) UNROLLED for (int j = 0; j < C; j++)

// Factors of a product lie with their rows side by side: [depth][row].
__shared__ __align__(16) T left[DEPTH][STRIDE];
__shared__ __align__(16) T right[DEPTH][STRIDE];
__shared__ __align__(16) T weights[SIDE][STRIDE]; // [other][own]

// Fills a tile of n columns with rows, zeros beyond them. Eight neighbouring threads read along a row, and a warp's writes
// go to banks of their own.
template <int N> __device__ inline void load_turned(T (&tile)[N][STRIDE], const T *x, i64 stride, int rows, int n) {
	for (int i = threadIdx.x; i < N * SIDE; i += THREADS) {
		int column = i / 32 % (N / 8) * 8 + i % 8, row = i / (4 * N) * 4 + i / 8 % 4;
		tile[column][row] = row < rows && column < n ? x[row * stride + column] : T(0);
	}
}

// Fills a tile of n rows with as many columns as there are.
template <int N> __device__ inline void load(T (&tile)[N][STRIDE], const T *x, i64 stride, int n, int columns) {
	for (int i = threadIdx.x; i < N * SIDE; i += THREADS) {
		int row = i / SIDE, column = i % SIDE;
		tile[row][column] = row < n && column < columns ? x[row * stride + column] : T(0);
	}
}

// Adds the product of the thread's elements of two lines.
__device__ inline void add_outer(T (&sum)[R][C], const T *own, const T *other) {
	T x[R], y[C];
	UNROLLED for (int i = 0; i < R; i++) x[i] = own[THREAD_ROW + i];
	UNROLLED for (int j = 0; j < C; j++) y[j] = other[THREAD_COLUMN + j];
	ELEMENTS sum[i][j] += x[i] * y[j];
}

// Adds the products of own rows by other rows, each of size numbers.
__device__ inline void add_products(T (&sum)[R][C], const T *own, i64 ownStride, int rows, const T *other, i64 otherStride, int others, i64 size) {
	bool live = THREAD_ROW < rows && THREAD_COLUMN < others;
	for (i64 from = 0; from < size; from += DEPTH) {
		int n = (int)min(size - from, (i64)DEPTH);
		load_turned<DEPTH>(left, own + from, ownStride, rows, n);
		load_turned<DEPTH>(right, other + from, otherStride, others, n);
		__syncthreads();
		if (live) {
			#pragma unroll 4
			for (int d = 0; d < n; d++)
				add_outer(sum, left[d], right[d]);
		}
		__syncthreads();
	}
}

// Adds the other rows, each times the own row's weight for it.
__device__ inline void add_weighted(T (&sum)[R][C], int rows, const T *x, i64 stride, int others, int columns) {
	bool live = THREAD_ROW < rows && THREAD_COLUMN < columns;
	for (int from = 0; from < others; from += DEPTH) {
		int n = min(others - from, (int)DEPTH);
		load<DEPTH>(right, x + from * stride, stride, n, columns);
		__syncthreads();
		if (live) {
			#pragma unroll 4
			for (int o = 0; o < n; o++)
				add_outer(sum, weights[from + o], right[o]);
		}
		__syncthreads();
	}
}

// Writes the tile, by way of shared memory, so that neighbouring threads write neighbours.
__device__ inline void store(T *to, i64 stride, int rows, int columns, const T (&sum)[R][C]) {
	ELEMENTS weights[THREAD_COLUMN + j][THREAD_ROW + i] = sum[i][j];
	__syncthreads();
	for (int i = threadIdx.x; i < SIDE * SIDE; i += THREADS)
		if (i / SIDE < rows && i % SIDE < columns)
			to[i / SIDE * stride + i % SIDE] = weights[i % SIDE][i / SIDE];
	__syncthreads();
}

// Over the threads that share rows.
__device__ inline T sum_across(T value) {
	for (int by = ACROSS / 2; by > 0; by /= 2)
		value += __shfl_xor_sync(0xffffffffu, value, by);
	return value;
}

__device__ inline T most_across(T value) {
	for (int by = ACROSS / 2; by > 0; by /= 2)
		value = larger(value, __shfl_xor_sync(0xffffffffu, value, by));
	return value;
}

// How far apart the rows of two batches, heads and steps are.
struct Rows {
	i64 batch, head, row;
	__device__ i64 at(i64 b, i64 h, i64 i) const { return b * batch + h * head + i * row; }
};

struct Attention {
	i64 heads, keyHeads, queries, keys, size, valueSize;
	bool causal;
	Rows q, k, v, out;
	const void *mask, *padding; // null where there is none
	Rows maskRows;
	i64 maskColumn, columns; // how far apart the mask's are, and how many keys the masks cover
	bool maskIsBool, paddingIsBool, allowed;
	T scale;
	const i64 *draw;
	i64 limit; // of the words that drop, 0 without dropout
	T dropScale;
};

#define ATTENTION const void *mask, const void *padding, const i64 *draw, Sizes shape, Sizes qk, Sizes vo, Sizes masks, Numbers numbers
#define SET Attention a = attention(mask, padding, draw, shape, qk, vo, masks, numbers)

__device__ inline Attention attention(ATTENTION) {
	const i64 *s = shape.at, *x = qk.at, *y = vo.at, *m = masks.at;
	return Attention{
		s[0], s[1], s[2], s[3], s[4], s[5], s[6] != 0, {x[0], x[1], x[2]}, {x[3], x[4], x[5]}, {y[0], y[1], y[2]}, {y[3], y[4], y[5]},
		mask, padding, {m[0], m[1], m[2]}, m[3], m[4], m[5] != 0, m[6] != 0, m[7] != 0, T(numbers.at[0]), draw, (i64)numbers.at[1], T(numbers.at[2]),
	};
}

// What a mask adds: its number, or -Inf where its bool hides the key.
__device__ inline T masked(const void *mask, i64 at, bool isBool, bool allowed) {
	if (!isBool)
		return ((const T *)mask)[at];
	return ((const bool *)mask)[at] == allowed ? T(0) : -infinity();
}

// The score that a product is, -Inf beyond the last query and key.
__device__ inline T score(const Attention &a, T product, i64 batch, i64 head, i64 query, i64 key) {
	if (query >= a.queries || key >= a.keys || (a.causal && key > query))
		return -infinity();
	T s = product * a.scale;
	if (a.mask && key < a.columns)
		s += masked(a.mask, a.maskRows.at(batch, head, query) + key * a.maskColumn, a.maskIsBool, a.allowed);
	if (a.padding && key < a.columns)
		s += masked(a.padding, batch * a.columns + key, a.paddingIsBool, a.allowed);
	return s;
}

// Which of the thread's elements dropout keeps, a bit each. Neighbouring keys, one after the other here, have their words of one block.
template <bool OWN_KEYS> __device__ inline u32 kept(const Attention &a, i64 batch, i64 head, i64 own, i64 other) {
	if (a.limit == 0)
		return 0xffffffffu;
	u32 bits = 0, words[4] = {0, 0, 0, 0};
	i64 last = -1;
	#pragma unroll 1
	for (int e = 0; e < R * C; e++) {
		int i = OWN_KEYS ? e % R : e / C, j = OWN_KEYS ? e / R : e % C;
		i64 row = own + THREAD_ROW + i, column = other + THREAD_COLUMN + j;
		i64 at = ((batch * a.heads + head) * a.queries + (OWN_KEYS ? column : row)) * a.keys + (OWN_KEYS ? row : column);
		if (at / 4 != last)
			philox(a.draw, last = at / 4, words);
		int k = (int)(at % 4); // a choice, not an index: registers have none
		u32 word = k == 0 ? words[0] : k == 1 ? words[1] : k == 2 ? words[2] : words[3];
		bits |= (u32)((i64)word >= a.limit) << (i * C + j);
	}
	return bits;
}

#define KEPT(bits, i, j) ((bits) >> ((i) * C + (j)) & 1)

// The weight of a score, by the largest of its query's and the sum of exponentials: none where nothing is seen.
__device__ inline T weight(T score, T most, T total) { return total == 0 ? T(0) : exp(score - most) / total; }

// What a block does: its first own row and first column, in a batch and a head.
struct Task { i64 batch, head, own, column; };

__device__ inline Task task(i64 number, i64 heads, i64 rows, i64 columns) {
	i64 chunks = columns > SIDE ? (columns + SIDE - 1) / SIDE : 1, tiles = (rows + SIDE - 1) / SIDE;
	Task t;
	t.column = number % chunks * SIDE;
	number /= chunks;
	t.own = number % tiles * SIDE;
	number /= tiles;
	t.head = number % heads;
	t.batch = number / heads;
	return t;
}

__device__ inline int rest(i64 n, i64 from) { return (int)min(n - from, (i64)SIDE); }

// How many keys the queries before one see.
__device__ inline i64 keys_before(const Attention &a, i64 query) { return a.causal ? min(a.keys, query) : a.keys; }

// out, and of every query the largest score and the sum of the exponentials of what the scores are less.
extern "C" __global__ void __launch_bounds__(THREADS) forward(T *out, T *sums, const T *q, const T *k, const T *v, ATTENTION, i64 tasks) {
	SET;
	ROWS(number, tasks) {
		Task t = task(number, a.heads, a.queries, a.valueSize);
		i64 keyHead = t.head / (a.heads / a.keyHeads);
		int rows = rest(a.queries, t.own), columns = rest(a.valueSize, t.column);
		i64 end = keys_before(a, t.own + rows);
		T sum[R][C] = {}, most[R], total[R];
		UNROLLED for (int i = 0; i < R; i++) {
			most[i] = -infinity();
			total[i] = 0;
		}
		for (i64 key = 0; key < end; key += SIDE) {
			int others = rest(end, key);
			T s[R][C] = {};
			add_products(s, q + a.q.at(t.batch, t.head, t.own), a.q.row, rows, k + a.k.at(t.batch, keyHead, key), a.k.row, others, a.size);
			u32 bits = kept<false>(a, t.batch, t.head, t.own, key);
			UNROLLED for (int i = 0; i < R; i++) {
				T high = -infinity(), part = 0;
				UNROLLED for (int j = 0; j < C; j++) {
					s[i][j] = score(a, s[i][j], t.batch, t.head, t.own + THREAD_ROW + i, key + THREAD_COLUMN + j);
					high = larger(high, s[i][j]);
				}
				T before = most[i];
				most[i] = larger(before, most_across(high));
				T shrink = before == -infinity() ? T(0) : exp(before - most[i]);
				UNROLLED for (int j = 0; j < C; j++) {
					T w = most[i] == -infinity() ? T(0) : exp(s[i][j] - most[i]);
					part += w;
					weights[THREAD_COLUMN + j][THREAD_ROW + i] = KEPT(bits, i, j) ? w * a.dropScale : T(0);
					sum[i][j] = shrink == 0 ? T(0) : sum[i][j] * shrink;
				}
				total[i] = total[i] * shrink + sum_across(part);
			}
			add_weighted(sum, rows, v + a.v.at(t.batch, keyHead, key) + t.column, a.v.row, others, columns);
		}
		UNROLLED for (int i = 0; i < R; i++) {
			UNROLLED for (int j = 0; j < C; j++)
				sum[i][j] = total[i] == 0 ? T(0) : sum[i][j] / total[i];
			if (t.column == 0 && THREAD_COLUMN == 0 && THREAD_ROW + i < rows) {
				T *to = sums + 2 * ((t.batch * a.heads + t.head) * a.queries + t.own + THREAD_ROW + i);
				to[0] = most[i];
				to[1] = total[i];
			}
		}
		store(out + a.out.at(t.batch, t.head, t.own) + t.column, a.out.row, rows, columns, sum);
	}
}

// The gradient of the queries. A query's delta is the sum of its weights by what came in for them: from the weights
// themselves where they are all in one tile, else from out.
extern "C" __global__ void __launch_bounds__(THREADS) queries(T *dq, T *deltas, const T *dout, const T *out, const T *sums, const T *q, const T *k,
	const T *v, ATTENTION, i64 tasks) {
	SET;
	ROWS(number, tasks) {
		Task t = task(number, a.heads, a.queries, a.size);
		i64 keyHead = t.head / (a.heads / a.keyHeads), first = (t.batch * a.heads + t.head) * a.queries + t.own + THREAD_ROW;
		int rows = rest(a.queries, t.own), columns = rest(a.size, t.column);
		i64 end = keys_before(a, t.own + rows);
		T sum[R][C] = {}, most[R], total[R], delta[R];
		UNROLLED for (int i = 0; i < R; i++) {
			bool there = THREAD_ROW + i < rows;
			most[i] = there ? sums[2 * (first + i)] : T(0);
			total[i] = there ? sums[2 * (first + i) + 1] : T(0);
			delta[i] = 0;
			if (end <= SIDE)
				continue;
			i64 at = a.out.at(t.batch, t.head, t.own + THREAD_ROW + i);
			if (there)
				for (i64 c = threadIdx.x % ACROSS; c < a.valueSize; c += ACROSS)
					delta[i] += dout[at + c] * out[at + c];
			delta[i] = sum_across(delta[i]);
		}
		for (i64 key = 0; key < end; key += SIDE) {
			int others = rest(end, key);
			T s[R][C] = {}, g[R][C] = {};
			add_products(s, q + a.q.at(t.batch, t.head, t.own), a.q.row, rows, k + a.k.at(t.batch, keyHead, key), a.k.row, others, a.size);
			add_products(g, dout + a.out.at(t.batch, t.head, t.own), a.out.row, rows, v + a.v.at(t.batch, keyHead, key), a.v.row, others, a.valueSize);
			u32 bits = kept<false>(a, t.batch, t.head, t.own, key);
			UNROLLED for (int i = 0; i < R; i++) {
				T part = 0;
				UNROLLED for (int j = 0; j < C; j++) {
					s[i][j] = weight(score(a, s[i][j], t.batch, t.head, t.own + THREAD_ROW + i, key + THREAD_COLUMN + j), most[i], total[i]);
					g[i][j] = KEPT(bits, i, j) ? g[i][j] * a.dropScale : T(0);
					part += g[i][j] * s[i][j];
				}
				if (end <= SIDE)
					delta[i] = sum_across(part);
				UNROLLED for (int j = 0; j < C; j++)
					weights[THREAD_COLUMN + j][THREAD_ROW + i] = (g[i][j] - delta[i]) * s[i][j] * a.scale;
			}
			add_weighted(sum, rows, k + a.k.at(t.batch, keyHead, key) + t.column, a.k.row, others, columns);
		}
		UNROLLED for (int i = 0; i < R; i++)
			if (t.column == 0 && THREAD_COLUMN == 0 && THREAD_ROW + i < rows)
				deltas[first + i] = delta[i];
		store(dq + a.q.at(t.batch, t.head, t.own) + t.column, a.q.row, rows, columns, sum);
	}
}

// The gradient of the keys, or of the values, from all queries of the heads that they serve.
template <bool VALUES> __device__ inline void keys_gradient(T *dx, const T *deltas, const T *dout, const T *sums, const T *q, const T *k,
	const T *v, const Attention &a, i64 tasks) {
	ROWS(number, tasks) {
		Task t = task(number, a.keyHeads, a.keys, VALUES ? a.valueSize : a.size);
		i64 group = a.heads / a.keyHeads;
		int rows = rest(a.keys, t.own), columns = rest(VALUES ? a.valueSize : a.size, t.column);
		T sum[R][C] = {};
		for (i64 head = t.head * group; head < (t.head + 1) * group; head++)
			for (i64 query = a.causal ? t.own : 0; query < a.queries; query += SIDE) {
				int others = rest(a.queries, query);
				T s[R][C] = {}, g[R][C] = {};
				const T *qs = q + a.q.at(t.batch, head, query), *douts = dout + a.out.at(t.batch, head, query);
				add_products(s, k + a.k.at(t.batch, t.head, t.own), a.k.row, rows, qs, a.q.row, others, a.size);
				if (!VALUES)
					add_products(g, v + a.v.at(t.batch, t.head, t.own), a.v.row, rows, douts, a.out.row, others, a.valueSize);
				u32 bits = kept<true>(a, t.batch, head, t.own, query);
				UNROLLED for (int j = 0; j < C; j++) {
					bool there = THREAD_COLUMN + j < others;
					i64 at = (t.batch * a.heads + head) * a.queries + query + THREAD_COLUMN + j;
					T most = there ? sums[2 * at] : T(0), total = there ? sums[2 * at + 1] : T(0), delta = !VALUES && there ? deltas[at] : T(0);
					UNROLLED for (int i = 0; i < R; i++) {
						T w = weight(score(a, s[i][j], t.batch, head, query + THREAD_COLUMN + j, t.own + THREAD_ROW + i), most, total);
						T kept = KEPT(bits, i, j) ? a.dropScale : T(0);
						if (!VALUES)
							w = ((kept == 0 ? T(0) : g[i][j] * kept) - delta) * w * a.scale;
						else
							w = kept == 0 ? T(0) : w * kept;
						weights[THREAD_COLUMN + j][THREAD_ROW + i] = w;
					}
				}
				add_weighted(sum, rows, (VALUES ? douts : qs) + t.column, VALUES ? a.out.row : a.q.row, others, columns);
			}
		Rows to = VALUES ? a.v : a.k;
		store(dx + to.at(t.batch, t.head, t.own) + t.column, to.row, rows, columns, sum);
	}
}

extern "C" __global__ void __launch_bounds__(THREADS) keys(T *dk, const T *deltas, const T *dout, const T *sums, const T *q, const T *k, const T *v,
	ATTENTION, i64 tasks) {
	SET;
	keys_gradient<false>(dk, deltas, dout, sums, q, k, v, a, tasks);
}

extern "C" __global__ void __launch_bounds__(THREADS) values(T *dv, const T *deltas, const T *dout, const T *sums, const T *q, const T *k, const T *v,
	ATTENTION, i64 tasks) {
	SET;
	keys_gradient<true>(dv, deltas, dout, sums, q, k, v, a, tasks);
}

// All scores, where the weights are asked for: (batch, heads, queries, keys).
extern "C" __global__ void __launch_bounds__(THREADS) scores(T *y, const T *q, const T *k, ATTENTION, i64 tasks) {
	SET;
	ROWS(number, tasks) {
		Task t = task(number, a.heads, a.queries, a.keys);
		int rows = rest(a.queries, t.own), columns = rest(a.keys, t.column);
		T s[R][C] = {};
		add_products(s, q + a.q.at(t.batch, t.head, t.own), a.q.row, rows,
			k + a.k.at(t.batch, t.head / (a.heads / a.keyHeads), t.column), a.k.row, columns, a.size);
		ELEMENTS s[i][j] = score(a, s[i][j], t.batch, t.head, t.own + THREAD_ROW + i, t.column + THREAD_COLUMN + j);
		store(y + ((t.batch * a.heads + t.head) * a.queries + t.own) * a.keys + t.column, a.keys, rows, columns, s);
	}
}

// y = factor·w·x for weights w (batch, heads, queries, keys) that stand in memory: its rows are the queries', their head that of
// x or one of those that x serves. Turned, its rows are the keys', summed over the queries of all heads that they serve.
extern "C" __global__ void __launch_bounds__(THREADS) weighted(T *y, const T *w, const T *x, i64 heads, i64 keyHeads, i64 queries, i64 keys, i64 size,
	int turned, double factor, Sizes rows, i64 tasks) {
	const i64 *r = rows.at;
	Rows to = {r[0], r[1], r[2]}, from = {r[3], r[4], r[5]};
	i64 group = heads / keyHeads, own = turned ? keys : queries, all = turned ? queries : keys;
	ROWS(number, tasks) {
		Task t = task(number, turned ? keyHeads : heads, own, size);
		int count = rest(own, t.own), columns = rest(size, t.column);
		T sum[R][C] = {};
		for (i64 h = 0; h < (turned ? group : 1); h++) {
			i64 head = turned ? t.head * group + h : t.head;
			const T *matrix = w + (t.batch * heads + head) * queries * keys;
			for (i64 other = 0; other < all; other += SIDE) {
				int others = rest(all, other);
				if (turned)
					load<SIDE>(weights, matrix + other * keys + t.own, keys, others, count);
				else
					load_turned<SIDE>(weights, matrix + t.own * keys + other, keys, count, others);
				add_weighted(sum, count, x + from.at(t.batch, turned ? head : head / group, other) + t.column, from.row, others, columns);
			}
		}
		ELEMENTS sum[i][j] *= T(factor);
		store(y + to.at(t.batch, t.head, t.own) + t.column, to.row, count, columns, sum);
	}
}
