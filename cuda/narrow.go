//go:build gpu

package cuda

// narrowColumns are how many columns a narrow product has at most.
const narrowColumns = 16

// narrow says whether a product has few columns, such as a classifier's last layer has: a kernel of our own is faster at it than
// cuBLAS, whose tiles stay empty for the most part.
func (q product) narrow() bool { return q.layout == NT && q.n <= narrowColumns && !q.add && !q.brain }

// narrow adds such a product. Where there are rows enough for all multiprocessors, a warp has more of them.
func (p *Plan) narrow(q product) error {
	const warps, many = 4, 4096 // warps are those of a block
	name, rows := "narrow", 2   // those of a warp in product.cu
	if q.m >= many {
		name, rows = "narrow_tall", 16/q.real.Bytes()
	}
	return p.Launch(productSource.Kernel(name, q.real), Shape{Blocks: (q.m + rows*warps - 1) / (rows * warps), Threads: warps * warp},
		q.c, q.a, q.b, q.biasOrAny(), q.m, q.n, q.k, q.then.Bias != nil, q.then.ReLU)
}
