//go:build aegis_amx_emulated

package kernel

// amxEmulated: the program runs under testdata/amx_emulator.c, which executes the tiles' instructions.
const amxEmulated = true
