// Package driver finds NVIDIA's driver when the program starts, so that a program built for GPUs runs without one.
//
// gorgonia.org/cu calls the driver's functions by name. Here each name is a jump through a table, which is filled from
// libcuda.so.1, or the file that AEGIS_CUDA_DRIVER names. Without a driver every function answers CUDA_ERROR_NO_DEVICE,
// but for cuInit, after whose failure cu would end the process.
package driver
