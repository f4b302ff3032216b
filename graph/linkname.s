// This file lets Go accept the body-less runTape of machine_stepped.go.
