package kernel

// Lerp moves x towards y by a share of the way, as torch.lerp_ does: from the nearer end, with one rounding.
func Lerp[T Float](x, y []T, share T) {
	need("y of Lerp", len(y), len(x))
	near := share > -0.5 && share < 0.5
	for i, from := range x {
		if near {
			x[i] = fma(share, y[i]-from, from)
		} else {
			x[i] = fma(share-1, y[i]-from, y[i])
		}
	}
}
