//go:build gpu

package optimizers

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryRuleRunsOnAGPU(t *testing.T) {
	require.NotEmpty(t, classes)
	for class, settings := range classes {
		if class == "LBFGS" { // searches on the host
			continue
		}
		s := settings()
		_, one := s.(deviceRule)
		_, several := s.(deviceSteps)
		require.True(t, one || several, class)
	}
}
