// Package carried is what is tested on a GPU: every record, the examples, memory over many steps, and faults. It is built as one
// program to be carried to a machine that has an NVIDIA driver and nothing else, see carry.sh; go test runs it on a GPU that is
// here, or on the emulated device.
package carried
