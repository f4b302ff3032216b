//go:build gpu

package optimizers

import (
	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/ops"
)

var sparseAdamSource = cuda.NewSource("sparse_adam", `
// A block has a row: one of those given, or any, which moves where its gradient isn't zero all over.
extern "C" __global__ void update(T *p, const T *g, T *m, T *v, const i64 *given, int named, double sign, double fresh1, double fresh2,
	double step, double eps, i64 rows, i64 size) {
	ROWS(r, rows) {
		i64 from = (named ? given[r] : r) * size, reached = 0;
		ALONG(i, size) reached += g[from + i] != 0;
		if (block_sum(reached) == 0 && !named)
			continue;
		ALONG(i, size) {
			i64 at = from + i;
			T d = T(sign) * g[at];
			m[at] += T(fresh1) * (d - m[at]);
			v[at] += T(fresh2) * (d * d - v[at]);
			p[at] -= T(step) * m[at] / (sqrt(v[at]) + T(eps));
		}
	}
}
`)

func (s *sparseAdam) stepsOn(to *ops.Launches, r *run, on *deviceRun) error {
	count, size := rowsOf(r.param)
	given, named := s.take(r.param)
	at := on.values // stands for rows that aren't named
	if named {
		var err error
		if at, err = to.Constant(given); err != nil {
			return err
		}
		count = len(given)
	}
	sign, step := s.steps(r)
	return to.Launch(sparseAdamSource.Kernel("update", on.real), cuda.Rows(count, size), on.values, on.gradients, on.kept[0], on.kept[1], at,
		named, sign, 1-s.Beta[0], 1-s.Beta[1], step, s.Eps, count, size)
}
