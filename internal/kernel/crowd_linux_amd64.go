package kernel

const getCPU = 309 // the number of the system call getcpu
