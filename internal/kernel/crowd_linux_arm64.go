package kernel

const getCPU = 168 // the number of the system call getcpu
