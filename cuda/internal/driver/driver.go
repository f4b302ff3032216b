//go:build gpu

package driver

// #cgo LDFLAGS: -ldl
// extern char *aegis_cuda_missing;
import "C"

// Missing says why there is no driver; it is empty where one was found.
func Missing() string {
	if C.aegis_cuda_missing == nil {
		return ""
	}
	return C.GoString(C.aegis_cuda_missing)
}
