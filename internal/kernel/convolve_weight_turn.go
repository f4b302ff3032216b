package kernel

import "unsafe"

// ConvolveWeightInTurn is [ConvolveWeight], small ones' terms added one after the other: images in turn, and positions in each.
// So does PyTorch for transposed convolutions, and where values are large its roundings are seen.
func ConvolveWeightInTurn[T Float](c Convolution, dweight, x, dy []T) {
	const most = 1 << 16 // numbers under taps, which lie in memory here
	terms, columns := c.Batch*volume(c.Output), c.In*c.Taps()
	if terms > blockK || terms*columns > most {
		ConvolveWeight(c, dweight, x, dy)
		return
	}
	size := c.Groups * c.Out * columns
	need("dweight of ConvolveWeightInTurn", len(dweight), size)
	need("x of ConvolveWeightInTurn", len(x), c.Batch*c.Groups*c.In*volume(c.Input))
	need("dy of ConvolveWeightInTurn", len(dy), c.Batch*c.Groups*c.Out*volume(c.Output))
	w := borrow[T]()
	defer w.giveBack()
	room := terms * (columns + c.Out)
	all := unsafe.Slice(aligned(&w.b, room), room)
	under, of := all[:terms*columns], all[terms*columns:]
	for g := range c.Groups {
		underTaps(c, under, x, g)
		for b := range c.Batch {
			for o := range c.Out {
				copy(of[o*terms+b*volume(c.Output):], dy[((b*c.Groups+g)*c.Out+o)*volume(c.Output):][:volume(c.Output)])
			}
		}
		part := dweight[g*c.Out*columns:][:c.Out*columns]
		Gemm(NN, c.Out, columns, terms, of, terms, under, columns, part, columns, false, Epilogue[T]{})
	}
}

// underTaps gives a row for each image and position of the output: what of a group's input lies under the taps of each channel, 0 beside
// it.
func underTaps[T Float](c Convolution, to, x []T, group int) {
	to = to[:0]
	for b := range c.Batch {
		planes := x[(b*c.Groups+group)*c.In*volume(c.Input):]
		points(c.Output, func(position [3]int) {
			var from [3]int
			for d := range from {
				from[d] = position[d]*c.Stride[d] - c.Padding[d]
			}
			for i := range c.In {
				plane := planes[i*volume(c.Input):]
				points([3]int{c.Kernel[0], c.Kernel[1], 1}, func(tap [3]int) {
					z, y := from[0]+tap[0]*c.Dilation[0], from[1]+tap[1]*c.Dilation[1]
					beside := z < 0 || z >= c.Input[0] || y < 0 || y >= c.Input[1]
					line := (z*c.Input[1] + y) * c.Input[2]
					for t := range c.Kernel[2] {
						v, at := T(0), from[2]+t*c.Dilation[2]
						if !beside && at >= 0 && at < c.Input[2] {
							v = plane[line+at]
						}
						to = append(to, v)
					}
				})
			}
		})
	}
}
