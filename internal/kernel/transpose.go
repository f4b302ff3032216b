package kernel

// Transpose copies rows×cols of src, its rows lds apart, to cols×rows of dst, its rows ldd apart.
func Transpose[T Float](dst []T, ldd int, src []T, lds, rows, cols int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	need("dst of Transpose", len(dst), (cols-1)*ldd+rows)
	need("src of Transpose", len(src), (rows-1)*lds+cols)
	k, whole := kernelsOf[T](), 0
	if k.lanes > 0 {
		whole = cols / k.lanes * k.lanes
	}
	size := sizeOf[T]()
	for i := 0; whole > 0 && i < rows; i += k.lanes {
		n := min(k.lanes, rows-i)
		k.transpose(whole/k.lanes, &dst[i], ldd*size, &src[i*lds], lds*size, n, n)
	}
	for i := range rows {
		for j := whole; j < cols; j++ {
			dst[j*ldd+i] = src[i*lds+j]
		}
	}
}
