// Package parity replays records of what PyTorch did, and compares every number.
//
// A record is a safetensors file of tensors with a spec in its metadata: see the README beside this file, and record.py,
// which makes them. [Replay] checks one, [ReplayAll] a folder; `go test ./parity` checks testdata, or the folder that
// AEGIS_RECORDS names.
package parity
