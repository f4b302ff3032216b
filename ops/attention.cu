// Attention by tiles of SIDE by SIDE. A block owns SIDE rows of what it computes, the queries' or the keys', and up to SIDE
// columns, and walks over the other rows, those that the sum is over: the scores of all queries by all keys never stand in
// memory. Its threads stand in 8 lines of 16; each has R by C elements of a tile. The kernels declare no launch bounds, for
// with them ptxas spills registers to fit more blocks.
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

#define WEIGHT(i, j) weights[THREAD_COLUMN + (j)][THREAD_ROW + (i)]

// Fills a tile of n columns with rows, zeros beyond them. Eight neighbouring threads read along a row, and a warp's writes
// go to banks of their own.
template <int N> __device__ inline void load_turned(T (&tile)[N][STRIDE], const T *x, i64 stride, int rows, int n) {
	for (int row = threadIdx.x / 8; row < SIDE; row += THREADS / 8)
		for (int column = threadIdx.x % 8; column < N; column += 8)
			tile[column][row] = row < rows && column < n ? x[row * stride + column] : T(0);
}

// Fills a tile of n rows with as many columns as there are.
template <int N> __device__ inline void load(T (&tile)[N][STRIDE], const T *x, i64 stride, int n, int columns) {
	int column = threadIdx.x % SIDE;
	for (int row = threadIdx.x / SIDE; row < N; row += THREADS / SIDE)
		tile[row][column] = row < n && column < columns ? x[row * stride + column] : T(0);
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
	ELEMENTS WEIGHT(i, j) = sum[i][j];
	__syncthreads();
	int column = threadIdx.x % SIDE;
	for (int row = threadIdx.x / SIDE; row < rows && column < columns; row += THREADS / SIDE)
		to[row * stride + column] = weights[column][row];
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

// A tile of a head: where its queries and keys begin, and how many they are. OWN_KEYS says that its rows are the keys.
struct Tile { i64 batch, head, query, key; int queries, keys; };

#define QUERY(i, j) (OWN_KEYS ? THREAD_COLUMN + (j) : THREAD_ROW + (i))
#define KEY(i, j) (OWN_KEYS ? THREAD_ROW + (i) : THREAD_COLUMN + (j))

// Makes scores of products, -Inf beyond the last query and key. Masks are added in shared memory, where elements have
// indices.
template <bool OWN_KEYS> __device__ inline void scale_and_mask(T (&s)[R][C], const Attention &a, const Tile &t) {
	ELEMENTS s[i][j] *= a.scale;
	if (a.mask || a.padding) {
		ELEMENTS WEIGHT(i, j) = s[i][j];
		#pragma unroll 1
		for (int e = 0; e < R * C; e++) {
			int query = QUERY(e / C, e % C), key = KEY(e / C, e % C);
			if (query >= t.queries || key >= t.keys || t.key + key >= a.columns)
				continue;
			T &to = WEIGHT(e / C, e % C);
			if (a.mask)
				to += masked(a.mask, a.maskRows.at(t.batch, t.head, t.query + query) + (t.key + key) * a.maskColumn, a.maskIsBool, a.allowed);
			if (a.padding)
				to += masked(a.padding, t.batch * a.columns + t.key + key, a.paddingIsBool, a.allowed);
		}
		ELEMENTS s[i][j] = WEIGHT(i, j);
	}
	int ahead = (int)(t.query - t.key); // of the queries
	ELEMENTS if (QUERY(i, j) >= t.queries || KEY(i, j) >= t.keys || (a.causal && KEY(i, j) > QUERY(i, j) + ahead))
		s[i][j] = -infinity();
}

// Which of the thread's elements dropout keeps, a bit each. Keys come one after the other here, for neighbours have their
// words of one block.
template <bool OWN_KEYS> __device__ inline u32 kept(const Attention &a, const Tile &t) {
	if (a.limit == 0)
		return 0xffffffffu;
	u32 bits = 0, words[4] = {0, 0, 0, 0};
	i64 last = -1, first = ((t.batch * a.heads + t.head) * a.queries + t.query) * a.keys + t.key;
	#pragma unroll 1
	for (int e = 0; e < R * C; e++) {
		int i = OWN_KEYS ? e % R : e / C, j = OWN_KEYS ? e / R : e % C;
		i64 at = first + QUERY(i, j) * a.keys + KEY(i, j);
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

// Makes weights of a tile's products, and keeps them in shared memory.
template <bool OWN_KEYS> __device__ inline void keep_weights(T (&s)[R][C], const T *sums, const Attention &a, const Tile &t) {
	scale_and_mask<OWN_KEYS>(s, a, t);
	sums += 2 * ((t.batch * a.heads + t.head) * a.queries + t.query);
	ELEMENTS WEIGHT(i, j) = QUERY(i, j) < t.queries ? weight(s[i][j], sums[2 * QUERY(i, j)], sums[2 * QUERY(i, j) + 1]) : T(0);
}

// out, and of every query the largest score and the sum of the exponentials of what the scores are less.
extern "C" __global__ void forward(T *out, T *sums, const T *q, const T *k, const T *v, ATTENTION, i64 tasks) {
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
			Tile tile = {t.batch, t.head, t.own, key, rows, rest(end, key)};
			T s[R][C] = {};
			add_products(s, q + a.q.at(t.batch, t.head, t.own), a.q.row, rows, k + a.k.at(t.batch, keyHead, key), a.k.row, tile.keys, a.size);
			scale_and_mask<false>(s, a, tile);
			u32 bits = kept<false>(a, tile);
			UNROLLED for (int i = 0; i < R; i++) {
				T high = -infinity(), part = 0;
				UNROLLED for (int j = 0; j < C; j++)
					high = larger(high, s[i][j]);
				T before = most[i];
				most[i] = larger(before, most_across(high));
				T shrink = before == -infinity() ? T(0) : exp(before - most[i]);
				UNROLLED for (int j = 0; j < C; j++) {
					T w = most[i] == -infinity() ? T(0) : exp(s[i][j] - most[i]);
					part += w;
					WEIGHT(i, j) = KEPT(bits, i, j) ? w * a.dropScale : T(0);
					sum[i][j] = shrink == 0 ? T(0) : sum[i][j] * shrink;
				}
				total[i] = total[i] * shrink + sum_across(part);
			}
			add_weighted(sum, rows, v + a.v.at(t.batch, keyHead, key) + t.column, a.v.row, tile.keys, columns);
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

// A query's delta is the sum of its weights by what came in for them: dout·out.
extern "C" __global__ void deltas(T *y, const T *dout, const T *out, i64 heads, i64 queries, i64 size, Sizes rows, i64 n) {
	ROWS(r, n) {
		i64 from = r / queries / heads * rows.at[0] + r / queries % heads * rows.at[1] + r % queries * rows.at[2];
		T sum = 0;
		ALONG(i, size) sum += dout[from + i] * out[from + i];
		sum = block_sum(sum);
		if (threadIdx.x == 0)
			y[r] = sum;
	}
}

// The gradient of the queries. Where a query's weights are all in one tile they give its delta, without out's rounding.
extern "C" __global__ void queries(T *dq, T *deltas, const T *dout, const T *sums, const T *q, const T *k, const T *v,
	ATTENTION, i64 tasks) {
	SET;
	ROWS(number, tasks) {
		Task t = task(number, a.heads, a.queries, a.size);
		i64 keyHead = t.head / (a.heads / a.keyHeads);
		int rows = rest(a.queries, t.own), columns = rest(a.size, t.column);
		i64 end = keys_before(a, t.own + rows);
		T sum[R][C] = {}, *delta = deltas + (t.batch * a.heads + t.head) * a.queries + t.own + THREAD_ROW;
		for (i64 key = 0; key < end; key += SIDE) {
			Tile tile = {t.batch, t.head, t.own, key, rows, rest(end, key)};
			T g[R][C] = {};
			add_products(g, q + a.q.at(t.batch, t.head, t.own), a.q.row, rows, k + a.k.at(t.batch, keyHead, key), a.k.row, tile.keys, a.size);
			keep_weights<false>(g, sums, a, tile);
			ELEMENTS g[i][j] = 0;
			add_products(g, dout + a.out.at(t.batch, t.head, t.own), a.out.row, rows, v + a.v.at(t.batch, keyHead, key), a.v.row, tile.keys, a.valueSize);
			u32 bits = kept<false>(a, tile);
			UNROLLED for (int i = 0; i < R; i++) {
				T part = 0;
				UNROLLED for (int j = 0; j < C; j++) {
					g[i][j] = KEPT(bits, i, j) ? g[i][j] * a.dropScale : T(0);
					part += g[i][j] * WEIGHT(i, j);
				}
				if (a.keys <= SIDE) {
					part = sum_across(part);
					if (t.column == 0 && THREAD_COLUMN == 0 && THREAD_ROW + i < rows)
						delta[i] = part;
				} else
					part = THREAD_ROW + i < rows ? delta[i] : T(0);
				UNROLLED for (int j = 0; j < C; j++)
					WEIGHT(i, j) = (g[i][j] - part) * WEIGHT(i, j) * a.scale;
			}
			add_weighted(sum, rows, k + a.k.at(t.batch, keyHead, key) + t.column, a.k.row, tile.keys, columns);
		}
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
				Tile tile = {t.batch, head, query, t.own, rest(a.queries, query), rows};
				T g[R][C] = {};
				const T *qs = q + a.q.at(t.batch, head, query), *douts = dout + a.out.at(t.batch, head, query);
				add_products(g, k + a.k.at(t.batch, t.head, t.own), a.k.row, rows, qs, a.q.row, tile.queries, a.size);
				keep_weights<true>(g, sums, a, tile);
				u32 bits = kept<true>(a, tile);
				if (VALUES)
					ELEMENTS WEIGHT(i, j) = KEPT(bits, i, j) ? WEIGHT(i, j) * a.dropScale : T(0);
				else {
					ELEMENTS g[i][j] = 0;
					add_products(g, v + a.v.at(t.batch, t.head, t.own), a.v.row, rows, douts, a.out.row, tile.queries, a.valueSize);
					const T *delta = deltas + (t.batch * a.heads + head) * a.queries + query + THREAD_COLUMN;
					ELEMENTS if (THREAD_COLUMN + j < tile.queries)
						WEIGHT(i, j) *= ((KEPT(bits, i, j) ? g[i][j] * a.dropScale : T(0)) - delta[j]) * a.scale;
				}
				add_weighted(sum, rows, (VALUES ? douts : qs) + t.column, VALUES ? a.out.row : a.q.row, tile.queries, columns);
			}
		Rows to = VALUES ? a.v : a.k;
		store(dx + to.at(t.batch, t.head, t.own) + t.column, to.row, rows, columns, sum);
	}
}

extern "C" __global__ void keys(T *dk, const T *deltas, const T *dout, const T *sums, const T *q, const T *k, const T *v,
	ATTENTION, i64 tasks) {
	SET;
	keys_gradient<false>(dk, deltas, dout, sums, q, k, v, a, tasks);
}

extern "C" __global__ void values(T *dv, const T *dout, const T *sums, const T *q, const T *k, ATTENTION, i64 tasks) {
	SET;
	keys_gradient<true>(dv, 0, dout, sums, q, k, 0, a, tasks);
}

// All scores, where the weights are asked for: (batch, heads, queries, keys).
extern "C" __global__ void scores(T *y, const T *q, const T *k, ATTENTION, i64 tasks) {
	SET;
	ROWS(number, tasks) {
		Task t = task(number, a.heads, a.queries, a.keys);
		Tile tile = {t.batch, t.head, t.own, t.column, rest(a.queries, t.own), rest(a.keys, t.column)};
		T s[R][C] = {};
		add_products(s, q + a.q.at(t.batch, t.head, t.own), a.q.row, tile.queries,
			k + a.k.at(t.batch, t.head / (a.heads / a.keyHeads), t.column), a.k.row, tile.keys, a.size);
		scale_and_mask<false>(s, a, tile);
		store(y + ((t.batch * a.heads + t.head) * a.queries + t.own) * a.keys + t.column, a.keys, tile.queries, tile.keys, s);
	}
}

// y = factor·w·x for weights w (batch, heads, queries, keys) that stand in memory. y's rows are the queries', or, turned, the
// keys', summed over the queries of all heads that they serve.
extern "C" __global__ void weighted(T *y, const T *w, const T *x, i64 heads, i64 keyHeads, i64 queries, i64 keys, i64 size,
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
