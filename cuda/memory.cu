extern "C" __global__ void fill(T *x, double value, i64 n) { EACH(i, n) x[i] = T(value); }

struct __align__(16) Sixteen { u64 a, b; };

template <class S> __device__ inline void move(char *to, const char *from, i64 bytes) {
	EACH(i, bytes / (i64)sizeof(S)) ((S *)to)[i] = ((const S *)from)[i];
}

// Bytes to another place, by as many at a time as both places and their number allow; none where the places are one.
__device__ inline void moved(char *to, const char *from, i64 bytes) {
	u64 all = (u64)to | (u64)from | (u64)bytes;
	if (to == from)
		return;
	if (all % 16 == 0)
		move<Sixteen>(to, from, bytes);
	else if (all % 4 == 0)
		move<u32>(to, from, bytes);
	else
		move<char>(to, from, bytes);
}

extern "C" __global__ void deliver(char *to0, const char *from0, i64 bytes0, char *to1, const char *from1, i64 bytes1,
	char *to2, const char *from2, i64 bytes2, char *to3, const char *from3, i64 bytes3) {
	moved(to0, from0, bytes0);
	moved(to1, from1, bytes1);
	moved(to2, from2, bytes2);
	moved(to3, from3, bytes3);
}

// What a graph sets and copies.
extern "C" __global__ void set(u32 *x, u32 value, i64 words) { EACH(i, words) x[i] = value; }
extern "C" __global__ void copy(char *to, const char *from, i64 bytes) { moved(to, from, bytes); }
