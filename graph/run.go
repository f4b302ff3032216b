package graph

// run evaluates an expression, with its gradients where backward.
func run(root, gradient *Expr, backward bool) error {
	r, err := settle(root, gradient, backward)
	if err != nil {
		return err
	}
	defer r.release()
	for _, e := range r.nodes {
		if e.err != nil {
			return e.err
		}
		if e.param != nil && e.param.storage.fault != nil {
			return e.param.storage.fault
		}
		if p, ok := e.function.(Parametric); ok && !r.known(e) && p.Version() != e.version {
			return ErrParametersChanged
		}
	}
	c := cacheOf(r)
	entry, p, err := c.acquire(r)
	if err != nil {
		return err
	}
	defer c.release(entry, p)
	return p.run(r)
}

// settle makes the request, after evaluating what Backward stops at: values made without gradients.
func settle(root, gradient *Expr, backward bool) (*request, error) {
	r := newRequest(root, gradient, backward)
	if !backward {
		return r, nil
	}
	for _, e := range r.nodes {
		if e.noGrad && !e.done && !e.several {
			err := e.compute()
			r.release()
			if err != nil {
				return nil, err
			}
			return settle(root, gradient, backward)
		}
	}
	return r, nil
}
