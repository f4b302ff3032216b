//go:build !amd64

package kernel

// amxEmulated is as in simd_amx_emulated_amd64.go.
const amxEmulated = false
