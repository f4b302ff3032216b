package kernel

import "math"

// spoil fills scratch memory with NaN: a kernel that reads what it hasn't written then shows it.
func spoil[T Float]() {
	const enough = 1 << 16
	if raceEnabled { // which takes long to write
		return
	}
	var all [4]*workspace[T]
	for i := range all {
		all[i] = borrow[T]()
	}
	for _, w := range all {
		for _, buffer := range []*[]T{&w.a, &w.b, &w.out, &w.own, &w.other, &w.kept, &w.right, &w.square, &w.turned, &w.panel, &w.splitRows} {
			if len(*buffer) < enough { // to grow would give zeros
				*buffer = make([]T, enough)
			}
			for i := range (*buffer)[:enough] {
				(*buffer)[i] = T(math.NaN())
			}
		}
		w.giveBack()
	}
}
