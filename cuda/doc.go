// Package cuda is the device of programs built with -tags gpu: an NVIDIA GPU, its memory, its stream, its kernels. It knows
// no operation and no layer.
//
// Such a program runs on every machine: the driver is looked for when it starts, and [Available] says why there is none. The
// README beside this file says how to build it and how to run it.
package cuda
