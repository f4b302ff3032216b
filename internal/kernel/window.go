package kernel

// Window is how a kernel slides over the last three dims of an input. Where there are fewer, the first have size 1 in Input,
// Kernel, Output, Stride and Dilation. Tap k of output o reads input o*Stride - Padding + k*Dilation; what lies outside is 0.
type Window struct {
	Input, Kernel, Output, Stride, Padding, Dilation [3]int
}

// Taps is the number of elements of the kernel.
func (w *Window) Taps() int { return volume(w.Kernel) }

func volume(d [3]int) int { return d[0] * d[1] * d[2] }

// offsetOf is the place of a point in a plane of the given size.
func offsetOf(point, size [3]int) int { return (point[0]*size[1]+point[1])*size[2] + point[2] }

// points gives the points of a grid in the order of memory.
func points(size [3]int, yield func([3]int)) {
	for i := range size[0] {
		for j := range size[1] {
			for k := range size[2] {
				yield([3]int{i, j, k})
			}
		}
	}
}

// lattice is regular points of a plane: element q of a grid stands at q*step + start.
type lattice struct{ step, start [3]int }

// inside gives, for one dim, which of n elements of the grid stand inside a plane of the given size.
func (w *lattice) inside(d, n, size int) (from, to int) {
	step, start := w.step[d], w.start[d]
	if start < 0 {
		from = (-start + step - 1) / step
	}
	if last := size - 1 - start; last >= 0 {
		to = last/step + 1
	}
	to = min(to, n)
	return min(from, to), to
}

// gather copies the elements of a plane that a lattice reaches to their places in a grid, and leaves the rest of the grid as
// it is: zeros written once stay for all planes of the same size.
func gather[T Float](dst []T, grid [3]int, src []T, plane [3]int, w lattice) {
	var from, to [3]int
	for d := range grid {
		if from[d], to[d] = w.inside(d, grid[d], plane[d]); from[d] == to[d] {
			return
		}
	}
	for i := from[0]; i < to[0]; i++ {
		at := [3]int{i, from[1], from[2]}
		first := offsetOf(at, grid)
		for d := range at {
			at[d] = at[d]*w.step[d] + w.start[d]
		}
		gatherRows(to[1]-from[1], dst[first:], grid[2], src[offsetOf(at, plane):], w.step[1]*plane[2], to[2]-from[2], w.step[2])
	}
}

// gatherRows copies rows of columns elements, step apart.
func gatherRows[T Float](rows int, dst []T, dstStride int, src []T, srcStride, columns, step int) {
	if rows <= 0 || columns <= 0 {
		return
	}
	k := kernelsOf[T]()
	f, size := k.copyRows, sizeOf[T]()
	if step == 2 && f != nil {
		need("dst of gatherRows", len(dst), (rows-1)*dstStride+columns)
		need("src of gatherRows", len(src), (rows-1)*srcStride+2*columns-1)
		for x := 0; x < columns; x += k.lanes {
			k.copySeconds(rows, &dst[x], dstStride*size, &src[2*x], srcStride*size, min(k.lanes, columns-x))
		}
		return
	}
	if step > 1 || f == nil {
		for i := range rows {
			to, from := dst[i*dstStride:][:columns], src[i*srcStride:]
			if step == 1 {
				copy(to, from)
				continue
			}
			for j := range to {
				to[j] = from[j*step]
			}
		}
		return
	}
	most := 2 * k.lanes
	need("dst of gatherRows", len(dst), (rows-1)*dstStride+columns)
	need("src of gatherRows", len(src), (rows-1)*srcStride+columns)
	for x := 0; x < columns; x += most {
		n := min(most, columns-x)
		f(rows, &dst[x], dstStride*size, &src[x], srcStride*size, n, n)
	}
}

// scatter writes the elements of a grid, count of them in each dim, its rows and layers as far apart as those of size, to
// a plane on a lattice.
func scatter[T Float](dst []T, plane [3]int, w lattice, src []T, count, size [3]int) {
	for i := range count[0] {
		to := offsetOf([3]int{i*w.step[0] + w.start[0], w.start[1], w.start[2]}, plane)
		from := i * size[1] * size[2]
		if w.step[2] == 1 {
			gatherRows(count[1], dst[to:], w.step[1]*plane[2], src[from:], size[2], count[2], 1)
			continue
		}
		for j := range count[1] {
			row, line := dst[to+j*w.step[1]*plane[2]:], src[from+j*size[2]:]
			for k, v := range line[:count[2]] {
				row[k*w.step[2]] = v
			}
		}
	}
}
