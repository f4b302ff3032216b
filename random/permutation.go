package random

// Randperm is a random permutation of 0 to n-1: torch.randperm.
func Randperm(g *Generator, n int) []int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := make([]int64, n)
	for i := range p {
		p[i] = int64(i)
	}
	for i := range n - 1 {
		j := i + int(g.word()%uint32(n-i))
		p[i], p[j] = p[j], p[i]
	}
	return p
}
