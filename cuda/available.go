//go:build gpu

package cuda

import (
	"gorgonia.org/cu"

	"github.com/seed-70b75153/aegis/cuda/internal/driver"
)

// Available says why no GPU can be used, or is nil.
func Available() error {
	if why := driver.Missing(); why != "" {
		return &UnavailableError{Why: "no NVIDIA driver was found: " + why}
	}
	n, err := cu.NumDevices()
	if err != nil {
		return &UnavailableError{Why: named("cuDeviceGetCount", err).Error()}
	}
	if n == 0 {
		return &UnavailableError{Why: "the driver knows no GPU"}
	}
	return nil
}
