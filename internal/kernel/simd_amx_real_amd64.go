//go:build !aegis_amx_emulated

package kernel

const amxEmulated = false
