//go:build gpu

package optimizers

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/cuda"
)

func TestEveryRuleRunsOnAGPU(t *testing.T) {
	require.NotEmpty(t, classes)
	for class, settings := range classes {
		if class == "LBFGS" { // searches on the host
			continue
		}
		require.NoError(t, runsOn(cuda.Device(0), settings()), class)
	}
}
