//go:build gpu

package ops

// copied adds a copy of the whole input.
func copied(to *Launches, in, out []Remote) error {
	to.Copy(out[0].At, in[0].At, out[0].bytes())
	return nil
}

func (r reshape) Launch(to *Launches, in, out []Remote) error { return copied(to, in, out) }

func (identity) Launch(to *Launches, in, out []Remote) error { return copied(to, in, out) }
