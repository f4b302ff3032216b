package sequential_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/graph"
)

func TestADeviceThatIsNotThere(t *testing.T) {
	m := mlp(1)
	if cuda.Available() == nil {
		t.Skip("there is a device")
	}
	var unavailable *cuda.UnavailableError
	require.ErrorAs(t, m.To(cuda.Device(0)), &unavailable)
	require.Equal(t, graph.CPU, m.Device())
	floats(t, m.Forward(rows(4, 3)))
	require.NoError(t, m.To(graph.CPU))
	require.ErrorAs(t, rows(1, 1).To(cuda.Device(0)).Err(), &unavailable)
}
