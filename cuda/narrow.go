//go:build gpu

package cuda

// narrow says whether a product has few columns, such as a classifier's last layer has: a kernel of our own is faster at it than
// cuBLAS, whose tiles stay empty for the most part.
func (q product) narrow() bool { return q.layout == NT && q.n <= narrowColumns && !q.add && !q.brain }

// What narrow in product.cu has: the columns that its threads hold at most, the rows of a warp, and its warps.
const narrowColumns, narrowRows, narrowWarps = 16, 2, 4

func (p *Plan) narrow(q product) error {
	const rows = narrowRows * narrowWarps
	return p.Launch(productSource.Kernel("narrow", q.real), Shape{Blocks: (q.m + rows - 1) / rows, Threads: narrowWarps * warp},
		q.c, q.a, q.b, q.biasOrAny(), q.m, q.n, q.k, q.then.Bias != nil, q.then.ReLU)
}
