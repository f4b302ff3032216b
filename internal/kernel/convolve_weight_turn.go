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
	positions, channels := volume(c.Output), c.In*volume(c.Input)
	room := terms*(columns+c.Out) + columns*positions
	all := unsafe.Slice(aligned(&w.b, room), room)
	under, of, unfolded := all[:terms*columns], all[terms*columns:terms*(columns+c.Out)], all[terms*(columns+c.Out):]
	for g := range c.Groups {
		for b := range c.Batch {
			item := b*c.Groups + g
			Unfold(unfolded, x[item*channels:], c.In, c.Window)
			Transpose(under[b*positions*columns:], columns, unfolded, positions, columns, positions)
			for o := range c.Out {
				copy(of[o*terms+b*positions:], dy[(item*c.Out+o)*positions:][:positions])
			}
		}
		part := dweight[g*c.Out*columns:][:c.Out*columns]
		Gemm(NN, c.Out, columns, terms, of, terms, under, columns, part, columns, false, Epilogue[T]{})
	}
}
